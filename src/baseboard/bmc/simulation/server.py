"""The default server: a rack server of two units, its sensors and their limits."""

from __future__ import annotations

from typing import Any

from baseboard.bmc import well_known
from baseboard.bmc.sensor_settings import DiscreteSensorSettings, SensorSettings, ThresholdSensorSettings
from baseboard.bmc.simulation.physics import DRIVES, FANS, MODULES, PROCESSORS, SUPPLIES
from baseboard.ipmi.sensor_types import entity_code, sensor_type_code
from baseboard.ipmi.sensor_units import unit_code

# fmt: off
TEMPERATURE, VOLTAGE, CURRENT, FAN = 0x01, 0x02, 0x03, 0x04
CELSIUS, VOLTS, AMPS, WATTS, RPM   = map(unit_code, ("degrees C", "volts", "amps", "watts", "RPM"))
PROCESSOR, MEMORY, BOARD           = map(entity_code, ("processor", "memory device", "system board"))
SUPPLY, FAN_ENTITY, BATTERY        = map(entity_code, ("power supply", "fan", "battery"))
AIR_INLET, CHASSIS, DRIVE          = map(entity_code, ("air inlet", "system chassis", "disk or disk bay"))
POWER_UNIT                         = entity_code("power unit")
FIRMWARE                           = entity_code("management controller firmware")
OTHER_UNITS                        = sensor_type_code("other units based sensor")
LIMIT, REDUNDANCY                  = 0x05, 0x0B  # event/reading types
# fmt: on


def _of_the_controller() -> tuple[SensorSettings, ...]:
    """Sensors whose events the controller itself reports."""
    # fmt: off
    table = (
        # number                          name              type  entity           states            read
        (well_known.POWER_UNIT_SENSOR,     "Power Unit",     0x09, (POWER_UNIT, 1), range(8),         True),
        (well_known.WATCHDOG_SENSOR,       "Watchdog",       0x23, (FIRMWARE, 1),   (0, 1, 2, 3, 8),  True),
        (well_known.SYSTEM_EVENT_SENSOR,   "System Event",   0x12, (BOARD, 1),      range(6),         False),
        (well_known.RESTART_SENSOR,        "System Restart", 0x1D, (BOARD, 1),      range(8),         False),
        (well_known.SEL_SENSOR,            "Event Log",      0x10, (FIRMWARE, 1),   (2, 4, 5),        True),
        (well_known.BUTTON_SENSOR,         "Front Buttons",  0x14, (CHASSIS, 1),    range(3),         False),
        (well_known.SESSION_AUDIT,         "Session Audit",  0x2A, (FIRMWARE, 1),   range(4),         False),
        (well_known.OPERATING_SYSTEM_STOP, "OS Stop",        0x20, (BOARD, 1),      range(6),         False),
        (well_known.CRITICAL_INTERRUPT,    "Crit Interrupt", 0x13, (BOARD, 1),      range(12),        False),
    )
    # fmt: on
    follows = {well_known.POWER_UNIT_SENSOR: "power_unit"}
    return tuple(
        DiscreteSensorSettings(
            number=number,
            name=name,
            sensor_type=kind,
            entity=entity,
            states=tuple(states),
            event_only=not read,
            exclusive=kind == 0x23,
            follows=follows.get(number, ""),
        )
        for number, name, kind, entity, states, read in table
    )


def _limits() -> tuple[SensorSettings, ...]:
    return (
        DiscreteSensorSettings(
            number=well_known.POWER_LIMIT_SENSOR,
            name="Power Limit",
            sensor_type=0x09,
            entity=(POWER_UNIT, 1),
            event_type=LIMIT,
            states=(1,),
        ),
        DiscreteSensorSettings(
            number=well_known.THERMAL_LIMIT_SENSOR,
            name="Thermal Limit",
            sensor_type=TEMPERATURE,
            entity=(AIR_INLET, 1),
            event_type=LIMIT,
            states=(1,),
        ),
    )


