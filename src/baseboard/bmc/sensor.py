"""One sensor: its reading or states, what they are compared with, and the events that follow.

Theory of operation  [IPMI 35, 36; 29.7]
-------------------
A threshold sensor compares its raw reading with up to six thresholds. An upper threshold's "going high"
event is asserted when the reading reaches it and taken back when it falls below it by more than the
positive hysteresis; a lower threshold's "going low" event likewise the other way round. The comparison
bits in the reading itself know no hysteresis. A discrete sensor's states assert and de-assert events bit
by bit. Both re-arm themselves.

Which events are logged is masked twice for each direction: by what the sensor supports (its record) and by
what Set Sensor Event Enable left on. The answer to Get Sensor Reading is kept encoded and made anew only
when something changed.

A sensor that is *held* keeps what a person or a command gave it, whatever the simulation says; one that is
*quiet* (its part of the machine has no power) compares nothing. One without a reading is *unavailable*.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from baseboard.bmc.sensor_settings import DiscreteSensorSettings, SensorSettings, ThresholdSensorSettings
from baseboard.errors import CommandError
from baseboard.ipmi.codec import Encoded
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.records.sel import UNSPECIFIED
from baseboard.ipmi.sensor_types import THRESHOLD
from baseboard.ipmi.sensor_units import Conversion

EventOutlet = Callable[[int, int, int, bool, bytes, float], None]
"""Sensor type, sensor number, event type, de-assertion, event data, now."""

EVENTS_ON, SCANNING_ON, UNAVAILABLE = 0x80, 0x40, 0x20
"""Bits of the flags byte.  [IPMI Table 35-15]"""
TRIGGER_READING_AND_THRESHOLD = 0x50
"""Event data 1: data 2 is the reading, data 3 the threshold.  [IPMI 29.7, Table 29-6]"""


class Sensor(ABC):
    """What threshold and discrete sensors have in common."""

    event_type: int

    def __init__(self, settings: SensorSettings, supported: int, outlet: EventOutlet) -> None:
        self.settings = settings
        self.number = settings.number
        self.name = settings.name
        self.sensor_type = settings.sensor_type
        self.supported = supported
        """Events that it can report: a bit for each offset."""
        self.events_on = settings.events
        self.scanning_on = True
        self.enabled_assertions = self.enabled_deassertions = supported
        self.assertions = 0
        """Events that are asserted now."""
        self.deassertions = 0
        """Events that were taken back since they were last asserted or re-armed."""
        self.available = True
        self.held = False
        self.quiet = False
        self._outlet = outlet
        self.answer = Encoded(data=b"")
        """To Get Sensor Reading."""

    @property
    def flags(self) -> int:
        """Events, scanning, availability, as readings and event masks carry them."""
        flags = (EVENTS_ON if self.events_on else 0) | (SCANNING_ON if self.scanning_on else 0)
        return flags if self.available and self.scanning_on else flags | UNAVAILABLE

    def set_unavailable(self) -> None:
        """There is nothing to read: what was asserted is forgotten without an event."""
        if self.available:
            self.available = False
            self.assertions = self.deassertions = 0
            self.refresh()

    def set_quiet(self, quiet: bool, now: float) -> None:
        """Stop comparing, or begin again."""
        if quiet != self.quiet:
            self.quiet = quiet
            if quiet:
                self.assertions = self.deassertions = 0
            else:
                self.evaluate(now)
            self.refresh()

    def enable(self, events: bool, scanning: bool, now: float) -> None:
        """The two switches of Set Sensor Event Enable."""
        self.events_on = events
        if scanning != self.scanning_on:
            self.scanning_on = scanning
            self.evaluate(now)
        self.refresh()

    def rearm(self, assertions: int, deassertions: int, now: float) -> None:
        """Forget these events; those whose condition still holds are reported again.  [IPMI 35.12]"""
        self.assertions &= ~assertions
        self.deassertions &= ~deassertions
        self.evaluate(now)

    @abstractmethod
    def evaluate(self, now: float) -> None:
        """Compare, and report what changed."""

    @abstractmethod
    def refresh(self) -> None:
        """Encode the answer to Get Sensor Reading anew."""

    @abstractmethod
    def describe(self, offset: int) -> bytes:
        """Event data for an event of this offset."""

    def _become(
        self, asserted: int, now: float, event_data: bytes | None = None, own_offset: bool = False
    ) -> None:
        """The asserted events are these from now on; report the differences."""
        before = self.assertions
        if asserted == before:
            return
        risen, fallen = asserted & ~before, before & ~asserted
        self.assertions = asserted
        self.deassertions = (self.deassertions | fallen) & ~risen
        if not self.events_on:
            return
        for mask, enabled, deassertion in (
            (fallen, self.enabled_deassertions, True),
            (risen, self.enabled_assertions, False),
        ):
            mask &= enabled & self.supported
            while mask:
                offset = (mask & -mask).bit_length() - 1
                mask &= mask - 1
                data = event_data or self.describe(offset)
                if own_offset:
                    data = bytes((data[0] & 0xF0 | offset,)) + data[1:]
                self._outlet(self.sensor_type, self.number, self.event_type, deassertion, data, now)


class ThresholdSensor(Sensor):
    """A reading in units, kept as a raw byte.  Thresholds are in the order of the masks' bits."""

    settings: ThresholdSensorSettings

    def __init__(self, settings: ThresholdSensorSettings, outlet: EventOutlet) -> None:
        self.conversion = settings.conversion or Conversion.fit(settings.minimum, settings.maximum)
        self.present = sum(1 << i for i, value in enumerate(settings.thresholds) if value is not None)
        super().__init__(settings, _events_of(self.present), outlet)
        self.event_type = THRESHOLD
        self.initialize()
        start = settings.nominal if settings.nominal is not None else settings.minimum
        self.raw = self.conversion.to_raw(start)
        self.refresh()

    def initialize(self) -> None:
        """Thresholds and hysteresis as the settings say."""
        settings, to_raw = self.settings, self.conversion.to_raw
        self.thresholds_raw = [0 if value is None else to_raw(value) for value in settings.thresholds]
        step = self.conversion.difference_to_raw(settings.hysteresis)
        self.hysteresis_raw = (step, step)

    @property
    def value(self) -> float | None:
        """The reading in units; None: there is none."""
        return self.conversion.to_units(self.raw) if self.available and self.scanning_on else None

    def set(self, value: float, now: float) -> None:
        """A reading in units."""
        self.set_raw(self.conversion.to_raw(value), now)

    def set_raw(self, raw: int, now: float) -> None:
        """A raw reading."""
        if raw == self.raw and self.available:
            return
        self.raw = raw
        self.available = True
        self.evaluate(now)
        self.refresh()

    def set_thresholds(self, mask: int, thresholds: tuple[int, ...], now: float) -> None:
        """Replace those that the mask names, and compare again."""
        if mask & ~self.present or not self.settings.thresholds_settable:
            raise CommandError(CompletionCode.INVALID_FIELD, "not all of these thresholds can be set")
        for i in range(6):
            if mask >> i & 1:
                self.thresholds_raw[i] = thresholds[i]
        self.evaluate(now)
        self.refresh()

    def set_hysteresis(self, positive: int, negative: int, now: float) -> None:
        """Replace both, and compare again."""
        self.hysteresis_raw = positive, negative
        self.evaluate(now)

    @property
    def comparison(self) -> int:
        """Which thresholds the reading is at or beyond: bits as in Get Sensor Reading."""
        if self.quiet:
            return 0
        number = self.conversion.number
        x, state = number(self.raw), 0
        for i, threshold in enumerate(self.thresholds_raw):
            if self.present >> i & 1:
                limit = number(threshold)
                if (x <= limit) if i < 3 else (x >= limit):
                    state |= 1 << i
        return state

    def evaluate(self, now: float) -> None:
        """Assert at a threshold, take back only beyond the hysteresis."""
        if self.quiet or not self.available or not self.scanning_on:
            return
        number = self.conversion.number
        x, asserted, events = number(self.raw), self.assertions, self.supported
        positive, negative = self.hysteresis_raw
        while events:
            bit = events & -events
            events ^= bit
            offset = bit.bit_length() - 1
            limit = number(self.thresholds_raw[offset >> 1])
            if offset & 1:
                reached, left = x >= limit, x < limit - positive
            else:
                reached, left = x <= limit, x > limit + negative
            if reached:
                asserted |= bit
            elif left:
                asserted &= ~bit
        self._become(asserted, now)

    def describe(self, offset: int) -> bytes:
        """The reading and the threshold that it passed."""
        return bytes((TRIGGER_READING_AND_THRESHOLD | offset, self.raw, self.thresholds_raw[offset >> 1]))

    def refresh(self) -> None:
        """Reading, flags, comparison; the last byte is for discrete sensors.  [IPMI 35.14, Table 35-15]"""
        flags = self.flags
        if flags & UNAVAILABLE:
            self.answer = Encoded(data=bytes((0, flags, 0xC0, 0x80)))
        else:
            self.answer = Encoded(data=bytes((self.raw, flags, 0xC0 | self.comparison, 0x80)))


