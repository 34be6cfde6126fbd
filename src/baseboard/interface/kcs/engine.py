"""The BMC's end of KCS.  [IPMI 9.15, Figures 9-6 and 9-7]

Theory of operation
-------------------
Every byte that the host writes is one input, and the table at the end says what follows. An action moves
bytes; when it comes upon a boundary (buffer full, message too short, no byte left) it returns that as a
further input for the table.

The specification left to us: a dummy byte is written after each byte of the host's, whether interrupts are
on or not; a write to Data_In where none is due is an illegal control code; a request of one byte is a
length error; the code of the last error is kept until the next WRITE_START; after a reset the interface is
in the error state without an error, as S1 and S0 have it then  [IPMI Table 9-2].

A request that the host gives up is told as `RequestAbandoned`, and an answer to it is refused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from baseboard.interface.kcs.latch import Latch
from baseboard.interface.kcs.phases import SHOWN, Input, Phase, inputs
from baseboard.interface.kcs.registers import IBF, OBF, OEM1, OEM2, STATE, StatusCode
from baseboard.interface.registers import ignore
from baseboard.interface.seam import EngineEvent, RequestAbandoned, RequestReceived
from baseboard.ipmi.message import Message

CAPACITY = 300
"""Bytes of request, network function and command included; as QEMU's."""
_NOT_SHOWN = 0xFF & ~(STATE | IBF)
_NOT_OEM = 0xFF & ~(OEM2 | OEM1)


@dataclass(frozen=True, slots=True)
class EngineState:
    """Everything that an engine keeps."""

    phase: int
    request: bytes
    length: int
    response: bytes
    position: int
    error: int
    id: int
    given_out: bool
    undelivered: tuple[int | None, ...]
    """Events that nobody took: ids of abandoned requests, None for the request itself."""
    attention: bool
    attention_interrupt: bool
    version: int = 1


Action = Callable[[Any, int], Input | None]
"""Takes the engine and the byte that the host wrote; returns a boundary that it came upon."""
Steps = Mapping[tuple[Phase, Input], tuple[Action, Phase]]
Rows = Sequence[Sequence[tuple[Action, Phase, int]]]
"""By phase and `Latch.input`: action, next phase, and what the host then sees in Status."""


