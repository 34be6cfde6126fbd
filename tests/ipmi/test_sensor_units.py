"""Raw readings and units: against python-ipmi's conversion, and back again."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyipmi.sdr import SdrFullSensorRecord

from baseboard.errors import LocalProtocolError
from baseboard.ipmi.records.sensor_records import AnalogFormat
from baseboard.ipmi.sensor_units import LINEARIZATIONS, Conversion, unit_code

CONVERSIONS = st.builds(
    Conversion,
    m=st.integers(-512, 511).filter(bool),
    b=st.integers(-512, 511),
    b_exponent=st.integers(-8, 7),
    r_exponent=st.integers(-8, 7),
    linearization=st.sampled_from(sorted(LINEARIZATIONS)),
    analog_format=st.sampled_from(
        [AnalogFormat.UNSIGNED, AnalogFormat.ONES_COMPLEMENT, AnalogFormat.TWOS_COMPLEMENT]
    ),
)


def by_python_ipmi(conversion: Conversion, raw: int) -> float:
    record = SdrFullSensorRecord()
    record.analog_data_format = conversion.analog_format
    record.linearization = conversion.linearization
    record.m, record.b = conversion.m, conversion.b
    record.k1, record.k2 = conversion.b_exponent, conversion.r_exponent
    value = record.convert_sensor_raw_to_value(raw)
    assert value is not None
    return float(value)


@given(CONVERSIONS, st.integers(0, 255))
def test_python_ipmi_converts_in_the_same_way(conversion: Conversion, raw: int) -> None:
    ours = conversion.to_units(raw)
    try:
        theirs = by_python_ipmi(conversion, raw)
    except (ValueError, ZeroDivisionError, OverflowError, TypeError):
        return  # no value; a negative number has no cube root there
    if math.isnan(ours):
        return
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("conversion", "raw", "value"),
    [
        pytest.param(Conversion(), 0x60, 96.0, id="the captures' MBTemp"),
        pytest.param(Conversion(m=5, r_exponent=-1), 0x51, 40.5, id="halves"),
        pytest.param(Conversion(m=63, r_exponent=-3), 190, 11.97, id="12 V"),
        pytest.param(Conversion(m=1, r_exponent=2), 42, 4200, id="fan"),
        pytest.param(Conversion(m=1, b=-4, b_exponent=1), 65, 25, id="offset"),
        pytest.param(
            Conversion(analog_format=AnalogFormat.TWOS_COMPLEMENT), 0xF6, -10, id="two's complement"
        ),
        pytest.param(
            Conversion(analog_format=AnalogFormat.ONES_COMPLEMENT), 0xF5, -10, id="ones' complement"
        ),
        pytest.param(Conversion(m=1, linearization=7), 4, 0.25, id="reciprocal"),
        pytest.param(Conversion(m=1, linearization=10), 144, 12, id="square root"),
    ],
)
def test_both_ways(conversion: Conversion, raw: int, value: float) -> None:
    assert conversion.to_units(raw) == pytest.approx(value)
    assert conversion.to_raw(value) == raw


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e6), st.floats(0, 1))
def test_a_fitted_range_is_covered(minimum: float, span: float, where: float) -> None:
    minimum = round(minimum, 3)
    assume(span > abs(minimum) / 400)
    maximum = minimum + span
    conversion = Conversion.fit(minimum, maximum)
    value = minimum + span * where
    slack = conversion.step * 0.51 + 1e-9 * abs(value)
    assert abs(conversion.to_units(conversion.to_raw(value)) - value) <= slack
    assert conversion.step <= 4 * span / 100


@pytest.mark.parametrize(
    ("minimum", "maximum", "step"),
    [(0, 255, 1), (-128, 127, 1), (0, 25_500, 100), (0, 16, 0.065), (0, 5.1, 0.02), (0, 100, 0.4)],
)
def test_fitted_steps_read_well(minimum: float, maximum: float, step: float) -> None:
    assert Conversion.fit(minimum, maximum).step == step


def test_what_is_out_of_range_is_at_the_end_of_it() -> None:
    signed = Conversion.fit(-128, 127)
    assert (signed.to_raw(-1000), signed.to_raw(1000)) == (0x80, 0x7F)
    unsigned = Conversion.fit(0, 255)
    assert (unsigned.to_raw(-1), unsigned.to_raw(math.inf), unsigned.to_raw(math.nan)) == (0, 255, 0)


@pytest.mark.parametrize(
    "numbers",
    [{"m": 512}, {"m": 0}, {"b": -513}, {"b_exponent": 8}, {"r_exponent": -9}, {"linearization": 12}],
)
def test_numbers_that_a_record_cannot_hold(numbers: dict[str, int]) -> None:
    with pytest.raises(LocalProtocolError):
        Conversion(**numbers)  # type: ignore[arg-type]


@pytest.mark.parametrize("bounds", [(1, 1), (2, 1), (0, math.inf), (0, 1e14)])
def test_ranges_that_cannot_be_fitted(bounds: tuple[float, float]) -> None:
    with pytest.raises(LocalProtocolError):
        Conversion.fit(*bounds)


@pytest.mark.parametrize(("name", "code"), [("degrees C", 1), ("degrees_c", 1), ("Volts", 4), ("rpm", 18)])
def test_units_have_names(name: str, code: int) -> None:
    assert unit_code(name) == code
