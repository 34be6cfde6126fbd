"""The management controller: one object for each thing that has state.

Nothing here reads a clock, draws a random number or does I/O. `now` comes in; events, durable changes
and deadlines go out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Protocol

from baseboard.bmc.authority import BmcAuthority
from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.channels import ROOM as CHANNELS
from baseboard.bmc.channels import Channels
from baseboard.bmc.clock import ROOM as CLOCK
from baseboard.bmc.clock import Clock
from baseboard.bmc.device import ROOM as DEVICE
from baseboard.bmc.device import Device
from baseboard.bmc.events import ControllerReset, Event
from baseboard.bmc.lan_configuration import ROOM as LAN_CONFIGURATION
from baseboard.bmc.lan_configuration import LanConfiguration
from baseboard.bmc.settings import Settings
from baseboard.bmc.users import ROOM as USERS
from baseboard.bmc.users import Users


class Stateful(Protocol):
    """Has durable rows: writes them to `Changes`, gets them back once at the start."""

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


class Bmc:
    """All state of one controller, and its outlets."""

    def __init__(self, settings: Settings, now: float = 0.0) -> None:
        self.settings = settings
        self.changes = Changes()
        self._events: deque[Event] = deque()
        self.clock = Clock(self.changes)
        self.device = Device(self.changes, settings.device)
        self.users = Users(self.changes, self.emit)
        self.channels = Channels(self.changes, self.emit, settings.channels)
        self.lan_configuration = LanConfiguration(self.changes, settings.lan, self.device)
        self.authority = BmcAuthority(self.device, self.users, self.channels, self.lan_configuration)
        self._stateful: dict[str, Stateful] = {
            CLOCK: self.clock,
            DEVICE: self.device,
            USERS: self.users,
            CHANNELS: self.channels,
            LAN_CONFIGURATION: self.lan_configuration,
        }
        self._timed: tuple[Timed, ...] = ()
        self._volatile: tuple[Volatile, ...] = (self.channels, self.lan_configuration)

    def reset(self, cold: bool, now: float) -> None:
        """Cold or Warm Reset: volatile state goes back to power-on values; what is durable stays."""
        for thing in self._volatile:
            thing.reset(cold, now)
        self.emit(ControllerReset(cold))

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
