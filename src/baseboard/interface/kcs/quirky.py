"""Engine rows for each quirk of QEMU's KCS, laid over the specification's table."""

from __future__ import annotations

from collections.abc import Mapping

from baseboard.interface.kcs.engine import Engine
from baseboard.interface.kcs.latch import Latch
from baseboard.interface.kcs.phases import Input, Phase
from baseboard.interface.kcs.quirks import Quirk
from baseboard.interface.kcs.registers import StatusCode
from baseboard.interface.kcs.steps import STEPS, Steps, compiled
from baseboard.interface.overlay import overlaid, with_actions_of
from baseboard.ipmi.completion import CompletionCode

_LONGEST_RESPONSE = 300


class QuirkyEngine(Engine):
    """An engine with quirks."""

    def __init__(self, latch: Latch, quirks: Quirk) -> None:
        self._quirks = quirks
        self._stale_dummy = Quirk.STALE_DUMMY in quirks
        self._silent = Quirk.SILENT_ERRORS in quirks
        self._by_code = Quirk.LENGTH_BY_CODE in quirks
        if Quirk.STARTS_IDLE in quirks:
            self.FIRST_PHASE = Phase.UNTOUCHED if Quirk.FIRST_WRITE_REFUSED in quirks else Phase.IDLE
        super().__init__(latch)
        self._steps = _steps_with(quirks)
        self._rows = compiled(self._steps)

    def _dummy(self) -> None:
        self._latch.put_output(self._latch.output if self._stale_dummy else 0)

    def _signal_attention(self) -> None:
        if Quirk.LATCHED_INTERRUPTS not in self._quirks:
            super()._signal_attention()

    def _answer(self, response: bytes) -> None:
        if self._by_code and len(response) > _LONGEST_RESPONSE:
            response = response[:2] + bytes((CompletionCode.CANNOT_RETURN_BYTES,))
        super()._answer(response)

    # The plain actions, with the quirks that are no rows.

    def _begin_write(self, value: int) -> None:
        self._abandon()
        self._length = 0
        self.error = 0
        self._dummy()

    def _illegal_quietly(self, value: int) -> None:
        """In the idle and error states."""
        if self._silent:
            self._abandon()
            self.error = int(StatusCode.ILLEGAL_CONTROL)
        else:
            self._illegal(value)

    def _abort(self, value: int) -> None:
        super()._abort(value)
        self._forget_request()  # so that ids count as QEMU's do

    def _store(self, value: int) -> Input | None:
        length = self._length
        self._length = length + 1
        if length < len(self._request):
            self._request[length] = value
        elif not self._by_code:
            return Input.FULL
        self._dummy()
        return None

    def _finish(self, value: int) -> Input | None:
        length = self._length
        self._length = length + 1
        if length < len(self._request):
            self._request[length] = value
        elif not self._by_code:
            return Input.FULL
        return self._execute(value)

    def _execute(self, value: int) -> Input | None:
        if self._length < 2:
            return Input.SHORT
        if self._length > len(self._request):
            return Input.FULL
        self._events.append(self._received())
        return None

    def _answer_short(self, value: int) -> None:
        self._answer_code(CompletionCode.LENGTH_INVALID)

    def _answer_full(self, value: int) -> None:
        self._answer_code(CompletionCode.REQUEST_TRUNCATED)

    def _answer_code(self, code: CompletionCode) -> None:
        """With whatever the buffer has in the place of network function and command."""
        self._answer(bytes((self._request[0] | 4, self._request[1], code)))

    def _next_byte_illegal(self, value: int) -> None:
        self._next_byte(value)
        self.error = int(StatusCode.ILLEGAL_CONTROL)


