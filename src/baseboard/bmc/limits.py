"""Limits of power and temperature, and what happens when one is passed for too long.  [DCMI 6.6.2, 6.7.1]"""

from __future__ import annotations

from collections.abc import Callable

from baseboard.bmc.chassis import Chassis
from baseboard.bmc.events import Event, PowerAction, PowerRequested
from baseboard.bmc.platform_events import PlatformEvents
from baseboard.bmc.sensor import DiscreteSensor
from baseboard.bmc.sensors import Sensors
from baseboard.ipmi.records.sel import UNSPECIFIED
from baseboard.ipmi.value import Value

LIMIT_EVENT = 0x05
"""Event/reading type of limits; offset 1 is "limit exceeded".  [IPMI 42.1, Table 42-2]"""
EXCEEDED = 1


class Alarm(Value):
    """The sensor that tells of a limit."""

    sensor_type: int
    number: int


class Consequences:
    """What a limit that was passed does to the log and to the machine."""

    def __init__(
        self,
        sensors: Sensors,
        platform_events: PlatformEvents,
        chassis: Chassis,
        emit: Callable[[Event], None],
    ) -> None:
        self._sensors = sensors
        self._platform_events = platform_events
        self._chassis = chassis
        self._emit = emit

    def report(self, alarm: Alarm, exceeded: bool, now: float) -> None:
        """Log it: by the sensor that is there for it, or without one."""
        sensor = next((one for one in self._sensors if one.number == alarm.number), None)
        if isinstance(sensor, DiscreteSensor) and sensor.event_type == LIMIT_EVENT:
            if not sensor.held:
                sensor.set_states(1 << EXCEEDED if exceeded else 0, now)
            return
        data = bytes((EXCEEDED, UNSPECIFIED, UNSPECIFIED))
        self._platform_events.send(alarm.sensor_type, alarm.number, LIMIT_EVENT, not exceeded, data, now)

    def power_off(self) -> None:
        """Cut the machine's power."""
        if self._chassis.power_is_on and PowerAction.OFF in self._chassis.possible_actions:
            self._emit(PowerRequested(PowerAction.OFF))


class Watch:
    """One limit under observation: passed now, and since when."""

    def __init__(self, consequences: Consequences, alarm: Alarm) -> None:
        self._consequences = consequences
        self._alarm = alarm
        self._since: float | None = None
        self._acted = False
        self._logged = False

    def observe(self, exceeded: bool, grace: float, log: bool, power_off: bool, now: float) -> None:
        """Once a second; act once when it has been exceeded for longer than `grace` seconds."""
        if not exceeded:
            self.forget(now)
            return
        if self._since is None:
            self._since = now
        if self._acted or now - self._since < grace:
            return
        self._acted = True
        if log or power_off:
            self._logged = True
            self._consequences.report(self._alarm, True, now)
        if power_off:
            self._consequences.power_off()

    def forget(self, now: float) -> None:
        """It is kept again, or nobody asks any more."""
        self._since = None
        self._acted = False
        if self._logged:
            self._logged = False
            self._consequences.report(self._alarm, False, now)
