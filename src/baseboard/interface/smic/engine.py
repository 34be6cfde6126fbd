"""The BMC's end of SMIC.  [IPMI 10.10, 10.11, Figures 10-2 to 10-4]

Theory of operation
-------------------
Each transaction is a control code, sometimes a byte, and BUSY. The table says what follows in which phase;
an action returns the status that the host reads, and its data. What the table does not name is a code at
the wrong time: RDY with "aborted", and the transfer is over.

The specification left to us: GET_STATUS ends what is under way, and says so with "aborted"; RX_DATA_RDY is
set with every status RDY. Flags fall only while BUSY is set. The stream of system management mode
(60h-7Fh) belongs to nobody here, and ends a transfer as well.

The interrupt line is the attention's, while Set BMC Global Enables lets it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, auto

from baseboard.interface.one_request import OneRequest, RequestState
from baseboard.interface.seam import EngineEvent, RequestReceived, request_size
from baseboard.interface.smic.latch import Latch
from baseboard.interface.smic.registers import (
    BUSY,
    EVT_ATN,
    RX_DATA_RDY,
    SMI,
    TX_DATA_RDY,
    Control,
    ErrorCode,
    Status,
)
from baseboard.interface.state import Exported

CAPACITY = 255


class Phase(IntEnum):
    """How far a transfer is."""

    IDLE = 0
    WRITING = auto()
    WAITING = auto()
    """For the controller's answer."""
    ANSWERED = auto()
    """The answer is there, its first byte not read."""
    READING = auto()
    ALL_READ = auto()
    """The last byte is in Data."""


class Outcome(IntEnum):
    """What an action came to; `NEXT` is the table's next phase."""

    NEXT = 0
    LAST = auto()
    """The byte was the last."""
    FULL = auto()
    """There is no room for the byte."""


# fmt: off
FLAGS: Mapping[Phase, int] = {  # what the host sees
    Phase.IDLE:     RX_DATA_RDY,
    Phase.WRITING:  TX_DATA_RDY,
    Phase.WAITING:  0,
    Phase.ANSWERED: RX_DATA_RDY,
    Phase.READING:  RX_DATA_RDY,
    Phase.ALL_READ: RX_DATA_RDY,
}
# fmt: on


@dataclass(frozen=True, slots=True)
class EngineState(Exported):
    """Everything that an engine keeps."""

    phase: int
    request: RequestState
    response: bytes
    position: int
    version: int = 1


Action = Callable[["Engine"], Outcome]


class Engine:
    """Engine on a latch."""

    def __init__(self, latch: Latch, *, capacity: int = CAPACITY) -> None:
        self._latch = latch
        self._request = OneRequest(request_size(capacity))
        self._response = b""
        self._position = 0
        self.wake: Callable[[], None] = self._request.wake
        """Called when there is an event, as the last thing that a host's access does."""
        self.phase = Phase.IDLE
        self.reset()
        latch.host_asked = self._host_asked

    def reset(self) -> None:
        """As after power-on. Attention and interrupt enable are the controller's and stay."""
        self._request.start()
        self._answer(Status.RDY, ErrorCode.NO_ERROR, Phase.IDLE)
        if self._request.waiting:
            self.wake()

    def next_event(self) -> EngineEvent | None:
        """What happened next, oldest first; None when nothing is left."""
        return self._request.next_event()

    def unanswered(self) -> tuple[RequestReceived, ...]:
        """The request that was given out and waits for its answer."""
        return self._request.unanswered()

    def respond(self, id_: int, response: bytes) -> bool:
        """Answer, completion code first; False when nobody waits for an answer with this id."""
        head = self._request.answered(id_)
        if head is None:
            return False
        self._response = head + response
        self._position = 0
        self.phase = Phase.ANSWERED
        self._latch.set_flags(RX_DATA_RDY, True)
        return True

    def set_attention(self, attention: bool, interrupt: bool) -> None:
        """SMS_ATN, and whether it interrupts."""
        self._latch.set_attention(attention, interrupt)

    def set_event_attention(self, attention: bool) -> None:
        """EVT_ATN: the event message buffer has an event."""
        self._latch.set_flags(EVT_ATN, attention)

    def set_smi(self, smi: bool) -> None:
        """SMI."""
        self._latch.set_flags(SMI, smi)

    def set_interrupt(self, enabled: bool) -> None:
        """Whether the interface interrupts."""
        self._latch.set_interrupt(enabled)

    def export(self) -> EngineState:
        """The present state."""
        return EngineState(self.phase, self._request.export(), self._response, self._position)

    def restore(self, state: EngineState) -> None:
        """Become what was exported; the latch is restored by itself."""
        self.phase = Phase(state.phase)
        self._request.restore(state.request)
        self._response = state.response
        self._position = state.position

    def _host_asked(self) -> None:
        control = self._latch.control
        row = STEPS.get((self.phase, control))
        if row is not None:
            action, outcomes = row
            self._answer(*outcomes[action(self)])
        else:
            self._refuse(control)
        if self._request.waiting:
            self.wake()

    def _refuse(self, control: int) -> None:
        under_way = self.phase != Phase.IDLE
        self._request.abandon()
        code = ErrorCode.ILLEGAL_CONTROL
        if control == Control.GET_STATUS:
            code = ErrorCode.ABORTED if under_way else ErrorCode.NO_ERROR
        elif control == Control.RD_START and self.phase == Phase.WAITING:
            code = ErrorCode.NO_RESPONSE
        elif control in _KNOWN or 0x60 <= control <= 0x7F:
            code = ErrorCode.ABORTED
        self._answer(Status.RDY, code, Phase.IDLE)

    def _answer(self, status: Status, code: ErrorCode | None, phase: Phase) -> None:
        """Status, data, flags, and BUSY ends; without a code, Data has the byte already."""
        latch = self._latch
        self.phase = phase
        latch.status = int(status)
        if code is not None:
            latch.data = int(code)
        kept = latch.flags & ~(RX_DATA_RDY | TX_DATA_RDY)
        latch.write_bmc_flags(kept | FLAGS[phase] | BUSY)

    # Actions.

    def _begin_write(self) -> Outcome:
        self._request.start()
        return self._store()

    def _store(self) -> Outcome:
        if self._request.add(bytes((self._latch.data,))):
            return Outcome.NEXT
        return Outcome.FULL

    def _finish(self) -> Outcome:
        outcome = self._store()
        if outcome is Outcome.NEXT:
            self._request.submit()
        return outcome

    def _read(self) -> Outcome:
        self._latch.data = self._response[self._position]
        self._position += 1
        return Outcome.LAST if self._position == len(self._response) else Outcome.NEXT

    def _end(self) -> Outcome:
        return Outcome.NEXT


