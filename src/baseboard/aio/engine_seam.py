"""A system interface whose registers are in a thread and whose controller is in the event loop.

The host's accesses are made in a thread of their own, with the lock held. What they ask is passed to the
loop, and the answer goes back into the engine with the lock held again. `settle` lets the thread wait a
moment for the answer: most come at once, and the host, which asks again and again whether it is there, then
finds it at the first time of asking.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from baseboard.errors import BaseboardError
from baseboard.interface.seam import Engine, RequestReceived
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context, Handler

PATIENCE = 0.001
"""Seconds that an access waits for the answer to what it asked: the host's processor waits with it."""
_UNSPECIFIED = bytes((CompletionCode.UNSPECIFIED,))


class EngineSeam:
    """Made in the event loop. `handled` is called between execution and answer; when it raises, the answer is
    FFh. Whatever touches the engine's device elsewhere holds `lock`.
    """

    def __init__(self, engine: Engine, handler: Handler, handled: Callable[[float], None], what: str) -> None:
        self.lock = threading.Lock()
        self._engine = engine
        self._handler = handler
        self._handled = handled
        self._what = what
        self._context = Context()
        self._loop = asyncio.get_running_loop()
        self._answered = threading.Lock()
        """Released when nothing is unanswered, taken by who waits for that; an Event costs more."""
        self._answered.acquire()
        self._asked = False
        self._pumping = False
        """The loop has been told, and has not looked yet: once is enough, however fast the host asks."""
        engine.wake = self._wake

    def settle(self) -> None:
        """In the host's thread, without the lock: wait a moment if something was asked."""
        if self._asked:
            self._asked = False
            self._answered.acquire(timeout=PATIENCE)

    def attention(self, attention: bool, interrupt: bool) -> None:
        """The attention bit, and whether its rise interrupts."""
        with self.lock:
            self._engine.set_attention(attention, interrupt)

    def set_interrupt(self, enabled: bool) -> None:
        """Whether the interface interrupts at all."""
        with self.lock:
            self._engine.set_interrupt(enabled)

    def _wake(self) -> None:
        """With the lock held, in either thread."""
        self._asked = True
        self._answered.acquire(blocking=False)
        if not self._pumping:
            self._pumping = True
            self._loop.call_soon_threadsafe(self._pump)

    def _pump(self) -> None:
        while True:
            with self.lock:
                self._pumping = False
                event = self._engine.next_event()
            if event is None:
                break
            if isinstance(event, RequestReceived):
                answer = self._answer(event)
                with self.lock:
                    self._engine.respond(event.id, answer)
        if self._answered.locked():  # nobody else releases it
            self._answered.release()

    def _answer(self, request: RequestReceived) -> bytes:
        self._context.now = now = self._loop.time()
        answer = self._handler(request.message, self._context)
        try:
            self._handled(now)
        except BaseboardError as error:
            self._loop.call_exception_handler({"message": f"{self._what}: {error}", "exception": error})
            return _UNSPECIFIED
        return answer
