"""The host's end of SMIC.  [IPMI 10.11, Figures 10-5 and 10-6]

Theory of operation
-------------------
Nothing is done while BUSY is set. Otherwise the status is the input, and the table says what to do and
which ready flag that waits for. Any other status, and a wait beyond its time-out, begins the transfer again
with GET_STATUS, as often as `retries` says. GET_STATUS is the abort, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum, auto

from baseboard.interface.driver import Boundary, FlowChart
from baseboard.interface.smic.registers import BUSY, RX_DATA_RDY, SMS_ATN, TX_DATA_RDY, Control, Status

TIMEOUT = 2.0
RETRIES = 3
DATA, STATUS, CONTROL, FLAGS = 0, 1, 1, 2
"""Offsets of the registers."""


class Phase(IntEnum):
    """Where in the flow chart the driver is."""

    IDLE = auto()
    STARTING = auto()
    ASKED = auto()
    """GET_STATUS was written."""
    WRITING = auto()
    ENDING = auto()
    """The last byte was written: the answer comes."""
    READING = auto()
    LEAVING = auto()
    """RD_END was written."""
    ABORTING = auto()
    ABORTED = auto()
    """GET_STATUS was written, and the request is not begun again."""


Action = Callable[["SmicDriver"], "Boundary | None"]


class SmicDriver(FlowChart[Phase]):
    """One driver; one request at a time."""

    NAME = "SMIC"
    IDLE, FIRST, ALL_SENT = Phase.IDLE, Phase.STARTING, Phase.ENDING
    TIMEOUT = TIMEOUT
    RETRIES = RETRIES

    def attention(self) -> bool:
        """Whether SMS_ATN is up."""
        return bool(self._registers.read(FLAGS) & SMS_ATN)

    def abort(self, now: float) -> None:
        """Give the request up; the error code comes as `TransferFailed`."""
        if self.phase is not Phase.IDLE:
            self._failures = self._retries
            self._reason = "aborted"
            self._wait(Phase.ABORTING, now)

    def _advance(self, now: float) -> bool:
        flags = self._registers.read(FLAGS)
        if flags & BUSY:
            return False
        status = self._registers.read(STATUS)
        row = STEPS.get((self.phase, status)) or STEPS.get((self.phase, None))
        if row is None:
            self._fail(f"status {status:02X}h while {self.phase.name}", now)
            return True
        awaited, action, phase = row
        if flags & awaited != awaited:
            return False
        self._go_on(action(self), phase, now)
        return True

    def _fail(self, reason: str, now: float) -> None:
        self._reason = self._reason or reason
        self._failures += 1
        if self._failures > self._retries:
            self._give_up(self._code, self._reason)
        else:
            self._wait(Phase.STARTING, now)

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

    def _take(self) -> Boundary | None:
        return self._read_on(Control.RD_NEXT)

    def _take_last(self) -> Boundary | None:
        return self._read_on(Control.RD_END)

    def _read_on(self, control: Control) -> Boundary | None:
        boundary = self._keep(self._registers.read(DATA))
        if boundary is None:
            self._write(control)
        return boundary

    def _end(self) -> Boundary | None:
        return Boundary.REFUSED if self._refused() else self._finish()

    def _refused(self) -> bool:
        code = self._registers.read(DATA)
        if code:
            self._code = code
            self._reason = self._reason or f"error code {code}"
        return code != 0

    def _aborted(self) -> Boundary:
        self._refused()
        self._give_up(self._code, self._reason)
        return Boundary.GIVEN_UP


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
    (Phase.LEAVING,    Status.RDY):      (0,            SmicDriver._end,          Phase.IDLE),
    (Phase.ABORTING,   None):            (0,            SmicDriver._ask,          Phase.ABORTED),
    (Phase.ABORTED,    Status.RDY):      (0,            SmicDriver._aborted,      Phase.IDLE),
}
# fmt: on
