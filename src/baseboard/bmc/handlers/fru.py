"""FRU inventory devices.  [IPMI 34.1 to 34.3]"""

from __future__ import annotations

from baseboard.bmc.base import Controller
from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.handlers.pieces import largest_read
from baseboard.errors import CommandError
from baseboard.ipmi.codec import Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.storage_fru import (
    GetFruInventoryAreaInfoRequest,
    GetFruInventoryAreaInfoResponse,
    ReadFruDataRequest,
    ReadFruDataResponse,
    WriteFruDataRequest,
    WriteFruDataResponse,
)


def get_fru_inventory_area_info(
    bmc: Controller, request: GetFruInventoryAreaInfoRequest, context: Context
) -> Response:
    return GetFruInventoryAreaInfoResponse(size=len(bmc.fru.get(request.fru_id).data), by_words=False)


def read_fru_data(bmc: Controller, request: ReadFruDataRequest, context: Context) -> Response:
    device = bmc.fru.get(request.fru_id)
    data = device.read(request.offset, request.count)
    if len(data) > largest_read(context):
        raise CommandError(CompletionCode.CANNOT_RETURN_BYTES, "more than the channel carries")
    return ReadFruDataResponse(count=len(data), data=data)


def write_fru_data(bmc: Controller, request: WriteFruDataRequest, context: Context) -> Response:
    bmc.fru.write(request.fru_id, request.offset, request.data)
    return WriteFruDataResponse(count=len(request.data))


# fmt: off
TABLE = CommandTable(NetFn.STORAGE, (
    #       number  privilege           request                          handler                         IPMI
    Command(0x10,   Privilege.USER,     GetFruInventoryAreaInfoRequest,  get_fru_inventory_area_info),  # 34.1
    Command(0x11,   Privilege.USER,     ReadFruDataRequest,              read_fru_data),                # 34.2
    Command(0x12,   Privilege.OPERATOR, WriteFruDataRequest,             write_fru_data),               # 34.3
))
# fmt: on
