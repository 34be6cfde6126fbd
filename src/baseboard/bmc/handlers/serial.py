"""Transport commands 10h-1Ch: serial and modem.  [IPMI 25]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.channels import ChannelState
from baseboard.bmc.core import Command, CommandTable
from baseboard.errors import CommandError
from baseboard.ipmi.app_channels import ChannelMedium
from baseboard.ipmi.codec import DONE, Empty, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.transport_serial import (
    PARAMETER_REVISION,
    GetSerialConfigurationRequest,
    GetSerialConfigurationResponse,
    SetSerialConfigurationRequest,
    SetSerialMuxRequest,
)

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc

NO_PPP = "there is no PPP: serial parameter 3"
NO_MODEM = "there is no modem to call with"
NO_TAP = "there is no pager: serial parameter 24"
ONE_PORT = "one port, whose wires Set Serial/Modem Mux switches"


def set_configuration(bmc: Bmc, request: SetSerialConfigurationRequest, context: Context) -> Response:
    _serial(bmc, request.channel, context)
    bmc.serial_configuration.set(request.parameter, request.data)
    return DONE


def get_configuration(bmc: Bmc, request: GetSerialConfigurationRequest, context: Context) -> Response:
    _serial(bmc, request.channel, context)
    data = b""
    if request.revision_only:
        bmc.serial_configuration.check_provided(request.parameter)
    else:
        data = bmc.serial_configuration.get(request.parameter, request.block_selector)
    return GetSerialConfigurationResponse(revision=PARAMETER_REVISION, data=data)


def set_mux(bmc: Bmc, request: SetSerialMuxRequest, context: Context) -> Response:
    channel = _serial(bmc, request.channel, context)
    active = bmc.channels.count_sessions(channel.number) > 0
    return bmc.serial_configuration.switch_mux(request.operation, active)


def _serial(bmc: Bmc, number: int, context: Context) -> ChannelState:
    channel = bmc.channels.resolve(number, context)
    if channel.medium is not ChannelMedium.SERIAL:
        raise CommandError(CompletionCode.INVALID_FIELD, f"channel {channel.number:X}h is no serial port")
    return channel


# fmt: off
TABLE = CommandTable(NetFn.TRANSPORT, (
    #       number  privilege                request                        handler               IPMI
    Command(0x10,   Privilege.ADMINISTRATOR, SetSerialConfigurationRequest, set_configuration),  # 25.1
    Command(0x11,   Privilege.OPERATOR,      GetSerialConfigurationRequest, get_configuration),  # 25.2
    Command(0x12,   Privilege.OPERATOR,      SetSerialMuxRequest,           set_mux),            # 25.3
    Command(0x13,   Privilege.USER,          Empty,                         None, reason=NO_TAP),    # 25.4
    Command(0x14,   Privilege.SYSTEM,        Empty,                         None, reason=NO_PPP),    # 25.5
    Command(0x15,   Privilege.SYSTEM,        Empty,                         None, reason=NO_PPP),    # 25.6
    Command(0x16,   Privilege.SYSTEM,        Empty,                         None, reason=NO_PPP),    # 25.7
    Command(0x17,   Privilege.SYSTEM,        Empty,                         None, reason=NO_PPP),    # 25.8
    Command(0x18,   Privilege.NONE,          Empty,                         None,                    # 25.9
            reason="only a BMC sends it, to software on its serial port"),
    Command(0x19,   Privilege.CALLBACK,      Empty,                         None, reason=NO_MODEM),  # 25.10
    Command(0x1A,   Privilege.ADMINISTRATOR, Empty,                         None, reason=NO_MODEM),  # 25.11
    Command(0x1B,   Privilege.USER,          Empty,                         None, reason=NO_MODEM),  # 25.12
    Command(0x1C,   Privilege.ADMINISTRATOR, Empty,                         None, reason=ONE_PORT),  # 25.13
))
# fmt: on
