"""The management controller: one object for each thing that has state.

Nothing here reads a clock, draws a random number or does I/O. `now` comes in; events, durable changes
and deadlines go out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Protocol

from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.clock import ROOM as CLOCK
from baseboard.bmc.clock import Clock
from baseboard.bmc.events import Event
from baseboard.bmc.settings import Settings


class Stateful(Protocol):
    """Has durable rows: writes them to `Changes`, gets them back once at the start."""

    def restore(self, rows: Rows) -> None:
        """Take back what was kept in this object's room."""


class Timed(Protocol):
    """Has a time at which it wants to be called."""

    def next_deadline(self) -> float | None:
        """When to call `handle_deadline`; None: never as things stand."""

    def handle_deadline(self, now: float) -> None:
        """Do what was due at or before `now`."""


class Bmc:
    """All state of one controller, and its outlets."""

    def __init__(self, settings: Settings, now: float = 0.0) -> None:
        self.settings = settings
        self.changes = Changes()
        self._events: deque[Event] = deque()
        self.clock = Clock(self.changes)
        self._stateful: dict[str, Stateful] = {CLOCK: self.clock}
        self._timed: tuple[Timed, ...] = ()

    def restore(self, rooms: Mapping[str, Rows]) -> None:
        """Give every object what it had kept."""
        for room, thing in self._stateful.items():
            thing.restore(rooms.get(room, {}))

    def emit(self, event: Event) -> None:
        """Tell the chassis."""
        self._events.append(event)

    def next_event(self) -> Event | None:
        """What happened next, oldest first; None when nothing is left."""
        return self._events.popleft() if self._events else None

    def next_deadline(self) -> float | None:
        """When `handle_deadline` wants to be called; None: never as things stand."""
        return min((d for thing in self._timed if (d := thing.next_deadline()) is not None), default=None)

    def handle_deadline(self, now: float) -> None:
        """Do everything that was due at or before `now`."""
        for thing in self._timed:
            deadline = thing.next_deadline()
            if deadline is not None and deadline <= now:
                thing.handle_deadline(now)
