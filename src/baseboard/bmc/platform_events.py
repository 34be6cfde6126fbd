"""From an event to the log: the event receiver of the controller.  [IPMI 29, 31]

Everything that is logged comes through here: events of our own sensors, event messages from software and
other controllers, records that a command adds. Each becomes a record, goes to the SEL if event logging is
enabled, to the event message buffer, and out as `SensorEventLogged`. When the log gets nearly full, that
is an event too; the last free place is for the one that says that it is full.  [IPMI Table 42-3, 10h]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from baseboard.bmc.clock import Clock
from baseboard.bmc.event_sender import NOBODY, EventReceiver, EventSender
from baseboard.bmc.events import Event, SensorEventLogged
from baseboard.bmc.messaging import Messaging
from baseboard.bmc.sel import Sel, SelSettings
from baseboard.bmc.sensor import DiscreteSensor
from baseboard.bmc.sensors import Sensors
from baseboard.bmc.well_known import SEL_SENSOR
from baseboard.ipmb.port import Port
from baseboard.ipmi.records.sel import EVENT_MESSAGE_REVISION, SYSTEM_EVENT, UNSPECIFIED, SystemEvent
from baseboard.ipmi.sensor_types import SENSOR_SPECIFIC

EVENT_LOGGING_DISABLED = 0x10
"""Sensor type of the log itself; its offsets follow."""
LOG_CLEARED, LOG_FULL, LOG_ALMOST_FULL = 2, 4, 5
DATA_3_IS_SPECIFIC = 0x30
"""Event data 1: data 3 is what the sensor type says, here the percentage.  [IPMI 29.7, Table 29-6]"""
WORTH_WARNING = 16
"""A log of fewer records says nothing of how full it is."""


class EventFilter(Protocol):
    """Decides what else follows from events."""

    def event(self, record: bytes, logged: bool, now: float) -> None:
        """A record was logged, or could not be."""

    def log_cleared(self) -> None:
        """The SEL was cleared."""


class PlatformEvents(EventReceiver):
    """Takes events, makes records, tells who must know."""

    def __init__(
        self,
        settings: SelSettings,
        sel: Sel,
        clock: Clock,
        messaging: Messaging,
        emit: Callable[[Event], None],
        port: Port,
        receiver: int | None = None,
    ) -> None:
        self.address = port.address
        """Who says it, in our own records."""
        super().__init__(self.address if receiver is None else receiver)
        self._sender = EventSender(port)
        self._settings = settings
        self._sel = sel
        self._clock = clock
        self._messaging = messaging
        self._emit = emit
        self._sensors: Sensors | None = None
        self.filter: EventFilter | None = None
        """Sees every event once it is logged; the controller puts its own in here."""

    def watch(self, sensors: Sensors) -> None:
        """The states of these follow events that are reported from elsewhere."""
        self._sensors = sensors

    def report(
        self, sensor_type: int, number: int, event_type: int, deassertion: bool, data: bytes, now: float
    ) -> None:
        """An event of our own; the sensor that shows it follows."""
        if self._sensors is not None and number in self._sensors and event_type == SENSOR_SPECIFIC:
            sensor = self._sensors[number]
            if isinstance(sensor, DiscreteSensor) and sensor.sensor_type == sensor_type and not sensor.held:
                sensor.note(data[0] & 0x0F, deassertion)
        self.send(sensor_type, number, event_type, deassertion, data, now)

    def send(
        self, sensor_type: int, number: int, event_type: int, deassertion: bool, data: bytes, now: float
    ) -> None:
        """An event of our own, unless Set Event Receiver says that nobody wants any."""
        receiver = self.receiver[0]
        if receiver == NOBODY:
            return
        self.receive(sensor_type, number, event_type, deassertion, data, now, self._messaging.event_logging)
        if receiver != self.address:
            self._sender.receiver = self.receiver
            self._sender.send(sensor_type, number, event_type, deassertion, data, now)

    def receive(
        self,
        sensor_type: int,
        number: int,
        event_type: int,
        deassertion: bool,
        data: bytes,
        now: float,
        logging: bool,
        generator: int | None = None,
        buffered: bool = True,
    ) -> None:
        """An event from anywhere: 16-bit `generator` as in the record (None: ourselves), missing data FFh.

        `buffered` False keeps it out of the event message buffer.
        """
        if generator is None:
            generator = self.address
        event = SystemEvent(
            record_id=0xFFFF,
            kind=SYSTEM_EVENT,
            timestamp=self._clock.time(now),
            generator_id=generator & 0xFF,
            channel=generator >> 12,
            lun=generator >> 8 & 0x03,
            revision=EVENT_MESSAGE_REVISION,
            sensor_type=sensor_type,
            sensor_number=number,
            deassertion=deassertion,
            event_type=event_type,
            event_data=data[:3].ljust(3, bytes((UNSPECIFIED,))),
        )
        record = event.encode()
        stored = self.log(record, now) if logging else None
        if buffered:
            self._messaging.event(stored or record)
        if stored is None and self.filter is not None:
            self.filter.event(record, False, now)

    def log(self, record: bytes, now: float) -> bytes | None:
        """Add a record to the SEL; as it was stored, or None when the log is full."""
        sel = self._sel
        before = len(sel)
        stored = sel.add(record, self._clock.time(now))
        if stored is not None:
            self._emit(SensorEventLogged(stored))
            self._warn(before, now)
            if self.filter is not None:
                self.filter.event(stored, True, now)
        return stored

    def clear(self, now: float) -> None:
        """Clear the SEL; its first record then says so."""
        self._sel.clear(self._clock.time(now))
        if self.filter is not None:
            self.filter.log_cleared()
        if self._sensors is not None and SEL_SENSOR in self._sensors:
            sensor = self._sensors[SEL_SENSOR]
            if isinstance(sensor, DiscreteSensor) and not sensor.held:
                sensor.show(0)
        if self._settings.log_clearing:
            self._report_log(bytes((LOG_CLEARED, UNSPECIFIED, UNSPECIFIED)), now)

    def _warn(self, before: int, now: float) -> None:
        capacity, threshold = self._sel.capacity, self._settings.almost_full_percent
        if capacity < WORTH_WARNING:
            return
        if before * 100 < threshold * capacity <= (before + 1) * 100:
            data = bytes((DATA_3_IS_SPECIFIC | LOG_ALMOST_FULL, UNSPECIFIED, threshold))
            self._report_log(data, now)
        if before + 1 == capacity - 1:
            self._report_log(bytes((LOG_FULL, UNSPECIFIED, UNSPECIFIED)), now)

    def _report_log(self, data: bytes, now: float) -> None:
        self.report(EVENT_LOGGING_DISABLED, SEL_SENSOR, SENSOR_SPECIFIC, False, data, now)
