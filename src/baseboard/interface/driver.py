"""What the hosts' ends of all interfaces share: how registers are reached, and what comes of a request.

A driver never waits. `send_request` begins, `step(now)` does the next thing if the BMC is ready for it, and
`next_event` gives the outcome. `next_deadline` says when to call `step` at the latest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from baseboard.interface.registers import Register


class Registers(Protocol):
    """An interface's registers as software reaches them."""

    def read(self, register: int) -> int:
        """Read the register with this number, from 0."""

    def write(self, register: int, value: int) -> None:
        """Write it."""


class Direct:
    """Registers with no bus between."""

    def __init__(self, registers: Sequence[Register]) -> None:
        self._registers = registers

    def read(self, register: int) -> int:
        """Read the register with this number, from 0."""
        return self._registers[register].read()

    def write(self, register: int, value: int) -> None:
        """Write it."""
        self._registers[register].write(value)


class ResponseReceived(NamedTuple):
    """The answer."""

    netfn: int
    """Odd: the request's plus 1."""
    lun: int
    command: int
    data: bytes
    """Completion code first; empty if the BMC sent none."""


class TransferFailed(NamedTuple):
    """The interface did not bring an answer, and the driver has tried as often as it may."""

    code: int | None
    """What the interface said of it; None: nothing."""
    reason: str


DriverEvent = ResponseReceived | TransferFailed
