"""App commands 2Eh-36h and 57h: between system software and the controller.  [IPMI 22.1-22.10]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.bridging import send
from baseboard.bmc.core import Command, CommandTable
from baseboard.errors import CommandError
from baseboard.ipmb.port import LATER
from baseboard.ipmi.app_messaging import (
    ClearMessageFlagsRequest,
    EnableMessageChannelReceiveRequest,
    EnableMessageChannelReceiveResponse,
    GetBtInterfaceCapabilitiesResponse,
    GetGlobalEnablesResponse,
    GetMessageFlagsResponse,
    GetMessageResponse,
    GetSystemInterfaceCapabilitiesRequest,
    KcsCapabilitiesResponse,
    ReadEventMessageBufferResponse,
    Reception,
    SendMessageRequest,
    SetGlobalEnablesRequest,
    SsifCapabilitiesResponse,
    SystemInterfaceType,
)
from baseboard.ipmi.codec import DONE, Empty, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

if TYPE_CHECKING:
    from baseboard.bmc.base import Controller
    from baseboard.bmc.controller import Bmc

# One request at a time and whole messages of 255 bytes, as QEMU's interfaces have it, which answer these
# two commands themselves.
BT_CAPABILITIES = GetBtInterfaceCapabilitiesResponse(
    outstanding_requests=1, input_size=255, output_size=255, response_time=10, recommended_retries=0
)
INTERFACE_CAPABILITIES: dict[int, Response] = {
    SystemInterfaceType.SSIF: SsifCapabilitiesResponse(
        version=0, packet_error_code=0, transaction_support=2, input_size=255, output_size=255
    ),
    SystemInterfaceType.KCS: KcsCapabilitiesResponse(version=0, input_size=255),
    SystemInterfaceType.SMIC: KcsCapabilitiesResponse(version=0, input_size=255),
}


def set_global_enables(bmc: Bmc, request: SetGlobalEnablesRequest, context: Context) -> Response:
    bmc.messaging.set_enables(request.enables)
    return DONE


def get_global_enables(bmc: Bmc, request: Empty, context: Context) -> Response:
    return GetGlobalEnablesResponse(enables=bmc.messaging.enables)


def clear_message_flags(bmc: Bmc, request: ClearMessageFlagsRequest, context: Context) -> Response:
    bmc.messaging.clear_flags(request.flags)
    return DONE


def get_message_flags(bmc: Bmc, request: Empty, context: Context) -> Response:
    return GetMessageFlagsResponse(flags=bmc.messaging.flags)


def enable_message_channel_receive(
    bmc: Bmc, request: EnableMessageChannelReceiveRequest, context: Context
) -> Response:
    if request.reception not in (Reception.DISABLE, Reception.ENABLE, Reception.READ):
        raise CommandError(CompletionCode.INVALID_FIELD, "reserved channel state")
    if request.reception != Reception.READ:
        bmc.messaging.set_reception(request.channel, request.reception == Reception.ENABLE)
    return EnableMessageChannelReceiveResponse(
        channel=request.channel, enabled=bmc.messaging.receives(request.channel)
    )


def get_message(bmc: Bmc, request: Empty, context: Context) -> Response:
    channel, privilege, data = bmc.messaging.get_message()
    return GetMessageResponse(channel=channel, inferred_privilege=privilege, message=data)


class AnswersLater(Response):
    """No answer now: it is sent when the one it depends on has come."""

    def encode(self) -> bytes:
        return LATER


def send_message(bmc: Controller, request: SendMessageRequest, context: Context) -> Response:
    return DONE if send(bmc, request, context) else AnswersLater()


def read_event_message_buffer(bmc: Bmc, request: Empty, context: Context) -> Response:
    return ReadEventMessageBufferResponse(record=bmc.messaging.read_event())


def get_bt_interface_capabilities(bmc: Bmc, request: Empty, context: Context) -> Response:
    return BT_CAPABILITIES


def get_system_interface_capabilities(
    bmc: Bmc, request: GetSystemInterfaceCapabilitiesRequest, context: Context
) -> Response:
    response = INTERFACE_CAPABILITIES.get(request.interface)
    if response is None:
        raise CommandError(CompletionCode.INVALID_FIELD, f"no system interface type {request.interface}")
    return response


SYSTEM, USER = Privilege.SYSTEM, Privilege.USER

# fmt: off
TABLE = CommandTable(NetFn.APP, (
    #       number level   request                                handler                             IPMI
    Command(0x2E,  SYSTEM, SetGlobalEnablesRequest,               set_global_enables),                # 22.1
    Command(0x2F,  USER,   Empty,                                 get_global_enables),                # 22.2
    Command(0x30,  SYSTEM, ClearMessageFlagsRequest,              clear_message_flags),               # 22.3
    Command(0x31,  SYSTEM, Empty,                                 get_message_flags),                 # 22.4
    Command(0x32,  SYSTEM, EnableMessageChannelReceiveRequest,    enable_message_channel_receive),    # 22.5
    Command(0x33,  SYSTEM, Empty,                                 get_message),                       # 22.6
    Command(0x34,  USER,   SendMessageRequest,                    send_message),                      # 22.7
    Command(0x35,  SYSTEM, Empty,                                 read_event_message_buffer),         # 22.8
    Command(0x36,  USER,   Empty,                                 get_bt_interface_capabilities),     # 22.10
    Command(0x57,  USER,   GetSystemInterfaceCapabilitiesRequest, get_system_interface_capabilities), # 22.9
))
# fmt: on
