"""SMIC as one device: latch and engine together."""

from __future__ import annotations

from dataclasses import dataclass

from baseboard.interface.smic.engine import CAPACITY, Engine, EngineState
from baseboard.interface.smic.latch import Latch, LatchState
from baseboard.interface.state import Exported


@dataclass(frozen=True, slots=True)
class SmicState(Exported):
    """Everything that a device keeps: what goes on in another process goes on from here."""

    latch: LatchState
    engine: EngineState
    capacity: int
    version: int = 1


class Smic:
    """A server management interface chip, to be put on a bus and before a controller."""

    def __init__(self, *, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self.latch = Latch()
        self.engine = Engine(self.latch, capacity=capacity)
        self.registers = self.latch.registers

    def reset(self) -> None:
        """The system was reset."""
        self.engine.reset()

    def export(self) -> SmicState:
        """The present state, in the middle of whatever is under way."""
        return SmicState(self.latch.export(), self.engine.export(), self._capacity)

    @classmethod
    def from_state(cls, state: SmicState) -> Smic:
        """A device that goes on where the exported one was."""
        device = cls(capacity=state.capacity)
        device.latch.restore(state.latch)
        device.engine.restore(state.engine)
        return device
