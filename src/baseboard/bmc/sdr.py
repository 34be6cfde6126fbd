"""The SDR repository: records made from the settings, and those that commands added or deleted.  [IPMI 33]

Theory of operation
-------------------
The main records come from the settings at every start, with ids from 1 on; what commands add follows them.
Durable are only differences: a row for each added record, one for each main record that was deleted (with
its bytes, so that it hides that very record and no other after the settings have changed), one for
"everything main is cleared".

FreeIPMI keeps a cache of the records and trusts it as long as both time stamps of Get SDR Repository Info
are the same. Therefore the addition time of the main records is not the time of the start: it is taken
from their contents, so that the same server always shows the same and a changed one always another.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from zlib import crc32

from baseboard.bmc.changes import Changes, Rows, kept_bytes
from baseboard.bmc.reservations import Reservations
from baseboard.errors import CommandError, DecodeError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.records.sdr import LARGEST, check_frame
from baseboard.ipmi.storage_sdr import FIRST, LAST

ROOM = "sdr"
STATUS = "status"
CLEARED = "cleared"
CAPACITY = 0x1_0000
"""Bytes."""
MAIN_SINCE = 1_735_689_600
"""2025-01-01 00:00 UTC: where the addition times of main records begin."""
YEAR = 365 * 86_400
UNKNOWN_TIME = 0xFFFF_FFFF
UPDATE_TIMEOUT = 60.0
"""Seconds without a command after which update mode ends by itself."""


class SdrRepository:
    """The records, encoded, in the order of their ids."""

    room = ROOM

    def __init__(self, main: Sequence[bytes], changes: Changes) -> None:
        """`main` are whole records; their ids are given here."""
        self._changes = changes
        self._main = {
            number: number.to_bytes(2, "little") + record[2:] for number, record in enumerate(main, 1)
        }
        self._records = dict(self._main)
        self._ids = sorted(self._records)
        self._added: set[int] = set()
        self._partial: tuple[int, bytearray] | None = None
        self._update_until: float | None = None
        self.last_addition = MAIN_SINCE + crc32(b"".join(self._main.values())) % YEAR
        self.last_erase = UNKNOWN_TIME
        self.overflow = False
        self.reservations = Reservations()

    def restore(self, rows: Rows) -> None:
        """Take back what commands changed."""
        if rows.get(CLEARED):
            self._records.clear()
        added: list[tuple[str, bytes]] = []
        for key in sorted(rows):
            if key in (STATUS, CLEARED):
                continue
            if "deleted" in rows[key]:
                if self._main.get(int(key), b"").hex() == rows[key]["deleted"]:
                    self._records.pop(int(key), None)
            else:
                record = kept_bytes(rows[key]["added"])
                check_frame(record)
                added.append((key, record))
        self._ids = sorted(self._records)
        for _, record in (fits for fits in added if int(fits[0]) not in self._main):
            self._insert(int.from_bytes(record[:2], "little"), record)
        for key, record in (late for late in added if int(late[0]) in self._main):
            # the settings have got more records since it was added: it makes room for them, for good
            record_id = self._free_id()
            self._insert(record_id, record)
            self._changes.delete(ROOM, key)
            self._changes.put(ROOM, f"{record_id:05d}", {"added": self._records[record_id].hex()})
        if status := rows.get(STATUS):
            self.last_addition, self.last_erase = int(status["added"]), int(status["erased"])

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[bytes]:
        """The records in the order of their ids."""
        return (self._records[record_id] for record_id in self._ids)

    @property
    def free_bytes(self) -> int:
        """What may still be added."""
        return max(0, CAPACITY - sum(map(len, self._records.values())))

    def get(self, record_id: int) -> tuple[bytes, int]:
        """A record, and the id of the one after it; FFFFh: it is the last."""
        ids = self._ids
        if not ids:
            raise CommandError(CompletionCode.NOT_PRESENT, "the repository is empty")
        if record_id == FIRST:
            record_id = ids[0]
        elif record_id == LAST:
            record_id = ids[-1]
        record = self._records.get(record_id)
        if record is None:
            raise CommandError(CompletionCode.NOT_PRESENT, f"there is no record {record_id:04X}h")
        following = bisect_right(ids, record_id)
        return record, ids[following] if following < len(ids) else LAST

    def add(self, record: bytes, time: int) -> int:
        """Append a whole record; the id that it got."""
        try:
            check_frame(record)
        except DecodeError as error:
            raise CommandError(CompletionCode.LENGTH_INVALID, str(error)) from None
        self._check_space(len(record))
        record_id = self._free_id()
        self._store(record_id, record, time)
        return record_id

    def begin_part(self, data: bytes) -> int:
        """The first piece of a record that comes in pieces; the id that it will have."""
        record_id = self._free_id()
        self._partial = (record_id, bytearray(data))
        return record_id

    def add_part(self, record_id: int, offset: int, data: bytes) -> None:
        """A further piece."""
        partial = self._partial
        if partial is None or partial[0] != record_id:
            raise CommandError(
                CompletionCode.NOT_PRESENT, f"no pieces of record {record_id:04X}h came before"
            )
        if offset != len(partial[1]):
            raise CommandError(
                CompletionCode.PARAMETER_OUT_OF_RANGE, "pieces of a record come one after the other"
            )
        if offset + len(data) > LARGEST:
            raise CommandError(0x80, "more bytes than any record has")  # 33.14, command specific
        partial[1].extend(data)

    def end_part(self, time: int) -> None:
        """That was the last piece."""
        if self._partial is None:
            return
        (record_id, data), self._partial = self._partial, None
        record = bytes(data)
        try:
            check_frame(record)
        except DecodeError as error:
            raise CommandError(0x80, str(error)) from None  # 33.14, command specific
        self._check_space(len(record))
        self._store(record_id, record, time)

    def delete(self, record_id: int, time: int) -> int:
        """Remove a record; the id of the removed one, as 0000h and FFFFh stand for others."""
        record, _ = self.get(record_id)
        record_id = int.from_bytes(record[:2], "little")
        del self._records[record_id]
        del self._ids[bisect_left(self._ids, record_id)]
        key = f"{record_id:05d}"
        if record_id in self._added:
            self._added.discard(record_id)
            self._changes.delete(ROOM, key)
        else:
            self._changes.put(ROOM, key, {"deleted": record.hex()})
        self.last_erase = time
        self.overflow = False
        self._put_status()
        self.reservations.cancel()
        return record_id

    def clear(self, time: int) -> None:
        """Remove every record."""
        self._records.clear()
        self._ids.clear()
        self._added.clear()
        self._partial = None
        self.overflow = False
        self.last_erase = time
        self._changes.clear(ROOM)
        self._changes.put(ROOM, CLEARED, True)
        self._put_status()
        self.reservations.cancel()

    # Update mode.  [IPMI 33.19, 33.20]

    def enter_update_mode(self, now: float) -> None:
        """Reading and reserving wait until it ends, at the latest a minute after the last command."""
        self._update_until = now + UPDATE_TIMEOUT
        self.reservations.cancel()

    def exit_update_mode(self) -> None:
        """Back to normal."""
        self._update_until = None

    def check_readable(self, now: float) -> None:
        """Refuse while somebody updates."""
        if self._update_until is not None:
            if now < self._update_until:
                raise CommandError(CompletionCode.SDR_UPDATE_MODE, "the repository is being updated")
            self._update_until = None

    def touch_update_mode(self, now: float) -> None:
        """A command of the updater came."""
        if self._update_until is not None:
            self._update_until = now + UPDATE_TIMEOUT

    # Inside.

    def _check_space(self, size: int) -> None:
        if size > self.free_bytes:
            self.overflow = True
            raise CommandError(CompletionCode.OUT_OF_SPACE, "the repository is full")

    def _free_id(self) -> int:
        """The next id after the last; from the first gap when they are used up."""
        last = max(self._ids[-1] if self._ids else 0, len(self._main))
        if last < LAST - 1:
            return last + 1
        return next(number for number in range(1, LAST) if number not in self._records)

    def _store(self, record_id: int, record: bytes, time: int) -> None:
        self._insert(record_id, record)
        self._changes.put(ROOM, f"{record_id:05d}", {"added": self._records[record_id].hex()})
        self.last_addition = time
        self._partial = None  # it was begun under a reservation that ends here, and under this id
        self._put_status()
        self.reservations.cancel()

    def _insert(self, record_id: int, record: bytes) -> None:
        self._records[record_id] = record_id.to_bytes(2, "little") + record[2:]
        self._added.add(record_id)
        insort(self._ids, record_id)

    def _put_status(self) -> None:
        self._changes.put(ROOM, STATUS, {"added": self.last_addition, "erased": self.last_erase})
