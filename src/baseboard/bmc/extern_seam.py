"""A controller that lives elsewhere, behind the engine of a system interface."""

from __future__ import annotations

from collections.abc import Callable

from baseboard.bmc.extern import Answered, Extern
from baseboard.interface.seam import Engine, RequestAbandoned, RequestReceived
from baseboard.vm.protocol import AttentionReceived, Operation, OperationReceived

INTERRUPT = {Operation.ENABLE_INTERRUPT: True, Operation.DISABLE_INTERRUPT: False}


def _zero() -> float:
    return 0.0


def _nothing() -> None:
    pass


def _ignore(operation: Operation) -> None:
    pass


class ExternSeam:
    """What passes between an engine and an `Extern`.

    `operate` is told what the controller orders, beside the interrupt enable, which is the engine's. A
    shell sets `now`, and `changed` to what it does when there may be bytes to send or another deadline.
    Requests that a restored engine still waits for, and a restored `Extern` knows nothing of, are asked here
    anew: D2h while nobody is connected.
    """

    def __init__(
        self,
        engine: Engine,
        extern: Extern,
        *,
        operate: Callable[[Operation], None] = _ignore,
        now: Callable[[], float] = _zero,
    ) -> None:
        self.extern = extern
        self.operate = operate
        self.now = now
        self.changed: Callable[[], None] = _nothing
        self._engine = engine
        self._busy = False
        for id_, message in engine.unanswered():
            if not extern.knows(id_):
                extern.request(id_, message, now())
        engine.wake = self.pump
        self.pump()

    def pump(self) -> None:
        """Pass everything on, both ways."""
        if self._busy:
            return
        self._busy = True
        try:
            while self._ask() or self._tell():
                pass
        finally:
            self._busy = False
        self.changed()

    def attention(self, attention: bool, interrupt: bool) -> None:
        """The attention bit, and whether its rise interrupts."""
        self._engine.set_attention(attention, interrupt)

    def set_interrupt(self, enabled: bool) -> None:
        """Whether the interface interrupts at all."""
        self._engine.set_interrupt(enabled)

    def machine_reset(self) -> None:
        """The machine was reset."""
        self.extern.machine_reset()
        self.changed()

    def _ask(self) -> bool:
        event = self._engine.next_event()
        if isinstance(event, RequestReceived):
            self.extern.request(event.id, event.message, self.now())
        elif isinstance(event, RequestAbandoned):
            self.extern.abandon(event.id)
        return event is not None

    def _tell(self) -> bool:
        event = self.extern.next_event()
        if isinstance(event, Answered):
            self._engine.respond(event.id, event.data)
        elif isinstance(event, AttentionReceived):
            self.attention(event.attention, event.interrupt)
        elif isinstance(event, OperationReceived):
            enabled = INTERRUPT.get(event.operation)
            if enabled is None:
                self.operate(event.operation)
            else:
                self.set_interrupt(enabled)
        return event is not None