# fmt: off
ROWS: Mapping[Quirk, Steps] = {
    Quirk.FIRST_WRITE_REFUSED: {
        (Phase.UNTOUCHED, Input.WRITE_START): (Engine._begin_write,              Phase.WRITING),
        (Phase.UNTOUCHED, Input.WRITE_END):   (QuirkyEngine._illegal_quietly,    Phase.ERROR),
        (Phase.UNTOUCHED, Input.ABORT):       (Engine._acknowledge,              Phase.ABORTING),
        (Phase.UNTOUCHED, Input.OTHER):       (QuirkyEngine._illegal_quietly,    Phase.ERROR),
        (Phase.UNTOUCHED, Input.DATA):        (QuirkyEngine._illegal_quietly,    Phase.ERROR),
        (Phase.UNTOUCHED, Input.READ):        (QuirkyEngine._illegal_quietly,    Phase.ERROR),
    },
    Quirk.SILENT_ERRORS: {
        (Phase.IDLE,      Input.WRITE_END):   (QuirkyEngine._illegal_quietly,    Phase.ERROR),
        (Phase.IDLE,      Input.OTHER):       (QuirkyEngine._illegal_quietly,    Phase.ERROR),
        (Phase.IDLE,      Input.DATA):        (QuirkyEngine._illegal_quietly,    Phase.ERROR),
        (Phase.IDLE,      Input.READ):        (QuirkyEngine._illegal_quietly,    Phase.ERROR),
        (Phase.ERROR,     Input.WRITE_END):   (QuirkyEngine._illegal_quietly,    Phase.ERROR),
        (Phase.ERROR,     Input.OTHER):       (QuirkyEngine._illegal_quietly,    Phase.ERROR),
        (Phase.ERROR,     Input.DATA):        (QuirkyEngine._illegal_quietly,    Phase.ERROR),
        (Phase.ERROR,     Input.READ):        (QuirkyEngine._illegal_quietly,    Phase.ERROR),
    },
    Quirk.IDLE_DATA_IGNORED: {
        (Phase.IDLE,      Input.DATA):        (Engine._nothing,                  Phase.IDLE),
        (Phase.IDLE,      Input.READ):        (Engine._nothing,                  Phase.IDLE),
    },
    Quirk.WRITE_START_WHEN_IDLE: {
        (Phase.WRITING,   Input.WRITE_START): (Engine._illegal,                  Phase.ERROR),
        (Phase.LAST_BYTE, Input.WRITE_START): (Engine._illegal,                  Phase.ERROR),
        (Phase.WAITING,   Input.WRITE_START): (Engine._illegal,                  Phase.ERROR),
        (Phase.READING,   Input.WRITE_START): (Engine._illegal,                  Phase.ERROR),
        (Phase.ALL_READ,  Input.WRITE_START): (Engine._illegal,                  Phase.ERROR),
        (Phase.ABORTING,  Input.WRITE_START): (Engine._illegal,                  Phase.ERROR),
        (Phase.ERROR,     Input.WRITE_START): (QuirkyEngine._illegal_quietly,    Phase.ERROR),
    },
    Quirk.ABORT_TO_ERROR: {
        (Phase.UNTOUCHED, Input.ABORT):       (Engine._abort,                    Phase.ERROR),
        (Phase.IDLE,      Input.ABORT):       (Engine._abort,                    Phase.ERROR),
        (Phase.WRITING,   Input.ABORT):       (Engine._abort,                    Phase.ERROR),
        (Phase.LAST_BYTE, Input.ABORT):       (Engine._abort,                    Phase.ERROR),
        (Phase.WAITING,   Input.ABORT):       (Engine._abort,                    Phase.ERROR),
        (Phase.READING,   Input.ABORT):       (Engine._abort,                    Phase.ERROR),
        (Phase.ALL_READ,  Input.ABORT):       (Engine._abort,                    Phase.ERROR),
        (Phase.ERROR,     Input.ABORT):       (Engine._nothing,                  Phase.ERROR),
        (Phase.ERROR,     Input.DATA):        (Engine._give_status,              Phase.ALL_READ),
        (Phase.ERROR,     Input.READ):        (Engine._give_status,              Phase.ALL_READ),
    },
    Quirk.WRITE_END_TWICE: {
        (Phase.LAST_BYTE, Input.WRITE_START): (QuirkyEngine._execute,            Phase.BUSY_ILLEGAL),
        (Phase.LAST_BYTE, Input.WRITE_END):   (QuirkyEngine._execute,            Phase.BUSY_ILLEGAL),
        (Phase.LAST_BYTE, Input.OTHER):       (QuirkyEngine._execute,            Phase.BUSY_ILLEGAL),
        (Phase.BUSY_ILLEGAL, Input.RESPONSE): (QuirkyEngine._next_byte_illegal,  Phase.ERROR),
        (Phase.BUSY_ILLEGAL, Input.FULL):     (Engine._wrong_length,             Phase.ERROR),
        (Phase.BUSY_ILLEGAL, Input.SHORT):    (Engine._wrong_length,             Phase.ERROR),
    },
    Quirk.LAST_READ_ANYTHING: {
        (Phase.ALL_READ,  Input.DATA):        (Engine._end,                      Phase.IDLE),
    },
    Quirk.LENGTH_BY_CODE: {
        (Phase.WAITING,   Input.SHORT):       (QuirkyEngine._answer_short,       Phase.WAITING),
        (Phase.WAITING,   Input.FULL):        (QuirkyEngine._answer_full,        Phase.WAITING),
        (Phase.BUSY_ILLEGAL, Input.SHORT):    (QuirkyEngine._answer_short,       Phase.BUSY_ILLEGAL),
        (Phase.BUSY_ILLEGAL, Input.FULL):     (QuirkyEngine._answer_full,        Phase.BUSY_ILLEGAL),
    },
    Quirk.UNUSED_OFFSETS_ACT: {
        (Phase.UNTOUCHED, Input.NOTHING):     (QuirkyEngine._illegal_quietly,    Phase.ERROR),
        (Phase.WRITING,   Input.NOTHING):     (Engine._acknowledge,              Phase.WRITING),
        (Phase.LAST_BYTE, Input.NOTHING):     (QuirkyEngine._execute,            Phase.WAITING),
        (Phase.READING,   Input.NOTHING):     (Engine._illegal,                  Phase.ERROR),
        (Phase.ALL_READ,  Input.NOTHING):     (Engine._end,                      Phase.IDLE),
    },
}
# fmt: on


def _steps_with(quirks: Quirk) -> Steps:
    """The specification's table with the rows of `quirks` over it."""
    steps = overlaid(STEPS, ROWS, quirks)
    if Quirk.BUSY_DROPS_WRITES in quirks:
        steps = {
            (_busy(phase), input_): (action, _busy(after))
            for (phase, input_), (action, after) in steps.items()
        }
    return with_actions_of(QuirkyEngine, steps)


def _busy(phase: Phase) -> Phase:
    return Phase.BUSY if phase == Phase.WAITING else phase
