"""SSIF as one device: target and engine together."""

from __future__ import annotations

from dataclasses import dataclass

from baseboard.interface.ssif.engine import CAPACITY, Engine, EngineState
from baseboard.interface.ssif.quirks import Quirk
from baseboard.interface.ssif.quirky import QuirkyEngine, QuirkyTarget
from baseboard.interface.ssif.target import ADDRESS, Target, TargetState
from baseboard.interface.state import Exported


@dataclass(frozen=True, slots=True)
class SsifState(Exported):
    """Everything that a device keeps: what goes on in another process goes on from here."""

    target: TargetState
    engine: EngineState
    capacity: int
    quirks: int
    version: int = 1


class Ssif:
    """An SMBus system interface, to be put on a bus (`bus.attach(ssif.target, address=...)`)."""

    def __init__(
        self,
        address: int = ADDRESS,
        *,
        pec: bool = True,
        capacity: int = CAPACITY,
        quirks: Quirk = Quirk.NONE,
    ) -> None:
        self.quirks = quirks
        self._capacity = capacity
        self.target: Target
        self.engine: Engine
        if quirks:
            self.target = target = QuirkyTarget(address, pec=pec, quirks=quirks)
            self.engine = QuirkyEngine(target, quirks, capacity=capacity)
        else:
            self.target = Target(address, pec=pec)
            self.engine = Engine(self.target, capacity=capacity)

    def reset(self) -> None:
        """The system was reset."""
        self.engine.reset()

    def export(self) -> SsifState:
        """The present state, in the middle of whatever is under way."""
        return SsifState(self.target.export(), self.engine.export(), self._capacity, self.quirks.value)

    @classmethod
    def from_state(cls, state: SsifState) -> Ssif:
        """A device that goes on where the exported one was."""
        device = cls(
            state.target.address, pec=state.target.pec, capacity=state.capacity, quirks=Quirk(state.quirks)
        )
        device.target.restore(state.target)
        device.engine.restore(state.engine)
        return device
