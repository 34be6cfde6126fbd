"""Firmware behind the registers of a system interface.

Theory of operation
-------------------
Requests wait in a queue and are driven through the interface one after the other. Whoever owns the registers
calls `step` as long as it makes progress, and again whenever the registers may have changed; everything else
is here. A binding brings three things:

* a driver (`KcsDriver` or `BtDriver`) over its registers. KCS: an `interface.kcs.Port` (`read_status`,
  `read_data`, `write_data`, `write_command`), made into registers by `on_port`; BT: the `Registers` of
  `interface.driver` (`read(register)`, `write(register, value)`; 0 is BT_CTRL, 1 the buffer, 2 BT_INTMASK).
  Its `retries` are 0: they are counted here;
* `attention`, which reads SMS_ATN without changing it;
* when the firmware went away and came back (`lost`, `found`), as far as it can know.

Each request has `patience` seconds for queue, transfer and answer. What comes of it when there is no answer
of the firmware's is the table `OUTCOMES`. After anything but an answer the interface is brought back with
GET_STATUS/ABORT before the next request, which waits for that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from baseboard.host.seam import Answered, AttentionChanged, FirmwareFound, FirmwareLost, ResponderEvent
from baseboard.interface.driver import Driver, ResponseReceived, TransferFailed
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Message

PATIENCE = 5.0
"""Seconds for a request.  [IPMI 9.14]"""
CAPACITY = 32
RETRIES = 2
LONGEST_DATA = 1000
"""Bytes of a request's data, which Linux' `kcs_bmc` takes with its 2 bytes of header."""


class Outcome(Enum):
    """How a request ends."""

    ANSWERED = "answered"
    TIMED_OUT = "timed out"
    FAILED = "failed"
    LOST = "lost"
    GONE = "gone"
    BUSY = "busy"
    TOO_LONG = "too long"
    ABANDONED = "abandoned"


# fmt: off
OUTCOMES: Mapping[Outcome, CompletionCode] = {
    # the request                                    is answered
    Outcome.TIMED_OUT:  CompletionCode.TIMEOUT,            # C3h  no answer in time
    Outcome.FAILED:     CompletionCode.UNSPECIFIED,        # FFh  the transfer failed each time
    Outcome.LOST:       CompletionCode.INITIALIZING,       # D2h  the firmware was reset, or is not up yet
    Outcome.GONE:       CompletionCode.UNSPECIFIED,        # FFh  the BMC is not there any more
    Outcome.BUSY:       CompletionCode.NODE_BUSY,          # C0h  too many wait
    Outcome.TOO_LONG:   CompletionCode.REQUEST_TRUNCATED,  # C6h  longer than the interface takes
}
# fmt: on


@dataclass(slots=True)
class Counters:
    """What happened since the beginning."""

    requests: int = 0
    answered: int = 0
    timed_out: int = 0
    failed: int = 0
    lost: int = 0
    gone: int = 0
    busy: int = 0
    too_long: int = 0
    abandoned: int = 0
    retries: int = 0
    """Transfers that were begun again."""
    attentions: int = 0
    resets: int = 0
    """How often the firmware was lost."""

    def as_dict(self) -> dict[str, int]:
        """By name."""
        return {name: getattr(self, name) for name in self.__slots__}

    def count(self, outcome: Outcome) -> None:
        """A request has ended."""
        name = outcome.name.lower()
        setattr(self, name, getattr(self, name) + 1)


@dataclass(slots=True)
class _Request:
    id: int
    message: Message
    deadline: float
    tries: int = 0


class RegisterResponder:
    """One system interface with firmware behind it."""

    def __init__(
        self,
        driver: Driver,
        attention: Callable[[], bool],
        *,
        patience: float = PATIENCE,
        capacity: int = CAPACITY,
        longest: int = LONGEST_DATA,
        retries: int = RETRIES,
    ) -> None:
        self.counters = Counters()
        self.last_failure = ""
        """Of the latest transfer that failed, in words."""
        self._driver = driver
        self._attention_pin = attention
        self._patience = patience
        self._capacity = capacity
        self._longest = longest
        self._retries = retries
        self._waiting: deque[_Request] = deque()
        self._current: _Request | None = None
        self._there = True
        self._attention = False
        self._events: deque[ResponderEvent] = deque()

    # -- the host's side -----------------------------------------------------------------------------

    def submit(self, id_: int, message: Message, now: float) -> None:
        """Ask."""
        self.counters.requests += 1
        request = _Request(id_, message, now + self._patience)
        if len(message.data) > self._longest:
            self._end(request, Outcome.TOO_LONG)
        elif len(self._waiting) >= self._capacity:
            self._end(request, Outcome.BUSY)
        else:
            self._waiting.append(request)

    def abandon(self, id_: int, now: float) -> None:
        """Forget a request; one that is under way is aborted."""
        current = self._current
        if current is not None and current.id == id_:
            self._drop(now)
            self.counters.count(Outcome.ABANDONED)
            return
        for request in self._waiting:
            if request.id == id_:
                self._waiting.remove(request)
                self.counters.count(Outcome.ABANDONED)
                return

    def next_event(self) -> ResponderEvent | None:
        """What happened next, oldest first; None when nothing is left."""
        return self._events.popleft() if self._events else None

    @property
    def says(self) -> bool:
        """Whether there is a next event."""
        return bool(self._events)

    @property
    def attention(self) -> bool:
        """SMS_ATN as it was seen last."""
        return self._attention

    @property
    def idle(self) -> bool:
        """Nothing is under way, and nothing waits."""
        return self._current is None and not self._waiting and not self._busy

    # -- the binding's side --------------------------------------------------------------------------

    @property
    def there(self) -> bool:
        """Whether there is firmware, as far as anybody said."""
        return self._there

    def lost(self, reason: str, now: float) -> None:
        """The BMC was reset, or its firmware went away: what was under way has no answer.

        What waits in the queue goes on waiting, as far as its time goes.
        """
        if not self._there:
            return
        self._there = False
        self.counters.resets += 1
        if self._current is not None:
            self._end(self._current, Outcome.LOST)
            self._current = None
        self._set_attention(False)
        self._events.append(FirmwareLost(reason))

    def found(self, what: str, now: float) -> None:
        """The firmware is there, perhaps again: what an earlier transfer left is aborted."""
        if not self._there:
            self._there = True
            self._driver.abort(now)
        self._events.append(FirmwareFound(what))

    def close(self) -> None:
        """The BMC is gone for good: nothing waits any longer."""
        for request in (*([self._current] if self._current else ()), *self._waiting):
            self._end(request, Outcome.GONE)
        self._current = None
        self._waiting.clear()

    def step(self, now: float) -> bool:
        """Do the next thing; False when there is nothing to do, or the firmware is not ready for it."""
        self._expire(now)
        if not self._there:
            return False
        if self._busy:
            progress = self._driver.step(now)
            self._take_event(now)
            return progress
        if not self._waiting:
            return False
        self._current = self._waiting.popleft()
        self._begin(self._current, now)
        return True

    def look(self) -> None:
        """See whether SMS_ATN has changed; between transfers, for a transfer's accesses must not mix."""
        if self._there:
            self._set_attention(self._attention_pin())

    def next_deadline(self) -> float | None:
        """When to call `step` at the latest; None: there is nothing to do."""
        deadlines = [request.deadline for request in self._waiting]
        if self._current is not None:
            deadlines.append(self._current.deadline)
        if self._there and (deadline := self._driver.next_deadline()) is not None:
            deadlines.append(deadline)
        return min(deadlines, default=None)

    # -- inside --------------------------------------------------------------------------------------

    @property
    def _busy(self) -> bool:
        return self._current is not None or self._driver.next_deadline() is not None

    def _begin(self, request: _Request, now: float) -> None:
        request.tries += 1
        while self._driver.next_event() is not None:
            pass  # what comes of a transfer that was aborted is of no interest
        self._driver.send_request(request.message, now)

    def _take_event(self, now: float) -> None:
        event, request = self._driver.next_event(), self._current
        if event is None or request is None:
            return
        if isinstance(event, ResponseReceived) and event.data:
            self.counters.count(Outcome.ANSWERED)
            self._events.append(Answered(request.id, event.data))
            self._current = None
            return
        self.last_failure = (
            event.reason if isinstance(event, TransferFailed) else "an answer without completion code"
        )
        if request.tries <= self._retries:
            self.counters.retries += 1
            self._begin(request, now)
        else:
            self._end(request, Outcome.FAILED)
            self._current = None

    def _expire(self, now: float) -> None:
        late = Outcome.TIMED_OUT if self._there else Outcome.LOST
        current = self._current
        if current is not None and now >= current.deadline:
            self._end(current, late)
            self._drop(now)
        while self._waiting and now >= self._waiting[0].deadline:
            self._end(self._waiting.popleft(), late)

    def _drop(self, now: float) -> None:
        self._current = None
        self._driver.abort(now)

    def _end(self, request: _Request, outcome: Outcome) -> None:
        self.counters.count(outcome)
        self._events.append(Answered(request.id, bytes((OUTCOMES[outcome],))))

    def _set_attention(self, attention: bool) -> None:
        if attention != self._attention:
            self._attention = attention
            self.counters.attentions += attention
            self._events.append(AttentionChanged(attention))
