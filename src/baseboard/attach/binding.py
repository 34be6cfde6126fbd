"""What firmware in another process is to whoever drives it: a responder, and turns.

A binding is used from one thread. `attach.worker` gives it one and carries what it says into an event loop.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from baseboard.host.registers import RegisterResponder
from baseboard.host.seam import Answered
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Message

STOPS = ("STOP", "SUSPEND")
RESUMES = ("RESUME", "WAKEUP")
"""Events of a machine's monitor: time stands still, and goes on."""

_TIMED_OUT = bytes((CompletionCode.TIMEOUT,))


class Clock:
    """Seconds in which the machine ran: a machine that is stopped is not late."""

    def __init__(self) -> None:
        self._stopped_at: float | None = None
        self._missed = 0.0

    @property
    def stopped(self) -> bool:
        """Whether the machine stands still."""
        return self._stopped_at is not None

    def now(self) -> float:
        """Now, as the responder counts."""
        real = time.monotonic() if self._stopped_at is None else self._stopped_at
        return real - self._missed

    def stop(self) -> None:
        """The machine was stopped."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()

    def resume(self) -> None:
        """It goes on."""
        if self._stopped_at is not None:
            self._missed += time.monotonic() - self._stopped_at
            self._stopped_at = None


class Binding(Protocol):
    """Firmware that is attached. All methods raise AttachError or MonitorError when the machine is gone."""

    responder: RegisterResponder
    clock: Clock

    def turn(self) -> bool:
        """Do what can be done now; False: there is nothing to do."""

    def wait(self, timeout: float, also: Sequence[Any] = ()) -> None:
        """Until something may have to be done, one of `also` is readable, or the time is over."""

    def found(self) -> dict[str, Any]:
        """What there is, for people and programs."""

    def detach(self) -> None:
        """Leave the machine as it was, and running; may be called again."""


@runtime_checkable
class TakesPostCodes(Protocol):
    """A binding, or firmware, that has hardware for POST codes."""

    def post(self, code: int) -> None:
        """The host writes a POST code to port 80h."""


def transact(binding: Binding, message: Message, timeout: float) -> bytes:
    """Ask and wait: completion code first. C3h and the like when the firmware does not answer."""
    responder, deadline = binding.responder, time.monotonic() + timeout
    responder.submit(0, message, binding.clock.now())
    while True:
        busy = binding.turn()
        while (event := responder.next_event()) is not None:
            if isinstance(event, Answered):
                return event.data
        if time.monotonic() >= deadline:
            responder.abandon(0, binding.clock.now())
            return _TIMED_OUT
        if not busy:
            binding.wait(deadline - time.monotonic())