class Engine:
    """Engine on a latch."""

    FIRST_PHASE = Phase.ERROR

    def __init__(self, latch: Latch, *, capacity: int = CAPACITY) -> None:
        self._latch = latch
        self._steps: Steps = STEPS
        self._rows: Rows = _ROWS
        self._request = bytearray(capacity)
        self._length = 0
        """Bytes written; counts on when the buffer is full."""
        self._response = b""
        self._position = 0
        self.error = int(StatusCode.NO_ERROR)
        """The status code that GET_STATUS brings."""
        self._id = 0
        self._given_out = False
        self._attention = self._attention_interrupt = False
        self._events: deque[EngineEvent] = deque()
        self.wake: Callable[[], None] = ignore
        """Called when there is an event, as the last thing that a host's access does."""
        self.phase = self.FIRST_PHASE
        self._show()
        latch.host_wrote = self._host_wrote

    def reset(self) -> None:
        """As after power-on. Attention and interrupt enable are the controller's and stay."""
        self._abandon()
        self._length = 0
        self.error = int(StatusCode.NO_ERROR)
        self._latch.take_input()
        self._latch.read_data()
        self.phase = self.FIRST_PHASE
        self._show()
        self._wake()

    def next_event(self) -> EngineEvent | None:
        """What happened next, oldest first; None when nothing is left."""
        if not self._events:
            return None
        event = self._events.popleft()
        if isinstance(event, RequestReceived):
            self._given_out = True
        return event

    def unanswered(self) -> tuple[RequestReceived, ...]:
        """The request that was given out and waits for its answer."""
        return (self._received(),) if self._given_out else ()

    def respond(self, id_: int, response: bytes) -> bool:
        """Answer, completion code first; False when nobody waits for an answer with this id."""
        if not self._given_out or id_ != self._id:
            return False
        request = self._request
        self._answer(bytes((request[0] | 4, request[1])) + response)
        return True

    def set_attention(self, attention: bool, interrupt: bool) -> None:
        """SMS_ATN; its interrupt is a dummy byte while nothing is under way.  [IPMI 9.12]"""
        self._attention, self._attention_interrupt = attention, interrupt
        self._latch.set_attention(attention, interrupt)
        self._signal_attention()

    def set_interrupt(self, enabled: bool) -> None:
        """Whether the interface interrupts."""
        self._latch.set_interrupt(enabled)
        self._signal_attention()

    def set_oem(self, bits: int) -> None:
        """Status bits OEM1 (bit 0 of `bits`) and OEM2 (bit 1)."""
        latch = self._latch
        latch.write_status(latch.status & _NOT_OEM | (bits & 3) * OEM1)

    def export(self) -> EngineState:
        """The present state."""
        return EngineState(
            phase=self.phase,
            request=bytes(self._request[: max(self._length, 2)]),
            length=self._length,
            response=self._response,
            position=self._position,
            error=self.error,
            id=self._id,
            given_out=self._given_out,
            undelivered=tuple(
                event.id if isinstance(event, RequestAbandoned) else None for event in self._events
            ),
            attention=self._attention,
            attention_interrupt=self._attention_interrupt,
        )

    def restore(self, state: EngineState) -> None:
        """Become what was exported; the latch is restored by itself."""
        self.phase = Phase(state.phase)
        self._request[: len(state.request)] = state.request
        self._length = state.length
        self._response = state.response
        self._position = state.position
        self.error = state.error
        self._id = state.id
        self._given_out = state.given_out
        self._attention = state.attention
        self._attention_interrupt = state.attention_interrupt
        self._events.clear()
        for id_ in state.undelivered:
            self._events.append(self._received() if id_ is None else RequestAbandoned(id_))

    # How a step is taken.

    def _host_wrote(self) -> None:
        latch = self._latch
        value = latch.input
        action, self.phase, shown = self._rows[self.phase][value]
        latch.status = latch.status & _NOT_SHOWN | shown
        boundary = action(self, value)
        if boundary is not None:
            self._go_on(boundary)
        if self._events:
            self.wake()

    def _go_on(self, boundary: Input | None) -> None:
        while boundary is not None:
            action, self.phase = self._steps[self.phase, boundary]
            self._show()
            boundary = action(self, 0)

    def _show(self) -> None:
        self._latch.status = self._latch.status & _NOT_SHOWN | SHOWN[self.phase]

    def _wake(self) -> None:
        if self._events:
            self.wake()

    # What actions share.

    def _dummy(self) -> None:
        self._latch.put_output(0)

    def _signal_attention(self) -> None:
        latch = self._latch
        wanted = self._attention and self._attention_interrupt and latch.interrupt_enabled
        if wanted and self.phase == Phase.IDLE and not latch.status & OBF:
            self._dummy()

    def _answer(self, response: bytes) -> None:
        self._response = response
        self._position = 0
        self._forget_request()
        self._go_on(Input.RESPONSE)

    def _forget_request(self) -> None:
        self._id = self._id + 1 & 0xFF
        self._given_out = False

    def _abandon(self) -> None:
        if self._given_out:
            self._events.append(RequestAbandoned(self._id))
        elif self._events and isinstance(self._events[-1], RequestReceived):
            self._events.pop()
        else:
            return
        self._forget_request()

    def _received(self) -> RequestReceived:
        request = self._request
        address = request[0]
        data = bytes(request[2 : self._length])
        return RequestReceived(self._id, Message(address >> 2, address & 3, request[1], data))

    def _refuse(self, code: StatusCode) -> None:
        self._abandon()
        self.error = int(code)
        self._dummy()

    # Actions.

    def _begin_write(self, value: int) -> None:
        self._abandon()
        self._length = 0
        self.error = 0
        self._latch.put_output(0)

    def _acknowledge(self, value: int) -> None:
        self._dummy()

    def _store(self, value: int) -> Input | None:
        length = self._length
        self._length = length + 1
        if length >= len(self._request):
            return Input.FULL
        self._request[length] = value
        self._latch.put_output(0)
        return None

    def _finish(self, value: int) -> Input | None:
        length = self._length
        self._length = length + 1
        if length >= len(self._request):
            return Input.FULL
        self._request[length] = value
        if not length:
            return Input.SHORT
        self._events.append(self._received())
        return None

    def _next_byte(self, value: int) -> Input | None:
        response = self._response
        position = self._position
        self._latch.put_output(response[position])
        self._position = position = position + 1
        return Input.EXHAUSTED if position == len(response) else None

    def _nothing(self, value: int) -> None:
        pass

    def _end(self, value: int) -> None:
        self._dummy()

    def _abort(self, value: int) -> None:
        self._abandon()
        self.error = int(StatusCode.ABORTED)
        self._dummy()

    def _give_status(self, value: int) -> None:
        self._latch.put_output(self.error)

    def _illegal(self, value: int) -> None:
        self._refuse(StatusCode.ILLEGAL_CONTROL)

    def _wrong_length(self, value: int) -> None:
        self._refuse(StatusCode.LENGTH)


