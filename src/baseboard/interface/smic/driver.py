"""The host's end of SMIC.  [IPMI 10.11, Figures 10-5 and 10-6]

Theory of operation
-------------------
Nothing is done while BUSY is set. Otherwise the status is the input, and the table says what to do and
which ready flag that waits for. Any other status, and a wait beyond `TIMEOUT`, begins the transfer again
with GET_STATUS, as often as `retries` says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum, auto

from baseboard.errors import LocalProtocolError
from baseboard.interface.driver import DriverEvent, Registers, ResponseReceived, TransferFailed
from baseboard.interface.smic.registers import BUSY, RX_DATA_RDY, SMS_ATN, TX_DATA_RDY, Control, Status
from baseboard.ipmi.message import Message

TIMEOUT = 2.0
RETRIES = 3
DATA, STATUS, CONTROL, FLAGS = 0, 1, 1, 2
"""Offsets of the registers."""


class Phase(Enum):
    """Where in the flow chart the driver is."""

    IDLE = auto()
    STARTING = auto()
    ASKED = auto()
    """GET_STATUS was written."""
    WRITING = auto()
    ENDING = auto()
    """The last byte was written."""
    READING = auto()
    LEAVING = auto()
    """RD_END was written."""


class Boundary(Enum):
    """What an action came upon."""

    ALL_SENT = auto()
    REFUSED = auto()
    """Data has an error code."""


Action = Callable[["SmicDriver"], "Boundary | None"]


class SmicDriver:
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
        self._deadline: float | None = None
        self._events: deque[DriverEvent] = deque()

    def send_request(self, message: Message, now: float) -> None:
        """Begin a transfer."""
        if self.phase is not Phase.IDLE:
            raise LocalProtocolError("SMIC takes one request at a time")
        netfn, lun, command, data = message
        self._request = bytes((netfn << 2 | lun, command)) + data
        self._failures = 0
        self._code = None
        self._enter(Phase.STARTING, now)

    def next_event(self) -> DriverEvent | None:
        """What came of the request; None while it is under way."""
        return self._events.popleft() if self._events else None

    def next_deadline(self) -> float | None:
        """When the present wait has lasted too long."""
        return self._deadline

    def attention(self) -> bool:
        """Whether SMS_ATN is up."""
        return bool(self._registers.read(FLAGS) & SMS_ATN)

    def step(self, now: float) -> bool:
        """Do the next thing; False when the BMC is not ready for it."""
        if self.phase is Phase.IDLE:
            return False
        flags = self._registers.read(FLAGS)
        if not flags & BUSY:
            status = self._registers.read(STATUS)
            row = STEPS.get((self.phase, status)) or STEPS.get((self.phase, None))
            if row is None:
                self._fail(f"status {status:02X}h while {self.phase.name}", now)
                return True
            awaited, action, phase = row
            if flags & awaited == awaited:
                boundary = action(self)
                if boundary is Boundary.REFUSED:
                    self._fail(f"error code {self._code}", now)
                else:
                    self._enter(phase if boundary is None else Phase.ENDING, now)
                return True
        if self._deadline is not None and now >= self._deadline:
            self._fail(f"no progress while {self.phase.name}", now)
            return True
        return False

    def _enter(self, phase: Phase, now: float) -> None:
        self.phase = phase
        self._deadline = None if phase is Phase.IDLE else now + self._timeout

    def _fail(self, reason: str, now: float) -> None:
        self._failures += 1
        if self._failures > self._retries:
            self._events.append(TransferFailed(self._code, reason))
            self._enter(Phase.IDLE, now)
        else:
            self._enter(Phase.STARTING, now)

    def _write(self, control: Control, data: int | None = None) -> None:
        write = self._registers.write
        write(CONTROL, control)
        if data is not None:
            write(DATA, data)
        write(FLAGS, self._registers.read(FLAGS) | BUSY)

    # Actions.

    def _ask(self) -> None:
        self._write(Control.GET_STATUS)

    def _start(self) -> None:
        self._response.clear()
        self._position = 1
        self._write(Control.WR_START, self._request[0])

    def _send(self) -> Boundary | None:
        position = self._position
        self._position = position + 1
        if position < len(self._request) - 1:
            self._write(Control.WR_NEXT, self._request[position])
            return None
        self._write(Control.WR_END, self._request[position])
        return Boundary.ALL_SENT

    def _begin_read(self) -> Boundary | None:
        if self._refused():
            return Boundary.REFUSED
        self._write(Control.RD_START)
        return None

    def _take(self) -> None:
        self._response.append(self._registers.read(DATA))
        self._write(Control.RD_NEXT)

    def _take_last(self) -> None:
        self._response.append(self._registers.read(DATA))
        self._write(Control.RD_END)

    def _finish(self) -> Boundary | None:
        response = bytes(self._response)
        if self._refused() or len(response) < 2:
            return Boundary.REFUSED
        self._events.append(ResponseReceived(response[0] >> 2, response[0] & 3, response[1], response[2:]))
        return None

    def _refused(self) -> bool:
        code = self._registers.read(DATA)
        self._code = code or None
        return code != 0


# fmt: off
STEPS: Mapping[tuple[Phase, int | None], tuple[int, Action, Phase]] = {
    # in phase         BMC shows          waits for     then the driver           next phase
    (Phase.STARTING,   None):            (0,            SmicDriver._ask,          Phase.ASKED),
    (Phase.ASKED,      Status.RDY):      (0,            SmicDriver._start,        Phase.WRITING),
    (Phase.WRITING,    Status.WR_START): (TX_DATA_RDY,  SmicDriver._send,         Phase.WRITING),
    (Phase.WRITING,    Status.WR_NEXT):  (TX_DATA_RDY,  SmicDriver._send,         Phase.WRITING),
    (Phase.ENDING,     Status.WR_END):   (RX_DATA_RDY,  SmicDriver._begin_read,   Phase.READING),
    (Phase.READING,    Status.RD_START): (RX_DATA_RDY,  SmicDriver._take,         Phase.READING),
    (Phase.READING,    Status.RD_NEXT):  (RX_DATA_RDY,  SmicDriver._take,         Phase.READING),
    (Phase.READING,    Status.RD_END):   (RX_DATA_RDY,  SmicDriver._take_last,    Phase.LEAVING),
    (Phase.LEAVING,    Status.RDY):      (0,            SmicDriver._finish,       Phase.IDLE),
}
# fmt: on
