"""The management controller: one object for each thing that has state.

Nothing here reads a clock, draws a random number or does I/O. `now` comes in; events, durable changes
and deadlines go out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from baseboard.bmc.authority import BmcAuthority
from baseboard.bmc.boot_options import ROOM as BOOT_OPTIONS
from baseboard.bmc.boot_options import BootOptions
from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.channels import ROOM as CHANNELS
from baseboard.bmc.channels import Channels
from baseboard.bmc.chassis import ROOM as CHASSIS
from baseboard.bmc.chassis import Chassis
from baseboard.bmc.clock import ROOM as CLOCK
from baseboard.bmc.clock import Clock
from baseboard.bmc.device import ROOM as DEVICE
from baseboard.bmc.device import Device
from baseboard.bmc.events import ControllerReset, Event
from baseboard.bmc.firewall import ROOM as FIREWALL
from baseboard.bmc.firewall import Firewall
from baseboard.bmc.fru import ROOM as FRU
from baseboard.bmc.fru import FruSettings, FruStore
from baseboard.bmc.fru_fields import with_fields
from baseboard.bmc.i2c import I2cBuses
from baseboard.bmc.lan_configuration import ROOM as LAN_CONFIGURATION
from baseboard.bmc.lan_configuration import LanConfiguration
from baseboard.bmc.messaging import Messaging
from baseboard.bmc.payload_access import ROOM as PAYLOAD_ACCESS
from baseboard.bmc.payload_access import PayloadAccess
from baseboard.bmc.platform_events import PlatformEvents
from baseboard.bmc.sdr import ROOM as SDR
from baseboard.bmc.sdr import SdrRepository
from baseboard.bmc.sel import ROOM as SEL
from baseboard.bmc.sel import Sel
from baseboard.bmc.sensor_sdr import main_records
from baseboard.bmc.sensors import ROOM as SENSORS
from baseboard.bmc.sensors import Sensors
from baseboard.bmc.settings import Settings
from baseboard.bmc.simulation.inventory import default_devices
from baseboard.bmc.simulation.simulation import Simulation
from baseboard.bmc.sol_configuration import ROOM as SOL
from baseboard.bmc.sol_configuration import SolConfiguration
from baseboard.bmc.system_info import ROOM as SYSTEM_INFO
from baseboard.bmc.system_info import SystemInfo
from baseboard.bmc.users import ROOM as USERS
from baseboard.bmc.users import Users
from baseboard.bmc.watchdog import Watchdog
from baseboard.ipmi.message import NoSessions, SessionTable
from baseboard.lan.sol import SolEngine


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
        self.boot_options = BootOptions(self.changes, now)
        self.chassis = Chassis(
            settings.chassis, self.changes, self.boot_options, self.emit, self.platform_event
        )
        self.device = Device(self.changes, settings.device)
        self.users = Users(self.changes, self.emit)
        self.channels = Channels(self.changes, self.emit, settings.channels)
        self.lan_configuration = LanConfiguration(self.changes, settings.lan, self.device)
        self.system_info = SystemInfo(self.changes, settings.system_info)
        self.authority = BmcAuthority(self.device, self.users, self.channels, self.lan_configuration)
        self.payload_access = PayloadAccess(self.changes)
        self.sol_configuration = SolConfiguration(self.changes, settings.sol)
        self.sol = SolEngine(self.sol_configuration.timing)
        self.sessions: SessionTable = NoSessions()
        """The open sessions; a LAN server puts itself in here."""
        self.channels.count_sessions = self._count_sessions
        self.messaging = Messaging(self.emit)
        self.watchdog = Watchdog(self.emit, self.messaging, self.platform_event)
        self.chassis.listeners += [
            self.messaging.power_changed,
            self.watchdog.power_changed,
            self.device.power_changed,
            self.system_info.power_changed,
        ]
        self.sel = Sel(settings.sel, self.changes)
        self.platform_events = PlatformEvents(settings.sel, self.sel, self.clock, self.messaging, self.emit)
        self.sensors = Sensors(settings.sensors, self.changes, self.platform_events.send)
        self.platform_events.watch(self.sensors)
        self.fru = FruStore(self._fru_devices, self.changes)
        records = main_records(settings.sensors, self.sensors, self._fru_devices())
        self.sdr = SdrRepository(records, self.changes)
        self.device_sdrs = SdrRepository(records, Changes())
        self.simulation = Simulation(
            settings.simulation, self.sensors, self.chassis, self.platform_events, self.sel, now
        )
        self.i2c = I2cBuses(self.fru, self.sensors, lambda: self.simulation.quantities)
        self.firewall = Firewall(self.changes)
        self._stateful: dict[str, Stateful] = {
            CLOCK: self.clock,
            DEVICE: self.device,
            USERS: self.users,
            CHANNELS: self.channels,
            LAN_CONFIGURATION: self.lan_configuration,
            SYSTEM_INFO: self.system_info,
            PAYLOAD_ACCESS: self.payload_access,
            SOL: self.sol_configuration,
            BOOT_OPTIONS: self.boot_options,
            CHASSIS: self.chassis,
            SEL: self.sel,
            SDR: self.sdr,
            FRU: self.fru,
            SENSORS: self.sensors,
            FIREWALL: self.firewall,
        }
        self._timed: tuple[Timed, ...] = (self.boot_options, self.chassis, self.watchdog, self.simulation)
        self._volatile: tuple[Volatile, ...] = (
            self.channels,
            self.lan_configuration,
            self.system_info,
            self.sol_configuration,
            self.messaging,
            self.watchdog,
            self.boot_options,
            self.chassis,
            self.platform_events,
        )

    def reset(self, cold: bool, now: float) -> None:
        """Cold or Warm Reset: volatile state goes back to power-on values; what is durable stays."""
        for thing in self._volatile:
            thing.reset(cold, now)
        self.emit(ControllerReset(cold))

    def restore(self, rooms: Mapping[str, Rows]) -> None:
        """Give every object what it had kept."""
        for room, thing in self._stateful.items():
            thing.restore(rooms.get(room, {}))

    def start(self, now: float) -> None:
        """Once, when the clock is set and what was kept is back: the log of a new server begins."""
        self.simulation.begin(now)

    def _count_sessions(self, channel: int) -> int:
        return sum(session.channel == channel for session in self.sessions.active())

    def emit(self, event: Event) -> None:
        """Tell the chassis."""
        self._events.append(event)

    def platform_event(
        self,
        sensor_type: int,
        sensor_number: int,
        event_type: int,
        deassertion: bool,
        data: bytes,
        now: float,
    ) -> None:
        """An event of the controller's own making: into the SEL and the event message buffer."""
        self.platform_events.report(sensor_type, sensor_number, event_type, deassertion, data, now)

    def _fru_devices(self) -> Sequence[FruSettings]:
        settings = self.settings
        devices = settings.fru if settings.fru is not None else default_devices(self.device.uuid)
        return with_fields(devices, settings.fru_fields)

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
