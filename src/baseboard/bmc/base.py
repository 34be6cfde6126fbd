"""What every controller is, the one that consoles and the machine talk to and the small ones on the bus.

It has state objects in groups (durable, volatile, timed), outlets for events and changes, and an end of the
bus. Which objects there are is the business of `Bmc` and `Satellite`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Protocol

from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.clock import Clock
from baseboard.bmc.device import Device
from baseboard.bmc.event_sender import EventReceiver
from baseboard.bmc.events import ControllerReset, Event
from baseboard.bmc.firewall import Firewall
from baseboard.bmc.fru import FruStore
from baseboard.bmc.messaging import Messaging
from baseboard.bmc.sdr import SdrRepository
from baseboard.bmc.sensors import Sensors
from baseboard.errors import BaseboardError, DecodeError
from baseboard.ipmb.port import Port

_DAMAGED = (ArithmeticError, AttributeError, BaseboardError, LookupError, TypeError, ValueError)
"""What objects raise on rows that they cannot have written."""


class Stateful(Protocol):
    """Has durable rows: writes them to `Changes`, gets them back once at the start."""

    room: str
    """Where they are."""

    def restore(self, rows: Rows) -> None:
        """Take back what was kept in this object's room."""


class Volatile(Protocol):
    """Has state that Cold or Warm Reset takes back to what it is at power-on."""

    def reset(self, cold: bool, now: float) -> None:
        """Go back; a warm reset leaves thresholds and the like as they are.  [IPMI 20.2, 20.3]"""


class Timed(Protocol):
    """Has a time at which it wants to be called."""

    def next_deadline(self) -> float | None:
        """When to call `handle_deadline`; None: never as things stand."""

    def handle_deadline(self, now: float) -> None:
        """Do what was due at or before `now`."""


class Controller:
    """State objects and outlets."""

    changes: Changes
    clock: Clock
    device: Device
    messaging: Messaging
    port: Port
    """Its end of the bus."""
    platform_events: EventReceiver
    sensors: Sensors
    fru: FruStore
    device_sdrs: SdrRepository
    firewall: Firewall

    _stateful: tuple[Stateful, ...]
    _timed: tuple[Timed, ...]
    _volatile: tuple[Volatile, ...]

    def __init__(self) -> None:
        self._events: deque[Event] = deque()

    def reset(self, cold: bool, now: float) -> None:
        """Cold or Warm Reset: volatile state goes back to power-on values; what is durable stays."""
        for thing in self._volatile:
            thing.reset(cold, now)
        self.emit(ControllerReset(cold))

    def restore(self, rooms: Mapping[str, Rows]) -> None:
        """Give every object what it had kept.  Raises DecodeError when that is damaged."""
        for thing in self._stateful:
            try:
                thing.restore(rooms.get(thing.room, {}))
            except _DAMAGED as error:
                raise DecodeError(f"what is kept of {thing.room!r} is damaged: {error!r}") from error

    def emit(self, event: Event) -> None:
        """Tell the chassis."""
        self._events.append(event)

    def next_event(self) -> Event | None:
        """What happened next, oldest first; None when nothing is left."""
        return self._events.popleft() if self._events else None

    def next_deadline(self) -> float | None:
        """When `handle_deadline` wants to be called; None: never as things stand."""
        soonest = None
        for thing in self._timed:
            deadline = thing.next_deadline()
            if deadline is not None and (soonest is None or deadline < soonest):
                soonest = deadline
        return soonest

    def handle_deadline(self, now: float) -> None:
        """Do everything that was due at or before `now`."""
        for thing in self._timed:
            deadline = thing.next_deadline()
            if deadline is not None and deadline <= now:
                thing.handle_deadline(now)
