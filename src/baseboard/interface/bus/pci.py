"""A PCI function with an IPMI interface: one BAR, INTx or MSI.  [PCI 3.0, IPMI C3]"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol

from baseboard.interface.bus.function import (
    IO,
    Bar,
    Endpoint,
    Identity,
    Space,
    header,
    msi_capability,
)
from baseboard.interface.bus.isa import Wired
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
    ) -> None:
        registers = place(device.registers, 0, spacing)
        size = _power_of_two(max(registers) + spacing, max(least_size, 8 if space == IO else 16))
        bar = Bar(0, size, space)
        at = _MSI_AT if msi else None
        rows = header(identity or Identity(), CLASS | interface, bar, pin, at or 0)
        super().__init__(rows + (msi_capability(at) if at else ()), bar, registers, msi=at)
        self._device = device
        self._irq = device.latch.irq
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
