"""The BMC's end of SSIF.  [IPMI chapter 12]

Theory of operation
-------------------
A block write is one input, and the table says what follows. A request ends with a single-part write, with
an end part, or with a middle part of fewer than 32 bytes: the text and its last table differ, and drivers
do each. A block read is answered with a part of the answer; while there is no answer it is not acknowledged,
and so is a part at the wrong time.

The specification left to us: a new request gives up the one that is under way; an overlong request is
answered C6h when it ends, an overlong answer CAh; the parameter of a retry may come alone or with a count.

SMBALERT# is pulled, while interrupts are enabled, for an answer that was not read and for an attention with
interrupt; reading the alert response address lets it go until the next cause.

Get System Interface Capabilities for SSIF is answered here, for only the interface knows what it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, auto

from baseboard.interface.bus.smbus import LONGEST_BLOCK
from baseboard.interface.one_request import OneRequest, RequestState
from baseboard.interface.registers import ignore
from baseboard.interface.seam import EngineEvent, RequestReceived, request_size
from baseboard.interface.ssif.answer import Answer
from baseboard.interface.ssif.parts import Command
from baseboard.interface.ssif.target import Target
from baseboard.interface.state import Exported
from baseboard.ipmi.app_messaging import SsifCapabilitiesResponse, SystemInterfaceType
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.netfn import NetFn

CAPACITY = 255
"""Bytes of message each way."""
CAPABILITIES = bytes((NetFn.APP << 2, 0x57, SystemInterfaceType.SSIF))
WITH_MIDDLE_PARTS = 2


class Phase(IntEnum):
    """How far a transfer is."""

    IDLE = 0
    COLLECTING = auto()
    """A start part has come."""
    WAITING = auto()
    """For the controller's answer."""
    ANSWERED = auto()


class Input(IntEnum):
    """A block write, or what an action came upon."""

    SINGLE = 0
    START = auto()
    MIDDLE = auto()
    SHORT_MIDDLE = auto()
    END = auto()
    MALFORMED = auto()
    """Too short, or a start part that is not full."""


@dataclass(frozen=True, slots=True)
class EngineState(Exported):
    """Everything that an engine keeps."""

    phase: int
    request: RequestState
    overlong: bool
    answer: bytes
    next: int
    alerts: bool
    unread: bool
    attention: bool
    version: int = 1


Action = Callable[["Engine", bytes], "Input | None"]


