"""Option vector 5: what guest and platform have agreed on.  [LoPAR B.6.2.3, Table 244]

An option is a byte, counted from 1, and a bit, of which 0 is the most significant.
"""

from __future__ import annotations

from typing import NamedTuple

from baseboard.spapr.choices import Choice


class Option(NamedTuple):
    """One bit."""

    byte: int
    bit: int

    @property
    def mask(self) -> int:
        return 0x80 >> self.bit

    def among(self, vector: bytes) -> bool:
        """Whether it is set in the bytes of a vector, without its length."""
        return len(vector) >= self.byte and bool(vector[self.byte - 1] & self.mask)


# fmt: off
DYNAMIC_MEMORY    = Option( 2, 2)  # /ibm,dynamic-reconfiguration-memory
FORM_1_AFFINITY   = Option( 5, 0)
FORM_2_AFFINITY   = Option( 5, 2)  # wins over form 1
HOTPLUG_EVENTS    = Option( 6, 5)  # an interrupt and an event class of their own
TABLE_RESIZING    = Option( 6, 7)  # of hashed page tables, by hypercalls
DYNAMIC_MEMORY_2  = Option(22, 0)  # ibm,dynamic-memory-v2
DRC_INFO          = Option(22, 1)  # ibm,drc-info in place of four arrays
RADIX             = Option(24, 1)
GUEST_TRANSLATION = Option(26, 1)  # the guest shoots down translations itself
# fmt: on
PLATFORM = (
    DYNAMIC_MEMORY,
    FORM_1_AFFINITY,
    FORM_2_AFFINITY,
    HOTPLUG_EVENTS,
    DYNAMIC_MEMORY_2,
    RADIX,
    GUEST_TRANSLATION,
)
"""What a machine offers."""
BEFORE_CAS = b"\0"
"""What has been agreed on with a guest that has not negotiated."""


def offered(choices: Choice) -> tuple[Option, ...]:
    """With the choices that it was made with."""
    return (*PLATFORM, DRC_INFO) if Choice.DRC_INFO in choices else PLATFORM


def vector(options: tuple[Option, ...]) -> bytes:
    """As long as its last option needs."""
    data = bytearray(max((option.byte for option in options), default=1))
    for option in options:
        data[option.byte - 1] |= option.mask
    return bytes(data)


def common(guest: bytes, options: tuple[Option, ...]) -> bytes:
    """Guest AND platform, without zeros at its end; one byte at least."""
    both = bytes(left & right for left, right in zip(guest, vector(options), strict=False))
    return both.rstrip(b"\0") or b"\0"