# fmt: off
STEPS: Steps = {
    # in phase          what happens        the engine              next phase
    (Phase.IDLE,        Input.WRITE_START): (Engine._begin_write,   Phase.WRITING),
    (Phase.IDLE,        Input.WRITE_END):   (Engine._illegal,       Phase.ERROR),
    (Phase.IDLE,        Input.ABORT):       (Engine._acknowledge,   Phase.ABORTING),
    (Phase.IDLE,        Input.OTHER):       (Engine._illegal,       Phase.ERROR),
    (Phase.IDLE,        Input.DATA):        (Engine._illegal,       Phase.ERROR),
    (Phase.IDLE,        Input.READ):        (Engine._illegal,       Phase.ERROR),

    (Phase.WRITING,     Input.WRITE_START): (Engine._begin_write,   Phase.WRITING),
    (Phase.WRITING,     Input.WRITE_END):   (Engine._acknowledge,   Phase.LAST_BYTE),
    (Phase.WRITING,     Input.ABORT):       (Engine._abort,         Phase.ABORTING),
    (Phase.WRITING,     Input.OTHER):       (Engine._illegal,       Phase.ERROR),
    (Phase.WRITING,     Input.DATA):        (Engine._store,         Phase.WRITING),
    (Phase.WRITING,     Input.READ):        (Engine._store,         Phase.WRITING),
    (Phase.WRITING,     Input.FULL):        (Engine._wrong_length,  Phase.ERROR),

    (Phase.LAST_BYTE,   Input.WRITE_START): (Engine._begin_write,   Phase.WRITING),
    (Phase.LAST_BYTE,   Input.WRITE_END):   (Engine._illegal,       Phase.ERROR),
    (Phase.LAST_BYTE,   Input.ABORT):       (Engine._abort,         Phase.ABORTING),
    (Phase.LAST_BYTE,   Input.OTHER):       (Engine._illegal,       Phase.ERROR),
    (Phase.LAST_BYTE,   Input.DATA):        (Engine._finish,        Phase.WAITING),
    (Phase.LAST_BYTE,   Input.READ):        (Engine._finish,        Phase.WAITING),

    (Phase.WAITING,     Input.WRITE_START): (Engine._begin_write,   Phase.WRITING),
    (Phase.WAITING,     Input.WRITE_END):   (Engine._illegal,       Phase.ERROR),
    (Phase.WAITING,     Input.ABORT):       (Engine._abort,         Phase.ABORTING),
    (Phase.WAITING,     Input.OTHER):       (Engine._illegal,       Phase.ERROR),
    (Phase.WAITING,     Input.DATA):        (Engine._illegal,       Phase.ERROR),
    (Phase.WAITING,     Input.READ):        (Engine._illegal,       Phase.ERROR),
    (Phase.WAITING,     Input.FULL):        (Engine._wrong_length,  Phase.ERROR),
    (Phase.WAITING,     Input.SHORT):       (Engine._wrong_length,  Phase.ERROR),
    (Phase.WAITING,     Input.RESPONSE):    (Engine._next_byte,     Phase.READING),

    (Phase.READING,     Input.WRITE_START): (Engine._begin_write,   Phase.WRITING),
    (Phase.READING,     Input.WRITE_END):   (Engine._illegal,       Phase.ERROR),
    (Phase.READING,     Input.ABORT):       (Engine._abort,         Phase.ABORTING),
    (Phase.READING,     Input.OTHER):       (Engine._illegal,       Phase.ERROR),
    (Phase.READING,     Input.DATA):        (Engine._illegal,       Phase.ERROR),
    (Phase.READING,     Input.READ):        (Engine._next_byte,     Phase.READING),
    (Phase.READING,     Input.EXHAUSTED):   (Engine._nothing,       Phase.ALL_READ),

    (Phase.ALL_READ,    Input.WRITE_START): (Engine._begin_write,   Phase.WRITING),
    (Phase.ALL_READ,    Input.WRITE_END):   (Engine._illegal,       Phase.ERROR),
    (Phase.ALL_READ,    Input.ABORT):       (Engine._abort,         Phase.ABORTING),
    (Phase.ALL_READ,    Input.OTHER):       (Engine._illegal,       Phase.ERROR),
    (Phase.ALL_READ,    Input.DATA):        (Engine._illegal,       Phase.ERROR),
    (Phase.ALL_READ,    Input.READ):        (Engine._end,           Phase.IDLE),

    (Phase.ABORTING,    Input.WRITE_START): (Engine._begin_write,   Phase.WRITING),
    (Phase.ABORTING,    Input.WRITE_END):   (Engine._illegal,       Phase.ERROR),
    (Phase.ABORTING,    Input.ABORT):       (Engine._acknowledge,   Phase.ABORTING),
    (Phase.ABORTING,    Input.OTHER):       (Engine._illegal,       Phase.ERROR),
    (Phase.ABORTING,    Input.DATA):        (Engine._give_status,   Phase.ALL_READ),
    (Phase.ABORTING,    Input.READ):        (Engine._give_status,   Phase.ALL_READ),

    (Phase.ERROR,       Input.WRITE_START): (Engine._begin_write,   Phase.WRITING),
    (Phase.ERROR,       Input.WRITE_END):   (Engine._illegal,       Phase.ERROR),
    (Phase.ERROR,       Input.ABORT):       (Engine._acknowledge,   Phase.ABORTING),
    (Phase.ERROR,       Input.OTHER):       (Engine._illegal,       Phase.ERROR),
    (Phase.ERROR,       Input.DATA):        (Engine._illegal,       Phase.ERROR),
    (Phase.ERROR,       Input.READ):        (Engine._illegal,       Phase.ERROR),
}
# fmt: on


def compiled(steps: Steps) -> Rows:
    """The same by phase and `Latch.input`, so that a write is one look-up."""
    kinds = tuple(inputs())
    nothing = Engine._nothing
    rows = []
    for phase in Phase:
        row = []
        for kind in kinds:
            action, after = steps.get((phase, kind), (nothing, phase))
            row.append((action, after, int(SHOWN[after])))
        rows.append(row)
    return rows


_ROWS = compiled(STEPS)
