"""Where a host ends and the firmware of a BMC begins.

A host asks with `submit` and is told events. Whatever the firmware does or leaves undone, each request is
answered exactly once, unless it is abandoned.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from baseboard.ipmi.message import Message
from baseboard.vm.protocol import Operation


class Answered(NamedTuple):
    """The answer to the request with this id, completion code first."""

    id: int
    data: bytes


class AttentionChanged(NamedTuple):
    """SMS_ATN rose or fell."""

    attention: bool


class InterruptChanged(NamedTuple):
    """The firmware wants the host's interrupt when it has something to say, or does not any more."""

    enabled: bool


class FirmwareLost(NamedTuple):
    """Nobody answers from now on: the BMC was reset, stopped or ended, or never was there."""

    reason: str


class FirmwareFound(NamedTuple):
    """Somebody answers from now on."""

    what: str


class HostOrdered(NamedTuple):
    """The firmware orders this of the host's hardware."""

    operation: Operation


ResponderEvent = Answered | AttentionChanged | InterruptChanged | FirmwareLost | FirmwareFound | HostOrdered


class Responder(Protocol):
    """What a host is attached to. Whoever owns both takes its events to the host's `receive_event`."""

    def submit(self, id_: int, message: Message, now: float) -> None:
        """Ask. Ids of open requests differ."""

    def abandon(self, id_: int, now: float) -> None:
        """No answer to this request is wanted any more."""
