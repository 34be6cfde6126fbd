"""Transport commands 20h-22h: serial over LAN.  [IPMI 26]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.events import SolChanged
from baseboard.errors import CommandError
from baseboard.ipmi.codec import DONE, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.transport_sol import (
    PARAMETER_REVISION,
    GetSolConfigurationParametersRequest,
    GetSolConfigurationParametersResponse,
    SetSolConfigurationParametersRequest,
    SolActivatingRequest,
    SolParameter,
)

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc


def set_sol_configuration_parameters(
    bmc: Bmc, request: SetSolConfigurationParametersRequest, context: Context
) -> Response:
    _check_channel(bmc, request.channel, context)
    bmc.sol_configuration.set(request.parameter, request.data)
    if bmc.sol.session_id is not None and not bmc.sol_configuration.enabled:
        bmc.sol.deactivate(notify=True)
        bmc.emit(SolChanged(None))
    return DONE


def get_sol_configuration_parameters(
    bmc: Bmc, request: GetSolConfigurationParametersRequest, context: Context
) -> Response:
    _check_channel(bmc, request.channel, context)
    if request.revision_only:
        data = b""
    elif request.parameter == SolParameter.PAYLOAD_PORT:
        data = bmc.sol.port.to_bytes(2, "little")
    else:
        data = bmc.sol_configuration.get(request.parameter)
    return GetSolConfigurationParametersResponse(revision=PARAMETER_REVISION, data=data)


def _check_channel(bmc: Bmc, number: int, context: Context) -> None:
    channel = bmc.channels.resolve(number, context)
    if not channel.has_sessions:
        raise CommandError(CompletionCode.INVALID_FIELD, f"channel {channel.number:X}h carries no SOL")


# fmt: off
TABLE = CommandTable(NetFn.TRANSPORT, (
    #       number  privilege                request, handler                                   IPMI
    Command(0x20,   Privilege.NONE,          SolActivatingRequest, None,                      # 26.1
            reason="only a BMC sends it, to software on a serial channel"),
    Command(0x21,   Privilege.ADMINISTRATOR, SetSolConfigurationParametersRequest,            # 26.2
            set_sol_configuration_parameters),
    Command(0x22,   Privilege.USER,          GetSolConfigurationParametersRequest,            # 26.3
            get_sol_configuration_parameters),
))
# fmt: on
