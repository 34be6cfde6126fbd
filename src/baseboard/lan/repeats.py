"""Requests that must not be executed twice because an answer was lost.

A console that hears nothing sends the same message again, under a new session sequence number. ipmitool and
pyghmi keep rqSeq, so that the repetition can be told from a new request: the same message again, soon, and
before rqSeq can have come round. It gets the answer of the first. FreeIPMI takes a new rqSeq and so cannot be
helped. Commands that do not mind are not looked at.
"""

from __future__ import annotations

from collections import deque

KEPT = 8
SECONDS = 8.0
NEAR = 32
"""rqSeq comes round after 64 requests: half of that is no repetition any more."""

# fmt: off
_NOT_REPEATABLE = (
    # netfn number
    (0x00, 0x02),  # Chassis Control
    (0x00, 0x08),  # Set System Boot Options: set in progress can be claimed once
    (0x04, 0x02),  # Platform Event Message
    (0x04, 0x12),  # Set PEF Configuration Parameters: set in progress
    (0x04, 0x16),  # Alert Immediate
    (0x04, 0x30),  # Set Sensor Reading and Event Status
    (0x06, 0x02),  # Cold Reset
    (0x06, 0x03),  # Warm Reset
    (0x06, 0x33),  # Get Message
    (0x06, 0x34),  # Send Message
    (0x06, 0x35),  # Read Event Message Buffer
    (0x06, 0x48),  # Activate Payload
    (0x06, 0x49),  # Deactivate Payload
    (0x06, 0x52),  # Master Write-Read
    (0x06, 0x58),  # Set System Info Parameters: set in progress
    (0x0A, 0x22),  # Reserve SDR Repository
    (0x0A, 0x24),  # Add SDR
    (0x0A, 0x25),  # Partial Add SDR
    (0x0A, 0x26),  # Delete SDR
    (0x0A, 0x27),  # Clear SDR Repository
    (0x0A, 0x42),  # Reserve SEL
    (0x0A, 0x44),  # Add SEL Entry
    (0x0A, 0x45),  # Partial Add SEL Entry
    (0x0A, 0x46),  # Delete SEL Entry
    (0x0A, 0x47),  # Clear SEL
    (0x0C, 0x01),  # Set LAN Configuration Parameters: set in progress
    (0x0C, 0x21),  # Set SOL Configuration Parameters: set in progress
)
# fmt: on

NOT_REPEATABLE = frozenset(netfn << 10 | number for netfn, number in _NOT_REPEATABLE)
"""netFn/LUN byte and command number of each, as they stand in the message, LUN 0."""


class Repeats:
    """The last such requests of one session, with their answers."""

    __slots__ = ("_answered",)

    def __init__(self) -> None:
        self._answered: deque[tuple[bytes, bytes, int, float]] = deque(maxlen=KEPT)

    def find(self, message: bytes, sequence: int, now: float) -> bytes | None:
        """The answer that this very message had, when it can only be a repetition."""
        for asked, answer, at_sequence, at in self._answered:
            if asked == message and abs(sequence - at_sequence) < NEAR and now - at < SECONDS:
                return answer
        return None

    def keep(self, message: bytes, answer: bytes, sequence: int, now: float) -> None:
        """Remember an answer."""
        self._answered.append((message, answer, sequence, now))
