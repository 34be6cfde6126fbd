"""The host's end of SSIF.  [IPMI 12.3-12.9]

Theory of operation
-------------------
The request is written in parts; then the answer is read, at first soon and later at intervals, for a BMC
that has none does not acknowledge. Each part of a long answer has a number: one that does not follow, is not
full or has a wrong packet error code is asked for again. The intervals and the numbers of tries are those of
Linux 6: a write 5 times, 60 ms apart; the first read after 5 ms, then every 60 ms, 250 times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum, auto

from baseboard.errors import LocalProtocolError
from baseboard.interface.bus.smbus import LONGEST_BLOCK, Failure, SmBus
from baseboard.interface.driver import DriverEvent, ResponseReceived, TransferFailed
from baseboard.interface.ssif.parts import LAST_PART, MULTI_PART, Command, write_parts
from baseboard.interface.ssif.target import ADDRESS
from baseboard.ipmi.message import Message

WRITE_TRIES = 5
READ_TRIES = 250
PART_TRIES = 5
FIRST_READ = 0.005
INTERVAL = 0.060


class Phase(Enum):
    """What the driver does next."""

    IDLE = auto()
    WRITING = auto()
    READING = auto()
    READING_ON = auto()
    """The parts after the first."""


class Result(Enum):
    """What came of a transfer on the bus."""

    DONE = auto()
    MORE = auto()
    FAILED = auto()


class SsifDriver:
    """One driver; one request at a time."""

    def __init__(self, bus: SmBus, address: int = ADDRESS, *, pec: bool = True) -> None:
        self._bus = bus
        self._address = address
        self._pec = pec
        self.phase = Phase.IDLE
        self._message = b""
        self._parts: deque[tuple[Command, bytes]] = deque()
        self._answer = bytearray()
        self._number = 0
        self._retry = False
        self._tries = 0
        self._due = 0.0
        self._events: deque[DriverEvent] = deque()

    def send_request(self, message: Message, now: float) -> None:
        """Begin a transfer."""
        if self.phase is not Phase.IDLE:
            raise LocalProtocolError("SSIF takes one request at a time")
        netfn, lun, command, data = message
        self._message = bytes((netfn << 2 | lun, command)) + data
        self._parts.extend(write_parts(self._message))
        self._enter(Phase.WRITING, now)

    def next_event(self) -> DriverEvent | None:
        """What came of the request; None while it is under way."""
        return self._events.popleft() if self._events else None

    def next_deadline(self) -> float | None:
        """When to do the next thing."""
        return None if self.phase is Phase.IDLE else self._due

    def alerted(self, now: float) -> bool:
        """SMBALERT# is pulled: ask who it is, and read at once if it is our BMC and an answer is due."""
        if self._bus.alert_response() != self._address:
            return False
        if self.phase is Phase.READING:
            self._due = now
        return True

    def step(self, now: float) -> bool:
        """Do the next thing; False when it is not time for it."""
        if self.phase is Phase.IDLE or now < self._due:
            return False
        action, tries, steps = STEPS[self.phase]
        result = action(self)
        if result is not Result.FAILED:
            phase, after = steps[result]
            self._enter(phase, now + after)
            return True
        self._tries += 1
        self._due = now + INTERVAL
        if self._tries >= tries:
            self._events.append(TransferFailed(None, f"no success in {tries} tries while {self.phase.name}"))
            self._enter(Phase.IDLE, now)
        return True

    def _enter(self, phase: Phase, due: float) -> None:
        self.phase = phase
        self._tries = 0
        self._due = due
        if phase is Phase.IDLE:
            self._parts.clear()

    # Actions.

    def _write(self) -> Result:
        if not self._bus.write_block(self._address, *self._parts[0], pec=self._pec):
            # the BMC has forgotten the parts before, or never had them
            self._parts = deque(write_parts(self._message))
            return Result.FAILED
        self._parts.popleft()
        return Result.MORE if self._parts else Result.DONE

    def _read(self) -> Result:
        block = self._bus.read_block(self._address, Command.READ, pec=self._pec)
        if isinstance(block, Failure) or len(block) < 3:
            return Result.FAILED
        if block.startswith(MULTI_PART) and len(block) == LONGEST_BLOCK:
            self._answer[:] = block[len(MULTI_PART) :]
            self._number = 0
            self._retry = False
            return Result.MORE
        self._answer[:] = block
        return self._finish()

    def _read_on(self) -> Result:
        number = bytes((self._number,)) if self._retry else b""
        command = Command.RETRY if self._retry else Command.READ_NEXT
        block = self._bus.read_block(self._address, command, parameters=number, pec=self._pec)
        self._retry = True
        if isinstance(block, Failure) or len(block) < 2:
            return Result.FAILED
        last = block[0] == LAST_PART
        if not last and (block[0] != self._number or len(block) != LONGEST_BLOCK):
            return Result.FAILED
        self._answer += block[1:]
        self._number += 1
        self._retry = False
        return self._finish() if last else Result.MORE

    def _finish(self) -> Result:
        netfn_lun, command, *data = self._answer
        self._events.append(ResponseReceived(netfn_lun >> 2, netfn_lun & 3, command, bytes(data)))
        return Result.DONE


Action = Callable[[SsifDriver], Result]
_Steps = Mapping[Result, tuple[Phase, float]]
# fmt: off
STEPS: Mapping[Phase, tuple[Action, int, _Steps]] = {
    # in phase         does                    tries         and then, after so many seconds
    Phase.WRITING:    (SsifDriver._write,      WRITE_TRIES, {Result.MORE: (Phase.WRITING,    0.0),
                                                             Result.DONE: (Phase.READING,    FIRST_READ)}),
    Phase.READING:    (SsifDriver._read,       READ_TRIES,  {Result.MORE: (Phase.READING_ON, 0.0),
                                                             Result.DONE: (Phase.IDLE,       0.0)}),
    Phase.READING_ON: (SsifDriver._read_on,    PART_TRIES,  {Result.MORE: (Phase.READING_ON, 0.0),
                                                             Result.DONE: (Phase.IDLE,       0.0)}),
}
# fmt: on
