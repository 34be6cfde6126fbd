"""A guest's real memory, as the platform reads and writes it on the guest's behalf."""

from __future__ import annotations

import struct
from typing import Protocol

from baseboard.errors import DecodeError


class BadAddress(DecodeError):
    """The guest gave an address, or a range, that is not its memory."""

    def __init__(self, address: int, length: int) -> None:
        super().__init__(f"no memory at {address:#x}, length {length}")
        self.address = address
        self.length = length


class GuestMemory(Protocol):
    """Real addresses. A range is reached whole or not at all: with `BadAddress`, nothing was written."""

    def read(self, address: int, length: int) -> bytes:
        """Raises `BadAddress`."""

    def write(self, address: int, data: bytes) -> None:
        """Raises `BadAddress`."""


class ByteMemory:
    """Memory of one piece, from `base`."""

    def __init__(self, size: int, *, base: int = 0) -> None:
        self.base = base
        self.content = bytearray(size)

    def read(self, address: int, length: int) -> bytes:
        start = self._start(address, length)
        return bytes(self.content[start : start + length])

    def write(self, address: int, data: bytes) -> None:
        start = self._start(address, len(data))
        self.content[start : start + len(data)] = data

    def _start(self, address: int, length: int) -> int:
        start = address - self.base
        if start < 0 or length < 0 or start + length > len(self.content):
            raise BadAddress(address, length)
        return start


def read_cells(memory: GuestMemory, address: int, count: int) -> tuple[int, ...]:
    """32-bit big-endian cells, as RTAS and the device tree have them.  [LoPAR 7.2.7]"""
    return struct.unpack(f">{count}I", memory.read(address, 4 * count))


def write_cells(memory: GuestMemory, address: int, *cells: int) -> None:
    """Cells are taken modulo 2**32, so that status -3 can be written as -3."""
    memory.write(address, struct.pack(f">{len(cells)}I", *(cell & 0xFFFF_FFFF for cell in cells)))
