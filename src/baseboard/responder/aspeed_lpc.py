"""KCS and iBT together, as they stand in one LPC block."""

from __future__ import annotations

from dataclasses import dataclass

from baseboard.interface.bus.line import Line
from baseboard.interface.state import Exported
from baseboard.responder.aspeed_ibt import AspeedIbt, AspeedIbtState
from baseboard.responder.aspeed_kcs import AspeedKcs, AspeedKcsState
from baseboard.responder.aspeed_registers import AST2600, BASE, IBT, IBT_OFFSET, SIZE, Chip

_IBT_END = IBT_OFFSET + IBT[-1].offset + 4


@dataclass(frozen=True, slots=True)
class AspeedLpcState(Exported):
    """Everything that both keep."""

    kcs: AspeedKcsState
    ibt: AspeedIbtState
    version: int = 1


class AspeedLpc:
    """The block; firmware finds it at `BASE`."""

    BASE, SIZE = BASE, SIZE

    def __init__(
        self, chip: Chip = AST2600, *, kcs: AspeedKcs | None = None, ibt: AspeedIbt | None = None
    ) -> None:
        self.kcs = kcs or AspeedKcs(chip)
        self.ibt = ibt or AspeedIbt()
        self.lines = dict(self.kcs.lines)
        """Interrupt lines by their number at the interrupt controller."""
        line = self.lines.setdefault(self.kcs.chip.ibt_interrupt, Line())
        self.ibt.irq_changed = line.source(self.ibt.irq)

    def read(self, offset: int, size: int) -> int:
        """Firmware reads."""
        if IBT_OFFSET <= offset < _IBT_END:
            return self.ibt.read(offset - IBT_OFFSET, size)
        return self.kcs.read(offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        """Firmware writes."""
        if IBT_OFFSET <= offset < _IBT_END:
            self.ibt.write(offset - IBT_OFFSET, size, value)
        else:
            self.kcs.write(offset, size, value)

    def reset(self) -> None:
        """The BMC was reset."""
        self.kcs.reset()
        self.ibt.reset()

    def export(self) -> AspeedLpcState:
        """The present state."""
        return AspeedLpcState(self.kcs.export(), self.ibt.export())

    @classmethod
    def from_state(cls, state: AspeedLpcState) -> AspeedLpc:
        """A block that goes on where the exported one was."""
        return cls(kcs=AspeedKcs.from_state(state.kcs), ibt=AspeedIbt.from_state(state.ibt))