class DiscreteSensor(Sensor):
    """States, a bit for each offset."""

    settings: DiscreteSensorSettings

    def __init__(self, settings: DiscreteSensorSettings, outlet: EventOutlet) -> None:
        super().__init__(settings, settings.mask, outlet)
        self.event_type = settings.event_type
        self.states = sum(1 << offset for offset in set(settings.present))
        self.assertions = self.states
        self.refresh()

    def set_states(
        self, states: int, now: float, event_data: bytes | None = None, own_offset: bool = False
    ) -> None:
        """These states and no other are true.

        `event_data` stands in the events instead of the plain offset, or with `own_offset` beside it.
        """
        states &= self.supported
        if states == self.states and self.available:
            return
        self.states = states
        self.available = True
        if not self.quiet and self.scanning_on:
            self._become(states, now, event_data, own_offset)
        self.refresh()

    def show(self, states: int) -> None:
        """The same without an event: somebody else reports it."""
        states &= self.supported
        if states != self.states or not self.available:
            self.states = self.assertions = states
            self.available = True
            self.refresh()

    def note(self, offset: int, deassertion: bool) -> None:
        """An event of this sensor was reported by its source: the states follow."""
        bit = 1 << offset
        if deassertion:
            self.show(self.states & ~bit)
        else:
            self.show(bit if self.settings.exclusive else self.states | bit)

    def evaluate(self, now: float) -> None:
        """What is true is asserted."""
        if not self.quiet and self.available and self.scanning_on:
            self._become(self.states, now)

    def describe(self, offset: int) -> bytes:
        """The offset and nothing more."""
        return bytes((offset, UNSPECIFIED, UNSPECIFIED))

    def refresh(self) -> None:
        """No reading, flags, states.  [IPMI 35.14, Table 35-15]"""
        flags = self.flags
        states = 0 if flags & UNAVAILABLE else self.states
        self.answer = Encoded(data=bytes((0, flags, states & 0xFF, states >> 8 | 0x80)))


def _events_of(thresholds: int) -> int:
    """Events of these thresholds: lower ones going low, upper ones going high.  [IPMI Table 42-2]"""
    return sum(1 << (2 * i + (i >= 3)) for i in range(6) if thresholds >> i & 1)
