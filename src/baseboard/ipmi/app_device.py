"""Identity, self test, resets and ACPI power state: App commands 01h-08h and 37h.  [IPMI 20, 22.14]"""

from __future__ import annotations

from enum import IntEnum, IntFlag

from baseboard.ipmi.codec import Request, Response, bit, bits, raw, tail, u8, u16, u24

IPMI_VERSION_BCD = 0x02
"""Version 2.0, least significant digit in the upper half.  [IPMI 20.1, Table 20-2, byte 6]"""


class Capability(IntFlag):
    """What a controller has, in Get Device ID and in locator records.  [IPMI 20.1, Table 20-2, byte 7]"""

    SENSORS = 0x01
    SDR_REPOSITORY = 0x02
    SEL = 0x04
    FRU = 0x08
    EVENT_RECEIVER = 0x10
    EVENT_GENERATOR = 0x20
    BRIDGE = 0x40
    CHASSIS = 0x80


class SystemPowerState(IntEnum):
    """ACPI system power states.  [IPMI 20.6, Table 20-7]"""

    S0 = 0x00
    S1 = 0x01
    S2 = 0x02
    S3 = 0x03
    S4 = 0x04
    S5 = 0x05
    S4_OR_S5 = 0x06
    G3 = 0x07
    SLEEPING_S1_TO_S3 = 0x08
    SLEEPING_S1_TO_S4 = 0x09
    S5_BY_OVERRIDE = 0x0A
    LEGACY_ON = 0x20
    LEGACY_OFF = 0x21
    UNKNOWN = 0x2A


class DevicePowerState(IntEnum):
    """ACPI device power states.  [IPMI 20.6, Table 20-7]"""

    D0 = 0x00
    D1 = 0x01
    D2 = 0x02
    D3 = 0x03
    UNKNOWN = 0x2A


NO_CHANGE = 0x7F
"""As a state in Set ACPI Power State: leave it as it is."""


class GetDeviceIdResponse(Response):
    """Who the controller is and what it can do.  [IPMI 20.1, Table 20-2]"""

    # fmt: off
    device_id:            int   = u8(2)
    device_revision:      int   = bits(3, 3, 0)
    provides_device_sdrs: bool  = bit(3, 7)
    firmware_major:       int   = bits(4, 6, 0)
    updating:             bool  = bit(4, 7)      # 1: commands may be refused meanwhile
    firmware_minor_bcd:   int   = u8(5)
    ipmi_version_bcd:     int   = u8(6)
    sensor_device:        bool  = bit(7, 0)      # these eight: Capability
    sdr_repository:       bool  = bit(7, 1)
    sel_device:           bool  = bit(7, 2)
    fru_inventory:        bool  = bit(7, 3)
    event_receiver:       bool  = bit(7, 4)
    event_generator:      bool  = bit(7, 5)
    bridge:               bool  = bit(7, 6)
    chassis_device:       bool  = bit(7, 7)
    manufacturer_id:      int   = u24(8)         # IANA enterprise number, 20 bits
    product_id:           int   = u16(11)
    auxiliary:            bytes = tail(13)       # none or 4 bytes
    # fmt: on


class GetSelfTestResultsResponse(Response):
    """How the last self test ended.  [IPMI 20.4, Table 20-5]"""

    # fmt: off
    result: int = u8(2)
    detail: int = u8(3)
    # fmt: on


class SetAcpiPowerStateRequest(Request):
    """System software tells the state that it enters.  [IPMI 20.6, Table 20-7]"""

    # fmt: off
    set_system:   bool = bit(1, 7)
    system_state: int  = bits(1, 6, 0)
    set_device:   bool = bit(2, 7)
    device_state: int  = bits(2, 6, 0)
    # fmt: on


class GetAcpiPowerStateResponse(Response):
    """The state that was last set.  [IPMI 20.7, Table 20-8]"""

    # fmt: off
    system_state: int = bits(2, 6, 0)
    device_state: int = bits(3, 6, 0)
    # fmt: on


class GetGuidResponse(Response):
    """Of Get Device GUID and Get System GUID, least significant byte first.  [IPMI 20.8; 22.14]"""

    guid: bytes = raw(2, 16)
