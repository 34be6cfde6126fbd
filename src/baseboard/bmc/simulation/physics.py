"""The quantities of a server: temperatures, fans, voltages, power, from load, ambient and power state.

Theory of operation
-------------------
Two processors turn load into heat; fans answer the hotter of them; air flow carries the heat to the
exhaust; the supplies share what everything draws. Each quantity moves towards its target with a time
constant of its own (a fan in seconds, a board in minutes), exactly over any step of time, so that the
result does not depend on how often `step` is called. A slow wander, different for each quantity, keeps
readings alive; it is a function of time, not of chance.

A quantity that is None has no reading: what is measured only while the machine is on.
"""

from __future__ import annotations

from math import exp, sin

PROCESSORS = (1, 2)
MODULES = (1, 2, 3, 4)
FANS = (1, 2, 3, 4, 5, 6)
SUPPLIES = (1, 2)
DRIVES = (1, 2, 3, 4)

IDLE_WATTS, FULL_WATTS = 35.0, 150.0
"""Of one processor."""
SLOWEST_FAN, FASTEST_FAN = 3600.0, 15_000.0
"""RPM."""
STANDBY_WATTS = 9.0
"""What a supply draws while the machine is off."""
EFFICIENCY = 0.92
LIMIT_MARGIN = 0.98
MAINS_VOLTS = 230.0

POWERED = frozenset(
    {"voltage_12v", "voltage_5v", "voltage_3v3"}
    | {f"fan{n}_speed" for n in FANS}
    | {f"dimm{n}_temperature" for n in MODULES}
    | {f"cpu{n}_{quantity}" for n in PROCESSORS for quantity in ("temperature", "core_voltage")}
)
"""What is measured, or means something, only while the machine is on."""


