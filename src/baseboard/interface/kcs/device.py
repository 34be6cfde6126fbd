"""KCS as one device: latch and engine together."""

from __future__ import annotations

from dataclasses import dataclass

from baseboard.interface.kcs.engine import CAPACITY, Engine, EngineState
from baseboard.interface.kcs.latch import Latch, LatchState, QuirkyLatch
from baseboard.interface.kcs.quirks import IN_LATCH, Quirk
from baseboard.interface.kcs.quirky import QuirkyEngine
from baseboard.interface.state import Exported


@dataclass(frozen=True, slots=True)
class KcsState(Exported):
    """Everything that a device keeps: what goes on in another process goes on from here."""

    latch: LatchState
    engine: EngineState
    capacity: int
    quirks: int
    version: int = 1


class Kcs:
    """A keyboard controller style interface, to be put on a bus and before a controller."""

    def __init__(self, *, capacity: int = CAPACITY, quirks: Quirk = Quirk.NONE) -> None:
        self.quirks = quirks
        self._capacity = capacity
        self.latch = QuirkyLatch(quirks) if quirks & IN_LATCH else Latch()
        self.engine = QuirkyEngine(self.latch, quirks) if quirks else Engine(self.latch, capacity=capacity)
        self.registers = self.latch.registers

    def reset(self) -> None:
        """The system was reset."""
        self.engine.reset()

    def export(self) -> KcsState:
        """The present state, in the middle of whatever is under way."""
        return KcsState(self.latch.export(), self.engine.export(), self._capacity, self.quirks.value)

    @classmethod
    def from_state(cls, state: KcsState) -> Kcs:
        """A device that goes on where the exported one was."""
        device = cls(capacity=state.capacity, quirks=Quirk(state.quirks))
        device.latch.restore(state.latch)
        device.engine.restore(state.engine)
        return device
