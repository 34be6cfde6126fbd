"""Devices at I/O ports, with interrupt lines by number.

bus = IsaBus()
kcs = Kcs()
bus.attach(kcs, base=0xCA2, irq=5)
status = bus.read(0xCA3)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from baseboard.errors import ConfigError
from baseboard.interface.bus.line import Line
from baseboard.interface.bus.window import place, read_wide, write_wide
from baseboard.interface.registers import Register

PORTS = 0x10000
IRQS = 16
NOT_DECODED = 0xFF
"""What a port reads that no device has."""


class Wired(Protocol):
    """What a latch has for the bus: its interrupt."""

    irq: bool
    irq_changed: Callable[[bool], None]


class Device(Protocol):
    """What can be put on a bus of registers."""

    @property
    def latch(self) -> Wired:
        """The hardware, for its interrupt."""

    @property
    def registers(self) -> Sequence[Register]:
        """In order of their offsets."""


class IsaBus:
    """64 Ki ports and 16 interrupt lines."""

    def __init__(self, irq_changed: Callable[[int, bool], None] | None = None) -> None:
        self._readers: dict[int, Callable[[], int]] = {}
        self._writers: dict[int, Callable[[int], None]] = {}
        self.lines = tuple(Line() for _ in range(IRQS))
        """By interrupt number."""
        if irq_changed is not None:
            for number, line in enumerate(self.lines):
                line.changed = _numbered(irq_changed, number)

    def attach(self, device: Device, *, base: int, spacing: int = 1, irq: int | None = None) -> None:
        """Put a device at ports.  Raises ConfigError, and then nothing has changed."""
        registers = place(device.registers, base, spacing)
        last = max(registers)
        if base < 0 or last >= PORTS:
            raise ConfigError(f"I/O ports {base:#x} to {last:#x}: ports are 0x0 to {PORTS - 1:#x}")
        for port in registers:
            if port in self._readers:
                raise ConfigError(f"I/O port {port:#x} belongs to another device")
        if irq is not None and not 0 <= irq < IRQS:
            raise ConfigError(f"interrupt {irq}: ISA has 0 to {IRQS - 1}; None is a device without one")
        for port, register in registers.items():
            self._readers[port] = register.read
            self._writers[port] = register.write
        if irq is not None:
            device.latch.irq_changed = self.lines[irq].source(device.latch.irq)

    def read(self, port: int, width: int = 1) -> int:
        """Read 1, 2 or 4 bytes."""
        if width == 1 and port in self._readers:  # what drivers do: no loop
            return self._readers[port]()
        return read_wide(self._readers, port, width, NOT_DECODED)

    def write(self, port: int, value: int, width: int = 1) -> None:
        """Write 1, 2 or 4 bytes."""
        if width == 1 and port in self._writers:
            self._writers[port](value & 0xFF)
        else:
            write_wide(self._writers, port, value, width)


def _numbered(irq_changed: Callable[[int, bool], None], number: int) -> Callable[[bool], None]:
    return lambda level: irq_changed(number, level)
