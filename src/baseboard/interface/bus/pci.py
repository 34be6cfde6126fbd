"""A PCI function with an IPMI interface: one BAR, INTx or MSI.  [PCI 3.0, IPMI C3]"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Flag, IntEnum, auto
from typing import Protocol

from baseboard.interface.bus.function import (
    GAP,
    IO,
    SIZE,
    Bar,
    Endpoint,
    Identity,
    Row,
    Space,
    header,
    msi_capability,
)
from baseboard.interface.bus.isa import NOT_DECODED, Wired
from baseboard.interface.bus.window import place
from baseboard.interface.registers import Register

CLASS = 0x0C0700
"""Serial bus controller, IPMI; the programming interface is that of `Interface`."""
_MSI_AT = 0x40


class Interface(IntEnum):
    """The programming interface byte of class 0C07h."""

    SMIC = 0x00
    KCS = 0x01
    BT = 0x02


class Quirk(Flag):
    """Where QEMU's functions (7.2 and 11.1) are not as ours; `QEMU` is all of them. It has no MSI, either."""

    NONE = 0
    UNUSED_READS_ONES = auto()
    """Bytes of the BAR that are no register read FFh."""
    WRITABLE_BEHIND_HEADER = auto()
    """Configuration space from 40h on keeps what is written to it."""
    SERR_WRITABLE = auto()
    """Command has SERR# Enable."""
    QEMU = UNUSED_READS_ONES | WRITABLE_BEHIND_HEADER | SERR_WRITABLE


_ROWS = {
    Quirk.WRITABLE_BEHIND_HEADER: Row(0x40, "nothing", SIZE - 0x40, 0, (1 << 8 * (SIZE - 0x40)) - 1),
    Quirk.SERR_WRITABLE: Row(0x05, "Command, high byte", 1, 0x00, 0x05),
}


class Device(Protocol):
    """A system interface: Kcs, Bt or Smic."""

    @property
    def latch(self) -> Wired:
        """The hardware, for its interrupt."""

    @property
    def registers(self) -> Sequence[Register]:
        """In order of their offsets."""

    def reset(self) -> None:
        """The system was reset."""


class PciFunction(Endpoint):
    """One function around one device.

    `least_size` is for machines whose BARs cannot be as small as our registers; `pin` 0 and `msi` False for
    those that cannot interrupt.
    """

    def __init__(
        self,
        device: Device,
        interface: Interface,
        *,
        identity: Identity | None = None,
        space: Space = "io",
        spacing: int = 1,
        pin: int = 1,
        msi: bool = True,
        least_size: int = 0,
        quirks: Quirk = Quirk.NONE,
    ) -> None:
        registers = place(device.registers, 0, spacing)
        size = _power_of_two(max(registers) + spacing, max(least_size, 8 if space == IO else 16))
        bar = Bar(0, size, space)
        at = _MSI_AT if msi else None
        rows = header(identity or Identity(), CLASS | interface, bar, pin, at or 0)
        rows += tuple(row for quirk, row in _ROWS.items() if quirk in quirks)
        rows += msi_capability(at) if at else ()
        gap = NOT_DECODED if Quirk.UNUSED_READS_ONES in quirks else GAP
        super().__init__(rows, bar, registers, msi=at, gap=gap)
        self._device = device
        self._irq = device.latch.irq
        self._update_pin()
        device.latch.irq_changed = self.interrupt

    def reset(self) -> None:
        """Device and configuration space as after power-on."""
        self._device.reset()
        super().reset()


def _power_of_two(size: int, least: int) -> int:
    power = 1
    while power < max(size, least):
        power *= 2
    return power