def _temperature(
    number: int, name: str, entity: tuple[int, int], follows: str, **limits: Any
) -> SensorSettings:
    return ThresholdSensorSettings(
        number=number,
        name=name,
        sensor_type=TEMPERATURE,
        entity=entity,
        unit=CELSIUS,
        minimum=-128,
        maximum=127,
        hysteresis=2,
        follows=follows,
        **limits,
    )


def _temperatures() -> tuple[SensorSettings, ...]:
    inlet = {
        "lower_noncritical": 5.0,
        "lower_critical": 0.0,
        "upper_noncritical": 38.0,
        "upper_critical": 42.0,
    }
    processor = {"upper_noncritical": 92.0, "upper_critical": 98.0, "upper_nonrecoverable": 105.0}
    module = {"upper_noncritical": 85.0, "upper_critical": 95.0}
    air = {"upper_noncritical": 65.0, "upper_critical": 72.0}
    return (
        _temperature(0x10, "Inlet Temp", (AIR_INLET, 1), "inlet_temperature", nominal=22, **inlet),
        _temperature(0x11, "Exhaust Temp", (CHASSIS, 1), "exhaust_temperature", nominal=30, **air),
        _temperature(0x12, "Board Temp", (BOARD, 1), "board_temperature", nominal=29, **air),
        *(
            _temperature(
                0x13 + n - 1, f"CPU{n} Temp", (PROCESSOR, n), f"cpu{n}_temperature", nominal=48, **processor
            )
            for n in PROCESSORS
        ),
        *(
            _temperature(
                0x18 + n - 1,
                f"DIMM {'ABCD'[n - 1]}1 Temp",
                (MEMORY, n),
                f"dimm{n}_temperature",
                nominal=36,
                **module,
            )
            for n in MODULES
        ),
        *(
            _temperature(0x20 + n - 1, f"PSU{n} Temp", (SUPPLY, n), f"psu{n}_temperature", nominal=34, **air)
            for n in SUPPLIES
        ),
    )


def _fans() -> tuple[SensorSettings, ...]:
    return tuple(
        ThresholdSensorSettings(
            number=0x28 + n - 1,
            name=f"Fan {n}",
            sensor_type=FAN,
            entity=(FAN_ENTITY, n),
            unit=RPM,
            minimum=0,
            maximum=25_500,
            nominal=4_200,
            normal_minimum=3_600,
            normal_maximum=15_000,
            lower_noncritical=2_000,
            lower_critical=1_500,
            hysteresis=200,
            follows=f"fan{n}_speed",
        )
        for n in FANS
    )


def _voltages() -> tuple[SensorSettings, ...]:
    # fmt: off
    table = (
        # number  name           entity          follows               nominal  range
        (0x30,   "P12V",         (BOARD, 1),     "voltage_12v",         12.0,   16.0),
        (0x31,   "P5V",          (BOARD, 1),     "voltage_5v",           5.0,    6.375),
        (0x32,   "P3V3",         (BOARD, 1),     "voltage_3v3",          3.3,    4.08),
        (0x33,   "P5V Standby",  (BOARD, 1),     "voltage_5v_standby",   5.0,    6.375),
        (0x34,   "VBAT",         (BATTERY, 1),   "battery_voltage",      3.0,    4.08),
        (0x35,   "CPU1 Vcore",   (PROCESSOR, 1), "cpu1_core_voltage",    1.8,    2.55),
        (0x36,   "CPU2 Vcore",   (PROCESSOR, 2), "cpu2_core_voltage",    1.8,    2.55),
    )
    # fmt: on
    return tuple(
        ThresholdSensorSettings(
            number=number,
            name=name,
            sensor_type=VOLTAGE,
            entity=entity,
            unit=VOLTS,
            minimum=0,
            maximum=maximum,
            nominal=nominal,
            lower_noncritical=nominal * 0.93,
            lower_critical=nominal * 0.90,
            upper_noncritical=nominal * 1.07,
            upper_critical=nominal * 1.10,
            hysteresis=nominal * 0.01,
            follows=follows,
        )
        for number, name, entity, follows, nominal, maximum in table
    )


