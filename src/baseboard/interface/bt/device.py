"""BT as one device: latch and engine together."""

from __future__ import annotations

from dataclasses import dataclass

from baseboard.interface.bt.engine import RESPONSE_TIME, Engine, EngineState
from baseboard.interface.bt.latch import Latch, LatchState
from baseboard.interface.bt.quirks import Quirk
from baseboard.interface.bt.quirky import QuirkyEngine, QuirkyLatch
from baseboard.interface.state import Exported

OUTSTANDING = 8


@dataclass(frozen=True, slots=True)
class BtState(Exported):
    """Everything that a device keeps: what goes on in another process goes on from here."""

    latch: LatchState
    engine: EngineState
    outstanding: int
    response_time: int
    quirks: int
    version: int = 1


class Bt:
    """A block transfer interface, to be put on a bus and before a controller."""

    def __init__(
        self,
        *,
        outstanding: int = OUTSTANDING,
        response_time: int = RESPONSE_TIME,
        quirks: Quirk = Quirk.NONE,
    ) -> None:
        self.quirks = quirks
        self.latch: Latch
        self.engine: Engine
        if quirks:
            latch = QuirkyLatch(quirks)
            self.latch, self.engine = latch, QuirkyEngine(latch, quirks)
        else:
            self.latch = Latch()
            self.engine = Engine(self.latch, outstanding=outstanding, response_time=response_time)
        self.registers = self.latch.registers

    def reset(self) -> None:
        """The system was reset."""
        self.engine.reset()

    def export(self) -> BtState:
        """The present state, in the middle of whatever is under way."""
        engine = self.engine
        return BtState(
            self.latch.export(), engine.export(), engine.outstanding, engine.response_time, self.quirks.value
        )

    @classmethod
    def from_state(cls, state: BtState) -> Bt:
        """A device that goes on where the exported one was."""
        device = cls(
            outstanding=state.outstanding, response_time=state.response_time, quirks=Quirk(state.quirks)
        )
        device.latch.restore(state.latch)
        device.engine.restore(state.engine)
        return device
