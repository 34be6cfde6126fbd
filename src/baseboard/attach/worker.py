"""A binding in a thread of its own, as firmware for an event loop.

Register transactions are hundreds of turns that wait for each other; in an event loop each would wait for
everybody else as well. The thread has the binding for itself. What it is asked comes through a queue, what it
says goes into the loop.

When the machine ends, requests are answered FFh at once, and the thread attaches again as soon as somebody is
there: a pair survives the restart of its BMC.
"""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from baseboard.attach.binding import Binding, TakesPostCodes
from baseboard.attach.firmware import Deliver
from baseboard.errors import BaseboardError
from baseboard.host.registers import OUTCOMES, Counters, Outcome
from baseboard.host.seam import Answered, FirmwareLost, ResponderEvent
from baseboard.ipmi.message import Message

RETRY = 0.1
LAST_RETRY = 1.0
TURN = 0.5
"""Seconds that the thread waits at most before it looks whether it is to end."""

MOST_ASKED = 256
"""Of what the thread has not heard yet; while it looks for a machine that is gone, it hears nothing."""

_GONE = bytes((OUTCOMES[Outcome.GONE],))
_BUSY = bytes((OUTCOMES[Outcome.BUSY],))


class Worker:
    """The firmware that `open_` attaches to."""

    tells_orders = False

    def __init__(self, open_: Callable[[], Binding]) -> None:
        self._open = open_
        self._asked: deque[Callable[[Binding | None], None]] = deque()
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._closing = False
        self._binding: Binding | None = None
        self._found: dict[str, Any] = {}
        self._counters = Counters()
        self._gone = self._busy = 0
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._deliver: Deliver

    async def start(self, deliver: Deliver) -> None:
        """Attach.  Raises what `open_` raises: the first time it is the user's mistake."""
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._binding = await asyncio.to_thread(self._open)
        self._found = self._binding.found()
        self._thread = threading.Thread(target=self._work, name="baseboard-attach", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Detach and end the thread."""
        self._closing = True
        self._wake()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        self._ours.close()
        self._theirs.close()

    def submit(self, id_: int, message: Message, now: float) -> None:
        """Ask."""
        if len(self._asked) >= MOST_ASKED:
            self._busy += 1
            self._loop.call_soon(self._deliver, Answered(id_, _BUSY))
            return

        def ask(binding: Binding | None) -> None:
            if binding is not None:
                binding.responder.submit(id_, message, binding.clock.now())
            else:
                self._gone += 1
                self._say(Answered(id_, _GONE))

        self._asked.append(ask)
        self._wake()

    def abandon(self, id_: int, now: float) -> None:
        """No answer to this request is wanted any more."""

        def abandon(binding: Binding | None) -> None:
            if binding is not None:
                binding.responder.abandon(id_, binding.clock.now())

        self._tell(abandon)  # left out, its answer will be nobody's, that is all

    def post(self, code: int) -> None:
        """The host writes a POST code; who has no hardware for it, is gone or does not listen, misses it."""

        def tell(binding: object) -> None:
            if isinstance(binding, TakesPostCodes):
                binding.post(code)

        self._tell(tell)

    def _tell(self, what: Callable[[Binding | None], None]) -> None:
        """What needs no answer, while there is room for it beside requests."""
        if len(self._asked) < 2 * MOST_ASKED:
            self._asked.append(what)
            self._wake()

    def found(self) -> dict[str, Any]:
        """What there is, or was last."""
        return self._found

    def counters(self) -> dict[str, int]:
        """What happened since the beginning."""
        counters = self._counters.as_dict()
        counters["gone"] += self._gone
        counters["busy"] += self._busy
        return counters

    # -- in the thread -------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._closing:
            binding = self._binding
            if binding is None:
                binding = self._attach_again()
                if binding is None:
                    return
                self._binding = binding
            binding.responder.counters = self._counters
            try:
                self._serve(binding)
            except (BaseboardError, OSError) as error:
                binding.responder.close()
                binding.responder.lost(str(error), binding.clock.now())
                self._say_events(binding)
            self._binding = None
            binding.detach()

    def _serve(self, binding: Binding) -> None:
        while not self._closing:
            self._take_asked(binding)
            busy = binding.turn()
            self._say_events(binding)
            if not busy and not self._asked:
                binding.wait(TURN, (self._theirs,))

    def _attach_again(self) -> Binding | None:
        """Try until it works; None: we are to end. Who asks meanwhile is told that nobody is there."""
        delay, reason = RETRY, ""
        while not self._closing:
            again = time.monotonic() + delay
            while (remaining := again - time.monotonic()) > 0 and not self._closing:
                select.select([self._theirs], [], [], remaining)
                self._take_asked(None)
            delay = min(2 * delay, LAST_RETRY)
            try:
                binding = self._open()
            except BaseboardError as error:
                if str(error) != reason:
                    reason = str(error)
                    self._say(FirmwareLost(reason))
                continue
            self._found = binding.found()
            return binding
        return None

    def _take_asked(self, binding: Binding | None) -> None:
        try:
            self._theirs.recv(4096)
        except BlockingIOError:
            pass
        while self._asked:
            self._asked.popleft()(binding)

    def _say_events(self, binding: Binding) -> None:
        while (event := binding.responder.next_event()) is not None:
            self._found = binding.found()
            self._say(event)

    def _say(self, event: ResponderEvent) -> None:
        try:
            self._loop.call_soon_threadsafe(self._deliver, event)
        except RuntimeError:  # the loop has ended before us
            self._closing = True

    def _wake(self) -> None:
        try:
            self._ours.send(b"!")
        except BlockingIOError:  # it has been woken often enough
            pass
        except OSError:  # closed: a host that goes last has nothing to tell any more
            pass
