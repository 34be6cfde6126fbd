"""Engine rows for each quirk of QEMU's KCS, laid over the specification's table."""

from __future__ import annotations

from collections.abc import Mapping

from baseboard.interface.kcs.engine import Engine
from baseboard.interface.kcs.latch import Latch
from baseboard.interface.kcs.phases import Input, Phase
from baseboard.interface.kcs.quirks import Quirk
from baseboard.interface.kcs.registers import StatusCode
from baseboard.interface.kcs.steps import STEPS, Steps, compiled
from baseboard.interface.overlay import overlaid, spread, with_actions_of
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
        full = self._keep(value)
        if full is None:
            self._dummy()
        return full

    def _finish(self, value: int) -> Input | None:
        full = self._keep(value)
        return self._execute(value) if full is None else full

    def _keep(self, value: int) -> Input | None:
        """One byte of the request; with LENGTH_BY_CODE those behind the buffer's end are counted alone."""
        length = self._length
        self._length = length + 1
        if length < len(self._request):
            self._request[length] = value
        elif not self._by_code:
            return Input.FULL
        return None

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


_BYTE = (Input.DATA, Input.READ)
_NEVER_IDLE = (Input.WRITE_END, Input.OTHER, *_BYTE)
"""What must not come while nothing is under way."""
_CONTROL = (Input.WRITE_START, Input.WRITE_END, Input.OTHER)
_TRANSFER = (Phase.WRITING, Phase.LAST_BYTE, Phase.WAITING, Phase.READING, Phase.ALL_READ)
_SHORT, _FULL = Input.SHORT, Input.FULL
_quietly = QuirkyEngine._illegal_quietly

# fmt: off
ROWS: Mapping[Quirk, Steps] = {
    # in phases             the host wrote       the engine                        next phase
    Quirk.FIRST_WRITE_REFUSED: spread(
        (Phase.UNTOUCHED,     Input.WRITE_START, Engine._begin_write,              Phase.WRITING),
        (Phase.UNTOUCHED,     Input.ABORT,       Engine._acknowledge,              Phase.ABORTING),
        (Phase.UNTOUCHED,     _NEVER_IDLE,       _quietly,                         Phase.ERROR),
    ),
    Quirk.SILENT_ERRORS: spread(
        ((Phase.IDLE, Phase.ERROR), _NEVER_IDLE, _quietly,                         Phase.ERROR),
    ),
    Quirk.IDLE_DATA_IGNORED: spread(
        (Phase.IDLE,          _BYTE,             Engine._nothing,                  Phase.IDLE),
    ),
    Quirk.WRITE_START_WHEN_IDLE: spread(
        (_TRANSFER,           Input.WRITE_START, Engine._illegal,                  Phase.ERROR),
        (Phase.ABORTING,      Input.WRITE_START, Engine._illegal,                  Phase.ERROR),
        (Phase.ERROR,         Input.WRITE_START, _quietly,                         Phase.ERROR),
    ),
    Quirk.ABORT_TO_ERROR: spread(
        (Phase.UNTOUCHED,     Input.ABORT,       Engine._abort,                    Phase.ERROR),
        (Phase.IDLE,          Input.ABORT,       Engine._abort,                    Phase.ERROR),
        (_TRANSFER,           Input.ABORT,       Engine._abort,                    Phase.ERROR),
        (Phase.ERROR,         Input.ABORT,       Engine._nothing,                  Phase.ERROR),
        (Phase.ERROR,         _BYTE,             Engine._give_status,              Phase.ALL_READ),
    ),
    Quirk.WRITE_END_TWICE: spread(
        (Phase.LAST_BYTE,     _CONTROL,          QuirkyEngine._execute,            Phase.BUSY_ILLEGAL),
        (Phase.BUSY_ILLEGAL,  Input.RESPONSE,    QuirkyEngine._next_byte_illegal,  Phase.ERROR),
        (Phase.BUSY_ILLEGAL,  (_FULL, _SHORT),   Engine._wrong_length,             Phase.ERROR),
    ),
    Quirk.LAST_READ_ANYTHING: spread(
        (Phase.ALL_READ,      Input.DATA,        Engine._end,                      Phase.IDLE),
    ),
    Quirk.LENGTH_BY_CODE: spread(
        (Phase.WAITING,       _SHORT,            QuirkyEngine._answer_short,       Phase.WAITING),
        (Phase.WAITING,       _FULL,             QuirkyEngine._answer_full,        Phase.WAITING),
        (Phase.BUSY_ILLEGAL,  _SHORT,            QuirkyEngine._answer_short,       Phase.BUSY_ILLEGAL),
        (Phase.BUSY_ILLEGAL,  _FULL,             QuirkyEngine._answer_full,        Phase.BUSY_ILLEGAL),
    ),
    Quirk.UNUSED_OFFSETS_ACT: spread(
        (Phase.UNTOUCHED,     Input.NOTHING,     _quietly,                         Phase.ERROR),
        (Phase.WRITING,       Input.NOTHING,     Engine._acknowledge,              Phase.WRITING),
        (Phase.LAST_BYTE,     Input.NOTHING,     QuirkyEngine._execute,            Phase.WAITING),
        (Phase.READING,       Input.NOTHING,     Engine._illegal,                  Phase.ERROR),
        (Phase.ALL_READ,      Input.NOTHING,     Engine._end,                      Phase.IDLE),
    ),
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
