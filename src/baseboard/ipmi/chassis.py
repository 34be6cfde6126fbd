"""Chassis commands, network function 00h.  [IPMI chapter 28]"""

from __future__ import annotations

from baseboard.ipmi.codec import Request, Response, bit, bits, raw, tail, u8, u32


class GetChassisCapabilitiesResponse(Response):
    """[IPMI 28.1, Table 28-2]"""

    # fmt: off
    power_interlock:         bool = bit(2, 3)
    diagnostic_interrupt:    bool = bit(2, 2)
    front_panel_lockout:     bool = bit(2, 1)
    intrusion_sensor:        bool = bit(2, 0)
    fru_device_address:      int  = u8(3)
    sdr_device_address:      int  = u8(4)
    sel_device_address:      int  = u8(5)
    system_management_device_address: int = u8(6)
    bridge_device_address:   int  = u8(7, default=0x20)
    # fmt: on


class GetChassisStatusResponse(Response):
    """[IPMI 28.2, Table 28-3]"""

    # fmt: off
    power_restore_policy:      int  = bits(2, 6, 5)
    power_control_fault:       bool = bit(2, 4)
    power_fault:               bool = bit(2, 3)
    interlock:                 bool = bit(2, 2)
    power_overload:            bool = bit(2, 1)
    power_is_on:               bool = bit(2, 0)
    last_on_by_command:        bool = bit(3, 4)
    last_down_by_fault:        bool = bit(3, 3)
    last_down_by_interlock:    bool = bit(3, 2)
    last_down_by_overload:     bool = bit(3, 1)
    ac_failed:                 bool = bit(3, 0)
    identify_supported:        bool = bit(4, 6)
    identify_state:            int  = bits(4, 5, 4)
    fan_fault:                 bool = bit(4, 3)
    drive_fault:               bool = bit(4, 2)
    front_panel_lockout:       bool = bit(4, 1)
    intrusion:                 bool = bit(4, 0)
    buttons_allowed:           int  = bits(5, 7, 4, default=0)  # which of [3:0] may be set; optional byte
    buttons_disabled:          int  = bits(5, 3, 0, default=0)  # as SetFrontPanelEnablesRequest
    # fmt: on


class ChassisControlRequest(Request):
    """[IPMI 28.3, Table 28-4]"""

    action: int = bits(1, 3, 0)


class ChassisIdentifyRequest(Request):
    """[IPMI 28.5, Table 28-6]"""

    interval: int = u8(1, default=15)  # seconds; 0: off
    force_on: bool = bit(2, 0, default=False)  # until it is switched off; the interval is ignored


class SetFrontPanelEnablesRequest(Request):
    """[IPMI 28.6, Table 28-7]"""

    buttons_disabled: int = bits(1, 3, 0)  # 3 standby, 2 diagnostic interrupt, 1 reset, 0 power off


class SetChassisCapabilitiesRequest(Request):
    """[IPMI 28.7, Table 28-8]"""

    # fmt: off
    front_panel_lockout:     bool = bit(1, 1)
    intrusion_sensor:        bool = bit(1, 0)
    fru_device_address:      int  = u8(2)
    sdr_device_address:      int  = u8(3)
    sel_device_address:      int  = u8(4)
    system_management_device_address: int = u8(5)
    bridge_device_address:   int  = u8(6, default=0x20)
    # fmt: on


class SetPowerRestorePolicyRequest(Request):
    """[IPMI 28.8, Table 28-9]"""

    policy: int = bits(1, 2, 0)  # 3: no change, only the answer is wanted


class SetPowerRestorePolicyResponse(Response):
    """[IPMI 28.8, Table 28-9]"""

    # fmt: off
    always_on:      bool = bit(2, 2)
    previous_state: bool = bit(2, 1)
    stay_off:       bool = bit(2, 0)
    # fmt: on


class SetPowerCycleIntervalRequest(Request):
    """[IPMI 28.9, Table 28-10]"""

    interval: int = u8(1)  # seconds; 0: as short as the chassis can


class GetSystemRestartCauseResponse(Response):
    """[IPMI 28.11, Table 28-11]"""

    cause: int = bits(2, 3, 0)
    channel: int = u8(3)  # on which the command came that caused it; 0: none


class SetSystemBootOptionsRequest(Request):
    """[IPMI 28.12, Table 28-12]"""

    # fmt: off
    mark_invalid: bool  = bit(1, 7)
    parameter:    int   = bits(1, 6, 0)
    data:         bytes = tail(2)  # empty: only the mark changes
    # fmt: on


class GetSystemBootOptionsRequest(Request):
    """[IPMI 28.13, Table 28-13]"""

    # fmt: off
    parameter: int = bits(1, 6, 0)
    set:       int = u8(2)
    block:     int = u8(3)
    # fmt: on


class GetSystemBootOptionsResponse(Response):
    """[IPMI 28.13, Table 28-13]"""

    # fmt: off
    version:   int   = bits(2, 3, 0)
    invalid:   bool  = bit(3, 7)
    parameter: int   = bits(3, 6, 0)
    data:      bytes = tail(4)
    # fmt: on


class BootFlags(Request):
    """Boot option parameter 5: what the firmware is asked to do at the next start.  [IPMI Table 28-14]"""

    # fmt: off
    valid:                 bool = bit(1, 7)
    persistent:            bool = bit(1, 6)  # for every start, not only the next
    efi:                   bool = bit(1, 5)  # else a PC compatible ("legacy") start
    clear_cmos:            bool = bit(2, 7)
    lock_keyboard:         bool = bit(2, 6)
    device:                int  = bits(2, 5, 2)
    blank_screen:          bool = bit(2, 1)
    lock_reset_button:     bool = bit(2, 0)
    lock_power_button:     bool = bit(3, 7)
    verbosity:             int  = bits(3, 6, 5)
    progress_traps:        bool = bit(3, 4)
    bypass_password:       bool = bit(3, 3)
    lock_sleep_button:     bool = bit(3, 2)
    console_redirection:   int  = bits(3, 1, 0)
    override_shared_mode:  bool = bit(4, 3)
    override_mux:          int  = bits(4, 2, 0)
    device_instance:       int  = bits(5, 4, 0)
    # fmt: on


class BootInitiatorInfo(Request):
    """Boot option parameter 6: who asked for the start.  [IPMI Table 28-14]"""

    # fmt: off
    channel:    int   = bits(1, 3, 0)
    session_id: bytes = raw(2, 4)
    timestamp:  int   = u32(6)
    # fmt: on


class GetPohCounterResponse(Response):
    """[IPMI 28.14, Table 28-15]"""

    minutes_per_count: int = u8(2)
    counter: int = u32(3)