_NEXT, _LAST, _FULL = Outcome.NEXT, Outcome.LAST, Outcome.FULL
_NONE, _FULL_CODE = ErrorCode.NO_ERROR, ErrorCode.BUFFER_FULL
Outcomes = Mapping[Outcome, tuple[Status, ErrorCode | None, Phase]]
# fmt: off
_STARTED:  Outcomes = {_NEXT: (Status.WR_START, None,       Phase.WRITING),
                       _FULL: (Status.RDY,      _FULL_CODE, Phase.IDLE)}
_STORED:   Outcomes = {_NEXT: (Status.WR_NEXT,  None,       Phase.WRITING),
                       _FULL: (Status.RDY,      _FULL_CODE, Phase.IDLE)}
_FINISHED: Outcomes = {_NEXT: (Status.WR_END,   _NONE,      Phase.WAITING),
                       _FULL: (Status.RDY,      _FULL_CODE, Phase.IDLE)}
_FIRST:    Outcomes = {_NEXT: (Status.RD_START, None,       Phase.READING),
                       _LAST: (Status.RD_END,   None,       Phase.ALL_READ)}
_MORE:     Outcomes = {_NEXT: (Status.RD_NEXT,  None,       Phase.READING),
                       _LAST: (Status.RD_END,   None,       Phase.ALL_READ)}
_DONE:     Outcomes = {_NEXT: (Status.RDY,      _NONE,      Phase.IDLE)}

STEPS: Mapping[tuple[Phase, int], tuple[Action, Outcomes]] = {
    # in phase         the host asks         the engine            and answers
    (Phase.IDLE,       Control.WR_START):   (Engine._begin_write,  _STARTED),
    (Phase.WRITING,    Control.WR_START):   (Engine._begin_write,  _STARTED),
    (Phase.WAITING,    Control.WR_START):   (Engine._begin_write,  _STARTED),
    (Phase.ANSWERED,   Control.WR_START):   (Engine._begin_write,  _STARTED),
    (Phase.READING,    Control.WR_START):   (Engine._begin_write,  _STARTED),
    (Phase.ALL_READ,   Control.WR_START):   (Engine._begin_write,  _STARTED),
    (Phase.WRITING,    Control.WR_NEXT):    (Engine._store,        _STORED),
    (Phase.WRITING,    Control.WR_END):     (Engine._finish,       _FINISHED),
    (Phase.ANSWERED,   Control.RD_START):   (Engine._read,         _FIRST),
    (Phase.READING,    Control.RD_NEXT):    (Engine._read,         _MORE),
    (Phase.ALL_READ,   Control.RD_END):     (Engine._end,          _DONE),
}
# fmt: on
_KNOWN = frozenset(Control)
