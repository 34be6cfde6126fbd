"""The remote end of QEMU's multi-process devices: a PCI function behind `-device x-pci-proxy-dev`.

Theory of operation
-------------------
QEMU asks one thing after the other and waits; everything but SYNC_SYSMEM and SET_IRQFD is answered with RET
and a number, all ones for what cannot be. Configuration space is ours alone, the sizing of BARs included,
and a BAR smaller than 16 bytes is overlooked. Accesses to the BAR come with the guest's addresses. What QEMU
takes for a seventh BAR, at 28h, must read 0. Its memory and its interrupt (which reaches the guest by KVM
alone) are not needed: their descriptors are closed.  [QEMU hw/remote]

    header   command i32, 4 bytes of padding, size of what follows u64
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from baseboard.errors import DecodeError
from baseboard.interface.bus.function import Function
from baseboard.interface.remote.stream import Descriptors, MessageStream

HEADER = Struct("=i4xQ")
SMALLEST_BAR = 16
FAILED = (1 << 64) - 1
WIDTHS = (1, 2, 4, 8)


class Command(IntEnum):
    """Messages."""

    SYNC_SYSMEM = 0
    RET = 1
    PCI_CFGWRITE = 2
    PCI_CFGREAD = 3
    BAR_WRITE = 4
    BAR_READ = 5
    SET_IRQFD = 6
    DEVICE_RESET = 7


# fmt: off
SYNC_SYSMEM =   Struct("=8Q8Q8Q")    # addresses, sizes, offsets
RET =           Struct("=Q")         # value
CONFIGURATION = Struct("=IIi")       # address, value, length
BAR_ACCESS =    Struct("=QQI?3x")    # address, value, size, whether it is memory
# fmt: on
_RET_HEADER = HEADER.pack(Command.RET, RET.size)


class PciProxy(MessageStream):
    """One connection's protocol around one function."""

    def __init__(self, function: Function, descriptors: Descriptors) -> None:
        super().__init__(function, descriptors)
        self._at = 0x10 + 4 * function.bar.number
        self._bar_size = function.bar.size
        self._locate()

    def _size(self, data: bytes, position: int) -> int:
        command, size = HEADER.unpack_from(data, position)
        row = MESSAGES.get(command)
        if size != (row.size if row is not None else 0):
            raise DecodeError(f"message {command} with {size} bytes")
        return int(HEADER.size + size)

    def _handle(self, message: bytes, descriptors: list[int]) -> None:
        row = MESSAGES.get(HEADER.unpack_from(message)[0])
        value = FAILED if row is None else row.handler(self, message)
        if value is not None:
            self._output.append(_RET_HEADER + RET.pack(value))

    # Handlers: the value of the answer, or None where there is none.

    def _ignored(self, message: bytes) -> int | None:
        return None

    def _configuration_read(self, message: bytes) -> int | None:
        offset, _, width = CONFIGURATION.unpack_from(message, HEADER.size)
        return self._function.read_configuration(offset, width) if width in WIDTHS else FAILED

    def _configuration_write(self, message: bytes) -> int | None:
        offset, value, width = CONFIGURATION.unpack_from(message, HEADER.size)
        if width not in WIDTHS:
            return FAILED
        self._function.write_configuration(offset, value, width)
        self._locate()
        return 0

    def _bar_read(self, message: bytes) -> int | None:
        address, _, width, _ = BAR_ACCESS.unpack_from(message, HEADER.size)
        if not self._reached(address, width):
            return FAILED
        return self._function.read(address - self._base, width)

    def _bar_write(self, message: bytes) -> int | None:
        address, value, width, _ = BAR_ACCESS.unpack_from(message, HEADER.size)
        if not self._reached(address, width):
            return FAILED
        self._function.write(address - self._base, value, width)
        return 0

    def _reset(self, message: bytes) -> int | None:
        self._function.reset()
        self._locate()
        return 0

    def _reached(self, address: int, width: int) -> bool:
        return width in WIDTHS and self._base <= address and address + width <= self._base + self._bar_size

    def _locate(self) -> None:
        """Where the guest has put the BAR."""
        self._base = self._function.read_configuration(self._at, 4) & -self._bar_size


class _Row(NamedTuple):
    size: int
    """Bytes after the header."""
    handler: Callable[[PciProxy, bytes], int | None]


# fmt: off
MESSAGES: dict[int, _Row] = {
    Command.SYNC_SYSMEM:  _Row(SYNC_SYSMEM.size,   PciProxy._ignored),
    Command.PCI_CFGWRITE: _Row(CONFIGURATION.size, PciProxy._configuration_write),
    Command.PCI_CFGREAD:  _Row(CONFIGURATION.size, PciProxy._configuration_read),
    Command.BAR_WRITE:    _Row(BAR_ACCESS.size,    PciProxy._bar_write),
    Command.BAR_READ:     _Row(BAR_ACCESS.size,    PciProxy._bar_read),
    Command.SET_IRQFD:    _Row(0,                  PciProxy._ignored),
    Command.DEVICE_RESET: _Row(0,                  PciProxy._reset),
}
# fmt: on
