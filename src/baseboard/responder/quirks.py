"""Where QEMU's `aspeed.lpc` (7.2 to 11.1) is not the hardware; all off unless somebody needs them."""

from __future__ import annotations

from enum import Flag, auto


class Quirk(Flag):
    """One deviation each; `QEMU` is all of them."""

    NONE = 0
    PLAIN_STATUS = auto()
    """Firmware may write every bit of STR, OBF, IBF and C/D# too."""
    NO_COMMAND_BIT = auto()
    """A host's write leaves C/D# as it is."""
    PLAIN_DATA = auto()
    """IDR and ODR are 32 bits wide, and firmware may write IDR and read ODR."""
    PLAIN_REGISTERS = auto()
    """Every word of the block keeps what was written, reserved ones too, and LADR12 is one register."""
    NARROW_IS_WHOLE = auto()
    """A byte or half-word is the whole register: read from its low end, written with zeros above."""
    EDGE_INTERRUPT = auto()
    """A host's write raises the line if it is enabled then, reading IBF away lowers it, nothing else does."""
    ALWAYS_DECODED = auto()
    """A channel that is not enabled is there for the host all the same."""
    NO_HOST_INTERRUPT = auto()
    """SerIRQ does not exist; and so nothing clears IRQXE4."""
    QEMU = (
        PLAIN_STATUS | NO_COMMAND_BIT | PLAIN_DATA | PLAIN_REGISTERS | NARROW_IS_WHOLE
        | EDGE_INTERRUPT | ALWAYS_DECODED | NO_HOST_INTERRUPT
    )  # fmt: skip
