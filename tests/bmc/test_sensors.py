"""Sensors and their events, asked in bytes; thresholds against the rules as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc import Settings
from baseboard.bmc.commands import TABLES
from baseboard.bmc.sel import SelSettings
from baseboard.bmc.sensor import DiscreteSensor, ThresholdSensor
from baseboard.bmc.sensor_settings import DiscreteSensorSettings, ThresholdSensorSettings
from baseboard.errors import ConfigError
from baseboard.ipmi import Privilege
from baseboard.ipmi.sensor_units import Conversion

BOTH_ENDS = ThresholdSensorSettings(
    number=0x10,
    name="Both Ends",
    sensor_type=0x01,
    unit=1,
    minimum=-128,
    maximum=127,
    nominal=20,
    lower_nonrecoverable=-20,
    lower_critical=-10,
    lower_noncritical=0,
    upper_noncritical=40,
    upper_critical=50,
    upper_nonrecoverable=60,
    hysteresis=2,
)
FAN = ThresholdSensorSettings(
    number=0x11, name="Fan", sensor_type=0x04, unit=18, maximum=25_500, nominal=5_000, lower_critical=1_000
)
BARE = ThresholdSensorSettings(number=0x12, name="Bare", sensor_type=0x03, unit=5, nominal=7)
SUPPLY = DiscreteSensorSettings(
    number=0x20, name="Supply", sensor_type=0x08, states=(0, 1, 3, 9), present=(0,)
)
FIXED = DiscreteSensorSettings(number=0x21, name="Fixed", sensor_type=0x05, states=(0,), settable=False)


@pytest.fixture
def bmc() -> Conversation:
    settings = Settings(
        sensors=(BOTH_ENDS, FAN, BARE, SUPPLY, FIXED), fru=(), sel=SelSettings(log_clearing=False)
    )
    return Conversation(*TABLES, settings=settings)


def answer(conversation: Conversation, request: str) -> str:
    return conversation.ask(request)[6:]


def logged(conversation: Conversation) -> list[str]:
    """What every record says of sensor and event; and forget them."""
    records = [record[10:].hex(" ") for record in conversation.bmc.sel]
    conversation.bmc.sel.clear(0)
    return records


def temperature(conversation: Conversation) -> ThresholdSensor:
    sensor = conversation.bmc.sensors[0x10]
    assert isinstance(sensor, ThresholdSensor)
    return sensor


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("10 2d 10", "00 14 c0 c0 80", id="reading"),
        pytest.param("10 2d 11", "00 32 c0 c0 80", id="fan, in hundreds"),
        pytest.param("10 2d 20", "00 00 c0 01 80", id="states"),
        pytest.param("10 2d 99", "cb", id="absent"),
        pytest.param("10 2d", "c7", id="no number"),
        pytest.param("10 27 10", "00 3f 00 f6 ec 28 32 3c", id="thresholds"),
        pytest.param("10 27 11", "00 02 00 0a 00 00 00 00", id="one threshold"),
        pytest.param("10 27 20", "cd", id="thresholds of states"),
        pytest.param("10 25 10 ff", "00 02 02", id="hysteresis"),
        pytest.param("10 25 20 ff", "cd", id="hysteresis of states"),
        pytest.param("10 25 12 ff", "cd", id="hysteresis without thresholds"),
        pytest.param("10 24 12 ff 01 01", "cd", id="setting it"),
        pytest.param("10 29 10", "00 c0 95 0a 95 0a", id="event enables"),
        pytest.param("10 29 20", "00 c0 0b 02 0b 02", id="of states"),
        pytest.param("10 2b 10", "00 c0 00 00 00 00", id="event status"),
        pytest.param("10 2b 20", "00 c0 01 00 00 00", id="of states"),
        pytest.param("10 2f 20", "00 08 6f", id="type"),
        pytest.param("10 2e 20 09 03", "00", id="set type"),
        pytest.param("10 2e 20 09 01", "cc", id="states do not become a reading"),
        pytest.param("10 23 11 32", "00 32 01 01 00 00 00 20", id="factors"),
        pytest.param("10 23 20 00", "cd", id="factors of states"),
        pytest.param("10 20", "00 05 01", id="sensors"),
        pytest.param("10 20 01", "00 06 01", id="their records and our own"),
        pytest.param("10 01", "00 20 00", id="event receiver"),
        pytest.param("10 26 11 01 00 00 00 00 00 00", "cc", id="a threshold that is not there"),
        pytest.param("10 28 10 f0", "cc", id="reserved operation"),
        pytest.param("10 28 10 c0 00 00 00 00 00", "c7", id="too many masks"),
    ],
)
def test_what_sensors_answer(bmc: Conversation, request_: str, response: str) -> None:
    assert answer(bmc, request_) == response


# Thresholds: value, events logged on the way there (offset with 80h for de-assertion), comparison bits.
# fmt: off
JOURNEY = [
    #  to     events        comparison
    ( 39,     "",           0b000000),
    ( 40,     "07",         0b001000),   # going high: at the threshold
    ( 39,     "",           0b000000),   # the comparison knows no hysteresis, the event does
    ( 38,     "",           0b000000),   # threshold - hysteresis: not yet below
    ( 37,     "87",         0b000000),
    ( 50,     "07 09",      0b011000),
    ( 60,     "0b",         0b111000),
    ( 30,     "87 89 8b",   0b000000),
    (  0,     "00",         0b000001),   # going low
    (  2,     "",           0b000000),
    (  3,     "80",         0b000000),
    (-20,     "00 02 04",   0b000111),
    ( 20,     "80 82 84",   0b000000),
    ( 60,     "07 09 0b",   0b111000),
    (-20,     "87 89 8b 00 02 04", 0b000111),
    ( 20,     "80 82 84",   0b000000),
]
# fmt: on


def test_thresholds_and_hysteresis(bmc: Conversation) -> None:
    sensor = temperature(bmc)
    for value, events, comparison in JOURNEY:
        sensor.set(value, 0.0)
        expected = []
        for event in bytes.fromhex(events):
            threshold = sensor.thresholds_raw[(event & 0x0F) >> 1]
            direction = 0x01 | event & 0x80
            expected.append(f"01 10 {direction:02x} 5{event & 0x0F:x} {value & 0xFF:02x} {threshold:02x}")
        assert logged(bmc) == expected, value
        assert answer(bmc, "10 2d 10") == f"00 {value & 0xFF:02x} c0 {0xC0 | comparison:02x} 80"


@given(st.lists(st.integers(-128, 127), max_size=30))
def test_events_alternate(values: list[int]) -> None:
    outlet: list[tuple[int, bool]] = []
    sensor = ThresholdSensor(BOTH_ENDS, lambda *event: outlet.append((event[4][0] & 0x0F, event[3])))
    for value in values:
        sensor.set(value, 0.0)
    for offset in (0, 2, 4, 7, 9, 11):
        directions = [deassertion for event, deassertion in outlet if event == offset]
        assert directions == [bool(n % 2) for n in range(len(directions))]
        assert (sensor.assertions >> offset & 1) == len(directions) % 2


def test_event_status(bmc: Conversation) -> None:
    sensor = temperature(bmc)
    sensor.set(52, 0.0)
    assert answer(bmc, "10 2b 10") == "00 c0 80 02 00 00"
    sensor.set(45, 0.0)
    assert answer(bmc, "10 2b 10") == "00 c0 80 00 00 02"


def test_set_thresholds(bmc: Conversation) -> None:
    assert answer(bmc, "10 26 10 08 00 00 00 14 00 00") == "00"  # upper non-critical: 20, where it stands
    assert logged(bmc) == ["01 10 01 57 14 14"]
    assert answer(bmc, "10 24 10 ff 05 05") == "00"
    temperature(bmc).set(15, 0.0)
    assert logged(bmc) == []
    temperature(bmc).set(14, 0.0)
    assert logged(bmc) == ["01 10 81 57 0e 14"]
    assert answer(bmc, "10 28 10 60 80 00 00 00") == "00"  # events off, disable one
    bmc.restart()
    assert answer(bmc, "10 27 10") == "00 3f 00 f6 ec 14 32 3c"
    assert answer(bmc, "10 25 10 ff") == "00 05 05"
    assert answer(bmc, "10 29 10") == "00 40 15 0a 95 0a"


def test_event_enables(bmc: Conversation) -> None:
    sensor = temperature(bmc)
    assert answer(bmc, "10 28 10 e0 ff ff 00 00") == "00"  # no assertions
    assert answer(bmc, "10 29 10") == "00 c0 00 00 95 0a"
    sensor.set(45, 0.0)
    sensor.set(20, 0.0)
    assert logged(bmc) == ["01 10 81 57 14 28"]
    assert answer(bmc, "10 28 10 d0 80 00") == "00"  # this one again; absent bytes are 00h
    assert answer(bmc, "10 29 10") == "00 c0 80 00 95 0a"
    assert answer(bmc, "10 28 10 c0") == "00"  # masks as they are
    assert answer(bmc, "10 29 10") == "00 c0 80 00 95 0a"
    assert answer(bmc, "10 28 10 d0 ff ff ff ff") == "00"  # only what the sensor supports
    assert answer(bmc, "10 29 10") == "00 c0 95 0a 95 0a"
    assert answer(bmc, "10 28 10 40") == "00"
    sensor.set(45, 0.0)
    assert logged(bmc) == []
    assert answer(bmc, "10 2d 10") == "00 2d 40 c8 80"


def test_scanning_off(bmc: Conversation) -> None:
    assert answer(bmc, "10 28 10 80") == "00"
    temperature(bmc).set(55, 0.0)
    assert logged(bmc) == []
    assert answer(bmc, "10 2d 10") == "00 00 a0 c0 80"
    assert answer(bmc, "10 28 10 c0") == "00"
    assert logged(bmc) == ["01 10 01 57 37 28", "01 10 01 59 37 32"]
    assert answer(bmc, "10 2d 10") == "00 37 c0 d8 80"


def test_rearm_reports_what_still_holds_and_nothing_else(bmc: Conversation) -> None:
    temperature(bmc).set(45, 0.0)
    logged(bmc)
    assert answer(bmc, "10 2a 10 00") == "00"
    assert logged(bmc) == ["01 10 01 57 2d 28"]
    assert answer(bmc, "10 2a 10 80 00 02") == "00"  # upper critical, which is not asserted
    assert logged(bmc) == []
    temperature(bmc).set(20, 0.0)
    logged(bmc)
    assert answer(bmc, "10 2a 10 00 00 00 00 00") == "00"
    assert logged(bmc) == []
    assert answer(bmc, "10 2b 10") == "00 c0 00 00 00 00"


def test_event_receiver(bmc: Conversation) -> None:
    sensor = temperature(bmc)
    assert answer(bmc, "10 00 ff 00") == "00"
    assert answer(bmc, "10 01") == "00 ff 00"
    sensor.set(45, 0.0)
    assert logged(bmc) == []
    assert answer(bmc, "10 00 20 00") == "00"  # re-arms
    assert logged(bmc) == ["01 10 01 57 2d 28"]


def test_no_reading(bmc: Conversation) -> None:
    sensor = temperature(bmc)
    sensor.set(45, 0.0)
    logged(bmc)
    sensor.set_unavailable()
    assert answer(bmc, "10 2d 10") == "00 00 e0 c0 80"
    assert sensor.value is None
    sensor.set(45, 0.0)
    assert logged(bmc) == ["01 10 01 57 2d 28"]


def test_states(bmc: Conversation) -> None:
    supply = bmc.bmc.sensors["Supply"]
    assert isinstance(supply, DiscreteSensor)
    supply.set_states(0b1000001011, 0.0)
    assert logged(bmc) == ["08 20 6f 01 ff ff", "08 20 6f 03 ff ff", "08 20 6f 09 ff ff"]
    assert answer(bmc, "10 2d 20") == "00 00 c0 0b 82"
    supply.set_states(0b0000000101, 0.0)  # bit 2 is no state of this sensor
    assert logged(bmc) == ["08 20 ef 01 ff ff", "08 20 ef 03 ff ff", "08 20 ef 09 ff ff"]
    assert answer(bmc, "10 2b 20") == "00 c0 01 00 0a 02"


BACK, FAILED = "08 20 ef 00 ff ff", "08 20 6f 01 ff ff"


@pytest.mark.parametrize(
    ("request_", "response", "events", "reading"),
    [
        pytest.param("10 01 2d", "00", ["01 10 01 57 2d 28"], "2d c0 c8 80", id="reading"),
        pytest.param("10 00 2d", "00", [], "14 c0 c0 80", id="no operation"),
        pytest.param("10 02 2d", "cc", [], "14 c0 c0 80", id="reserved operation"),
        pytest.param("10 41 2d 00 00 00 00 01 02 03", "81", [], "14 c0 c0 80", id="event data of a reading"),
        pytest.param("10 11 2d 01", "80", [], "14 c0 c0 80", id="status of a reading"),
        pytest.param("20 10 00 02", "00", [BACK, FAILED], "00 c0 02 80", id="write"),
        pytest.param("20 20 00 08", "00", ["08 20 6f 03 ff ff"], "00 c0 09 80", id="set"),
        pytest.param("20 30 00 08", "00", ["08 20 ef 00 ff ff"], "00 c0 00 80", id="clear"),
        pytest.param(
            "20 60 00 08 00 00 00 a3 01 02",
            "00",
            ["08 20 6f a3 01 02"],
            "00 c0 09 80",
            id="event data as given",
        ),
        pytest.param(
            "20 a0 00 08 00 00 00 a0 01 02", "00", ["08 20 6f a3 01 02"], "00 c0 09 80", id="our own offset"
        ),
        pytest.param("20 60 00 08", "cc", [], "00 c0 01 80", id="event data missing"),
        pytest.param("20 01 05", "80", [], "00 c0 01 80", id="reading of states"),
        pytest.param("21 10 00 01", "80", [], "00 c0 00 80", id="not settable"),
    ],
)
def test_set_reading(
    bmc: Conversation, request_: str, response: str, events: list[str], reading: str
) -> None:
    assert answer(bmc, f"10 30 {request_}") == response
    assert logged(bmc) == events
    assert answer(bmc, f"10 2d {request_[:2]}") == f"00 {reading}"


# Platform Event  [IPMI 29.3]


@pytest.mark.parametrize(
    ("request_", "stored"),
    [
        pytest.param("41 04 0c 08 6f 21 02 03", "41 00 04 0c 08 6f 21 02 03", id="from software"),
        pytest.param("21 03 20 00 6f a1 61", "21 00 04 20 00 6f a1 61 ff", id="format 1.0, as Linux panics"),
    ],
)
def test_events_from_the_system_interface(bmc: Conversation, request_: str, stored: str) -> None:
    assert answer(bmc, f"10 02 {request_}") == "00"
    assert [record[7:].hex(" ") for record in bmc.bmc.sel] == [stored]


def test_events_from_the_network(bmc: Conversation) -> None:
    assert bmc.over_lan("10 02 04 01 30 81 59")[6:] == "00"
    assert [record[7:].hex(" ") for record in bmc.bmc.sel] == ["81 10 04 01 30 81 59 ff ff"]
    assert bmc.over_lan("10 02 04 01 30 81 59", Privilege.USER)[6:] == "d4"
    assert bmc.over_lan("10 02 04 01 30 81")[6:] == "c7"
    assert bmc.over_lan("10 02 04 01 30 81 01 02 03 04")[6:] == "c7"


def test_the_event_message_buffer_has_the_record(bmc: Conversation) -> None:
    assert answer(bmc, "18 2e 0c") == "00"
    temperature(bmc).set(45, 0.0)
    assert answer(bmc, "18 35") == "00 " + next(iter(bmc.bmc.sel)).hex(" ")


def test_event_logging_off(bmc: Conversation) -> None:
    assert answer(bmc, "18 2e 04") == "00"
    temperature(bmc).set(45, 0.0)
    assert logged(bmc) == []
    assert answer(bmc, "18 35")[:11] == "00 ff ff 02"  # it has no record id, for it is in no log
    assert answer(bmc, "10 02 41 04 0c 08 6f 21 02 03") == "00"
    assert len(bmc.bmc.sel) == 1  # the system interface may always


def test_events_that_others_report_show_in_the_sensor(bmc: Conversation) -> None:
    bmc.bmc.platform_event(0x08, 0x20, 0x6F, False, b"\x01\xff\xff", 0.0)
    assert answer(bmc, "10 2d 20") == "00 00 c0 03 80"
    bmc.bmc.platform_event(0x08, 0x20, 0x6F, True, b"\x01", 0.0)
    assert answer(bmc, "10 2d 20") == "00 00 c0 01 80"
    assert logged(bmc) == ["08 20 6f 01 ff ff", "08 20 ef 01 ff ff"]


# Settings


@pytest.mark.parametrize(
    "settings",
    [
        {"number": 0},
        {"number": 255},
        {"name": ""},
        {"name": "a name that is too long"},
        {"minimum": 10, "maximum": 10},
        {"upper_critical": 30, "upper_noncritical": 40},
        {"lower_critical": 30, "upper_noncritical": 20},
    ],
    ids=str,
)
def test_settings_that_make_no_sense(settings: dict[str, object]) -> None:
    good: dict[str, object] = {"number": 1, "name": "Good", "sensor_type": 1, "unit": 1}
    with pytest.raises(ConfigError):
        ThresholdSensorSettings(**(good | settings))  # type: ignore[arg-type]


def test_states_that_make_no_sense() -> None:
    with pytest.raises(ConfigError):
        DiscreteSensorSettings(number=1, name="Bad", sensor_type=8, states=(15,))
    with pytest.raises(ConfigError):
        DiscreteSensorSettings(number=1, name="Bad", sensor_type=8, states=(0,), present=(1,))


def test_a_number_is_given_once() -> None:
    with pytest.raises(ConfigError, match="taken"):
        Conversation(*TABLES, settings=Settings(sensors=(FAN, FAN)))


def test_a_conversion_of_ones_own() -> None:
    settings = ThresholdSensorSettings(
        number=1, name="Own", sensor_type=2, unit=4, nominal=12, conversion=Conversion(m=63, r_exponent=-3)
    )
    sensor = ThresholdSensor(settings, lambda *event: None)
    assert sensor.raw == 190


@given(
    st.sampled_from([0x00, 0x01, 0x02, *range(0x20, 0x31)]),
    st.sampled_from([b"", b"\x10", b"\x11", b"\x12", b"\x20", b"\x21"]),
    st.binary(max_size=16),
)
def test_any_request_gets_an_answer(command: int, sensor: bytes, data: bytes) -> None:
    assert answer(SHARED, f"10 {command:02x} {(sensor + data).hex()}")


SHARED = Conversation(*TABLES, settings=Settings(sensors=(BOTH_ENDS, FAN, BARE, SUPPLY, FIXED)))
