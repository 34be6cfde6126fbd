"""Where a system interface ends and a controller begins.

An engine gives events and takes answers; what answers is behind a `Seam`. `HandlerSeam` has the controller
of this process behind it. One that lives elsewhere offers the same three methods to its owner, takes the
same events and answers when it can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from baseboard.errors import ConfigError
from baseboard.ipmi.message import Context, Handler, Message

SHORTEST_REQUEST, LONGEST_REQUEST = 2, 0xFFFF
"""Bytes, network function and command included, that an interface may be made to take."""


def request_size(capacity: int, most: int = LONGEST_REQUEST) -> int:
    """The most bytes of a request.  Raises ConfigError."""
    if not SHORTEST_REQUEST <= capacity <= most:
        raise ConfigError(f"requests of up to {capacity} bytes: it must be {SHORTEST_REQUEST} to {most}")
    return capacity


class RequestReceived(NamedTuple):
    """The host asks; answer with the same `id`."""

    id: int
    message: Message


class RequestAbandoned(NamedTuple):
    """The host gave this request up: no answer to it will be taken."""

    id: int


@dataclass(frozen=True, slots=True)
class ResetRequested:
    """The host asked the interface to be reset (BT's BMC_HWRST), and it has been."""


EngineEvent = RequestReceived | RequestAbandoned | ResetRequested


class Engine(Protocol):
    """The BMC's end of a system interface."""

    wake: Callable[[], None]
    """Called when there is an event, as the last thing that a host's access does."""

    def next_event(self) -> EngineEvent | None:
        """What happened next, oldest first; None when nothing is left."""

    def respond(self, id_: int, response: bytes) -> bool:
        """Answer, completion code first; False when nobody waits for an answer with this id."""

    def set_attention(self, attention: bool, interrupt: bool) -> None:
        """What the attention bit is from now on, and whether its rise interrupts."""

    def set_interrupt(self, enabled: bool) -> None:
        """Whether the interface may interrupt, as Set BMC Global Enables has it."""

    def unanswered(self) -> tuple[RequestReceived, ...]:
        """Requests that were given out and wait for their answers, oldest first."""


class Seam(Protocol):
    """What the owner of a controller tells the interface that it is reached by."""

    def attention(self, attention: bool, interrupt: bool) -> None:
        """The attention bit, and whether its rise interrupts."""

    def set_interrupt(self, enabled: bool) -> None:
        """Whether the interface interrupts at all."""


def _zero() -> float:
    return 0.0


def _nothing(now: float) -> None:
    pass


class HandlerSeam:
    """A controller in this process behind an engine: each request is answered before the access returns.

    `handled` is called between execution and answer, as a VM port's owner is: to commit, and to pass the
    controller's events on.
    """

    def __init__(
        self,
        engine: Engine,
        handler: Handler,
        context: Context | None = None,
        *,
        now: Callable[[], float] = _zero,
        handled: Callable[[float], None] = _nothing,
        reset: Callable[[], None] | None = None,
    ) -> None:
        self._engine = engine
        self._handler = handler
        self._context = context if context is not None else Context()
        self._now = now
        self._handled = handled
        self._reset = reset
        self._busy = False
        engine.wake = self.pump
        self.pump()

    def pump(self) -> None:
        """Answer everything that waits."""
        if self._busy:
            return
        engine = self._engine
        self._busy = True
        try:
            while (event := engine.next_event()) is not None:
                if isinstance(event, RequestReceived):
                    id_, message = event
                    self._context.now = now = self._now()
                    answer = self._handler(message, self._context)
                    self._handled(now)
                    if answer:
                        engine.respond(id_, answer)
                elif isinstance(event, ResetRequested) and self._reset is not None:
                    self._reset()
        finally:
            self._busy = False

    def attention(self, attention: bool, interrupt: bool) -> None:
        """The attention bit, and whether its rise interrupts."""
        self._engine.set_attention(attention, interrupt)

    def set_interrupt(self, enabled: bool) -> None:
        """Whether the interface interrupts at all."""
        self._engine.set_interrupt(enabled)
