"""Raw readings and units: the conversion that a full sensor record describes, and how to choose one.

Theory of operation  [IPMI 36.3]
-------------------
    y = L((M * x + B * 10^Bexp) * 10^Rexp)

x is the raw byte, read as unsigned, ones' or twos' complement; M and B have 10 bits, the exponents 4 bits,
all with sign; L is one of twelve functions, most often none. Hysteresis is a difference: M and Rexp alone.
`Conversion.fit` goes the other way, from a range in units to numbers that cover it in the finest step that
still reads well (0.5 degrees, 60 mV, 100 rpm).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from baseboard.errors import LocalProtocolError
from baseboard.ipmi.records.sensor_records import AnalogFormat, FullSensor

# fmt: off
_UNIT_NAMES = (  # [IPMI 43.17, Table 43-15], from 0
    "unspecified", "degrees C", "degrees F", "degrees K", "volts", "amps", "watts", "joules",
    "coulombs", "VA", "nits", "lumen", "lux", "candela", "kPa", "PSI", "newton", "CFM", "RPM",
    "Hz", "microsecond", "millisecond", "second", "minute", "hour", "day", "week", "mil", "inches",
    "feet", "cu in", "cu feet", "mm", "cm", "m", "cu cm", "cu m", "liters", "fluid ounce",
    "radians", "steradians", "revolutions", "cycles", "gravities", "ounce", "pound", "ft lb",
    "oz in", "gauss", "gilberts", "henry", "millihenry", "farad", "microfarad", "ohms", "siemens",
    "mole", "becquerel", "PPM", "reserved", "decibels", "dBA", "dBC", "gray", "sievert",
    "color temp deg K", "bit", "kilobit", "megabit", "gigabit", "byte", "kilobyte", "megabyte",
    "gigabyte", "word", "dword", "qword", "line", "hit", "miss", "retry", "reset", "overrun",
    "underrun", "collision", "packets", "messages", "characters", "error", "correctable error",
    "uncorrectable error", "fatal error", "grams",
)
# fmt: on

UNITS: Mapping[int, str] = dict(enumerate(_UNIT_NAMES))

_CODES = {name.lower().replace(" ", "_"): code for code, name in UNITS.items()}


def unit_code(name: str) -> int:
    """The code of a unit's name; case, spaces, dashes and underscores do not matter.  Raises KeyError."""
    return _CODES[name.lower().replace(" ", "_").replace("-", "_")]


_Function = Callable[[float], float]

