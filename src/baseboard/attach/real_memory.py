"""A stopped guest's real memory, through its debugger."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from baseboard.attach.gdb import Gdb, GdbRefused
from baseboard.spapr.guest_memory import BadAddress

Ranges = Callable[[], "list[range]"]


class RealMemory:
    """`ranges` gives the addresses where memory is: the stub answers everywhere else as well, with zeros."""

    def __init__(self, gdb: Gdb, ranges: Ranges) -> None:
        self._gdb = gdb
        self._ranges = ranges

    def read(self, address: int, length: int) -> bytes:
        """Raises BadAddress."""
        self.check(address, length)
        try:
            return self._gdb.read_memory(address, length)
        except GdbRefused:
            raise BadAddress(address, length) from None

    def write(self, address: int, data: bytes) -> None:
        """Raises BadAddress."""
        self.check(address, len(data))
        try:
            self._gdb.write_memory(address, data)
        except GdbRefused:
            raise BadAddress(address, len(data)) from None

    def check(self, address: int, length: int) -> None:
        """Raises BadAddress: not all of it is memory."""
        if not any(piece.start <= address and address + length <= piece.stop for piece in self._ranges()):
            raise BadAddress(address, length)


class Draft:
    """What would be written stays here, until somebody decides to."""

    def __init__(self, memory: RealMemory, writes: Iterable[tuple[int, bytes]] = ()) -> None:
        self._memory = memory
        self.writes = list(writes)

    def read(self, address: int, length: int) -> bytes:
        """With what was written.  Raises BadAddress."""
        data = bytearray(self._memory.read(address, length))
        for start, written in self.writes:
            first, last = max(start, address), min(start + len(written), address + length)
            if first < last:
                data[first - address : last - address] = written[first - start : last - start]
        return bytes(data)

    def write(self, address: int, data: bytes) -> None:
        """Raises BadAddress."""
        self._memory.check(address, len(data))
        self.writes.append((address, data))
