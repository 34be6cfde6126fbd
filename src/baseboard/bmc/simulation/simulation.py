"""What moves the sensors: once a second the physics go on and the readings follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from baseboard.bmc.chassis import Chassis
from baseboard.bmc.platform_events import PlatformEvents
from baseboard.bmc.sel import Sel
from baseboard.bmc.sensor import DiscreteSensor, Sensor, ThresholdSensor
from baseboard.bmc.simulation.physics import POWERED, Server
from baseboard.errors import ConfigError
from baseboard.ipmi.value import Value

INTERVAL = 1.0
"""Seconds."""
ATTACH_TIME = 5.0
"""Seconds: a machine that is found running so soon has been running before, and is warm."""
SPIN_UP = 15.0
"""Seconds after power-on in which fans and voltages are not compared with their thresholds."""
LONGEST_STEP = 3600.0


class SimulationSettings(Value, kw_only=True):
    """How the simulated server begins."""

    load: float = 0.2
    """0 (idle) to 1 (all it can)."""
    ambient: float = 22.0
    """Degrees C."""


class Simulation:
    """The server's physics and the sensors that follow them."""

    def __init__(
        self,
        settings: SimulationSettings,
        sensors: Iterable[Sensor],
        chassis: Chassis,
        events: PlatformEvents,
        sel: Sel,
        now: float,
    ) -> None:
        self.load = settings.load
        self.ambient = settings.ambient
        self._chassis = chassis
        self._events = events
        self._sel = sel
        self._server = Server()
        self._server.settle(chassis.power_is_on, self.load, self.ambient)
        self._created = self._now = self._next = now
        self._begun = False
        self._on = chassis.power_is_on
        self._quiet_until = now
        known = self._server.quantities | self._server.states(self._on)
        following = [sensor for sensor in sensors if sensor.settings.follows]
        for sensor in following:
            follows = sensor.settings.follows
            if follows not in known:
                what = f"sensor {sensor.name!r} follows {follows!r}"
                raise ConfigError(f"{what}; there are: {', '.join(known)}")
        self._readings = [(s, s.settings.follows) for s in following if isinstance(s, ThresholdSensor)]
        self._discrete = [(s, s.settings.follows) for s in following if isinstance(s, DiscreteSensor)]
        self.observers: list[Callable[[float], None]] = []
        """Called with `now` after each step."""
        chassis.listeners.append(self._power_changed)
        self._show(now)

    def begin(self, now: float) -> None:
        """The first start of a server's life leaves its mark in the log; later ones do nothing here.

        The shell calls it when the clock is set and what was kept is back; else the first tick does.
        """
        if self._begun:
            return
        self._begun = True
        if not self._sel.used:
            self._events.clear(now)

    def next_deadline(self) -> float:
        """Once a second, whether or not anybody reads."""
        return self._next

    def handle_deadline(self, now: float) -> None:
        """One step."""
        self.begin(now)
        self.tick(now)

    def tick(self, now: float) -> None:
        """Let the physics go on to `now`, and the sensors follow."""
        elapsed = min(max(now - self._now, 0.0), LONGEST_STEP)
        self._now = now
        self._next = now + INTERVAL
        self._server.step(elapsed, self._on, self.load, self.ambient)
        if self._chassis.power_is_on is not self._on:  # until now it was as before
            self._switch(self._chassis.power_is_on, now)
        self._show(now)
        for observer in self.observers:
            observer(now)

    # What people do to it.

    def fail_fan(self, number: int, now: float) -> None:
        """A fan stops."""
        self._server.failed_fans.add(number)
        self._changed(now)

    def repair_fan(self, number: int, now: float) -> None:
        """It turns again."""
        self._server.failed_fans.discard(number)
        self._changed(now)

    def fail_power_supply(self, number: int, now: float) -> None:
        """A supply gives nothing."""
        self._server.failed_supplies.add(number)
        self._changed(now)

    def repair_power_supply(self, number: int, now: float) -> None:
        """It works again."""
        self._server.failed_supplies.discard(number)
        self._changed(now)

    def hold(self, sensor: Sensor, now: float, *, value: float | None = None, states: int = 0) -> None:
        """Put a sensor somewhere, and let it stay there until it is released."""
        sensor.held = True
        sensor.set_quiet(False, now)
        if isinstance(sensor, ThresholdSensor):
            if value is None:
                sensor.set_unavailable()
            else:
                sensor.set(value, now)
        elif isinstance(sensor, DiscreteSensor):
            sensor.set_states(states, now)

    def release(self, sensor: Sensor, now: float) -> None:
        """Let it follow the simulation again."""
        sensor.held = False
        self._show(now)

    @property
    def watts(self) -> float:
        """What the server takes from the mains."""
        return self._server.quantities["system_input_power"] or 0.0

    @property
    def power_limit(self) -> float | None:
        """Watts from the mains that the server keeps within if it can; None: no limit."""
        return self._server.power_limit

    @power_limit.setter
    def power_limit(self, watts: float | None) -> None:
        self._server.power_limit = watts

    @property
    def quantities(self) -> dict[str, float | None]:
        """Everything that sensors may follow, in units; None: no reading."""
        return self._server.quantities

    # Inside.

    def _changed(self, now: float) -> None:
        self._chassis.fan_fault = bool(self._server.failed_fans)
        self.tick(now)

    def _power_changed(self, on: bool, now: float) -> None:
        if on != self._on:
            self.tick(now)

    def _switch(self, on: bool, now: float) -> None:
        self._on = on
        if on and now - self._created < ATTACH_TIME:
            self._server.settle(on, self.load, self.ambient)
        else:
            self._quiet_until = now + SPIN_UP
            self._server.step(0.0, on, self.load, self.ambient)

    def _show(self, now: float) -> None:
        on = self._on
        quiet = not on or now < self._quiet_until
        quantities = self._server.quantities
        for sensor, follows in self._readings:
            if sensor.held:
                continue
            changes = sensor.quiet is not quiet and follows in POWERED
            if changes and quiet:
                sensor.set_quiet(True, now)
            value = quantities[follows]
            if value is None:
                sensor.set_unavailable()
            else:
                sensor.set(value, now)
            if changes and not quiet:
                sensor.set_quiet(False, now)
        states = self._server.states(on)
        for one, follows in self._discrete:
            if one.held:
                continue
            if follows == "power_unit":
                one.show(one.states & ~1 | states[follows])  # the chassis reports its events
            else:
                one.set_states(one.states & ~_DRIVEN[follows] | states[follows], now)


_DRIVEN = {
    "fan_redundancy": 0b11,
    "supply_redundancy": 0b11,
    "psu1_status": 0b11,
    "psu2_status": 0b11,
}
"""Which states of each follower the simulation decides."""
