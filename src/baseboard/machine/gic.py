"""An interrupt controller as ARM's version 2, for one core.  [ARM IHI 0048]

Enabled lines that are up are pending; the lowest number wins, as all have one priority. One that was
acknowledged keeps all others back until its end. Registers that firmware may write without effect here
(targets, priorities, configuration) are not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

FIRST_SHARED = 32
INTERRUPTS = 256
SPURIOUS = 1023
_NUMBER = 0x3FF
CTLR, ISENABLER, ICENABLER, ISPENDR = 0x000, 0x100, 0x180, 0x200
PMR, IAR, EOIR = 0x04, 0x0C, 0x10
_GROUP_BYTES = INTERRUPTS // 8


class Part(NamedTuple):
    """Registers of the controller, as a window has them."""

    read: Callable[[int, int], int]
    """From an offset, a width."""
    write: Callable[[int, int, int], None]
    """And a value."""


class Gic:
    """Distributor and the interface of one core; `changed` gets the level of the core's IRQ."""

    def __init__(self, changed: Callable[[bool], None]) -> None:
        self._changed = changed
        self._up = 0
        self._level = False
        self.reset()
        self.distributor = Part(self._read_distributor, self._write_distributor)
        self.core = Part(self._read_core, self._write_core)

    def reset(self) -> None:
        """As after power-on; what comes in stays as it is."""
        self._enabled = 0
        self._active: int | None = None
        self._distributing = self._interfacing = False
        self._mask = 0
        self._update()

    def line(self, number: int) -> Callable[[bool], None]:
        """Shared interrupt `number`, for whoever calls something with its level."""
        bit = 1 << FIRST_SHARED + number

        def changed(level: bool) -> None:
            self._up = self._up | bit if level else self._up & ~bit
            self._update()

        return changed

    def _pending(self) -> int:
        return self._up & self._enabled if self._distributing else 0

    def _update(self) -> None:
        may = self._interfacing and self._mask and self._active is None
        level = bool(may and self._pending())
        if level != self._level:
            self._level = level
            self._changed(level)

    def _read_distributor(self, offset: int, width: int) -> int:
        bits = {ISENABLER: self._enabled, ICENABLER: self._enabled, ISPENDR: self._up}
        for base, content in bits.items():
            if base <= offset < base + _GROUP_BYTES:
                return content >> 8 * (offset - base) & (1 << 8 * width) - 1
        return int(self._distributing) if offset == CTLR else 0

    def _write_distributor(self, offset: int, width: int, value: int) -> None:
        if offset == CTLR:
            self._distributing = bool(value & 1)
        elif ISENABLER <= offset < ISENABLER + _GROUP_BYTES:
            self._enabled |= value << 8 * (offset - ISENABLER)
        elif ICENABLER <= offset < ICENABLER + _GROUP_BYTES:
            self._enabled &= ~(value << 8 * (offset - ICENABLER))
        self._update()

    def _read_core(self, offset: int, width: int) -> int:
        if offset == IAR:
            return self._acknowledge()
        return {CTLR: int(self._interfacing), PMR: self._mask}.get(offset, 0)

    def _write_core(self, offset: int, width: int, value: int) -> None:
        if offset == CTLR:
            self._interfacing = bool(value & 1)
        elif offset == PMR:
            self._mask = value & 0xFF
        elif offset == EOIR and value & _NUMBER == self._active:
            self._active = None
        self._update()

    def _acknowledge(self) -> int:
        pending = self._pending()
        if not self._level or not pending:
            return SPURIOUS
        self._active = (pending & -pending).bit_length() - 1
        self._update()
        return self._active
