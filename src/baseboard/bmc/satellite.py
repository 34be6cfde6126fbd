"""A satellite: a small controller on the bus with an identity, sensors, inventory and device SDRs.

It is made of the same objects as the big one and obeys a part of the same tables. What it lacks (a log, a
repository, users, a chassis) is C1h. Its events go to the event receiver, its durable rows beside those of
the big controller, in rooms that begin with its address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from baseboard.bmc.base import Controller
from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.clock import Clock
from baseboard.bmc.device import Device
from baseboard.bmc.event_sender import EventSender
from baseboard.bmc.events import Event
from baseboard.bmc.firewall import Firewall
from baseboard.bmc.fru import FruStore
from baseboard.bmc.messaging import Messaging
from baseboard.bmc.satellite_settings import SatelliteSettings
from baseboard.bmc.sdr import SdrRepository
from baseboard.bmc.sensor_sdr import controller_record, fru_record, sensor_records
from baseboard.bmc.sensors import Sensors
from baseboard.ipmb.bus import Bus
from baseboard.ipmb.port import Port
from baseboard.ipmi.app_device import Capability
from baseboard.ipmi.records.sdr import encode_record


class SatelliteChanges(Changes):
    """Rows go to the big controller's changes, in rooms of the satellite's own."""

    def __init__(self, changes: Changes, prefix: str) -> None:
        super().__init__()
        self._changes = changes
        self._prefix = prefix

    def put(self, room: str, key: str, value: Any) -> None:
        """Keep `value` under (prefix + room, key)."""
        self._changes.put(self._prefix + room, key, value)

    def delete(self, room: str, key: str) -> None:
        """Remove (prefix + room, key)."""
        self._changes.delete(self._prefix + room, key)

    def clear(self, room: str) -> None:
        """Remove every row of a room."""
        self._changes.clear(self._prefix + room)


class Satellite(Controller):
    """One controller on the bus."""

    def __init__(self, settings: SatelliteSettings, bus: Bus, changes: Changes, clock: Clock) -> None:
        super().__init__()
        self.settings = settings
        self.prefix = f"{settings.address:02X}."
        self.changes = SatelliteChanges(changes, self.prefix)
        self.clock = clock
        self.capabilities = (
            Capability.EVENT_GENERATOR
            | (Capability.SENSORS if settings.sensors else 0)
            | (Capability.FRU if settings.fru else 0)
        )
        identity = settings.device.replace(provides_device_sdrs=True, capabilities=self.capabilities)
        self.device = Device(self.changes, identity)
        self.messaging = Messaging(self.emit)
        self.port = Port(bus, settings.address)
        self.platform_events: EventSender = EventSender(self.port)
        self.sensors = Sensors(settings.sensors, self.changes, self.platform_events.send)
        self.fru = FruStore(lambda: settings.fru, self.changes)
        self.device_sdrs = SdrRepository(self.records(), Changes())
        self.firewall = Firewall(self.changes)
        self._stateful = (
            self.device,
            self.sensors,
            self.fru,
            self.firewall,
        )
        self._timed = (self.port,)
        self._volatile = (self.platform_events, self.messaging)

    def emit(self, event: Event) -> None:
        """It has no chassis and no sessions: nobody need be told."""

    def restore(self, rooms: Mapping[str, Rows]) -> None:
        """Take back its own rows from among all."""
        size = len(self.prefix)
        super().restore({room[size:]: rows for room, rows in rooms.items() if room.startswith(self.prefix)})

    def records(self) -> Sequence[bytes]:
        """Of the controller, its inventories and its sensors, ids still 0."""
        settings = self.settings
        address = settings.address
        controller = controller_record(address, settings.name, self.capabilities, settings.entity)
        locators = [controller, *(fru_record(one, address) for one in settings.fru)]
        encoded = [encode_record(0, locator) for locator in locators]
        return [*encoded, *sensor_records(settings.sensors, self.sensors, address)]
