"""Reservation ids: who may go on with what it began, as long as nothing was changed.  [IPMI 31.4, 33.11]

The specification lets a new reservation cancel the one before. Two clients that walk the records at the
same time would then cancel each other for ever; therefore the latest few ids stay valid together, until
a change of the records cancels all of them.
"""

from __future__ import annotations

from collections import deque

from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode

LATEST = 64


class Reservations:
    """The ids that are valid now."""

    __slots__ = ("_last", "_valid")

    def __init__(self) -> None:
        self._last = 0
        self._valid: deque[int] = deque(maxlen=LATEST)

    def reserve(self) -> int:
        """A new id, never 0000h."""
        self._last = self._last % 0xFFFF + 1
        self._valid.append(self._last)
        return self._last

    def cancel(self) -> None:
        """The records changed."""
        self._valid.clear()

    def check(self, reservation_id: int) -> None:
        """Refuse an id that was cancelled or never given."""
        if reservation_id not in self._valid:
            raise CommandError(CompletionCode.RESERVATION_CANCELED, f"{reservation_id:04X}h is not reserved")
