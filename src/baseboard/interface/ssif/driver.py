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

from baseboard.interface.bus.smbus import LONGEST_BLOCK, Failure, SmBus
from baseboard.interface.driver import OneAtATime, answers
from baseboard.interface.ssif.parts import LAST_PART, MULTI_PART, Command, write_parts
from baseboard.interface.ssif.target import ADDRESS

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


class SsifDriver(OneAtATime[Phase]):
    """One driver; one request at a time."""

    NAME = "SSIF"
    IDLE, FIRST = Phase.IDLE, Phase.WRITING

    def __init__(self, bus: SmBus, address: int = ADDRESS, *, pec: bool = True) -> None:
        super().__init__()
        self._bus = bus
        self._address = address
        self._pec = pec
        self._parts: deque[tuple[Command, bytes]] = deque()
        self._answer = bytearray()
        self._number = 0
        self._retry = False
        self._tries = 0

    def _begin(self, now: float) -> None:
        self._parts = deque(write_parts(self._request))
        self._go_on(self.FIRST, now)

    def alerted(self, now: float) -> bool:
        """SMBALERT# is pulled: ask who it is, and read at once if it is our BMC and an answer is due."""
        if self._bus.alert_response() != self._address:
            return False
        if self.phase is Phase.READING:
            self._deadline = now
        return True

    def step(self, now: float) -> bool:
        if self._deadline is None or now < self._deadline:
            return False
        action, tries, steps = STEPS[self.phase]
        result = action(self)
        if result is not Result.FAILED:
            phase, after = steps[result]
            self._go_on(phase, now + after)
            return True
        self._tries += 1
        self._deadline = now + INTERVAL
        if self._tries >= tries:
            self._give_up(None, f"no success in {tries} tries while {self.phase.name}")
        return True

    def _go_on(self, phase: Phase, due: float) -> None:
        self._tries = 0
        self._enter(phase, due)

    # Actions.

    def _write(self) -> Result:
        if not self._bus.write_block(self._address, *self._parts[0], pec=self._pec):
            # the BMC has forgotten the parts before, or never had them
            self._parts = deque(write_parts(self._request))
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
        answer = bytes(self._answer)
        if not answers(answer, self._request):
            return Result.FAILED
        self._report(answer)
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