def _power() -> tuple[SensorSettings, ...]:
    def watts(number: int, name: str, entity: tuple[int, int], follows: str, most: float) -> SensorSettings:
        return ThresholdSensorSettings(
            number=number,
            name=name,
            sensor_type=OTHER_UNITS,
            entity=entity,
            unit=WATTS,
            minimum=0,
            maximum=1_020,
            upper_noncritical=most * 0.9,
            upper_critical=most,
            hysteresis=8,
            follows=follows,
        )

    def amps(number: int, name: str, entity: tuple[int, int], follows: str) -> SensorSettings:
        return ThresholdSensorSettings(
            number=number,
            name=name,
            sensor_type=CURRENT,
            entity=entity,
            unit=AMPS,
            minimum=0,
            maximum=5.1,
            upper_critical=4.6,
            hysteresis=0.1,
            follows=follows,
        )

    return (
        watts(0x40, "System Power", (POWER_UNIT, 1), "system_input_power", 1_000),
        *(watts(0x41 + n - 1, f"PSU{n} Input", (SUPPLY, n), f"psu{n}_input_power", 900) for n in SUPPLIES),
        *(watts(0x44 + n - 1, f"PSU{n} Output", (SUPPLY, n), f"psu{n}_output_power", 800) for n in SUPPLIES),
        *(amps(0x47 + n - 1, f"PSU{n} Current", (SUPPLY, n), f"psu{n}_input_current") for n in SUPPLIES),
    )


def _states() -> tuple[SensorSettings, ...]:
    return (
        *(
            DiscreteSensorSettings(
                number=0x50 + n - 1,
                name=f"PSU{n} Status",
                sensor_type=0x08,
                entity=(SUPPLY, n),
                states=(0, 1, 2, 3),
                present=(0,),
                follows=f"psu{n}_status",
            )
            for n in SUPPLIES
        ),
        DiscreteSensorSettings(
            number=0x54,
            name="PSU Redundancy",
            sensor_type=0x08,
            entity=(POWER_UNIT, 1),
            event_type=REDUNDANCY,
            states=(0, 1),
            present=(0,),
            follows="supply_redundancy",
        ),
        DiscreteSensorSettings(
            number=0x55,
            name="Fan Redundancy",
            sensor_type=FAN,
            entity=(CHASSIS, 1),
            event_type=REDUNDANCY,
            states=(0, 1),
            present=(0,),
            follows="fan_redundancy",
        ),
        *(
            DiscreteSensorSettings(
                number=0x58 + n - 1,
                name=f"CPU{n} Status",
                sensor_type=0x07,
                entity=(PROCESSOR, n),
                states=(0, 1, 5, 7, 10),
                present=(7,),
            )
            for n in PROCESSORS
        ),
        DiscreteSensorSettings(
            number=0x5C,
            name="Memory Status",
            sensor_type=0x0C,
            entity=(MEMORY, 1),
            states=(0, 1, 5, 6, 7),
            present=(6,),
        ),
        DiscreteSensorSettings(
            number=0x5D,
            name="Intrusion",
            sensor_type=0x05,
            entity=(CHASSIS, 1),
            states=(0,),
        ),
        *(
            DiscreteSensorSettings(
                number=0x60 + n - 1,
                name=f"Drive {n}",
                sensor_type=0x0D,
                entity=(DRIVE, n),
                states=(0, 1, 2, 7),
                present=(0,),
            )
            for n in DRIVES
        ),
    )


DEFAULT_SENSORS: tuple[SensorSettings, ...] = (
    *_of_the_controller(),
    *_limits(),
    *_temperatures(),
    *_fans(),
    *_voltages(),
    *_power(),
    *_states(),
)
"""All sensors of the default server, in the order of their numbers."""
