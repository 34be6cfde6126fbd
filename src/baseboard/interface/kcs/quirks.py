"""Where QEMU's KCS (5.1 to 11.1) is not the specification's; all off unless somebody needs them."""

from __future__ import annotations

from enum import Flag, auto


class Quirk(Flag):
    """One deviation each; `QEMU` is all of them."""

    NONE = 0
    NO_COMMAND_BIT = auto()
    """C/D# is never set."""
    STARTS_IDLE = auto()
    """Idle after a reset, instead of the error state."""
    FIRST_WRITE_REFUSED = auto()
    """Where it starts idle: before a first byte to Command, one to Data_In is an illegal control code."""
    IDLE_DATA_IGNORED = auto()
    """A byte to Data_In while idle is not an error."""
    WRITE_START_WHEN_IDLE = auto()
    """WRITE_START is an illegal control code in every state but idle."""
    ABORT_TO_ERROR = auto()
    """60h goes to the error state, where any byte to Data_In brings the status code; it is always 01h."""
    WRITE_END_TWICE = auto()
    """A control code after WRITE_END executes what there is, and its answer ends in the error state."""
    SILENT_ERRORS = auto()
    """Errors raise no OBF in the idle and the error state."""
    STALE_DUMMY = auto()
    """Dummy bytes repeat what was in Data_Out."""
    LAST_READ_ANYTHING = auto()
    """After the last byte any byte to Data_In ends the transfer, not only 68h."""
    BUSY_DROPS_WRITES = auto()
    """IBF and the write state stay until the answer is there, and what is written meanwhile is lost."""
    LENGTH_BY_CODE = auto()
    """Wrong lengths are answered C7h, C6h or CAh and not refused by the interface."""
    LATCHED_INTERRUPTS = auto()
    """OBF and attention have a latch each; reading Status drops the latter, enabling brings nothing back."""
    UNUSED_OFFSETS_ACT = auto()
    """A write to offsets 2 to 7 of the window runs the machine with no byte."""
    QEMU = (
        NO_COMMAND_BIT | STARTS_IDLE | FIRST_WRITE_REFUSED | IDLE_DATA_IGNORED | WRITE_START_WHEN_IDLE
        | ABORT_TO_ERROR | WRITE_END_TWICE | SILENT_ERRORS | STALE_DUMMY | LAST_READ_ANYTHING
        | BUSY_DROPS_WRITES | LENGTH_BY_CODE | LATCHED_INTERRUPTS | UNUSED_OFFSETS_ACT
    )  # fmt: skip


IN_LATCH = (
    Quirk.NO_COMMAND_BIT | Quirk.BUSY_DROPS_WRITES | Quirk.LATCHED_INTERRUPTS | Quirk.UNUSED_OFFSETS_ACT
)
"""Those that are the latch's and not the engine's."""
