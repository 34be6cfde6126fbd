"""Rules that SDR, SEL and FRU share: reading in pieces, and erasing.  [IPMI 31.5, 33.12, 34.2]

"CAh, cannot return that many bytes" is the one answer to a read that is too long which every client
understands; FreeIPMI and pyghmi halve their count, ipmitool takes one byte off. ipmitool copies as many
bytes as it asked for, so inside a record never fewer are returned.
"""

from __future__ import annotations

from baseboard.bmc.reservations import Reservations
from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.privilege import Channel
from baseboard.ipmi.storage_sdr import ERASE, ERASURE_STATUS, WHOLE, ClearRequest, GetRecordRequest

IPMB_REPLY_DATA = 22
"""32 bytes of an IPMB frame, less header, checksums, completion code and two bytes of the command's own."""
REPLY_DATA = 248
"""What fits every other interface, SSIF's 255 bytes included."""


def largest_read(context: Context) -> int:
    """How many bytes of an object one answer on this channel carries."""
    return IPMB_REPLY_DATA if context.channel == Channel.PRIMARY_IPMB else REPLY_DATA


def piece(record: bytes, request: GetRecordRequest, context: Context) -> bytes:
    """The bytes of a record that a request asks for."""
    offset, count = request.offset, request.count
    rest = len(record) - offset
    if rest <= 0 and not (offset == 0 or count == 0):
        raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"the record has {len(record)} bytes")
    if count == WHOLE:
        count = rest
    elif count > rest:
        raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"the record has {len(record)} bytes")
    if count > largest_read(context):
        raise CommandError(CompletionCode.CANNOT_RETURN_BYTES, "more than the channel carries")
    return record[offset : offset + count]


def check_erasure(request: ClearRequest, reservations: Reservations) -> bool:
    """Whether to erase now; False: only the progress is asked for."""
    if request.magic != b"CLR":
        raise CommandError(CompletionCode.INVALID_FIELD, "43h, 4Ch, 52h are needed")
    if request.operation not in (ERASE, ERASURE_STATUS):
        raise CommandError(CompletionCode.INVALID_FIELD, "AAh to erase, 00h for the progress")
    if request.operation == ERASURE_STATUS:
        return False
    reservations.check(request.reservation_id)
    return True
