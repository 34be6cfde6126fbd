"""The sensors of a configuration file: names of types, units and states become the numbers of IPMI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

from baseboard.bmc.sensor_settings import DiscreteSensorSettings, SensorSettings, ThresholdSensorSettings
from baseboard.bmc.simulation.physics import Server
from baseboard.bmc.simulation.server import DEFAULT_SENSORS
from baseboard.errors import ConfigError
from baseboard.ipmi.sensor_types import (
    SENSOR_SPECIFIC,
    SENSOR_TYPES,
    sensor_type_code,
    state_names,
    state_offset,
)
from baseboard.ipmi.sensor_units import UNITS, unit_code
from baseboard.store.configuration import Configuration
from baseboard.store.sections import Sensor
from baseboard.store.source import found
from baseboard.store.toml_lines import Path as Loc

FIRST_FREE = 0x80
FIRST_OF_SATELLITE = 0x01
LAST = 0xFE

Mistake = Callable[[Loc, str], None]

_OTHERS = {"number", "name", "type", "unit", "states", "present", "follows", "settable", "events"}
"""What is not a threshold sensor's own."""


class _WrongError(Exception):
    """Something is wrong with one sensor's setting."""

    def __init__(self, key: Loc, text: str) -> None:
        super().__init__(text)
        self.key = key


def configured_sensors(file: Configuration, mistake: Mistake) -> tuple[SensorSettings, ...]:
    """The simulated server's sensors and the file's; one of the same name or number takes its place."""
    built_in = DEFAULT_SENSORS if file.simulation.sensors else ()
    own = _numbered(file.sensor, FIRST_FREE, (one.number for one in built_in), (), mistake)
    names = {one.name for one in file.sensor}
    kept = (one for one in built_in if one.number not in own and one.name not in names)
    return tuple(sorted((*kept, *own.values()), key=lambda one: one.number))


def satellite_sensors(sensors: Sequence[Sensor], at: Loc, mistake: Mistake) -> tuple[SensorSettings, ...]:
    """Those of a satellite, which numbers them from 1 on; `at` is its place in the file."""
    own = _numbered(sensors, FIRST_OF_SATELLITE, (), at, mistake)
    return tuple(sorted(own.values(), key=lambda one: one.number))


def _numbered(
    sensors: Sequence[Sensor], first: int, built_in: Iterable[int], at: Loc, mistake: Mistake
) -> dict[int, SensorSettings]:
    taken = {*built_in, *(one.number for one in sensors if one.number is not None)}
    free = (number for number in range(first, LAST + 1) if number not in taken)
    own: dict[int, SensorSettings] = {}
    names: set[str] = set()
    for index, sensor in enumerate(sensors):
        try:
            number = sensor.number if sensor.number is not None else next(free, None)
            if number is None:
                raise _WrongError((), f"there is no free number left from {first} to {LAST}")
            if number in own:
                raise _WrongError(("number",), f"{number} is the number of {own[number].name!r} already")
            if sensor.name in names:
                raise _WrongError(("name",), f"{sensor.name!r} is the name of another sensor already")
            names.add(sensor.name)
            own[number] = _sensor(sensor, number)
        except _WrongError as wrong:
            mistake((*at, "sensor", index, *wrong.key), str(wrong))
    return own


def _sensor(sensor: Sensor, number: int) -> SensorSettings:
    try:
        sensor_type = sensor_type_code(sensor.type)
    except KeyError:
        raise _no_such(("type",), sensor.type, SENSOR_TYPES.values()) from None
    if bool(sensor.states) == (sensor.unit is not None):
        raise _WrongError((), "a sensor has either a unit or states")
    if sensor.follows:
        _check_quantity(sensor.follows)
    try:
        if sensor.unit is None:
            return _discrete(sensor, number, sensor_type)
        return _threshold(sensor, number, sensor_type, sensor.unit)
    except ConfigError as error:
        raise _WrongError((), str(error).partition(": ")[2]) from error


def _threshold(sensor: Sensor, number: int, sensor_type: int, unit: str) -> SensorSettings:
    try:
        code = unit_code(unit)
    except KeyError:
        raise _no_such(("unit",), unit, UNITS.values()) from None
    return ThresholdSensorSettings(
        number=number,
        name=sensor.name,
        sensor_type=sensor_type,
        unit=code,
        follows=sensor.follows,
        settable=sensor.settable,
        events=sensor.events,
        **sensor.model_dump(exclude=_OTHERS),
    )


def _discrete(sensor: Sensor, number: int, sensor_type: int) -> SensorSettings:
    return DiscreteSensorSettings(
        number=number,
        name=sensor.name,
        sensor_type=sensor_type,
        states=_states(sensor.states, sensor_type, "states"),
        present=_states(sensor.present, sensor_type, "present"),
        follows=sensor.follows,
        settable=sensor.settable,
        events=sensor.events,
    )


def _states(names: list[str], sensor_type: int, key: str) -> tuple[int, ...]:
    offsets = []
    for index, name in enumerate(names):
        try:
            offsets.append(state_offset(sensor_type, SENSOR_SPECIFIC, name))
        except KeyError:
            known = state_names(sensor_type, SENSOR_SPECIFIC)
            raise _no_such((key, index), name, known) from None
    return tuple(offsets)


def _check_quantity(name: str) -> None:
    server = Server()
    server.settle(True, 0.2, 22.0)
    known = server.quantities | server.states(True)
    if name not in known:
        raise _no_such(("follows",), name, sorted(known))


def _no_such(key: Loc, name: str, names: Iterable[str]) -> _WrongError:
    known = list(names)
    near = get_close_matches(name, known, 1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return _WrongError(key, f"found {found(name)}; {guess}allowed: {', '.join(known) or 'none of this type'}")
