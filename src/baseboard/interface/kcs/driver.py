"""The host's end of KCS.  [IPMI 9.15, Figures 9-8 and 9-9]

Theory of operation
-------------------
Nothing is done while IBF is set. Otherwise the state that the BMC shows is the input, and the table says
what to do and, where the flow chart waits for OBF, that it waits. What the table does not name is an error:
the exit asks for the status code, which leaves the interface idle, and then the request is begun again,
as often as `retries` says. The same happens when a wait takes longer than `TIMEOUT`.

As Linux 5 and 6: OBF found set where none is due is read away, and the end of a read transfer needs no OBF.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum, auto

from baseboard.errors import LocalProtocolError
from baseboard.interface.driver import DriverEvent, Registers, ResponseReceived, TransferFailed
from baseboard.interface.kcs.registers import IBF, OBF, SMS_ATN, STATE, Control, State
from baseboard.ipmi.message import Message

TIMEOUT = 5.0
"""Seconds for each wait.  [IPMI 9.14]"""
RETRIES = 3
DATA, STATUS, COMMAND = 0, 1, 1
"""Offsets of the registers."""


class Phase(Enum):
    """Where in the flow charts the driver is."""

    IDLE = auto()
    STARTING = auto()
    """WRITE_START is to be written."""
    WRITING = auto()
    READING = auto()
    ERROR = auto()
    """GET_STATUS/ABORT is to be written."""
    ABORTING = auto()
    ASKING = auto()
    """00h was written: the status code comes."""
    LEAVING = auto()
    """The last READ of the error exit was written."""


class Boundary(Enum):
    """What an action came upon."""

    ALL_SENT = auto()
    GIVEN_UP = auto()


Action = Callable[["KcsDriver"], "Boundary | None"]


class KcsDriver:
    """One driver; one request at a time."""

    def __init__(self, registers: Registers, *, timeout: float = TIMEOUT, retries: int = RETRIES) -> None:
        self._registers = registers
        self._timeout = timeout
        self._retries = retries
        self.phase = Phase.IDLE
        self._request = b""
        self._position = 0
        self._response = bytearray()
        self._failures = 0
        self._code: int | None = None
        self._reason = ""
        self._deadline: float | None = None
        self._events: deque[DriverEvent] = deque()

    def send_request(self, message: Message, now: float) -> None:
        """Begin a transfer."""
        if self.phase is not Phase.IDLE:
            raise LocalProtocolError("KCS takes one request at a time")
        netfn, lun, command, data = message
        self._request = bytes((netfn << 2 | lun, command)) + data
        self._failures = 0
        self._code, self._reason = None, ""
        self._enter(Phase.STARTING, now)

    def next_event(self) -> DriverEvent | None:
        """What came of the request; None while it is under way."""
        return self._events.popleft() if self._events else None

    def next_deadline(self) -> float | None:
        """When the present wait has lasted too long."""
        return self._deadline

    def attention(self) -> bool:
        """Whether SMS_ATN is up."""
        return bool(self._registers.read(STATUS) & SMS_ATN)

    def abort(self, now: float) -> None:
        """Give the request up; the status code comes as `TransferFailed`."""
        if self.phase is not Phase.IDLE:
            self._failures = self._retries
            self._reason = "aborted"
            self._enter(Phase.ERROR, now)

    def step(self, now: float) -> bool:
        """Do the next thing; False when the BMC is not ready for it."""
        if self.phase is Phase.IDLE:
            return False
        status = self._registers.read(STATUS)
        if not status & IBF:
            state = State(status & STATE)
            row = STEPS.get((self.phase, state))
            if row is None:
                self._fail(f"state {state.name} while {self.phase.name}", now)
                return True
            waits, action, phase = row
            if status & OBF or not waits:
                if status & OBF and not waits:
                    self._registers.read(DATA)
                boundary = action(self)
                self._enter(phase if boundary is None else BOUNDARIES[self.phase, boundary], now)
                return True
        if self._deadline is not None and now >= self._deadline:
            self._fail(f"no progress while {self.phase.name}", now)
            return True
        return False

    def _enter(self, phase: Phase, now: float) -> None:
        self.phase = phase
        self._deadline = None if phase is Phase.IDLE else now + self._timeout

    def _fail(self, reason: str, now: float) -> None:
        self._reason = self._reason or reason
        self._failures += 1
        if self._failures > self._retries:
            self._events.append(TransferFailed(self._code, self._reason))
            self._enter(Phase.IDLE, now)
        else:
            self._enter(Phase.ERROR, now)

    # Actions.

    def _start(self) -> None:
        self._position = 0
        self._response.clear()
        self._registers.write(COMMAND, Control.WRITE_START)

    def _send(self) -> Boundary | None:
        position = self._position
        request = self._request
        self._position = position + 1
        last = len(request) - 1
        if position == last:
            self._registers.write(COMMAND, Control.WRITE_END)
            return None
        self._registers.write(DATA, request[min(position, last)])
        return Boundary.ALL_SENT if position > last else None

    def _take(self) -> None:
        self._response.append(self._registers.read(DATA))
        self._registers.write(DATA, Control.READ)

    def _finish(self) -> None:
        response = bytes(self._response)
        if len(response) < 2:
            self._events.append(TransferFailed(None, "an answer without network function or command"))
            return
        self._events.append(ResponseReceived(response[0] >> 2, response[0] & 3, response[1], response[2:]))

    def _abort(self) -> None:
        self._registers.write(COMMAND, Control.GET_STATUS_ABORT)

    def _ask(self) -> None:
        self._registers.write(DATA, 0x00)

    def _take_code(self) -> None:
        self._code = self._registers.read(DATA)
        self._registers.write(DATA, Control.READ)

    def _recovered(self) -> Boundary | None:
        if self._failures < self._retries:
            return None
        self._events.append(TransferFailed(self._code, self._reason))
        return Boundary.GIVEN_UP


# fmt: off
STEPS: Mapping[tuple[Phase, State], tuple[bool, Action, Phase]] = {
    # in phase          BMC shows      for OBF  then the driver         next phase
    (Phase.STARTING,    State.IDLE):  (False,   KcsDriver._start,       Phase.WRITING),
    (Phase.STARTING,    State.READ):  (False,   KcsDriver._start,       Phase.WRITING),
    (Phase.STARTING,    State.WRITE): (False,   KcsDriver._start,       Phase.WRITING),
    (Phase.STARTING,    State.ERROR): (False,   KcsDriver._start,       Phase.WRITING),
    (Phase.WRITING,     State.WRITE): (False,   KcsDriver._send,        Phase.WRITING),
    (Phase.READING,     State.READ):  (True,    KcsDriver._take,        Phase.READING),
    (Phase.READING,     State.IDLE):  (False,   KcsDriver._finish,      Phase.IDLE),
    (Phase.ERROR,       State.IDLE):  (False,   KcsDriver._abort,       Phase.ABORTING),
    (Phase.ERROR,       State.READ):  (False,   KcsDriver._abort,       Phase.ABORTING),
    (Phase.ERROR,       State.WRITE): (False,   KcsDriver._abort,       Phase.ABORTING),
    (Phase.ERROR,       State.ERROR): (False,   KcsDriver._abort,       Phase.ABORTING),
    (Phase.ABORTING,    State.IDLE):  (False,   KcsDriver._ask,         Phase.ASKING),
    (Phase.ABORTING,    State.READ):  (False,   KcsDriver._ask,         Phase.ASKING),
    (Phase.ABORTING,    State.WRITE): (False,   KcsDriver._ask,         Phase.ASKING),
    (Phase.ABORTING,    State.ERROR): (False,   KcsDriver._ask,         Phase.ASKING),
    (Phase.ASKING,      State.READ):  (True,    KcsDriver._take_code,   Phase.LEAVING),
    (Phase.LEAVING,     State.IDLE):  (False,   KcsDriver._recovered,   Phase.STARTING),
}
BOUNDARIES: Mapping[tuple[Phase, Boundary], Phase] = {
    (Phase.WRITING,     Boundary.ALL_SENT): Phase.READING,
    (Phase.LEAVING,     Boundary.GIVEN_UP): Phase.IDLE,
}
# fmt: on
