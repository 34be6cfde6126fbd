"""App commands 01h-08h and 37h: the controller itself.  [IPMI 20, 22.14]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.ipmi.app_device import GetAcpiPowerStateResponse, SetAcpiPowerStateRequest
from baseboard.ipmi.codec import Done, Empty, Response
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

if TYPE_CHECKING:
    from baseboard.bmc.base import Controller


def get_device_id(bmc: Controller, request: Empty, context: Context) -> Response:
    return bmc.device.identity


def cold_reset(bmc: Controller, request: Empty, context: Context) -> Response:
    bmc.reset(cold=True, now=context.now)
    return Done()


def warm_reset(bmc: Controller, request: Empty, context: Context) -> Response:
    bmc.reset(cold=False, now=context.now)
    return Done()


def get_self_test_results(bmc: Controller, request: Empty, context: Context) -> Response:
    return bmc.device.self_test


def set_acpi_power_state(bmc: Controller, request: SetAcpiPowerStateRequest, context: Context) -> Response:
    bmc.device.set_power_state(
        request.system_state if request.set_system else None,
        request.device_state if request.set_device else None,
    )
    return Done()


def get_acpi_power_state(bmc: Controller, request: Empty, context: Context) -> Response:
    return GetAcpiPowerStateResponse(
        system_state=bmc.device.system_state, device_state=bmc.device.device_state
    )


def get_guid(bmc: Controller, request: Empty, context: Context) -> Response:
    return bmc.device.guid_response()


# fmt: off
TABLE = CommandTable(NetFn.APP, (
    #       number  privilege                request                    handler                 IPMI
    Command(0x01,   Privilege.USER,          Empty,                     get_device_id),         # 20.1
    Command(0x02,   Privilege.ADMINISTRATOR, Empty,                     cold_reset),            # 20.2
    Command(0x03,   Privilege.ADMINISTRATOR, Empty,                     warm_reset),            # 20.3
    Command(0x04,   Privilege.USER,          Empty,                     get_self_test_results),  # 20.4
    Command(0x05,   Privilege.ADMINISTRATOR, Empty,                     None,                   # 20.5
            reason="there is no factory and no test mode"),
    Command(0x06,   Privilege.ADMINISTRATOR, SetAcpiPowerStateRequest,  set_acpi_power_state),  # 20.6
    Command(0x07,   Privilege.USER,          Empty,                     get_acpi_power_state),  # 20.7
    Command(0x08,   Privilege.USER,          Empty,                     get_guid),              # 20.8
    Command(0x37,   Privilege.NONE,          Empty,                     get_guid),              # 22.14
))
# fmt: on
