"""Where QEMU's BT (5.1 to 11.1) is not the specification's; all off unless somebody needs them."""

from __future__ import annotations

from enum import Flag, auto


class Quirk(Flag):
    """One deviation each; `QEMU` is all of them."""

    NONE = 0
    NO_OEM_BITS = auto()
    """OEM0 and the OEM bits of BT_INTMASK read 0."""
    NO_RESET_BIT = auto()
    """BMC_HWRST does nothing."""
    READ_ONCE = auto()
    """An answer is gone when it was read to its end; a new one is read from where the last was left."""
    ENABLE_EDGE = auto()
    """Enabling sets B2H_IRQ while B2H_ATN or SMS_ATN is up; disabling clears it."""
    GLOBAL_ENABLE = auto()
    """The line rises only while Set BMC Global Enables has bit 0 on."""
    ATTENTION_FALLS = auto()
    """The BMC clears SMS_ATN when the cause is gone, and B2H_IRQ with it."""
    ATTENTION_MUTED = auto()
    """SMS_ATN does not interrupt while B2H_ATN is up."""
    STUCK_BUSY = auto()
    """B_BUSY stays set after a malformed request, and while one is out."""
    EXACT_LENGTH = auto()
    """A request with more bytes than its length byte says is malformed."""
    RESENT_SEQUENCE = auto()
    """H2B_ATN without a new message executes the old one with its network function as sequence number."""
    LENGTH_WRAPS = auto()
    """The length byte of a long answer is taken modulo 256; answers beyond 300 bytes are CAh."""
    NO_BUSY_CHECK = auto()
    """A request while one is out goes to the controller with the same id."""
    ANSWERS_AT_ONCE = auto()
    """An answer overwrites one that the host has not read, and interrupts without an edge of B2H_ATN."""
    QEMU = (
        NO_OEM_BITS | NO_RESET_BIT | READ_ONCE | ENABLE_EDGE | GLOBAL_ENABLE | ATTENTION_FALLS
        | ATTENTION_MUTED | STUCK_BUSY | EXACT_LENGTH | RESENT_SEQUENCE | LENGTH_WRAPS | NO_BUSY_CHECK
        | ANSWERS_AT_ONCE
    )  # fmt: skip
