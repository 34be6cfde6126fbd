"""All sensors of the server, by number and by name; what commands changed on them is durable.  [IPMI 35]"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.sensor import DiscreteSensor, EventOutlet, Sensor, ThresholdSensor
from baseboard.bmc.sensor_settings import DiscreteSensorSettings, SensorSettings, ThresholdSensorSettings
from baseboard.errors import CommandError, ConfigError
from baseboard.ipmi.completion import CompletionCode

ROOM = "sensors"


def make_sensor(settings: SensorSettings, outlet: EventOutlet) -> Sensor | None:
    """The sensor that settings describe; None for one that only reports events and cannot be read."""
    if isinstance(settings, ThresholdSensorSettings):
        return ThresholdSensor(settings, outlet)
    if isinstance(settings, DiscreteSensorSettings) and not settings.event_only:
        return DiscreteSensor(settings, outlet)
    return None


class Sensors:
    """The sensors that can be read."""

    room = ROOM

    def __init__(self, settings: Sequence[SensorSettings], changes: Changes, outlet: EventOutlet) -> None:
        self._changes = changes
        self._by_number: dict[int, Sensor] = {}
        self._by_name: dict[str, Sensor] = {}
        numbers: set[int] = set()
        for one in settings:
            if one.number in numbers:
                raise ConfigError(f"sensor {one.name!r}: number {one.number} is taken already")
            numbers.add(one.number)
            if sensor := make_sensor(one, outlet):
                self._by_number[one.number] = sensor
                self._by_name[one.name] = sensor

    def restore(self, rows: Rows) -> None:
        """Take back what commands changed, where the sensor is still the same."""
        for key, row in rows.items():
            sensor = self._by_number.get(int(key))
            if sensor is None or sensor.name != row["name"]:
                continue
            sensor.events_on, sensor.scanning_on = bool(row["events"]), bool(row["scanning"])
            sensor.enabled_assertions, sensor.enabled_deassertions = (
                int(row["assertions"]),
                int(row["deassertions"]),
            )
            sensor.sensor_type, sensor.event_type = bytes(row["type"])
            if isinstance(sensor, ThresholdSensor) and "thresholds" in row:
                one, two, three, four, five, six = bytes(row["thresholds"])
                sensor.thresholds_raw = [one, two, three, four, five, six]
                positive, negative = bytes(row["hysteresis"])
                sensor.hysteresis_raw = positive, negative
            sensor.refresh()

    def __iter__(self) -> Iterator[Sensor]:
        return iter(self._by_number.values())

    def __len__(self) -> int:
        return len(self._by_number)

    def __contains__(self, key: int | str) -> bool:
        return key in (self._by_name if isinstance(key, str) else self._by_number)

    def __getitem__(self, key: int | str) -> Sensor:
        """By number or by name.  Raises KeyError."""
        return self._by_name[key] if isinstance(key, str) else self._by_number[key]

    def get(self, number: int) -> Sensor:
        """The sensor that a command names."""
        sensor = self._by_number.get(number)
        if sensor is None:
            raise CommandError(CompletionCode.NOT_PRESENT, f"there is no sensor {number:02X}h")
        return sensor

    def get_threshold(self, number: int) -> ThresholdSensor:
        """The same for commands that are about thresholds, hysteresis and conversion."""
        sensor = self.get(number)
        if not isinstance(sensor, ThresholdSensor):
            raise CommandError(CompletionCode.ILLEGAL_FOR_TYPE, f"sensor {number:02X}h is discrete")
        return sensor

    def initialize(self, now: float) -> None:
        """The initialization agent: everything as the records say.  [IPMI 33.21]"""
        for sensor in self:
            sensor.enabled_assertions = sensor.enabled_deassertions = sensor.supported
            sensor.events_on, sensor.scanning_on = sensor.settings.events, True
            if isinstance(sensor, ThresholdSensor):
                sensor.initialize()
            sensor.evaluate(now)
            sensor.refresh()
        self._changes.clear(ROOM)

    def rearm(self, now: float) -> None:
        """All of them, as Set Event Receiver wants it.  [IPMI 29.1]"""
        for sensor in self:
            if isinstance(sensor, ThresholdSensor):
                sensor.rearm(sensor.supported, sensor.supported, now)

    def keep(self, sensor: Sensor) -> None:
        """A command changed it: make that durable."""
        row: dict[str, Any] = {
            "name": sensor.name,
            "events": sensor.events_on,
            "scanning": sensor.scanning_on,
            "assertions": sensor.enabled_assertions,
            "deassertions": sensor.enabled_deassertions,
            "type": [sensor.sensor_type, sensor.event_type],
        }
        if isinstance(sensor, ThresholdSensor):
            row["thresholds"] = list(sensor.thresholds_raw)
            row["hysteresis"] = list(sensor.hysteresis_raw)
        self._changes.put(ROOM, f"{sensor.number:03d}", row)
