"""What a sensor is, in engineering units: everything else (raw numbers, records) is derived from this."""

from __future__ import annotations

from dataclasses import dataclass

from baseboard.errors import ConfigError
from baseboard.ipmi.sensor_types import SENSOR_SPECIFIC
from baseboard.ipmi.sensor_units import Conversion

LONGEST_NAME = 16
"""Characters of a record's id string.  [IPMI 43.15]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSettings:
    """What threshold and discrete sensors have in common."""

    number: int
    """01h-FEh."""
    name: str
    sensor_type: int
    """[IPMI Table 42-3]; `sensor_types.sensor_type_code` knows the names."""
    entity: tuple[int, int] = (0x07, 1)
    """Entity id and instance that it measures; 07h is the system board."""
    follows: str = ""
    """The quantity of the simulated server that drives it; empty: it stays where it is put."""
    settable: bool = True
    """Set Sensor Reading And Event Status may hold it at a value of its own."""
    events: bool = True
    """Its events are logged, until Set Sensor Event Enable says otherwise."""

    def _check(self) -> None:
        if not 0x01 <= self.number <= 0xFE:
            raise ConfigError(f"sensor {self.name!r}: number {self.number}, allowed are 1 to 254")
        if not 1 < len(self.name) <= LONGEST_NAME:
            raise ConfigError(f"sensor {self.number}: the name {self.name!r} has not 2 to 16 characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdSensorSettings(SensorSettings):
    """A sensor with a reading; a threshold that is None does not exist."""

    unit: int
    """[IPMI Table 43-15]; `sensor_units.unit_code` knows the names."""
    percentage: bool = False
    minimum: float = 0.0
    """The least value that it can report."""
    maximum: float = 255.0
    nominal: float | None = None
    normal_minimum: float | None = None
    normal_maximum: float | None = None
    lower_noncritical: float | None = None
    lower_critical: float | None = None
    lower_nonrecoverable: float | None = None
    upper_noncritical: float | None = None
    upper_critical: float | None = None
    upper_nonrecoverable: float | None = None
    hysteresis: float = 0.0
    """How far a value must go back over a threshold before the event is taken back."""
    thresholds_settable: bool = True
    conversion: Conversion | None = None
    """Exactly these numbers, instead of those that fit the range."""

    def __post_init__(self) -> None:
        self._check()
        if not self.minimum < self.maximum:
            raise ConfigError(f"sensor {self.name!r}: {self.minimum} to {self.maximum} is no range")
        given = [value for value in self.in_order() if value is not None]
        if given != sorted(given):
            raise ConfigError(f"sensor {self.name!r}: thresholds do not rise from lower to upper: {given}")

    @property
    def thresholds(self) -> tuple[float | None, ...]:
        """In the order of the masks' bits: lower non-critical first, upper non-recoverable last."""
        return (
            self.lower_noncritical,
            self.lower_critical,
            self.lower_nonrecoverable,
            self.upper_noncritical,
            self.upper_critical,
            self.upper_nonrecoverable,
        )

    def in_order(self) -> tuple[float | None, ...]:
        """From the lowest to the highest."""
        lower = self.lower_nonrecoverable, self.lower_critical, self.lower_noncritical
        return *lower, self.upper_noncritical, self.upper_critical, self.upper_nonrecoverable


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscreteSensorSettings(SensorSettings):
    """A sensor with states instead of a reading."""

    event_type: int = SENSOR_SPECIFIC
    """6Fh: states of the sensor type; 02h-0Ch: generic ones."""
    states: tuple[int, ...]
    """Offsets that it can report."""
    present: tuple[int, ...] = ()
    """Offsets that are true at the start."""
    event_only: bool = False
    """It reports events and has no reading: an event-only record."""
    exclusive: bool = False
    """A state takes the place of the one before (watchdog)."""

    def __post_init__(self) -> None:
        self._check()
        if not all(0 <= offset <= 14 for offset in self.states):
            raise ConfigError(f"sensor {self.name!r}: states {self.states}, allowed are offsets 0 to 14")
        if not set(self.present) <= set(self.states):
            raise ConfigError(f"sensor {self.name!r}: it starts in a state that it does not have")

    @property
    def mask(self) -> int:
        """One bit for each state."""
        return sum(1 << offset for offset in set(self.states))
