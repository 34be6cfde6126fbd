"""Devices in memory space: registers 1, 4 or 16 bytes apart.

A device claims a window of `spacing` bytes for each register. Bytes of the window that are no register read
00h, and drivers find the spacing in this way; outside of every window nothing answers and all bits read 1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from baseboard.errors import ConfigError
from baseboard.interface.bus.isa import Device
from baseboard.interface.bus.line import Line
from baseboard.interface.bus.window import place

SIZE = 1 << 64
NOT_DECODED = 0xFF
GAP = 0x00


class MemoryBus:
    """A 64-bit address space; `size` where it is smaller."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._readers: dict[int, Callable[[], int]] = {}
        self._writers: dict[int, Callable[[int], None]] = {}
        self._starts: list[int] = []
        self._ends: list[int] = []

    def attach(self, device: Device, *, base: int, spacing: int = 1, line: Line | None = None) -> None:
        """Put a device at an address.  Raises ConfigError, and then nothing has changed."""
        registers = place(device.registers, base, spacing)
        end = base + len(registers) * spacing
        if base < 0 or end > self._size:
            raise ConfigError(f"addresses {base:#x} to {end - 1:#x}: memory is 0x0 to {self._size - 1:#x}")
        at = bisect_right(self._starts, base)
        if (at and self._ends[at - 1] > base) or (at < len(self._starts) and self._starts[at] < end):
            raise ConfigError(f"addresses {base:#x} to {end - 1:#x} overlap those of another device")
        self._starts.insert(at, base)
        self._ends.insert(at, end)
        for address, register in registers.items():
            self._readers[address] = register.read
            self._writers[address] = register.write
        if line is not None:
            device.latch.irq_changed = line.source(device.latch.irq)

    @property
    def windows(self) -> tuple[tuple[int, int], ...]:
        """First address of each device and the one behind its last, in order."""
        return tuple(zip(self._starts, self._ends, strict=True))

    def read(self, address: int, width: int = 1) -> int:
        """Read 1, 2, 4 or 8 bytes."""
        if width == 1 and address in self._readers:
            return self._readers[address]()
        value = 0
        for i in range(width):
            reader = self._readers.get(address + i)
            byte = reader() if reader is not None else GAP if self._claimed(address + i) else NOT_DECODED
            value |= byte << 8 * i
        return value

    def write(self, address: int, value: int, width: int = 1) -> None:
        """Write 1, 2, 4 or 8 bytes."""
        for i in range(width):
            writer = self._writers.get(address + i)
            if writer is not None:
                writer(value >> 8 * i & 0xFF)

    def _claimed(self, address: int) -> bool:
        at = bisect_right(self._starts, address)
        return at > 0 and address < self._ends[at - 1]
