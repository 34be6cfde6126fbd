"""How far a KCS transfer is, and what may happen to it.

The phases are finer than the four states that the host sees: while writing, whether the next byte is the
last; while reading, whether the last byte is out already. Names in the last two groups occur only with
quirks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum, auto

from baseboard.interface.kcs.latch import TO_COMMAND
from baseboard.interface.kcs.registers import IBF, Control, State


class Phase(IntEnum):
    """How far a transfer is."""

    IDLE = 0
    WRITING = auto()
    LAST_BYTE = auto()
    """WRITE_END was written: the next byte is the last."""
    WAITING = auto()
    """For the controller's answer."""
    READING = auto()
    ALL_READ = auto()
    """The last byte is in Data_Out."""
    ABORTING = auto()
    """GET_STATUS/ABORT was written: 00h comes next."""
    ERROR = auto()

    UNTOUCHED = auto()
    """FIRST_WRITE_REFUSED: nothing was ever written."""
    BUSY = auto()
    """BUSY_DROPS_WRITES: waiting."""
    BUSY_ILLEGAL = auto()
    """WRITE_END_TWICE: waiting, and the error state comes after the answer."""


class Input(IntEnum):
    """What happens to a transfer."""

    WRITE_START = 0
    WRITE_END = auto()
    ABORT = auto()
    OTHER = auto()
    """Any other control code."""
    DATA = auto()
    """To Data_In, any byte that is not READ."""
    READ = auto()
    """68h to Data_In; while a request is written it is a byte like others."""
    RESPONSE = auto()
    """The controller's answer."""
    FULL = auto()
    """The request is longer than the buffer."""
    SHORT = auto()
    """The request has no command."""
    EXHAUSTED = auto()
    """The last byte of the answer is out."""

    NOTHING = auto()
    """UNUSED_OFFSETS_ACT: a write that brings no byte."""


# fmt: off
SHOWN: Mapping[Phase, int] = {  # S1 and S0; and IBF where it stays
    Phase.IDLE:         State.IDLE,
    Phase.WRITING:      State.WRITE,
    Phase.LAST_BYTE:    State.WRITE,
    Phase.WAITING:      State.READ,
    Phase.READING:      State.READ,
    Phase.ALL_READ:     State.READ,
    Phase.ABORTING:     State.WRITE,
    Phase.ERROR:        State.ERROR,
    Phase.UNTOUCHED:    State.IDLE,
    Phase.BUSY:         State.WRITE | IBF,
    Phase.BUSY_ILLEGAL: State.WRITE | IBF,
}

CODES: Mapping[int, Input] = {  # of `Latch.input`; every other byte is DATA or OTHER
    TO_COMMAND | Control.WRITE_START:      Input.WRITE_START,
    TO_COMMAND | Control.WRITE_END:        Input.WRITE_END,
    TO_COMMAND | Control.GET_STATUS_ABORT: Input.ABORT,
    Control.READ:                          Input.READ,
}
# fmt: on
UNUSED = 0x200
"""In `Latch.input`: there is no byte."""


def inputs() -> Iterator[Input]:
    """What each value of `Latch.input` is, in order."""
    for value in range(UNUSED):
        yield CODES.get(value, Input.OTHER if value & TO_COMMAND else Input.DATA)
    yield Input.NOTHING
