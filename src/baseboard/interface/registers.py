"""Registers described as a datasheet does: what each end may do to each bit.

    STATUS = (
        #     bits    name       host          BMC          meaning
        Field(7, 6,  "STATE",    Access.RO,    Access.RW,   "..."),
        Field(0, 0,  "OBF",      Access.RO,    Access.RO,   "set by hardware"),
    )
    HOST, BMC = Side(STATUS, "host"), Side(STATUS, "bmc")

What a write does to a bit is data; `Side` makes masks of it, once. What the device does *then* is code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Literal, NamedTuple

from baseboard.errors import ConfigError


class Access(Enum):
    """What one end may do to a bit."""

    RO = auto()
    """Reads it; writes are ignored."""
    RW = auto()
    """Reads and writes it."""
    W1S = auto()
    """Reads it; a 1 sets it, a 0 does nothing."""
    W1C = auto()
    """Reads it; a 1 clears it, a 0 does nothing."""
    W1T = auto()
    """Reads it; a 1 toggles it, a 0 does nothing."""
    PULSE = auto()
    """A 1 does something at once; always reads 0."""
    NONE = auto()
    """Reserved for this end: reads 0, writes are ignored."""


class Field(NamedTuple):
    """Bits [high:low] of a register."""

    high: int
    low: int
    name: str
    host: Access
    bmc: Access
    meaning: str

    @property
    def mask(self) -> int:
        """The field's bits, in place."""
        return (1 << self.high + 1) - (1 << self.low)


class Side:
    """What one end sees and may change, as masks."""

    __slots__ = ("_cleared", "_set", "_toggled", "_written", "pulses", "readable")

    def __init__(self, fields: Sequence[Field], end: Literal["host", "bmc"]) -> None:
        def mask(*accesses: Access) -> int:
            return sum(field.mask for field in fields if getattr(field, end) in accesses)

        if sum(field.mask for field in fields) != 0xFF:
            names = [field.name for field in fields]
            raise ConfigError(f"a register's fields must cover bits 7:0 once: {names}")
        self._written = mask(Access.RW)
        self._set = mask(Access.W1S)
        self._cleared = mask(Access.W1C)
        self._toggled = mask(Access.W1T)
        self.pulses = mask(Access.PULSE)
        """Bits that do something when a 1 is written and keep nothing."""
        self.readable = 0xFF & ~mask(Access.PULSE, Access.NONE)
        """Bits that this end sees."""

    def write(self, current: int, value: int) -> int:
        """The register after this end has written `value`."""
        return (
            (current & ~self._written | value & self._written | value & self._set) & ~(value & self._cleared)
        ) ^ (value & self._toggled)


def masks(fields: Sequence[Field]) -> dict[str, int]:
    """The mask of each field by its name."""
    return {field.name: field.mask for field in fields}


class Register(NamedTuple):
    """One register as a bus reaches it: 8 bits, with whatever side effects reading and writing have."""

    read: Callable[[], int]
    write: Callable[[int], None]


def ignore() -> None:
    """Nobody listens."""


def ignore_level(level: bool) -> None:
    """No interrupt line is connected."""
