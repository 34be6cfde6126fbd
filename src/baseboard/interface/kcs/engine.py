"""The BMC's end of KCS.  [IPMI 9.15, Figures 9-6 and 9-7]

Theory of operation
-------------------
Every byte that the host writes is one input, and the table in `steps` says what follows. An action moves
bytes; when it comes upon a boundary (buffer full, message too short, no byte left) it returns that as a
further input for the table.

The specification left to us: a dummy byte is written after each byte of the host's, whether interrupts are
on or not; a write to Data_In where none is due is an illegal control code; a request of one byte is a
length error; the code of the last error is kept until the next WRITE_START; after a reset the interface is
in the error state without an error, as S1 and S0 have it then  [IPMI Table 9-2].

A request that the host gives up is told as `RequestAbandoned`, and an answer to it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from baseboard.interface.kcs.latch import Latch
from baseboard.interface.kcs.phases import SHOWN, Input, Phase
from baseboard.interface.kcs.registers import IBF, OBF, OEM1, OEM2, STATE, StatusCode
from baseboard.interface.kcs.steps import ROWS, STEPS, Rows, Steps
from baseboard.interface.kcs.transfer import Transfer
from baseboard.interface.registers import ignore
from baseboard.interface.seam import RequestAbandoned
from baseboard.interface.state import Exported

CAPACITY = 300
"""Bytes of request, network function and command included; as QEMU's."""
_NOT_SHOWN = 0xFF & ~(STATE | IBF)
_NOT_OEM = 0xFF & ~(OEM2 | OEM1)


@dataclass(frozen=True, slots=True)
class EngineState(Exported):
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


class Engine(Transfer):
    """Engine on a latch."""

    FIRST_PHASE = Phase.ERROR

    def __init__(self, latch: Latch, *, capacity: int = CAPACITY) -> None:
        super().__init__(latch, capacity)
        self._steps: Steps = STEPS
        self._rows: Rows = ROWS
        self._attention = self._attention_interrupt = False
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
        if self._events:
            self.wake()

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
