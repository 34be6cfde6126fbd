"""A guest that stands still, as a debugger has it: registers of each processor and real memory."""

from __future__ import annotations

from typing import cast

from baseboard.attach.gdb import Gdb, GdbRefused
from baseboard.spapr.guest_memory import BadAddress, ByteMemory


class StoppedGuest:
    """What the modules for a partition use of `Gdb`."""

    def __init__(self, size: int = 0x2000) -> None:
        self.memory = ByteMemory(size)
        self.registers: dict[str, dict[str, int]] = {}
        self.points: set[int] = set()
        self._thread = ""

    @property
    def gdb(self) -> Gdb:
        return cast(Gdb, self)

    def select(self, thread: str) -> None:
        self._thread = thread

    def read_register(self, name: str) -> int:
        return self.registers[self._thread][name]

    def write_register(self, name: str, value: int) -> None:
        self.registers[self._thread][name] = value

    def read_memory(self, address: int, size: int) -> bytes:
        try:
            return self.memory.read(address, size)
        except BadAddress:
            raise GdbRefused("E14") from None

    def write_memory(self, address: int, data: bytes) -> None:
        try:
            self.memory.write(address, data)
        except BadAddress:
            raise GdbRefused("E14") from None

    def set_point(self, kind: int, address: int, size: int = 4) -> None:
        self.points.add(address)

    def clear_point(self, kind: int, address: int, size: int = 4) -> None:
        if address not in self.points:
            raise GdbRefused("E22")
        self.points.remove(address)
