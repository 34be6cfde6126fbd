"""The management controller: one object for each thing that has state.

Nothing here reads a clock, draws a random number or does I/O. `now` comes in; events, durable changes
and deadlines go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from baseboard.bmc.alerts import Alerts
from baseboard.bmc.authority import BmcAuthority
from baseboard.bmc.base import Controller, Stateful, Timed, Volatile
from baseboard.bmc.boot_options import BootOptions
from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.channels import Channels
from baseboard.bmc.chassis import Chassis
from baseboard.bmc.clock import Clock
from baseboard.bmc.dcmi import Dcmi
from baseboard.bmc.device import Device
from baseboard.bmc.firewall import Firewall
from baseboard.bmc.firmware import Upgrade
from baseboard.bmc.fru import FruSettings, FruStore
from baseboard.bmc.fru_fields import with_fields
from baseboard.bmc.i2c import I2cBuses
from baseboard.bmc.lan_configuration import LanConfiguration
from baseboard.bmc.limits import Consequences
from baseboard.bmc.messaging import Messaging
from baseboard.bmc.payload_access import PayloadAccess
from baseboard.bmc.pef import Pef
from baseboard.bmc.pef_parameters import PefParameters
from baseboard.bmc.platform_events import PlatformEvents
from baseboard.bmc.satellite import Satellite
from baseboard.bmc.satellite_settings import check_addresses
from baseboard.bmc.sdr import SdrRepository
from baseboard.bmc.sel import Sel
from baseboard.bmc.sensor_sdr import main_records
from baseboard.bmc.sensors import Sensors
from baseboard.bmc.serial_configuration import SerialConfiguration
from baseboard.bmc.session_audit import SessionAudit
from baseboard.bmc.settings import Settings
from baseboard.bmc.simulation.inventory import default_devices
from baseboard.bmc.simulation.simulation import Simulation
from baseboard.bmc.sol_configuration import SolConfiguration
from baseboard.bmc.system_info import SystemInfo
from baseboard.bmc.users import Users
from baseboard.bmc.watchdog import Watchdog
from baseboard.ipmb.bus import Bus
from baseboard.ipmb.port import Port
from baseboard.ipmi.message import NoSessions, SessionTable
from baseboard.ipmi.transport_lan import LanParameter
from baseboard.lan.sol import SolEngine


class Bmc(Controller):
    """All state of one controller, and its outlets."""

    platform_events: PlatformEvents

    def __init__(self, settings: Settings, now: float = 0.0) -> None:
        super().__init__()
        self.settings = settings
        self.changes = Changes()
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
        self.serial_configuration = SerialConfiguration(self.changes)
        self.upgrade = Upgrade(self.changes, self.device, self.emit)
        self.authority = BmcAuthority(
            self.device, self.users, self.channels, self.lan_configuration, self.serial_configuration
        )
        self.payload_access = PayloadAccess(self.changes)
        self.sol_configuration = SolConfiguration(self.changes, settings.sol)
        self.sol = SolEngine(self.sol_configuration.timing)
        self.sessions: SessionTable = NoSessions()
        """The open sessions; a LAN server puts itself in here."""
        self.channels.count_sessions = self._count_sessions
        self.messaging = Messaging(self.emit)
        self.bus = Bus(settings.ipmb.link_privilege)
        self.port = Port(self.bus, settings.ipmb.address, self.messaging.receive)
        self.watchdog = Watchdog(self.emit, self.messaging, self.platform_event)
        self.chassis.listeners += [
            self.messaging.power_changed,
            self.watchdog.power_changed,
            self.device.power_changed,
            self.system_info.power_changed,
        ]
        self.sel = Sel(settings.sel, self.changes)
        self.platform_events = PlatformEvents(
            settings.sel,
            self.sel,
            self.clock,
            self.messaging,
            self.emit,
            self.port,
            settings.ipmb.event_receiver,
        )
        self.sensors = Sensors(settings.sensors, self.changes, self.platform_events.send)
        self.platform_events.watch(self.sensors)
        pef_parameters = PefParameters(settings.pef, self.changes, lambda: self.device.uuid)
        alerts = Alerts(
            pef_parameters,
            self.lan_configuration,
            self.channels,
            settings.device,
            self.clock,
            {sensor.number: sensor.entity for sensor in settings.sensors},
            self.emit,
            settings.pef.trap_port,
            now,
        )
        self.pef = Pef(
            pef_parameters, alerts, self.changes, self.sel, self.chassis, self.emit, self.platform_event
        )
        self.platform_events.filter = self.pef
        self.session_audit = SessionAudit(settings.sel.failed_logins, self.platform_event, now)
        self.chassis.listeners.append(self.pef.power_changed)
        self.fru = FruStore(self._fru_devices, self.changes)
        check_addresses(settings.ipmb.address, settings.satellites)
        self.satellites = tuple(
            Satellite(one, self.bus, self.changes, self.clock) for one in settings.satellites
        )
        own = main_records(settings.sensors, self.sensors, self._fru_devices(), settings.ipmb.address)
        theirs = (record for satellite in self.satellites for record in satellite.records())
        self.sdr = SdrRepository([*own, *theirs], self.changes)
        self.device_sdrs = SdrRepository(own, Changes())
        everywhere = chain(self.sensors, *(satellite.sensors for satellite in self.satellites))
        self.simulation = Simulation(
            settings.simulation, everywhere, self.chassis, self.platform_events, self.sel, now
        )
        self.i2c = I2cBuses(self.fru, self.sensors, lambda: self.simulation.quantities)
        self.firewall = Firewall(self.changes)
        self.dcmi = Dcmi(
            self.changes,
            self.sensors,
            self.simulation,
            Consequences(self.sensors, self.platform_events, self.chassis, self.emit),
            lambda: self.lan_configuration.get(LanParameter.MAC_ADDRESS, 0),
        )
        self._stateful: tuple[Stateful, ...] = (
            self.clock,
            self.device,
            self.users,
            self.channels,
            self.lan_configuration,
            self.system_info,
            self.payload_access,
            self.sol_configuration,
            self.boot_options,
            self.chassis,
            self.sel,
            self.sdr,
            self.fru,
            self.sensors,
            self.firewall,
            self.serial_configuration,
            self.dcmi,
            self.upgrade,
            self.pef,
        )
        self._timed: tuple[Timed, ...] = (
            self.boot_options,
            self.chassis,
            self.watchdog,
            self.simulation,
            self.pef,
            self.port,
            *self.satellites,
        )
        self._volatile: tuple[Volatile, ...] = (
            self.channels,
            self.lan_configuration,
            self.system_info,
            self.sol_configuration,
            self.serial_configuration,
            self.messaging,
            self.watchdog,
            self.boot_options,
            self.chassis,
            self.platform_events,
            self.pef,
        )

    def restore(self, rooms: Mapping[str, Rows]) -> None:
        """Give every object what it had kept, and the satellites theirs."""
        super().restore(rooms)
        for satellite in self.satellites:
            satellite.restore(rooms)

    def start(self, now: float) -> None:
        """Once, when the clock is set and what was kept is back: the log of a new server begins."""
        self.pef.begin(now)
        self.simulation.begin(now)

    def _count_sessions(self, channel: int) -> int:
        return sum(session.channel == channel for session in self.sessions.active())

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
