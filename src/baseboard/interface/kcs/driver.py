"""The host's end of KCS.  [IPMI 9.15, Figures 9-8 and 9-9]

Theory of operation
-------------------
Nothing is done while IBF is set. Otherwise the state that the BMC shows is the input, and the table says
what to do and, where the flow chart waits for OBF, that it waits. What the table does not name is an error:
the exit asks for the status code, which leaves the interface idle, and then the request is begun again,
as often as `retries` says. The same happens when a wait takes longer than its time-out. The exit itself is
tried once more than that; a BMC that does not even take it is reported.

A BMC that was reset in the middle shows the idle or the error state where none is due, or never writes the
dummy byte at the end of a read transfer, which the chart waits for.

As Linux 5 and 6: OBF found set where none is due is read away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum, auto
from typing import Protocol

from baseboard.interface.driver import Boundary, Direct, FlowChart
from baseboard.interface.kcs.registers import IBF, OBF, SMS_ATN, STATE, Control, State
from baseboard.interface.registers import Register

TIMEOUT = 5.0
"""Seconds for each wait.  [IPMI 9.14]"""
RETRIES = 3
DATA, STATUS, COMMAND = 0, 1, 1
"""Offsets of the registers."""
_READ = int(Control.READ)  # once for each byte, and to look a member up costs as much as all the rest


class Port(Protocol):
    """KCS registers by their names, as a latch has them and as a real host's ports may."""

    def read_status(self) -> int:
        """Status."""

    def read_data(self) -> int:
        """Data_Out."""

    def write_data(self, value: int) -> None:
        """Data_In."""

    def write_command(self, value: int) -> None:
        """Command."""


def on_port(port: Port) -> Direct:
    """A port's registers, for a driver."""
    return Direct((Register(port.read_data, port.write_data), Register(port.read_status, port.write_command)))


class Phase(IntEnum):  # which is hashed in a third of the time that an Enum takes
    """Where in the flow charts the driver is."""

    IDLE = auto()
    STARTING = auto()
    """WRITE_START is to be written."""
    WRITING = auto()
    WAITING = auto()
    """The last byte was written: the answer comes."""
    READING = auto()
    ERROR = auto()
    """GET_STATUS/ABORT is to be written."""
    ABORTING = auto()
    ASKING = auto()
    """00h was written: the status code comes."""
    LEAVING = auto()
    """The last READ of the error exit was written."""


Action = Callable[["KcsDriver"], "Boundary | None"]


class KcsDriver(FlowChart[Phase]):
    """One driver; one request at a time."""

    NAME = "KCS"
    IDLE, FIRST, ALL_SENT = Phase.IDLE, Phase.STARTING, Phase.WAITING
    TIMEOUT = TIMEOUT
    RETRIES = RETRIES

    def attention(self) -> bool:
        """Whether SMS_ATN is up."""
        return bool(self._registers.read(STATUS) & SMS_ATN)

    def abort(self, now: float) -> None:
        """Give the request up; the status code comes as `TransferFailed`."""
        if self.phase is not Phase.IDLE:
            self._failures = self._retries + 1
            self._reason = "aborted"
            self._wait(Phase.ERROR, now)

    def _advance(self, now: float) -> bool:
        status = self._registers.read(STATUS)
        if status & IBF:
            return False
        state = status & STATE
        row = STEPS.get((self.phase, state))
        if row is None:
            self._fail(f"state {State(state).name} while {self.phase.name}", now)
            return True
        waits, action, phase = row
        if waits and not status & OBF:
            return False
        if status & OBF and not waits:
            self._registers.read(DATA)
        self._go_on(action(self), phase, now)
        return True

    def _fail(self, reason: str, now: float) -> None:
        self._reason = self._reason or reason
        self._failures += 1
        if self._failures > self._retries + 1:
            self._give_up(self._code, self._reason)
        else:
            self._wait(Phase.ERROR, now)

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

    def _take(self) -> Boundary | None:
        boundary = self._keep(self._registers.read(DATA))
        if boundary is None:
            self._registers.write(DATA, _READ)
        return boundary

    def _take_dummy(self) -> Boundary | None:
        self._registers.read(DATA)
        return self._finish()

    def _abort(self) -> None:
        self._registers.write(COMMAND, Control.GET_STATUS_ABORT)

    def _ask(self) -> None:
        self._registers.write(DATA, 0x00)

    def _take_code(self) -> None:
        self._code = self._registers.read(DATA)
        self._registers.write(DATA, Control.READ)

    def _recovered(self) -> Boundary | None:
        if self._failures <= self._retries:
            return None
        self._give_up(self._code, self._reason)
        return Boundary.GIVEN_UP


# fmt: off
STEPS: Mapping[tuple[Phase, int], tuple[bool, Action, Phase]] = {
    # in phase          BMC shows      for OBF  then the driver         next phase
    (Phase.STARTING,    State.IDLE):  (False,   KcsDriver._start,       Phase.WRITING),
    (Phase.STARTING,    State.READ):  (False,   KcsDriver._start,       Phase.WRITING),
    (Phase.STARTING,    State.WRITE): (False,   KcsDriver._start,       Phase.WRITING),
    (Phase.STARTING,    State.ERROR): (False,   KcsDriver._start,       Phase.WRITING),
    (Phase.WRITING,     State.WRITE): (False,   KcsDriver._send,        Phase.WRITING),
    (Phase.WAITING,     State.READ):  (True,    KcsDriver._take,        Phase.READING),
    (Phase.READING,     State.READ):  (True,    KcsDriver._take,        Phase.READING),
    (Phase.READING,     State.IDLE):  (True,    KcsDriver._take_dummy,  Phase.IDLE),
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
# fmt: on
