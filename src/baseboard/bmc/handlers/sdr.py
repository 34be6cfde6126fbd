"""The SDR repository.  [IPMI 33.9 to 33.21]"""

from __future__ import annotations

from baseboard.bmc.controller import Bmc
from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.handlers.pieces import check_erasure, piece
from baseboard.bmc.sdr import CAPACITY
from baseboard.ipmi.codec import DONE, Empty, Response
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.records.sdr import LARGEST, VERSION
from baseboard.ipmi.storage_sdr import (
    AddSdrRequest,
    ClearRequest,
    ClearResponse,
    DeleteRecordRequest,
    GetAllocationInfoResponse,
    GetRecordRequest,
    GetRecordResponse,
    GetSdrRepositoryInfoResponse,
    GetTimeResponse,
    PartialAddRequest,
    RecordIdResponse,
    ReserveResponse,
    RunInitializationAgentRequest,
    RunInitializationAgentResponse,
    SetTimeRequest,
)

MODAL_AND_NON_MODAL = 3
MOST = 0xFFFE
"""Free space of 64 KiB - 2 or more.  [IPMI Table 33-4]"""
UNIT = 16
"""Bytes of an allocation unit; of no consequence here."""


def get_sdr_repository_info(bmc: Bmc, request: Empty, context: Context) -> Response:
    sdr = bmc.sdr
    return GetSdrRepositoryInfoResponse(
        version=VERSION,
        records=len(sdr),
        free_bytes=min(sdr.free_bytes, MOST),
        last_addition=sdr.last_addition,
        last_erase=sdr.last_erase,
        overflow=sdr.overflow,
        update_modes=MODAL_AND_NON_MODAL,
        supports_delete=True,
        supports_partial_add=True,
        supports_reserve=True,
        supports_allocation=True,
    )


def get_allocation_info(bmc: Bmc, request: Empty, context: Context) -> Response:
    free = bmc.sdr.free_bytes // UNIT
    return GetAllocationInfoResponse(
        units=CAPACITY // UNIT - 1,
        unit_bytes=UNIT,
        free_units=free,
        largest_free_units=free,
        largest_record_units=LARGEST // UNIT,
    )


def reserve_sdr_repository(bmc: Bmc, request: Empty, context: Context) -> Response:
    bmc.sdr.check_readable(context.now)
    return ReserveResponse(reservation_id=bmc.sdr.reservations.reserve())


def get_sdr(bmc: Bmc, request: GetRecordRequest, context: Context) -> Response:
    bmc.sdr.check_readable(context.now)
    if request.offset:  # the id is needed for a part of a record only  [IPMI 33.12]
        bmc.sdr.reservations.check(request.reservation_id)
    record, following = bmc.sdr.get(request.record_id)
    return GetRecordResponse(next_record_id=following, data=piece(record, request, context))


def add_sdr(bmc: Bmc, request: AddSdrRequest, context: Context) -> Response:
    bmc.sdr.touch_update_mode(context.now)
    return RecordIdResponse(record_id=bmc.sdr.add(request.record, bmc.clock.time(context.now)))


def partial_add_sdr(bmc: Bmc, request: PartialAddRequest, context: Context) -> Response:
    bmc.sdr.touch_update_mode(context.now)
    bmc.sdr.reservations.check(request.reservation_id)
    record_id = request.record_id
    if record_id == 0 and request.offset == 0:
        record_id = bmc.sdr.begin_part(request.data)
    else:
        bmc.sdr.add_part(record_id, request.offset, request.data)
    if request.progress == 1:
        bmc.sdr.end_part(bmc.clock.time(context.now))
    return RecordIdResponse(record_id=record_id)


def delete_sdr(bmc: Bmc, request: DeleteRecordRequest, context: Context) -> Response:
    bmc.sdr.touch_update_mode(context.now)
    bmc.sdr.reservations.check(request.reservation_id)
    return RecordIdResponse(record_id=bmc.sdr.delete(request.record_id, bmc.clock.time(context.now)))


def clear_sdr_repository(bmc: Bmc, request: ClearRequest, context: Context) -> Response:
    bmc.sdr.touch_update_mode(context.now)
    if check_erasure(request, bmc.sdr.reservations):
        bmc.sdr.clear(bmc.clock.time(context.now))
    return ClearResponse(progress=1)


def get_time(bmc: Bmc, request: Empty, context: Context) -> Response:
    """One clock serves SDR repository and SEL.  [IPMI 33.17, 31.10]"""
    return GetTimeResponse(time=bmc.clock.time(context.now))


def set_time(bmc: Bmc, request: SetTimeRequest, context: Context) -> Response:
    bmc.clock.set_time(request.time, context.now)
    return DONE


def enter_update_mode(bmc: Bmc, request: Empty, context: Context) -> Response:
    bmc.sdr.enter_update_mode(context.now)
    return DONE


def exit_update_mode(bmc: Bmc, request: Empty, context: Context) -> Response:
    bmc.sdr.exit_update_mode()
    return DONE


def run_initialization_agent(bmc: Bmc, request: RunInitializationAgentRequest, context: Context) -> Response:
    """Sensors get what their records say of thresholds, hysteresis and enables; at once.  [IPMI 33.21]"""
    if request.run:
        bmc.sensors.initialize(context.now)
    return RunInitializationAgentResponse(completed=True)


# fmt: off
TABLE = CommandTable(NetFn.STORAGE, (
    #       number  privilege           request                        handler                    IPMI
    Command(0x20,   Privilege.USER,     Empty,                         get_sdr_repository_info),  # 33.9
    Command(0x21,   Privilege.USER,     Empty,                         get_allocation_info),      # 33.10
    Command(0x22,   Privilege.USER,     Empty,                         reserve_sdr_repository),   # 33.11
    Command(0x23,   Privilege.USER,     GetRecordRequest,              get_sdr),                  # 33.12
    Command(0x24,   Privilege.OPERATOR, AddSdrRequest,                 add_sdr),                  # 33.13
    Command(0x25,   Privilege.OPERATOR, PartialAddRequest,             partial_add_sdr),          # 33.14
    Command(0x26,   Privilege.OPERATOR, DeleteRecordRequest,           delete_sdr),               # 33.15
    Command(0x27,   Privilege.OPERATOR, ClearRequest,                  clear_sdr_repository),     # 33.16
    Command(0x28,   Privilege.USER,     Empty,                         get_time),                 # 33.17
    Command(0x29,   Privilege.OPERATOR, SetTimeRequest,                set_time),                 # 33.18
    Command(0x2A,   Privilege.OPERATOR, Empty,                         enter_update_mode),        # 33.19
    Command(0x2B,   Privilege.OPERATOR, Empty,                         exit_update_mode),         # 33.20
    Command(0x2C,   Privilege.OPERATOR, RunInitializationAgentRequest, run_initialization_agent), # 33.21
))
# fmt: on
