"""App commands 58h and 59h: system info parameters.  [IPMI 22.14a, 22.14b]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.ipmi.app_system_info import (
    PARAMETER_REVISION,
    GetSystemInfoParametersRequest,
    GetSystemInfoParametersResponse,
    SetSystemInfoParametersRequest,
)
from baseboard.ipmi.codec import Done, Response
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc


def set_parameters(bmc: Bmc, request: SetSystemInfoParametersRequest, context: Context) -> Response:
    bmc.system_info.set(request.parameter, request.data)
    return Done()


def get_parameters(bmc: Bmc, request: GetSystemInfoParametersRequest, context: Context) -> Response:
    data = b""
    if request.revision_only:
        bmc.system_info.check_provided(request.parameter)
    else:
        data = bmc.system_info.get(request.parameter, request.set_selector)
    return GetSystemInfoParametersResponse(revision=PARAMETER_REVISION, data=data)


# fmt: off
TABLE = CommandTable(NetFn.APP, (
    #       number  privilege                request                         handler          IPMI
    Command(0x58,   Privilege.ADMINISTRATOR, SetSystemInfoParametersRequest, set_parameters),  # 22.14a
    Command(0x59,   Privilege.USER,          GetSystemInfoParametersRequest, get_parameters),  # 22.14b
))
# fmt: on