# fmt: off
LINEARIZATIONS: Mapping[int, tuple[str, _Function, _Function]] = {  # [IPMI Table 43-1, byte 24]
    #     name           L                          its inverse
    0x0: ("linear",      lambda v: v,               lambda y: y),
    0x1: ("ln",          math.log,                  math.exp),
    0x2: ("log10",       math.log10,                lambda y: math.pow(10, y)),
    0x3: ("log2",        math.log2,                 math.exp2),
    0x4: ("exp",         math.exp,                  math.log),
    0x5: ("exp10",       lambda v: math.pow(10, v), math.log10),
    0x6: ("exp2",        math.exp2,                 math.log2),
    0x7: ("reciprocal",  lambda v: 1 / v,           lambda y: 1 / y),
    0x8: ("square",      lambda v: v * v,           math.sqrt),
    0x9: ("cube",        lambda v: v * v * v,       math.cbrt),
    0xA: ("square root", math.sqrt,                 lambda y: y * y),
    0xB: ("cube root",   math.cbrt,                 lambda y: y * y * y),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Conversion:
    """The numbers of one sensor's conversion."""

    m: int = 1
    b: int = 0
    b_exponent: int = 0
    r_exponent: int = 0
    linearization: int = 0
    analog_format: AnalogFormat = AnalogFormat.UNSIGNED

    def __post_init__(self) -> None:
        if not (-512 <= self.m <= 511 and self.m and -512 <= self.b <= 511):
            raise LocalProtocolError(f"M and B have 10 bits, and M is not 0: {self.m}, {self.b}")
        if not (-8 <= self.b_exponent <= 7 and -8 <= self.r_exponent <= 7):
            raise LocalProtocolError(f"exponents have 4 bits: {self.b_exponent}, {self.r_exponent}")
        if self.linearization not in LINEARIZATIONS:
            raise LocalProtocolError(f"linearization {self.linearization:02X}h has no function")

    def to_units(self, raw: int) -> float:
        """The value of a raw byte; NaN where the linearization has none."""
        x = self.number(raw)
        linear = _scaled(self.m * x + _scaled(self.b, self.b_exponent), self.r_exponent)
        try:
            return LINEARIZATIONS[self.linearization][1](linear)
        except (ValueError, ZeroDivisionError, OverflowError):
            return math.nan

    def to_raw(self, value: float) -> int:
        """The raw byte nearest to a value; what is outside the range is at its end."""
        try:
            linear = LINEARIZATIONS[self.linearization][2](value)
        except (ValueError, ZeroDivisionError, OverflowError):
            linear = 0.0
        x = (_scaled(linear, -self.r_exponent) - _scaled(self.b, self.b_exponent)) / self.m
        low, high = _LIMITS[self.analog_format]
        if not x > low:  # NaN too
            return self._byte(low)
        return self._byte(high if x >= high else round(x))

    def difference_to_raw(self, difference: float) -> int:
        """A hysteresis in units as raw counts."""
        return min(0xFF, max(0, round(abs(_scaled(difference, -self.r_exponent) / self.m))))

    def difference_to_units(self, raw: int) -> float:
        """Raw counts of hysteresis in units (of a linear sensor)."""
        return abs(_scaled(self.m * raw, self.r_exponent))

    def number(self, raw: int) -> int:
        """What the raw byte is as a number, for comparisons."""
        if self.analog_format is AnalogFormat.TWOS_COMPLEMENT:
            return raw - 256 if raw & 0x80 else raw
        if self.analog_format is AnalogFormat.ONES_COMPLEMENT:
            return raw - 255 if raw & 0x80 else raw
        return raw

    def _byte(self, number: int) -> int:
        if number < 0 and self.analog_format is AnalogFormat.ONES_COMPLEMENT:
            number -= 1
        return number & 0xFF

    @property
    def step(self) -> float:
        """What one raw count is worth (of a linear sensor)."""
        return abs(_scaled(self.m, self.r_exponent))

    @classmethod
    def of(cls, record: FullSensor) -> Conversion:
        """The conversion that a record describes."""
        return cls(
            record.m or 1,
            record.b,
            record.b_exponent,
            record.r_exponent,
            record.linearization if record.linearization in LINEARIZATIONS else 0,
            AnalogFormat(record.analog_format),
        )

    @classmethod
    def fit(cls, minimum: float, maximum: float) -> Conversion:
        """A linear conversion whose raw bytes reach from `minimum` or lower to `maximum` or higher."""
        if not (minimum < maximum and math.isfinite(minimum) and math.isfinite(maximum)):
            raise LocalProtocolError(f"{minimum} to {maximum} is no range")
        if minimum < 0 < maximum:
            m, r_exponent = _steps(max(maximum / 127, -minimum / 128))
            if _scaled(m, r_exponent) * 255 <= 2 * (maximum - minimum):
                return cls(m, 0, 0, r_exponent, 0, AnalogFormat.TWOS_COMPLEMENT)
        step = (maximum - minimum) / 255
        for _ in range(64):
            m, r_exponent = _steps(step)
            b, b_exponent = _offset(_scaled(minimum, -r_exponent))
            if -8 <= b_exponent <= 7:
                fitted = cls(m, b, b_exponent, r_exponent)
                if fitted.to_units(0xFF) >= maximum - fitted.step / 1e6:
                    return fitted
            step *= 1.03
        raise LocalProtocolError(f"no 10-bit numbers cover {minimum} to {maximum}")


_LIMITS = {
    AnalogFormat.UNSIGNED: (0, 255),
    AnalogFormat.ONES_COMPLEMENT: (-127, 127),
    AnalogFormat.TWOS_COMPLEMENT: (-128, 127),
    AnalogFormat.NONE: (0, 255),
}


def _scaled(number: float, exponent: int) -> float:
    """number * 10^exponent, dividing for negative exponents so that 5 * 10^-1 is exactly 0.5."""
    power: int = 10 ** abs(exponent)
    return number * power if exponent >= 0 else number / power


_GOOD_STEPS = (10, 12, 15, 16, 20, 25, 30, 35, 40, 45, 50, 60, 65, 70, 75, 80, 90, 100)


def _steps(step: float) -> tuple[int, int]:
    """M and the exponent of a step that is at least this and reads well."""
    exponent = math.floor(math.log10(step)) - 1
    needed = round(_scaled(step, -exponent), 6)
    m = next(m for m in _GOOD_STEPS if m >= needed)
    while m % 10 == 0:
        m //= 10
        exponent += 1
    while exponent > 7:
        m *= 10
        exponent -= 1
    while exponent < -8:
        m = -(-m // 10)
        exponent += 1
    if m > 511:
        raise LocalProtocolError(f"a step of {step} is too large")
    return m, exponent


def _offset(counts: float) -> tuple[int, int]:
    """B and its exponent for an offset in steps of 10^Rexp, not above it."""
    exponent = 0
    while math.floor(_scaled(counts, -exponent)) not in range(-512, 512):
        exponent += 1
    while (
        exponent > -8 and _scaled(counts, -exponent) % 1 > 1e-9 and abs(_scaled(counts, 1 - exponent)) < 511
    ):
        exponent -= 1
    return math.floor(_scaled(counts, -exponent) + 1e-9), exponent