class Server:
    """State of the machine's physics."""

    def __init__(self) -> None:
        self.failed_fans: set[int] = set()
        self.failed_supplies: set[int] = set()
        self.power_limit: float | None = None
        """Watts from the mains that the processors are slowed down for."""
        self.quantities: dict[str, float | None] = {}
        self._time = 0.0
        self._values: dict[str, float] = {}

    def step(self, seconds: float, on: bool, load: float, ambient: float) -> None:
        """Let time pass."""
        self._time += seconds
        load = self._within_limit(min(max(load, 0.0), 1.0))
        air = self._move("inlet", ambient + self._wander(0.4, 97), 30, seconds)
        heat = IDLE_WATTS + (FULL_WATTS - IDLE_WATTS) * load if on else 0.0

        hottest = max(self._values.get(f"cpu{n}", air) for n in PROCESSORS)
        wanted = min(
            max(SLOWEST_FAN + 260 * (hottest - 45) + 1500 * len(self.failed_fans), SLOWEST_FAN), FASTEST_FAN
        )
        total_speed = 0.0
        for n in FANS:
            target = wanted * (1 + 0.012 * (n % 3 - 1)) if on and n not in self.failed_fans else 0.0
            speed = self._move(f"fan{n}", target, 3, seconds)
            turning = on or speed > 150
            self._show(f"fan{n}_speed", speed + (self._wander(40, 13 + n) if target else 0.0), turning)
            total_speed += speed
        flow = total_speed / (len(FANS) * FASTEST_FAN)

        resistance = 0.30 / (0.35 + 0.65 * flow) if on else 0.5
        for n in PROCESSORS:
            target = air + 4 + n + heat * resistance + (self._wander(0.6, 31 + n) if on else 0.0)
            self._show(f"cpu{n}_temperature", self._move(f"cpu{n}", target, 18 if on else 120, seconds), on)
            core = 1.80 - 0.04 * load + self._wander(0.004, 7 + n)
            self._show(f"cpu{n}_core_voltage", core, on)
        for n in MODULES:
            target = air + (7 + 0.6 * n + 13 * load + 4 * (1 - flow) if on else 1.0)
            self._show(f"dimm{n}_temperature", self._move(f"dimm{n}", target, 60, seconds), on)

        drawn = 2 * heat + 72 + 14 * load + self._cooling() if on else 0.0
        drawn = self._move("drawn", drawn, 1.5, seconds)
        self._show("system_power", drawn if on else 0.0, True)
        self._show(
            "exhaust_temperature", self._move("exhaust", self._exhaust(air, drawn, flow), 25, seconds), True
        )
        self._show("inlet_temperature", air, True)
        board = air + (6 + 5 * load if on else 2)
        self._show("board_temperature", self._move("board", board, 90, seconds), True)
        self._supply_rails(on, load)
        self._share_power(drawn, on)

    def settle(self, on: bool, load: float, ambient: float) -> None:
        """Go to where the present circumstances lead in the end."""
        for _ in range(40):
            self.step(30, on, load, ambient)

    def _cooling(self) -> float:
        """Watts of the fans."""
        return sum(12 * (self._values.get(f"fan{n}", 0.0) / FASTEST_FAN) ** 3 for n in FANS)

    def _within_limit(self, load: float) -> float:
        """As much of the load as the power limit leaves, with a margin for fans that still speed up."""
        if self.power_limit is None:
            return load
        supplies = len(set(SUPPLIES) - self.failed_supplies)
        drawn = (self.power_limit * LIMIT_MARGIN - STANDBY_WATTS * supplies) * EFFICIENCY
        rest = drawn - 72 - 2 * IDLE_WATTS - self._cooling()
        return min(load, max(rest / (2 * (FULL_WATTS - IDLE_WATTS) + 14), 0.0))

    @staticmethod
    def _exhaust(air: float, drawn: float, flow: float) -> float:
        return air + 2 + drawn / (9 + 45 * flow)

    def _supply_rails(self, on: bool, load: float) -> None:
        self._show("voltage_12v", 12.12 - 0.14 * load + self._wander(0.02, 17), on)
        self._show("voltage_5v", 5.04 - 0.03 * load + self._wander(0.008, 19), on)
        self._show("voltage_3v3", 3.33 - 0.02 * load + self._wander(0.005, 23), on)
        self._show("voltage_5v_standby", 5.06 + self._wander(0.008, 29), True)
        self._show("battery_voltage", 3.02 + self._wander(0.003, 211), True)

    def _share_power(self, drawn: float, on: bool) -> None:
        """The supplies that work share the load."""
        working = [n for n in SUPPLIES if n not in self.failed_supplies]
        for n in SUPPLIES:
            out = drawn / len(working) if n in working else 0.0
            into = out / EFFICIENCY + STANDBY_WATTS if n in working else 0.0
            self._show(f"psu{n}_output_power", out, True)
            self._show(f"psu{n}_input_power", into, True)
            self._show(f"psu{n}_input_current", into / MAINS_VOLTS, True)
            self._show(f"psu{n}_temperature", self._values["inlet"] + 6 + out * 0.06, n in working)
        self._show(
            "system_input_power", sum(self.quantities[f"psu{n}_input_power"] or 0.0 for n in SUPPLIES), True
        )

    def _move(self, name: str, target: float, time_constant: float, seconds: float) -> float:
        value = self._values.get(name)
        value = target if value is None else target + (value - target) * exp(-seconds / time_constant)
        self._values[name] = value
        return value

    def _wander(self, amount: float, period: float) -> float:
        return amount * (0.6 * sin(self._time / period) + 0.4 * sin(self._time / (period * 0.37) + period))

    def _show(self, name: str, value: float, readable: bool) -> None:
        self.quantities[name] = value if readable else None

    # States.

    def states(self, on: bool) -> dict[str, int]:
        """Discrete quantities: a bit for each offset."""
        states = {
            "power_unit": 0 if on else 1 << 0,
            "fan_redundancy": 1 << (1 if self.failed_fans else 0),
            "supply_redundancy": 1 << (1 if self.failed_supplies else 0),
        }
        for n in SUPPLIES:
            states[f"psu{n}_status"] = 1 << 0 | (1 << 1 if n in self.failed_supplies else 0)
        return states
