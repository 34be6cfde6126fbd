"""What the hosts' ends of all interfaces share: how registers are reached, and what comes of a request.

A driver never waits. `send_request` begins, `step(now)` does the next thing if the BMC is ready for it, and
`next_event` gives the outcome. `next_deadline` says when to call `step` at the latest; `transact` is all of
it for whoever may wait. An answer counts when network function, LUN and command are the request's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Generic, NamedTuple, Protocol, TypeVar

from baseboard.errors import LocalProtocolError
from baseboard.interface.registers import Register
from baseboard.ipmi.message import Message

LONGEST = 1024
"""Bytes of answer; a BMC that gives more gives no end."""


class Registers(Protocol):
    """An interface's registers as software reaches them."""

    def read(self, register: int) -> int:
        """Read the register with this number, from 0."""

    def write(self, register: int, value: int) -> None:
        """Write it."""


class Direct:
    """Registers with no bus between."""

    def __init__(self, registers: Sequence[Register]) -> None:
        self._registers = registers

    def read(self, register: int) -> int:
        """Read the register with this number, from 0."""
        return self._registers[register].read()

    def write(self, register: int, value: int) -> None:
        """Write it."""
        self._registers[register].write(value)


class ResponseReceived(NamedTuple):
    """The answer."""

    netfn: int
    """Odd: the request's plus 1."""
    lun: int
    command: int
    data: bytes
    """Completion code first; empty if the BMC sent none."""


class TransferFailed(NamedTuple):
    """The interface did not bring an answer, and the driver has tried as often as it may."""

    code: int | None
    """What the interface said of it; None: nothing."""
    reason: str


DriverEvent = ResponseReceived | TransferFailed


class Driver(ABC):
    """What every driver has."""

    def __init__(self) -> None:
        self._events: deque[DriverEvent] = deque()

    @abstractmethod
    def send_request(self, message: Message, now: float) -> None:
        """Begin a transfer."""

    @abstractmethod
    def abort(self, now: float) -> None:
        """Give up what is under way; that comes as `TransferFailed`."""

    @abstractmethod
    def step(self, now: float) -> bool:
        """Do the next thing; False when the BMC is not ready for it."""

    @abstractmethod
    def next_deadline(self) -> float | None:
        """When to call `step` at the latest; None: there is nothing to do."""

    def next_event(self) -> DriverEvent | None:
        """What came of a request; None while it is under way."""
        return self._events.popleft() if self._events else None

    def _report(self, answer: bytes) -> None:
        self._events.append(ResponseReceived(answer[0] >> 2, answer[0] & 3, answer[1], answer[2:]))


def encoded(message: Message) -> bytes:
    """Network function and LUN, command, data."""
    netfn, lun, command, data = message
    return bytes((netfn << 2 | lun, command)) + data


def answers(answer: bytes, request: bytes) -> bool:
    """Whether the one belongs to the other."""
    return answer[:2] == bytes((request[0] | 4, request[1]))


def transact(
    driver: Driver, message: Message, *, now: Callable[[], float], wait: Callable[[float | None], None]
) -> DriverEvent:
    """Ask and wait; `wait` is given a deadline and returns when it likes, at the latest soon after that."""
    driver.send_request(message, now())
    while (event := driver.next_event()) is None:
        if not driver.step(now()):
            wait(driver.next_deadline())
    return event


P = TypeVar("P", bound=Enum)


class OneAtATime(Driver, Generic[P]):
    """A driver with one request under way: a phase, and when that is over at the latest."""

    NAME: str
    IDLE: P
    FIRST: P
    """The phase that a request begins with."""

    def __init__(self) -> None:
        super().__init__()
        self.phase = self.IDLE
        self._request = b""
        self._deadline: float | None = None

    def send_request(self, message: Message, now: float) -> None:
        if self.phase is not self.IDLE:
            raise LocalProtocolError(f"{self.NAME} takes one request at a time")
        self._request = encoded(message)
        self._begin(now)

    def abort(self, now: float) -> None:
        if self.phase is not self.IDLE:
            self._give_up(None, "aborted")

    def next_deadline(self) -> float | None:
        return self._deadline

    @abstractmethod
    def _begin(self, now: float) -> None:
        """There is a new request."""

    def _enter(self, phase: P, deadline: float) -> None:
        self.phase = phase
        self._deadline = None if phase is self.IDLE else deadline

    def _give_up(self, code: int | None, reason: str) -> None:
        self._events.append(TransferFailed(code, reason))
        self._enter(self.IDLE, 0.0)


class Boundary(Enum):
    """What an action came upon."""

    ALL_SENT = "the request is written"
    REFUSED = "the transfer has failed"
    GIVEN_UP = "the transfer was reported already"


class FlowChart(OneAtATime[P]):
    """A driver on registers: one row of its chart at a time, each wait with a deadline, retries.

    `timeout` is for each wait, `response_timeout` for the one until the answer begins, `retries` how often
    the request is begun again.
    """

    ALL_SENT: P
    """The phase in which the answer is waited for."""
    TIMEOUT: float
    RETRIES: int

    def __init__(
        self,
        registers: Registers,
        *,
        timeout: float | None = None,
        response_timeout: float | None = None,
        retries: int | None = None,
    ) -> None:
        super().__init__()
        self._registers = registers
        self._timeout = self.TIMEOUT if timeout is None else timeout
        self._response_timeout = self._timeout if response_timeout is None else response_timeout
        self._retries = self.RETRIES if retries is None else retries
        self._position = 0
        self._response = bytearray()
        self._failures = 0
        self._code: int | None = None
        self._reason = ""

    @abstractmethod
    def _advance(self, now: float) -> bool:
        """Take the row that the BMC's status names; False when it is not ready for one."""

    @abstractmethod
    def _fail(self, reason: str, now: float) -> None:
        """The transfer has failed: what next?"""

    def step(self, now: float) -> bool:
        if self.phase is self.IDLE:
            return False
        if self._advance(now):
            return True
        if self._deadline is not None and now >= self._deadline:
            self._fail(f"no progress while {self.phase.name}", now)
            return True
        return False

    def _begin(self, now: float) -> None:
        self._failures = 0
        self._code, self._reason = None, ""
        self._wait(self.FIRST, now)

    def _go_on(self, boundary: Boundary | None, phase: P, now: float) -> None:
        """An action was taken."""
        if boundary is None:  # as `_wait`, without the calls
            self.phase = phase
            self._deadline = None if phase is self.IDLE else now + self._timeout
        elif boundary is Boundary.ALL_SENT:
            self._enter(self.ALL_SENT, now + self._response_timeout)
        elif boundary is Boundary.REFUSED:
            self._fail(self._reason, now)

    def _wait(self, phase: P, now: float) -> None:
        self._enter(phase, now + self._timeout)

    def _keep(self, byte: int) -> Boundary | None:
        """A byte of the answer."""
        self._response.append(byte)
        if len(self._response) <= LONGEST:
            return None
        self._reason = self._reason or f"an answer of more than {LONGEST} bytes"
        return Boundary.REFUSED

    def _finish(self) -> Boundary | None:
        answer = bytes(self._response)
        if not answers(answer, self._request):
            self._reason = self._reason or f"an answer to another request: {answer[:2].hex(' ') or 'nothing'}"
            return Boundary.REFUSED
        self._report(answer)
        return None
