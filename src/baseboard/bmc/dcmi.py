"""What DCMI adds to a controller: power statistics and limit, thermal limits, names.  [DCMI 1.5]

Once a second, with each step of the simulated server, the watts are sampled and the limits looked at. An
active power limit throttles the processors, so that the server takes less than it would; only a limit below
what it takes without any load is exceeded, and after the correction time that has the exception action as its
consequence.
"""

from __future__ import annotations

from collections.abc import Callable

from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.limits import Alarm, Consequences, Watch
from baseboard.bmc.power_statistics import KEPT, PowerStatistics, period_code
from baseboard.bmc.sensor import ThresholdSensor
from baseboard.bmc.sensors import Sensors
from baseboard.bmc.simulation.simulation import Simulation
from baseboard.bmc.well_known import POWER_LIMIT_SENSOR, THERMAL_LIMIT_SENSOR
from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.dcmi import LONGEST_IDENTIFIER, Configuration, ExceptionAction, Refusal, ThermalAction
from baseboard.ipmi.value import Value

ROOM = "dcmi"

DEFAULT_PERIOD = 60
"""Seconds of the power statistics, until Set Power Limit says otherwise."""
PERIODS = tuple(map(period_code, (5, 15, 30, 60, 180, 420, 900, 1800, 3600)))
"""Of the enhanced statistics."""
LARGEST_LIMIT = 2000
"""Watts."""
SHORTEST_CORRECTION = 1000
"""Milliseconds: the sampling period."""
HOTTEST_LIMIT = 127
"""Degrees C."""

INLET, PROCESSOR, BOARD = 0x40, 0x41, 0x42
ENTITIES = {INLET: 0x37, PROCESSOR: 0x03, BOARD: 0x07}
"""DCMI's entity ids and those of IPMI, which mean the same.  [DCMI 6.5.2, Table 6-14]"""
TEMPERATURE = 0x01
"""Sensor type."""
_POWER_UNIT = 0x09

CONFIGURATION: dict[int, bytes] = {
    # What a DHCP client would obey. It is kept for management software: the host's system has the addresses.
    Configuration.ACTIVATE_DHCP: b"\x00",
    Configuration.DISCOVERY: b"\x01",
    Configuration.DHCP_INITIAL_TIMEOUT: (4).to_bytes(1, "little"),
    Configuration.DHCP_SERVER_TIMEOUT: (120).to_bytes(2, "little"),
    Configuration.DHCP_RETRY: (64).to_bytes(2, "little"),
}
"""Parameters and their defaults.  [DCMI 6.1.2, Table 6-5]"""
_DISCOVERY_BITS = 0x83


class PowerLimit(Value):
    """As Set Power Limit has it. The defaults can be set as they are: ipmitool writes one field at a time,
    and the others as it has read them.
    """

    watts: int = LARGEST_LIMIT
    correction_ms: int = SHORTEST_CORRECTION
    exception: int = ExceptionAction.NONE
    sampling: int = DEFAULT_PERIOD
    """Seconds."""
    active: bool = False


class ThermalLimit(Value):
    """Of one entity instance; no actions: nothing happens."""

    actions: int = 0
    limit: int = 0
    seconds: int = 0