class Engine:
    """Engine behind a target."""

    def __init__(self, target: Target, *, capacity: int = CAPACITY) -> None:
        self._target = target
        self._request = OneRequest(request_size(capacity, CAPACITY))
        self._overlong = False
        self._answer = Answer()
        self._alerts = False
        self._unread = False
        self._attention = False
        self._steps = STEPS
        self.phase = Phase.IDLE
        self.wake: Callable[[], None] = ignore
        """Called when there is an event, as the last thing that a host's access does."""
        target.accepts = self._accepts
        target.wrote = self._wrote
        target.read_block = self._read_block
        target.acknowledged = self._alert_acknowledged

    def reset(self) -> None:
        """As after power-on. Attention and interrupt enable are the controller's and stay."""
        self._discard()
        self.phase = Phase.IDLE
        self._wake()

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
        self._give(head, response)
        return True

    def set_attention(self, attention: bool, interrupt: bool) -> None:
        """There is no attention bit: only the alert, where it interrupts."""
        self._attention = attention and interrupt
        self._update_alert()

    def set_interrupt(self, enabled: bool) -> None:
        """Whether SMBALERT# is used."""
        self._alerts = enabled
        self._update_alert()

    def export(self) -> EngineState:
        """The present state."""
        return EngineState(
            phase=self.phase,
            request=self._request.export(),
            overlong=self._overlong,
            answer=self._answer.data,
            next=self._answer.following,
            alerts=self._alerts,
            unread=self._unread,
            attention=self._attention,
        )

    def restore(self, state: EngineState) -> None:
        """Become what was exported; the target is restored by itself."""
        self.phase = Phase(state.phase)
        self._request.restore(state.request)
        self._overlong = state.overlong
        self._answer.put(state.answer, state.next)
        self._alerts, self._unread, self._attention = state.alerts, state.unread, state.attention

    # From the host.

    def _accepts(self, command: int) -> bool:
        if command in (Command.WRITE_MIDDLE, Command.WRITE_END):
            return self.phase == Phase.COLLECTING
        return command in (Command.WRITE, Command.WRITE_START)

    def _wrote(self, command: int, block: bytes) -> None:
        if command == Command.RETRY:
            self._seek(block)
            return
        input_: Input | None = INPUTS[Command(command)]
        if input_ is Input.MIDDLE and len(block) < LONGEST_BLOCK:
            input_ = Input.SHORT_MIDDLE
        while input_ is not None:
            row = self._steps.get((self.phase, input_))
            if row is None:
                break
            action, self.phase = row
            input_ = action(self, block)
        self._wake()

    def _read_block(self, command: int, parameters: bytes) -> bytes | None:
        if not self._readable:
            return None
        if command == Command.READ:
            self._answer.seek(0)
        elif command == Command.RETRY and not self._seek(parameters):
            return None
        part = self._answer.take()
        if part is None:
            return None
        self._unread = False
        self._update_alert()
        return part

    @property
    def _readable(self) -> bool:
        return self.phase == Phase.ANSWERED

    def _seek(self, parameters: bytes) -> bool:
        """The part with this block number comes next; whether there is one."""
        return self._readable and bool(parameters) and self._answer.seek_block(parameters[-1])

    # What actions share.

    def _discard(self) -> None:
        self._request.start()
        self._overlong = False
        self._answer.put(b"", 0)
        self._unread = False
        self._update_alert()

    def _give(self, head: bytes, response: bytes) -> None:
        answer = head + response
        if len(answer) > CAPACITY:
            answer = self._too_long(answer)
        self._answer.put(answer)
        self.phase = Phase.ANSWERED
        self._unread = True
        self._update_alert()

    def _too_long(self, answer: bytes) -> bytes:
        return answer[:2] + bytes((CompletionCode.CANNOT_RETURN_BYTES,))

    def _alert_acknowledged(self) -> None:
        self._unread = self._attention = False
        self._update_alert()

    def _update_alert(self) -> None:
        self._target.set_alert(self._alerts and (self._unread or self._attention))

    def _wake(self) -> None:
        if self._request.waiting:
            self.wake()

    # Actions.

    def _whole(self, block: bytes) -> Input | None:
        self._discard()
        return self._end(block)

    def _begin(self, block: bytes) -> Input | None:
        self._discard()
        if len(block) != LONGEST_BLOCK:
            return Input.MALFORMED
        self._collect(block)
        return None

    def _collect(self, block: bytes) -> Input | None:
        if not self._request.add(block):
            self._overlong = True
        return None

    def _end(self, block: bytes) -> Input | None:
        self._collect(block)
        message = self._request.data
        if len(message) < 2:
            return Input.MALFORMED
        head = bytes((message[0] | 4, message[1]))
        if self._overlong:
            self._give(head, bytes((CompletionCode.REQUEST_TRUNCATED,)))
        elif message[: len(CAPABILITIES)] == CAPABILITIES:
            self._give(head, self._capabilities())
        else:
            self._request.submit()
        return None

    def _capabilities(self) -> bytes:
        return SsifCapabilitiesResponse(
            version=0,
            packet_error_code=int(self._target.pec),
            transaction_support=WITH_MIDDLE_PARTS,
            input_size=self._request.capacity,
            output_size=CAPACITY,
        ).encode()

    def _drop(self, block: bytes) -> None:
        self._discard()


INPUTS: Mapping[Command, Input] = {
    Command.WRITE: Input.SINGLE,
    Command.WRITE_START: Input.START,
    Command.WRITE_MIDDLE: Input.MIDDLE,
    Command.WRITE_END: Input.END,
}
Steps = Mapping[tuple[Phase, Input], tuple[Action, Phase]]
# fmt: off
STEPS: Steps = {
    # in phase           the host writes      the engine         next phase; ANSWERED by an answer alone
    (Phase.IDLE,         Input.SINGLE):       (Engine._whole,    Phase.WAITING),
    (Phase.COLLECTING,   Input.SINGLE):       (Engine._whole,    Phase.WAITING),
    (Phase.WAITING,      Input.SINGLE):       (Engine._whole,    Phase.WAITING),
    (Phase.ANSWERED,     Input.SINGLE):       (Engine._whole,    Phase.WAITING),
    (Phase.IDLE,         Input.START):        (Engine._begin,    Phase.COLLECTING),
    (Phase.COLLECTING,   Input.START):        (Engine._begin,    Phase.COLLECTING),
    (Phase.WAITING,      Input.START):        (Engine._begin,    Phase.COLLECTING),
    (Phase.ANSWERED,     Input.START):        (Engine._begin,    Phase.COLLECTING),
    (Phase.COLLECTING,   Input.MIDDLE):       (Engine._collect,  Phase.COLLECTING),
    (Phase.COLLECTING,   Input.SHORT_MIDDLE): (Engine._end,      Phase.WAITING),
    (Phase.COLLECTING,   Input.END):          (Engine._end,      Phase.WAITING),
    (Phase.COLLECTING,   Input.MALFORMED):    (Engine._drop,     Phase.IDLE),
    (Phase.WAITING,      Input.MALFORMED):    (Engine._drop,     Phase.IDLE),
}
# fmt: on
