"""How the server is, in one word for each part of it, from its sensors.  [IPMI 14.7.9]"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from baseboard.bmc.sensor import DiscreteSensor, Sensor, ThresholdSensor
from baseboard.ipmi.sensor_types import SENSOR_SPECIFIC
from baseboard.serial.commands import Health

ORDER = ("ok", "nc", "cr", "nr")
REDUNDANCY, FULLY_REDUNDANT = 0x0B, 0x01

# fmt: off
PARTS = (
    # short word            sensor types [IPMI Table 42-3]
    ("T",  "Temperature",   {0x01}),
    ("V",  "Voltage",       {0x02, 0x03}),
    ("PS", "PowerSystem",   {0x08, 0x09}),
    ("C",  "Cooling",       {0x04, 0x0A}),
    ("D",  "Drives",        {0x0D}),
    ("S",  "Security",      {0x05, 0x06}),
)
FAULTS: Mapping[int, tuple[int, str]] = {
    # type  states            how bad they are
    0x05:  (0x007F,           "cr"),  # intrusion
    0x06:  (0x003F,           "nc"),  # a wrong password
    0x08:  (0x000A,           "cr"),  # failure, no input
    0x09:  (0x0060,           "cr"),  # control fault, failure
    0x0D:  (0x0002,           "cr"),  # fault
}
# fmt: on


def health(sensors: Iterable[Sensor], power_is_on: bool) -> Health:
    """Of the server with these sensors."""
    worst: dict[str, str] = {}
    for sensor in sensors:
        part = next((short for short, _, types in PARTS if sensor.sensor_type in types), "O")
        worst[part] = _worse(worst.get(part, "ok"), severity(sensor))
    overall = "ok"
    for state in worst.values():
        overall = _worse(overall, state)
    states = (
        ("H", "Health", overall),
        *((short, word, worst.get(short, "??")) for short, word, _ in PARTS),
        ("O", "Other", worst.get("O", "??")),
    )
    return Health("ON" if power_is_on else "OFF", states)


def severity(sensor: Sensor) -> str:
    """ok, nc, cr or nr."""
    if not sensor.available or not sensor.scanning_on:
        return "ok"
    if isinstance(sensor, ThresholdSensor):
        comparison = sensor.comparison
        beyond = comparison & 0x07 | comparison >> 3
        return "nr" if beyond & 4 else "cr" if beyond & 2 else "nc" if beyond & 1 else "ok"
    if not isinstance(sensor, DiscreteSensor):
        return "ok"
    if sensor.event_type == REDUNDANCY:
        return "ok" if sensor.states & FULLY_REDUNDANT else "nc"
    faults, state = FAULTS.get(sensor.sensor_type, (0, "ok"))
    return state if sensor.event_type == SENSOR_SPECIFIC and sensor.states & faults else "ok"


def _worse(one: str, other: str) -> str:
    return max(one, other, key=ORDER.index)
