"""Sensors: what they show, and holding one at a value of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from baseboard.bmc.sensor import DiscreteSensor, Sensor, ThresholdSensor
from baseboard.bmc.sensors import Sensors
from baseboard.fleet.control import ControlError
from baseboard.fleet.methods.method import Controlled, Method, Parameter
from baseboard.ipmi.sensor_types import SENSOR_TYPES, THRESHOLD_STATES, state_names
from baseboard.ipmi.sensor_units import UNITS

NO_READING = "no reading"
LARGEST = 1e300
"""JSON has larger numbers, no sensor has."""

# fmt: off
SEVERITY = (
    # bit   as status
    (0x20, "upper non-recoverable"),
    (0x04, "lower non-recoverable"),
    (0x10, "upper critical"),
    (0x02, "lower critical"),
    (0x08, "upper non-critical"),
    (0x01, "lower non-critical"),
)
# fmt: on


def list_sensors(instance: Controlled) -> list[dict[str, Any]]:
    """All of them, by number; then those of the satellites, in the same way."""
    return [
        show(sensor, prefix)
        for prefix, sensors in _controllers(instance)
        for sensor in sorted(sensors, key=lambda sensor: sensor.number)
    ]


def _controllers(instance: Controlled) -> Iterator[tuple[str, Sensors]]:
    """The sensors of each controller, and what stands before their names."""
    yield "", instance.bmc.sensors
    for satellite in instance.bmc.satellites:
        yield f"{satellite.settings.address:02X}h/", satellite.sensors


def get_sensor(instance: Controlled, sensor: int | str) -> dict[str, Any]:
    """One of them."""
    return show(*_find_anywhere(instance, sensor))


Value = float | list[int | str] | None
"""A reading in the sensor's unit, states by name or offset, or no reading at all."""


def set_sensor(instance: Controlled, sensor: int | str, value: Value) -> dict[str, Any]:
    """Hold a sensor there until it is released."""
    found, prefix = _find_anywhere(instance, sensor)
    now, simulation = instance.now(), instance.bmc.simulation
    if isinstance(found, DiscreteSensor):
        if not isinstance(value, list):
            raise ControlError("bad-parameters", f"sensor {found.name!r} has states: value is a list of them")
        states = sum(1 << offset for offset in {_offset(found, state) for state in value})
        simulation.hold(found, now, states=states)
    elif isinstance(value, list):
        raise ControlError("bad-parameters", f"sensor {found.name!r} has a reading: value is a number")
    else:
        simulation.hold(found, now, value=value)
    return show(found, prefix)


def release_sensor(instance: Controlled, sensor: int | str) -> dict[str, Any]:
    """Let it follow the simulation again."""
    found, prefix = _find_anywhere(instance, sensor)
    instance.bmc.simulation.release(found, instance.now())
    return show(found, prefix)


def find(instance: Controlled, key: int | str) -> Sensor:
    """One of the controller's own, by number or name.  Raises ControlError."""
    try:
        return instance.bmc.sensors[key]
    except KeyError:
        raise ControlError(
            "not-found", f"no sensor {key!r:.40}; `baseboard sensor list` shows which there are"
        ) from None


def _find_anywhere(instance: Controlled, key: int | str) -> tuple[Sensor, str]:
    """Also a satellite's, with its address before it (`82h/Rear Temp`), and that.  Raises ControlError."""
    for prefix, sensors in _controllers(instance):
        if isinstance(key, str) and prefix and key.upper().startswith(prefix.upper()):
            rest = key[len(prefix) :]
            own = int(rest) if len(rest) <= 3 and rest.isascii() and rest.isdecimal() else rest
            if own in sensors:
                return sensors[own], prefix
    return find(instance, key), ""


def show(sensor: Sensor, prefix: str = "") -> dict[str, Any]:
    """A sensor as JSON data; `key` is what finds it."""
    shown: dict[str, Any] = {
        "key": f"{prefix}{sensor.name}",
        "number": sensor.number,
        "name": sensor.name,
        "type": SENSOR_TYPES.get(sensor.sensor_type, f"{sensor.sensor_type:02X}h"),
        "held": sensor.held,
    }
    readable = sensor.available and sensor.scanning_on
    if isinstance(sensor, ThresholdSensor):
        unit = UNITS.get(sensor.settings.unit, "unspecified")
        comparison = sensor.comparison if readable else 0
        status = next((words for bit, words in SEVERITY if comparison & bit), "ok")
        shown |= {
            "unit": f"percent {unit}".removesuffix(" unspecified") if sensor.settings.percentage else unit,
            "value": _rounded(sensor.value),
            "status": status if readable else NO_READING,
            "thresholds": {
                name.replace(" ", "-"): _rounded(sensor.conversion.to_units(raw))
                for bit, (name, raw) in enumerate(zip(THRESHOLD_STATES, sensor.thresholds_raw, strict=True))
                if sensor.present >> bit & 1
            },
        }
    elif isinstance(sensor, DiscreteSensor):
        offsets = [offset for offset in range(15) if sensor.states >> offset & 1] if readable else []
        shown |= {
            "states": [state_name(sensor.sensor_type, sensor.event_type, offset) for offset in offsets],
            "possible": [
                state_name(sensor.sensor_type, sensor.event_type, offset)
                for offset in range(15)
                if sensor.supported >> offset & 1
            ],
            "status": "ok" if readable else NO_READING,
        }
    return shown


def state_name(sensor_type: int, event_type: int, offset: int) -> str:
    """A state in words, or its number where there are none."""
    names = state_names(sensor_type, event_type)
    return names[offset] if offset < len(names) else f"state {offset}"


def _offset(sensor: DiscreteSensor, state: int | str) -> int:
    possible = {
        offset: state_name(sensor.sensor_type, sensor.event_type, offset)
        for offset in range(15)
        if sensor.supported >> offset & 1
    }
    for offset, name in possible.items():
        if state == offset or (isinstance(state, str) and state.lower() == name.lower()):
            return offset
    allowed = ", ".join(f"{offset} ({name})" for offset, name in possible.items())
    reason = f"sensor {sensor.name!r} has no state {state!r:.40}; allowed: {allowed}"
    raise ControlError("bad-parameters", reason)


def _rounded(value: float | None) -> float | None:
    """Six digits, as many as a raw byte can be worth."""
    return None if value is None else float(f"{value:.6g}")


def _key(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError("a sensor's name or number")
    return value


def _value(value: Any) -> Value:
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(state, (int, str)) for state in value):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < LARGEST:
        raise ValueError("a number, a list of states, or null for no reading")
    return float(value)


SENSOR = Parameter("sensor", _key)

# fmt: off
METHODS = (
    Method("sensor.list",    list_sensors),
    Method("sensor.get",     get_sensor,     (SENSOR,)),
    Method("sensor.set",     set_sensor,     (SENSOR, Parameter("value", _value))),
    Method("sensor.release", release_sensor, (SENSOR,)),
)
# fmt: on
