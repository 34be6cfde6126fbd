"""The system event log.  [IPMI 31.2 to 31.13]"""

from __future__ import annotations

from baseboard.bmc.clock import UTC_OFFSET_UNSPECIFIED
from baseboard.bmc.controller import Bmc
from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.handlers.pieces import check_erasure, piece
from baseboard.bmc.handlers.sdr import get_time, set_time
from baseboard.errors import CommandError
from baseboard.ipmi.codec import DONE, Empty, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.records.sel import SIZE
from baseboard.ipmi.storage_sdr import (
    ClearRequest,
    ClearResponse,
    DeleteRecordRequest,
    GetAllocationInfoResponse,
    GetRecordRequest,
    GetRecordResponse,
    PartialAddRequest,
    RecordIdResponse,
    ReserveResponse,
    SetTimeRequest,
)
from baseboard.ipmi.storage_sel import (
    AddSelEntryRequest,
    GetAuxiliaryLogStatusRequest,
    GetSelInfoResponse,
    GetSelTimeUtcOffsetResponse,
    SetAuxiliaryLogStatusRequest,
    SetSelTimeUtcOffsetRequest,
)

VERSION = 0x51
"""Version 1.5, also of later ones.  [IPMI Table 31-2]"""
MOST = 0xFFFF
DAY = 1440
"""Minutes."""


def get_sel_info(bmc: Bmc, request: Empty, context: Context) -> Response:
    sel = bmc.sel
    return GetSelInfoResponse(
        version=VERSION,
        entries=len(sel),
        free_bytes=min((sel.capacity - len(sel)) * SIZE, MOST),
        last_addition=sel.last_addition,
        last_erase=sel.last_erase,
        overflow=sel.overflow,
        supports_delete=True,
        supports_partial_add=True,
        supports_reserve=True,
        supports_allocation=True,
    )


def get_sel_allocation_info(bmc: Bmc, request: Empty, context: Context) -> Response:
    """A unit is one record, so that the numbers say how many fit."""
    free = bmc.sel.capacity - len(bmc.sel)
    return GetAllocationInfoResponse(
        units=bmc.sel.capacity,
        unit_bytes=SIZE,
        free_units=free,
        largest_free_units=free,
        largest_record_units=1,
    )


def reserve_sel(bmc: Bmc, request: Empty, context: Context) -> Response:
    return ReserveResponse(reservation_id=bmc.sel.reservations.reserve())


def get_sel_entry(bmc: Bmc, request: GetRecordRequest, context: Context) -> Response:
    if request.offset:  # the id is needed for a part of a record only  [IPMI 31.5]
        bmc.sel.reservations.check(request.reservation_id)
    record, following = bmc.sel.get(request.record_id)
    return GetRecordResponse(next_record_id=following, data=piece(record, request, context))


def add_sel_entry(bmc: Bmc, request: AddSelEntryRequest, context: Context) -> Response:
    record = bmc.platform_events.log(request.record, context.now)
    if record is None:
        raise CommandError(CompletionCode.OUT_OF_SPACE, "the log is full")
    return RecordIdResponse(record_id=int.from_bytes(record[:2], "little"))


def partial_add_sel_entry(bmc: Bmc, request: PartialAddRequest, context: Context) -> Response:
    bmc.sel.reservations.check(request.reservation_id)
    whole = bmc.sel.add_part(request.offset, request.data, request.progress == 1)
    if whole is None:
        return RecordIdResponse(record_id=bmc.sel.next_id)
    return add_sel_entry(bmc, AddSelEntryRequest(record=whole), context)


def delete_sel_entry(bmc: Bmc, request: DeleteRecordRequest, context: Context) -> Response:
    bmc.sel.reservations.check(request.reservation_id)
    return RecordIdResponse(record_id=bmc.sel.delete(request.record_id, bmc.clock.time(context.now)))


def clear_sel(bmc: Bmc, request: ClearRequest, context: Context) -> Response:
    if check_erasure(request, bmc.sel.reservations):
        bmc.platform_events.clear(context.now)
    return ClearResponse(progress=1)


def get_sel_time_utc_offset(bmc: Bmc, request: Empty, context: Context) -> Response:
    return GetSelTimeUtcOffsetResponse(minutes=bmc.clock.utc_offset)


def set_sel_time_utc_offset(bmc: Bmc, request: SetSelTimeUtcOffsetRequest, context: Context) -> Response:
    minutes = request.minutes
    if minutes != UTC_OFFSET_UNSPECIFIED and not -DAY <= minutes <= DAY:
        raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, "-1440 to 1440 minutes, or 07FFh")
    bmc.clock.set_utc_offset(minutes)
    return DONE


_NO_AUXILIARY_LOG = "there is no log beside the SEL"

# fmt: off
TABLE = CommandTable(NetFn.STORAGE, (
    #       number  privilege                request                       handler                    IPMI
    Command(0x40,   Privilege.USER,          Empty,                        get_sel_info),            # 31.2
    Command(0x41,   Privilege.USER,          Empty,                        get_sel_allocation_info), # 31.3
    Command(0x42,   Privilege.USER,          Empty,                        reserve_sel),             # 31.4
    Command(0x43,   Privilege.USER,          GetRecordRequest,             get_sel_entry),           # 31.5
    Command(0x44,   Privilege.OPERATOR,      AddSelEntryRequest,           add_sel_entry),           # 31.6
    Command(0x45,   Privilege.OPERATOR,      PartialAddRequest,            partial_add_sel_entry),   # 31.7
    Command(0x46,   Privilege.OPERATOR,      DeleteRecordRequest,          delete_sel_entry),        # 31.8
    Command(0x47,   Privilege.OPERATOR,      ClearRequest,                 clear_sel),               # 31.9
    Command(0x48,   Privilege.USER,          Empty,                        get_time),                # 31.10
    Command(0x49,   Privilege.OPERATOR,      SetTimeRequest,               set_time),                # 31.11
    Command(0x5A,   Privilege.USER,          GetAuxiliaryLogStatusRequest, None, reason=_NO_AUXILIARY_LOG),
    Command(0x5B,   Privilege.ADMINISTRATOR, SetAuxiliaryLogStatusRequest, None, reason=_NO_AUXILIARY_LOG),
    Command(0x5C,   Privilege.USER,          Empty,                        get_sel_time_utc_offset), # 31.11a
    Command(0x5D,   Privilege.OPERATOR,      SetSelTimeUtcOffsetRequest,   set_sel_time_utc_offset), # 31.11b
))
# fmt: on