class Dcmi:
    """State of the group."""

    room = ROOM

    def __init__(
        self,
        changes: Changes,
        sensors: Sensors,
        simulation: Simulation,
        consequences: Consequences,
        mac: Callable[[], bytes],
    ) -> None:
        self._changes = changes
        self._sensors = sensors
        self._simulation = simulation
        self._mac = mac
        self.statistics = PowerStatistics()
        self.power_limit = PowerLimit()
        self._power_watch = Watch(consequences, Alarm(_POWER_UNIT, POWER_LIMIT_SENSOR))
        self._thermal_limits: dict[int, ThermalLimit] = {}  # by instance of the inlet
        self._thermal_watch = Watch(consequences, Alarm(TEMPERATURE, THERMAL_LIMIT_SENSOR))
        self._identifier: bytes | None = None
        self._configuration = dict(CONFIGURATION)
        simulation.observers.append(self.observe)

    def restore(self, rows: Rows) -> None:
        """Take back what was kept."""
        if kept := rows.get("power_limit"):
            self.power_limit = PowerLimit(*kept)
            self._apply()
        for key, value in rows.items():
            kind, _, number = key.partition(".")
            if kind == "thermal":
                self._thermal_limits[int(number)] = ThermalLimit(*value)
            elif kind == "configuration":
                self._configuration[int(number)] = bytes.fromhex(value)
        if "identifier" in rows:
            self._identifier = bytes.fromhex(rows["identifier"])

    def observe(self, now: float) -> None:
        """Sample, compare, act."""
        watts = self._simulation.watts
        self.statistics.add(watts, now)
        limit = self.power_limit
        self._power_watch.observe(
            limit.active and watts > limit.watts,
            limit.correction_ms / 1000,
            limit.exception == ExceptionAction.LOG,
            limit.exception == ExceptionAction.POWER_OFF,
            now,
        )
        passed = [one for instance, one in self._thermal_limits.items() if self._is_passed(instance, one)]
        self._thermal_watch.observe(
            bool(passed),
            min((one.seconds for one in passed), default=0),
            any(one.actions & ThermalAction.LOG for one in passed),
            any(one.actions & ThermalAction.POWER_OFF for one in passed),
            now,
        )

    # Power

    def set_power_limit(self, limit: PowerLimit) -> None:
        """Replace the limit; it stays active, or not, as it was.  Raises CommandError."""
        if limit.exception not in set(ExceptionAction):
            raise CommandError(CompletionCode.INVALID_FIELD, f"no exception action {limit.exception:02X}h")
        if not 0 < limit.watts <= LARGEST_LIMIT:
            raise CommandError(Refusal.LIMIT_OUT_OF_RANGE, f"1 to {LARGEST_LIMIT} watts")
        if limit.correction_ms < SHORTEST_CORRECTION:
            raise CommandError(Refusal.TIME_OUT_OF_RANGE, f"at least {SHORTEST_CORRECTION} ms")
        if not 0 < limit.sampling <= KEPT:
            raise CommandError(Refusal.PERIOD_OUT_OF_RANGE, f"1 to {KEPT:.0f} s")
        self._keep_limit(limit.replace(active=self.power_limit.active))

    def activate_power_limit(self, active: bool) -> None:
        """Activate or deactivate it."""
        self._keep_limit(self.power_limit.replace(active=active))

    def _keep_limit(self, limit: PowerLimit) -> None:
        self.power_limit = limit
        self._apply()
        row = [limit.watts, limit.correction_ms, limit.exception, limit.sampling, limit.active]
        self._changes.put(ROOM, "power_limit", row)

    def _apply(self) -> None:
        limit = self.power_limit
        self._simulation.power_limit = float(limit.watts) if limit.active else None

    # Temperatures

    def thermometers(self, entity: int) -> list[ThresholdSensor]:
        """Temperature sensors of an entity by either of its ids, by instance.  Raises CommandError."""
        meaning = {code for pair in ENTITIES.items() if entity in pair for code in pair}
        if not meaning:
            raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"no entity {entity:02X}h in DCMI")
        found = [
            sensor
            for sensor in self._sensors
            if isinstance(sensor, ThresholdSensor)
            and sensor.sensor_type == TEMPERATURE
            and sensor.settings.entity[0] in meaning
        ]
        return sorted(found, key=lambda sensor: sensor.settings.entity[1])

    def thermal_limit(self, entity: int, instance: int) -> ThermalLimit:
        """The limit of an inlet.  Raises CommandError."""
        self._check_inlet(entity, instance)
        return self._thermal_limits.get(instance, ThermalLimit())

    def set_thermal_limit(self, entity: int, instance: int, limit: ThermalLimit, now: float) -> None:
        """Replace it; it outlasts the controller only when it is asked to.  Raises CommandError."""
        self._check_inlet(entity, instance)
        if limit.limit > HOTTEST_LIMIT:
            raise CommandError(Refusal.LIMIT_OUT_OF_RANGE, f"at most {HOTTEST_LIMIT} degrees C")
        if limit.actions & (ThermalAction.LOG | ThermalAction.POWER_OFF) and not limit.seconds:
            raise CommandError(Refusal.TIME_OUT_OF_RANGE, "at least 1 s")
        self._thermal_limits[instance] = limit
        key = f"thermal.{instance}"
        if limit.actions & ThermalAction.PERSISTENT:
            self._changes.put(ROOM, key, [limit.actions, limit.limit, limit.seconds])
        else:
            self._changes.delete(ROOM, key)
        self._thermal_watch.forget(now)

    def _check_inlet(self, entity: int, instance: int) -> None:
        if entity not in (INLET, ENTITIES[INLET]):
            raise CommandError(CompletionCode.INVALID_FIELD, "limits are for inlet temperatures")
        if all(sensor.settings.entity[1] != instance for sensor in self.thermometers(entity)):
            raise CommandError(CompletionCode.NOT_PRESENT, f"no inlet {instance}")

    def _is_passed(self, instance: int, limit: ThermalLimit) -> bool:
        if not limit.actions & (ThermalAction.LOG | ThermalAction.POWER_OFF):
            return False
        values = [s.value for s in self.thermometers(INLET) if s.settings.entity[1] == instance]
        return any(value is not None and value > limit.limit for value in values)

    # Names and parameters

    @property
    def identifier(self) -> bytes:
        """The Management Controller Identifier String, with its NUL."""
        if self._identifier is None:
            return b"DCMI" + self._mac().hex().upper().encode() + b"\0"
        return self._identifier

    def write_identifier(self, offset: int, data: bytes) -> int:
        """Write a piece of it: what was behind is gone.  The new length with NUL.  Raises CommandError."""
        string = self.identifier.rstrip(b"\0")[:offset]
        if offset > len(string) or offset + len(data) > LONGEST_IDENTIFIER:
            raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"{LONGEST_IDENTIFIER} bytes at most")
        string = (string + data).split(b"\0")[0][: LONGEST_IDENTIFIER - 1]
        self._identifier = string + b"\0"
        self._changes.put(ROOM, "identifier", self._identifier.hex())
        return len(self._identifier)

    def parameter(self, number: int) -> bytes:
        """A configuration parameter.  Raises CommandError."""
        if number not in self._configuration:
            raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"no parameter {number}")
        return self._configuration[number]

    def set_parameter(self, number: int, data: bytes) -> None:
        """Write one.  Raises CommandError."""
        if len(data) != len(self.parameter(number)):
            raise CommandError(CompletionCode.LENGTH_INVALID, f"parameter {number}: {len(data)} bytes")
        if number == Configuration.ACTIVATE_DHCP:
            if data != b"\x01":
                raise CommandError(CompletionCode.INVALID_FIELD, "01h activates DHCP")
            return  # reads as 00h: nothing is under way
        if number == Configuration.DISCOVERY and data[0] & ~_DISCOVERY_BITS:
            raise CommandError(CompletionCode.INVALID_FIELD, "reserved bits")
        self._configuration[number] = data
        self._changes.put(ROOM, f"configuration.{number:d}", data.hex())
