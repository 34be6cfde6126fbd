"""The system event log: at most so many records of 16 bytes, in the order in which they came.  [IPMI 31]

Theory of operation
-------------------
Every record gets a serial number that counts up for ever (until the log is cleared); its record id follows
from it, skipping 0000h, FFFFh and ids that are still taken. Serial numbers are the durable keys, so that the
order survives the wrap of the ids; one added record is one row of 40 characters: the record and the time
at which it came, from which "most recent addition" is known again at the start. A log that is full drops
what comes and says so (overflow) until it is cleared.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from baseboard.bmc.changes import Changes, Rows, kept_bytes
from baseboard.bmc.reservations import Reservations
from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.records.sel import SIZE, is_timestamped
from baseboard.ipmi.storage_sdr import FIRST, LAST
from baseboard.ipmi.value import Value

ROOM = "sel"
STATUS = "status"
"""Key of the row that says when the log was last erased, and whether it overflowed."""
UNKNOWN_TIME = 0xFFFF_FFFF
LARGEST_CAPACITY = 0xFFFE


class SelSettings(Value, kw_only=True):
    """How the log behaves."""

    capacity: int = 4000
    """Records; 4,095 are the most whose free bytes Get SEL Info can tell."""
    almost_full_percent: int = 90
    """When the SEL sensor says "almost full"."""
    log_clearing: bool = True
    """The first record of a cleared log says that it was cleared."""
    failed_logins: bool = True
    """Log-ins with a wrong name or password are events."""


class Sel:
    """The records and their times."""

    room = ROOM

    def __init__(self, settings: SelSettings, changes: Changes) -> None:
        self.capacity = min(max(settings.capacity, 1), LARGEST_CAPACITY)
        self.overflow = False
        self.last_addition = self.last_erase = UNKNOWN_TIME
        self.used = False
        """A record was added or the log was erased at some time of its life."""
        self.reservations = Reservations()
        self._changes = changes
        self._serials: list[int] = []
        self._records: list[bytes] = []
        self._serial_of: dict[int, int] = {}
        self._last_serial = 0
        self._partial = bytearray()

    def restore(self, rows: Rows) -> None:
        """Take back the records and the times."""
        for key in sorted(rows):
            if key == STATUS:
                continue
            data = kept_bytes(rows[key], SIZE + 4)
            self._keep(int(key), data[:SIZE])
            self.last_addition = int.from_bytes(data[SIZE:], "little")
        if status := rows.get(STATUS):
            self.overflow = bool(status["overflow"])
            self.last_erase = int(status["erased"])
            self._last_serial = max(self._last_serial, int(status["serial"]))
            if status["serial"] >= (self._serials[-1] if self._serials else 0):
                self.last_addition = int(status["added"])
        self.used = bool(rows)

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[bytes]:
        """The records, oldest first."""
        return iter(self._records)

    @property
    def full(self) -> bool:
        """No record more fits."""
        return len(self._records) >= self.capacity

    def get(self, record_id: int) -> tuple[bytes, int]:
        """A record, and the id of the one after it; FFFFh: it is the last."""
        if not self._records:
            raise CommandError(CompletionCode.NOT_PRESENT, "the log is empty")
        if record_id == FIRST:
            index = 0
        elif record_id == LAST:
            index = len(self._records) - 1
        else:
            index = self._index(record_id)
        following = index + 1
        if following == len(self._records):
            return self._records[index], LAST
        return self._records[index], int.from_bytes(self._records[following][:2], "little")

    def add(self, record: bytes, time: int) -> bytes | None:
        """Append a record (its id is ours to give); None, and the overflow flag, when the log is full.

        `time` goes into the record where its type has a time.  [IPMI 31.6]
        """
        if self.full:
            if not self.overflow:
                self.overflow = True
                self._put_status()
            return None
        serial, record_id = self._next()
        stamp = time.to_bytes(4, "little")
        body = stamp + record[7:] if is_timestamped(record[2]) else record[3:]
        stored = record_id.to_bytes(2, "little") + record[2:3] + body
        self._keep(serial, stored)
        self.last_addition = time
        self.used = True
        self._changes.put(ROOM, f"{serial:010d}", (stored + stamp).hex())
        return stored

    def add_part(self, offset: int, data: bytes, last: bool) -> bytes | None:
        """A record in pieces, one after the other: the whole, ready to be added, after the last of them."""
        if offset == 0:
            self._partial = bytearray()
        if offset != len(self._partial):
            raise CommandError(
                CompletionCode.PARAMETER_OUT_OF_RANGE, "pieces of a record come one after the other"
            )
        if len(self._partial) + len(data) > SIZE:
            raise CommandError(0x80, "the record is longer than 16 bytes")  # 31.7, command specific
        self._partial += data
        if not last:
            return None
        record, self._partial = bytes(self._partial), bytearray()
        if len(record) != SIZE:
            raise CommandError(0x80, "the record is shorter than 16 bytes")  # 31.7, command specific
        return record

    def delete(self, record_id: int, time: int) -> int:
        """Remove a record; the id of the removed one, as 0000h and FFFFh stand for others."""
        record, _ = self.get(record_id)
        record_id = int.from_bytes(record[:2], "little")
        index = self._index(record_id)
        serial = self._serials.pop(index)
        del self._records[index], self._serial_of[record_id]
        self.last_erase = time
        self.reservations.cancel()
        self._changes.delete(ROOM, f"{serial:010d}")
        self._put_status()
        return record_id

    def clear(self, time: int) -> None:
        """Remove every record and begin again at id 1."""
        self._serials.clear()
        self._records.clear()
        self._serial_of.clear()
        self._last_serial = 0
        self._partial = bytearray()
        self.overflow = False
        self.last_erase = time
        self.used = True
        self.reservations.cancel()
        self._changes.clear(ROOM)
        self._put_status()

    @property
    def next_id(self) -> int:
        """The id that the next record will have."""
        return self._next()[1]

    def _next(self) -> tuple[int, int]:
        serial = self._last_serial + 1
        while (record_id := (serial - 1) % LARGEST_CAPACITY + 1) in self._serial_of:
            serial += 1
        return serial, record_id

    def _keep(self, serial: int, record: bytes) -> None:
        self._serials.append(serial)
        self._records.append(record)
        self._serial_of[int.from_bytes(record[:2], "little")] = serial
        self._last_serial = serial

    def _index(self, record_id: int) -> int:
        serial = self._serial_of.get(record_id)
        if serial is None:
            raise CommandError(CompletionCode.NOT_PRESENT, f"there is no record {record_id:04X}h")
        return bisect_left(self._serials, serial)

    def _put_status(self) -> None:
        self._changes.put(
            ROOM,
            STATUS,
            {
                "overflow": self.overflow,
                "added": self.last_addition,
                "erased": self.last_erase,
                "serial": self._last_serial,
            },
        )
