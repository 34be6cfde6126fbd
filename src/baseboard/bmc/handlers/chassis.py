"""Chassis commands.  [IPMI chapter 28; Appendix G, Table G-1]"""

from __future__ import annotations

from baseboard.bmc.boot_options import Parameter
from baseboard.bmc.chassis import MINUTES_PER_COUNT
from baseboard.bmc.controller import Bmc
from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.events import PowerAction
from baseboard.errors import CommandError
from baseboard.ipmi.chassis import (
    BootFlags,
    ChassisControlRequest,
    ChassisIdentifyRequest,
    GetPohCounterResponse,
    GetSystemBootOptionsRequest,
    GetSystemBootOptionsResponse,
    GetSystemRestartCauseResponse,
    SetChassisCapabilitiesRequest,
    SetFrontPanelEnablesRequest,
    SetPowerCycleIntervalRequest,
    SetPowerRestorePolicyRequest,
    SetPowerRestorePolicyResponse,
    SetSystemBootOptionsRequest,
)
from baseboard.ipmi.codec import DONE, Empty, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

ACTIONS = frozenset(int(action) for action in PowerAction)


def get_chassis_capabilities(bmc: Bmc, request: Empty, context: Context) -> Response:
    return bmc.chassis.capabilities


def get_chassis_status(bmc: Bmc, request: Empty, context: Context) -> Response:
    return bmc.chassis.status()


def chassis_control(bmc: Bmc, request: ChassisControlRequest, context: Context) -> Response:
    if request.action not in ACTIONS:
        raise CommandError(CompletionCode.INVALID_FIELD, f"no chassis control {request.action}")
    bmc.chassis.control(PowerAction(request.action), context.channel, context.now)
    return DONE


def chassis_reset(bmc: Bmc, request: Empty, context: Context) -> Response:
    bmc.chassis.control(PowerAction.RESET, context.channel, context.now)
    return DONE


def chassis_identify(bmc: Bmc, request: ChassisIdentifyRequest, context: Context) -> Response:
    bmc.chassis.identify(request.interval, request.force_on, context.now)
    return DONE


def set_chassis_capabilities(bmc: Bmc, request: SetChassisCapabilitiesRequest, context: Context) -> Response:
    bmc.chassis.set_capabilities(request)
    return DONE


def set_power_restore_policy(bmc: Bmc, request: SetPowerRestorePolicyRequest, context: Context) -> Response:
    bmc.chassis.set_power_restore_policy(request.policy)
    return SetPowerRestorePolicyResponse(always_on=True, previous_state=True, stay_off=True)


def get_system_restart_cause(bmc: Bmc, request: Empty, context: Context) -> Response:
    return GetSystemRestartCauseResponse(cause=bmc.chassis.restart_cause, channel=bmc.chassis.restart_channel)


def set_system_boot_options(bmc: Bmc, request: SetSystemBootOptionsRequest, context: Context) -> Response:
    data = request.data
    is_flags = request.parameter == Parameter.BOOT_FLAGS and len(data) == BootFlags.SIZE
    if is_flags and BootFlags.decode(data).bypass_password and context.privilege < Privilege.ADMINISTRATOR:
        # The bypass of the user's password takes an administrator.  [IPMI Table 28-14]
        raise CommandError(CompletionCode.INSUFFICIENT_PRIVILEGE, "only an administrator may do that")
    bmc.boot_options.set(request.parameter, data, request.mark_invalid, context.now)
    return DONE


def get_system_boot_options(bmc: Bmc, request: GetSystemBootOptionsRequest, context: Context) -> Response:
    invalid, data = bmc.boot_options.get(request.parameter, request.set)
    return GetSystemBootOptionsResponse(version=1, invalid=invalid, parameter=request.parameter, data=data)


def set_front_panel_enables(bmc: Bmc, request: SetFrontPanelEnablesRequest, context: Context) -> Response:
    bmc.chassis.set_buttons_disabled(request.buttons_disabled)
    return DONE


def set_power_cycle_interval(bmc: Bmc, request: SetPowerCycleIntervalRequest, context: Context) -> Response:
    bmc.chassis.set_power_cycle_interval(request.interval)
    return DONE


def get_poh_counter(bmc: Bmc, request: Empty, context: Context) -> Response:
    return GetPohCounterResponse(
        minutes_per_count=MINUTES_PER_COUNT, counter=bmc.chassis.power_on_hours(context.now)
    )


# fmt: off
TABLE = CommandTable(NetFn.CHASSIS, (
    #       number privilege                request                        handler                      IPMI
    Command(0x00,  Privilege.USER,          Empty,                         get_chassis_capabilities),  # 28.1
    Command(0x01,  Privilege.USER,          Empty,                         get_chassis_status),  # 28.2
    Command(0x02,  Privilege.OPERATOR,      ChassisControlRequest,         chassis_control),  # 28.3
    Command(0x03,  Privilege.OPERATOR,      Empty,                         chassis_reset),  # 28.4
    Command(0x04,  Privilege.OPERATOR,      ChassisIdentifyRequest,        chassis_identify),  # 28.5
    Command(0x05,  Privilege.ADMINISTRATOR, SetChassisCapabilitiesRequest, set_chassis_capabilities),  # 28.7
    Command(0x06,  Privilege.OPERATOR,      SetPowerRestorePolicyRequest,  set_power_restore_policy),  # 28.8
    Command(0x07,  Privilege.USER,          Empty,                         get_system_restart_cause),  # 28.11
    Command(0x08,  Privilege.OPERATOR,      SetSystemBootOptionsRequest,   set_system_boot_options),  # 28.12
    Command(0x09,  Privilege.OPERATOR,      GetSystemBootOptionsRequest,   get_system_boot_options),  # 28.13
    Command(0x0A,  Privilege.ADMINISTRATOR, SetFrontPanelEnablesRequest,   set_front_panel_enables),  # 28.6
    Command(0x0B,  Privilege.ADMINISTRATOR, SetPowerCycleIntervalRequest,  set_power_cycle_interval),  # 28.9
    Command(0x0F,  Privilege.USER,          Empty,                         get_poh_counter),  # 28.14
))
# fmt: on
