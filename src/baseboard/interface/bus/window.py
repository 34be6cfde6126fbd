"""Registers laid out at addresses, and what a bus makes of accesses wider than a register.

A register is 8 bits wide. One of 16 or 32 bits is split into bytes, the lowest address first, as a bus of
8 bits sees it; what lies between registers reads as `gap` and takes writes without effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from baseboard.errors import ConfigError
from baseboard.interface.registers import Register

SPACINGS = (1, 4, 16)
"""Bytes from one register to the next.  [SMBIOS 7.39]"""

Readers = Mapping[int, Callable[[], int]]
Writers = Mapping[int, Callable[[int], None]]


def place(registers: Sequence[Register], base: int, spacing: int) -> dict[int, Register]:
    """The registers by address.  Raises ConfigError."""
    if spacing not in SPACINGS:
        raise ConfigError(f"register spacing {spacing}: it must be 1, 4 or 16 bytes")
    return {base + number * spacing: register for number, register in enumerate(registers)}


def read_wide(readers: Readers, address: int, width: int, gap: int) -> int:
    """Read `width` bytes, one after the other."""
    value = 0
    for i in range(width):
        reader = readers.get(address + i)
        value |= (gap if reader is None else reader()) << 8 * i
    return value


def write_wide(writers: Writers, address: int, value: int, width: int) -> None:
    """Write `width` bytes, one after the other."""
    for i in range(width):
        writer = writers.get(address + i)
        if writer is not None:
            writer(value >> 8 * i & 0xFF)
