"""App commands 09h-0Dh and 60h-64h: firmware firewall and command discovery.  [IPMI 21]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.firewall import HALF, LUNS, Place
from baseboard.errors import CommandError
from baseboard.ipmi.app_firewall import (
    BASE_SPECIFICATION,
    IPMI_SPECIFICATION,
    MASK_SIZE,
    NO_COMMANDS,
    RESTRICTED,
    SPECIFICATION_REVISION,
    SPECIFICATION_VERSION,
    SUB_FUNCTION_MASK_SIZE,
    CommandsRequest,
    CommandsResponse,
    GetNetFnSupportRequest,
    GetNetFnSupportResponse,
    GetOemNetFnIanaSupportRequest,
    GetSubFunctionSupportResponse,
    SetCommandEnablesRequest,
    SetSubFunctionEnablesRequest,
    SubFunctionsRequest,
    SubFunctionsResponse,
)
from baseboard.ipmi.codec import DONE, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc

_OWNER_SIZE = {NetFn.GROUP_EXTENSION: 1, NetFn.OEM_GROUP: 3}


def get_netfn_support(bmc: Bmc, request: GetNetFnSupportRequest, context: Context) -> Response:
    channel = bmc.channels.resolve(request.channel, context)
    functions = [bmc.firewall.functions(channel.number, lun, channel.has_sessions) for lun in range(LUNS)]
    luns = 0
    for lun, pairs in enumerate(functions):
        support = BASE_SPECIFICATION if pairs else NO_COMMANDS
        if pairs and bmc.firewall.restricted(channel.number, lun):
            support = RESTRICTED
        luns |= support << 2 * lun
    return GetNetFnSupportResponse(luns=luns, functions=tuple(functions))


def get_command_support(bmc: Bmc, request: CommandsRequest, context: Context) -> Response:
    place, sessions = _commands_place(bmc, request, context)
    return _commands_response(~bmc.firewall.supported(place, sessions), request.half)  # 1: it is not there


def get_sub_function_support(bmc: Bmc, request: SubFunctionsRequest, context: Context) -> Response:
    place = _place(bmc, request, request.owner, context)[0]
    missing = ~bmc.firewall.parts(place, request.command)
    return GetSubFunctionSupportResponse(
        specification_type=IPMI_SPECIFICATION,
        errata=0,
        specification_version=SPECIFICATION_VERSION,
        specification_revision=SPECIFICATION_REVISION,
        mask=(missing & 0xFFFF_FFFF).to_bytes(SUB_FUNCTION_MASK_SIZE, "little"),
    )


def get_configurable_commands(bmc: Bmc, request: CommandsRequest, context: Context) -> Response:
    place, sessions = _commands_place(bmc, request, context)
    return _commands_response(bmc.firewall.configurable(place, sessions), request.half)


def get_configurable_sub_functions(bmc: Bmc, request: SubFunctionsRequest, context: Context) -> Response:
    place = _place(bmc, request, request.owner, context)[0]
    return _parts_response(bmc.firewall.parts(place, request.command))


def set_command_enables(bmc: Bmc, request: SetCommandEnablesRequest, context: Context) -> Response:
    if request.netfn & 0x3E == NetFn.GROUP_EXTENSION and not request.owner:
        raise CommandError(CompletionCode.LENGTH_INVALID, "whose commands of this net function?")
    place, sessions = _commands_place(bmc, request, context)
    mask = int.from_bytes(request.mask, "little")
    bmc.firewall.set_enabled(place, request.half, mask, sessions)
    return DONE


def get_command_enables(bmc: Bmc, request: CommandsRequest, context: Context) -> Response:
    place, sessions = _commands_place(bmc, request, context)
    return _commands_response(bmc.firewall.enabled(place, sessions), request.half)


def set_sub_function_enables(bmc: Bmc, request: SetSubFunctionEnablesRequest, context: Context) -> Response:
    size = _OWNER_SIZE.get(NetFn(request.netfn & 0x3E), 0) if _is_known(request.netfn) else 0
    owner, masks = request.rest[:size], request.rest[size:]
    if len(masks) not in (SUB_FUNCTION_MASK_SIZE, 2 * SUB_FUNCTION_MASK_SIZE):
        raise CommandError(CompletionCode.LENGTH_INVALID, "one or two masks of four bytes")
    place = _place(bmc, request, owner, context)[0]
    bmc.firewall.set_enabled_parts(place, request.command, int.from_bytes(masks, "little"))
    return DONE


def get_sub_function_enables(bmc: Bmc, request: SubFunctionsRequest, context: Context) -> Response:
    place = _place(bmc, request, request.owner, context)[0]
    return _parts_response(bmc.firewall.enabled_parts(place, request.command))


def get_oem_netfn_iana_support(
    bmc: Bmc, request: GetOemNetFnIanaSupportRequest, context: Context
) -> Response:
    bmc.channels.resolve(request.channel, context)
    raise CommandError(CompletionCode.NOT_PRESENT, "nobody's OEM commands are here")


def _is_known(netfn: int) -> bool:
    return netfn & 0x3E in set(NetFn)


def _commands_place(
    bmc: Bmc, request: CommandsRequest | SetCommandEnablesRequest, context: Context
) -> tuple[Place, bool]:
    if request.half > 1:
        raise CommandError(CompletionCode.INVALID_FIELD, f"operation {request.half}")
    return _place(bmc, request, request.owner, context)


def _place(
    bmc: Bmc,
    request: CommandsRequest | SetCommandEnablesRequest | SubFunctionsRequest | SetSubFunctionEnablesRequest,
    owner: bytes,
    context: Context,
) -> tuple[Place, bool]:
    """The place that a request means, and whether there are sessions."""
    channel = bmc.channels.resolve(request.channel, context)
    netfn = request.netfn & 0x3E  # bit 0 is ignored
    if not _is_known(netfn):
        raise CommandError(CompletionCode.INVALID_FIELD, f"no commands of net function {netfn:02X}h")
    if owner and len(owner) != _OWNER_SIZE.get(NetFn(netfn), 0):  # ipmitool leaves it out
        raise CommandError(CompletionCode.LENGTH_INVALID, "whose commands of this net function?")
    number = int.from_bytes(owner, "little") if owner else -1
    return Place(channel.number, netfn, number, request.lun), channel.has_sessions


def _commands_response(mask: int, half: int) -> CommandsResponse:
    window = (1 << HALF) - 1
    return CommandsResponse(mask=(mask >> half * HALF & window).to_bytes(MASK_SIZE, "little"))


def _parts_response(mask: int) -> SubFunctionsResponse:
    return SubFunctionsResponse(mask=mask.to_bytes(SUB_FUNCTION_MASK_SIZE, "little"))


# fmt: off
TABLE = CommandTable(NetFn.APP, (
    #       number  privilege                request                        handler
    Command(0x09,   Privilege.USER,          GetNetFnSupportRequest,        get_netfn_support),
    Command(0x0A,   Privilege.USER,          CommandsRequest,               get_command_support),
    Command(0x0B,   Privilege.USER,          SubFunctionsRequest,           get_sub_function_support),
    Command(0x0C,   Privilege.USER,          CommandsRequest,               get_configurable_commands),
    Command(0x0D,   Privilege.USER,          SubFunctionsRequest,           get_configurable_sub_functions),
    Command(0x60,   Privilege.ADMINISTRATOR, SetCommandEnablesRequest,      set_command_enables),
    Command(0x61,   Privilege.USER,          CommandsRequest,               get_command_enables),
    Command(0x62,   Privilege.ADMINISTRATOR, SetSubFunctionEnablesRequest,  set_sub_function_enables),
    Command(0x63,   Privilege.USER,          SubFunctionsRequest,           get_sub_function_enables),
    Command(0x64,   Privilege.USER,          GetOemNetFnIanaSupportRequest, get_oem_netfn_iana_support),
))
# fmt: on
