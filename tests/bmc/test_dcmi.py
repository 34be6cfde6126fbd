"""DCMI: statistics and limits of power, limits of temperature, names, sensors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc import Settings
from baseboard.bmc.channels import ChannelSettings
from baseboard.bmc.events import PowerAction, PowerRequested
from baseboard.bmc.handlers import chassis, dcmi, fru, sdr, sel
from baseboard.bmc.power_statistics import PowerStatistics, period_code, period_seconds
from baseboard.bmc.sensor_settings import ThresholdSensorSettings
from baseboard.bmc.simulation.simulation import SimulationSettings
from baseboard.ipmi import Channel, Context, Message, Privilege
from baseboard.ipmi.dcmi import GetPowerReadingResponse

TABLES = (dcmi.TABLE, fru.TABLE, sel.TABLE, sdr.TABLE, chassis.TABLE)


def server(load: float = 0.5, on: bool = True, settings: Settings | None = None) -> Conversation:
    settings = (settings or Settings()).replace(simulation=SimulationSettings(load=load))
    talk = Conversation(*TABLES, settings=settings)
    talk.bmc.start(0.0)
    talk.bmc.chassis.found(on, 0.0)
    if on:
        talk.bmc.simulation.tick(0.0)  # it is found running: it has been warm for long
    return talk


@pytest.fixture
def talk() -> Conversation:
    return server()


def run(talk: Conversation, start: int, end: int) -> None:
    """Let seconds pass."""
    for second in range(start, end):
        talk.bmc.simulation.tick(float(second))


def at(talk: Conversation, now: float, text: str) -> bytes:
    """Completion code and data of a request at some time."""
    netfn_lun, command, *data = bytes.fromhex(text)
    context = Context(channel=Channel.SYSTEM_INTERFACE, privilege=Privilege.SYSTEM, now=now)
    return talk.core.handle(Message(netfn_lun >> 2, 0, command, bytes(data)), context)


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        # Group byte, DCMI 1.5, revision 2, then the parameter.  [DCMI 6.1.1]
        pytest.param("b0 01 dc 01", "b4 01 00 dc 01 05 02 0f 01 39", id="what is supported"),
        pytest.param(
            "b0 01 dc 02", "b4 01 00 dc 01 05 02 a0 0f 05 07 01", id="4000 entries, all temperatures"
        ),
        pytest.param("b0 01 dc 03", "b4 01 00 dc 01 05 02 40 01", id="power is the BMC's business"),
        pytest.param("b0 01 dc 04", "b4 01 00 dc 01 05 02 01 ff ff", id="LAN on channel 1"),
        # 5, 15, 30 s, 1, 3, 7, 15, 30 min, 1 h: those that ipmitool 1.8.19 has names for
        pytest.param(
            "b0 01 dc 05", "b4 01 00 dc 01 05 02 09 05 0f 1e 41 43 47 4f 5e 81", id="periods of statistics"
        ),
        pytest.param("b0 01 dc 06", "b4 01 c9 dc", id="no parameter 6"),
        pytest.param("b0 01 dc", "b4 01 c7 dc", id="which parameter?"),
        pytest.param("b0 02 dc 03 00 00", "b4 02 cc dc", id="no power mode 3"),
        pytest.param("b0 02 dc 02 01 00", "b4 02 cc dc", id="no period of 1 s"),
        pytest.param(
            "b0 03 dc 00 00", "b4 03 80 dc 00 00 00 d0 07 e8 03 00 00 00 00 3c 00", id="no active limit"
        ),
        pytest.param("b0 04 dc 00 00 00 02 2c 01 d0 07 00 00 00 00 3c 00", "b4 04 cc dc", id="OEM action"),
        pytest.param("b0 04 dc 00 00 00 00 00 00 d0 07 00 00 00 00 3c 00", "b4 04 84 dc", id="0 W"),
        pytest.param("b0 04 dc 00 00 00 00 d1 07 d0 07 00 00 00 00 3c 00", "b4 04 84 dc", id="2001 W"),
        pytest.param("b0 04 dc 00 00 00 00 2c 01 e7 03 00 00 00 00 3c 00", "b4 04 85 dc", id="999 ms"),
        pytest.param("b0 04 dc 00 00 00 00 2c 01 d0 07 00 00 00 00 00 00", "b4 04 89 dc", id="0 s"),
        pytest.param("b0 04 dc 00 00 00 00 2c 01 d0 07 00 00 00 00 11 0e", "b4 04 89 dc", id="3601 s"),
        pytest.param("b0 04 dc 00 00 00 00 2c 01 d0 07 00 00 00 00 3c", "b4 04 c7 dc", id="too short"),
        pytest.param("b0 05 dc 02 00 00", "b4 05 cc dc", id="neither on nor off"),
        pytest.param("b0 05 dc 00 00 00", "b4 05 00 dc", id="deactivate nothing"),
        pytest.param("b0 06 dc 00 00", "b4 06 00 dc 00", id="no asset tag"),
        pytest.param("b0 06 dc 00 11", "b4 06 c9 dc", id="17 bytes at once"),
        pytest.param("b0 06 dc 01 01", "b4 06 c9 dc", id="beyond the end"),
        pytest.param("b0 08 dc 00 02 41", "b4 08 c7 dc", id="fewer bytes than said"),
        pytest.param("b0 08 dc 01 01 41", "b4 08 c9 dc", id="a hole before"),
        pytest.param(f"b0 08 dc 00 11 {'41' * 17}", "b4 08 c9 dc", id="17 bytes at once to write"),
        pytest.param("b0 07 dc 02 40 00 00", "b4 07 cc dc", id="only temperatures"),
        pytest.param("b0 07 dc 01 39 00 00", "b4 07 c9 dc", id="no such entity"),
        pytest.param("b0 10 dc 01 39 00 00", "b4 10 c9 dc", id="no such entity's temperature"),
        pytest.param("b0 0c dc 40 01", "b4 0c 00 dc 00 00 00 00", id="no thermal limit"),
        pytest.param("b0 0c dc 37 01", "b4 0c 00 dc 00 00 00 00", id="by IPMI's entity id"),
        pytest.param("b0 0c dc 40 02", "b4 0c cb dc", id="there is one inlet"),
        pytest.param("b0 0c dc 41 01", "b4 0c cc dc", id="processors have no limit"),
        pytest.param("b0 0b dc 40 01 40 80 3c 00", "b4 0b 84 dc", id="128 degrees"),
        pytest.param("b0 0b dc 40 01 40 28 00 00", "b4 0b 85 dc", id="at once"),
        pytest.param("b0 13 dc 01 00", "b4 13 00 dc 01 05 01 00", id="DHCP is not being restarted"),
        pytest.param("b0 13 dc 02 00", "b4 13 00 dc 01 05 01 01", id="discovery"),
        pytest.param("b0 13 dc 03 00", "b4 13 00 dc 01 05 01 04", id="4 s"),
        pytest.param("b0 13 dc 04 00", "b4 13 00 dc 01 05 01 78 00", id="120 s"),
        pytest.param("b0 13 dc 05 00", "b4 13 00 dc 01 05 01 40 00", id="64 s"),
        pytest.param("b0 13 dc 06 00", "b4 13 c9 dc", id="no configuration parameter 6"),
        pytest.param("b0 12 dc 01 00 01", "b4 12 00 dc", id="restart DHCP"),
        pytest.param("b0 12 dc 01 00 02", "b4 12 cc dc", id="do what to DHCP?"),
        pytest.param("b0 12 dc 02 00 04", "b4 12 cc dc", id="reserved bit"),
        pytest.param("b0 12 dc 04 00 04", "b4 12 c7 dc", id="too short a time-out"),
        pytest.param("b0 0d dc", "b4 0d c1 dc", id="no such command"),
    ],
)
def test_conversation(talk: Conversation, request_: str, response: str) -> None:
    assert talk.ask(request_) == response


def test_a_serial_port_is_told() -> None:
    talk = server(settings=Settings(channels=ChannelSettings(serial=True)))
    assert talk.ask("b0 01 dc 01") == "b4 01 00 dc 01 05 02 0f 01 3b"
    assert talk.ask("b0 01 dc 04") == "b4 01 00 dc 01 05 02 01 ff 02"


# Power


def reading(talk: Conversation, now: float, text: str = "b0 02 dc 01 00 00") -> GetPowerReadingResponse:
    answer = at(talk, now, text)
    assert answer[:2] == b"\x00\xdc"
    return GetPowerReadingResponse.decode(answer[2:])


def test_power_reading(talk: Conversation) -> None:
    talk.bmc.clock.synchronize(1_700_000_000, 0.0)
    run(talk, 1, 100)
    sensor = talk.bmc.sensors["System Power"]
    watts = reading(talk, 99.0)
    assert watts.current == pytest.approx(talk.bmc.simulation.watts, abs=0.5)
    assert watts.current == pytest.approx(sensor.value, abs=4)  # type: ignore[attr-defined]
    assert watts.minimum <= watts.average <= watts.maximum
    assert (watts.timestamp, watts.period, watts.state) == (1_700_000_099, 60_000, 0x40)


def test_statistics_see_a_change_of_load(talk: Conversation) -> None:
    run(talk, 1, 100)
    before = reading(talk, 99.0)
    talk.bmc.simulation.load = 1.0
    run(talk, 100, 120)
    after = reading(talk, 119.0)
    assert after.current > before.current + 100
    assert after.minimum == pytest.approx(before.current, abs=5)
    assert after.minimum < after.average < after.maximum
    # In 5 s there is only the new load, in an hour mostly the old one.
    five, hour = reading(talk, 119.0, "b0 02 dc 02 05 00"), reading(talk, 119.0, "b0 02 dc 02 81 00")
    assert five.minimum > before.maximum
    assert (five.period, hour.period) == (0x05, 0x81)
    assert hour.average < after.average
    assert hour.maximum == after.maximum


def test_the_window_moves() -> None:
    statistics = PowerStatistics()
    assert statistics.over(60, 0.0).average == 0
    for second in range(4000):
        statistics.add(float(second), float(second))
    last = statistics.over(5, 3999.0)
    assert (last.current, last.minimum, last.maximum, last.average) == (3999, 3995, 3999, 3997)
    assert statistics.over(1e9, 3999.0).minimum == 400  # an hour is kept
    assert statistics.over(5, 9999.0).average == 3999  # nothing was measured since


@pytest.mark.parametrize(
    ("seconds", "code"), [(5, 0x05), (60, 0x41), (900, 0x4F), (3600, 0x81), (86_400, 0xC1)]
)
def test_periods(seconds: int, code: int) -> None:
    assert period_code(seconds) == code
    assert period_seconds(code) == seconds


LIMIT_300 = "b0 04 dc 00 00 00 11 2c 01 e8 03 00 00 00 00 0a 00"
"""300 W, 1000 ms, log, 10 s."""


def test_a_limit_caps_the_load() -> None:
    talk = server(load=1.0)
    run(talk, 1, 60)
    assert talk.bmc.simulation.watts > 450
    assert talk.ask(LIMIT_300) == "b4 04 00 dc"
    assert talk.ask("b0 03 dc 00 00") == "b4 03 80 dc 00 00 11 2c 01 e8 03 00 00 00 00 0a 00"
    run(talk, 60, 70)
    assert talk.bmc.simulation.watts > 450  # not active yet
    assert talk.ask("b0 05 dc 01 00 00") == "b4 05 00 dc"
    assert talk.ask("b0 03 dc 00 00") == "b4 03 00 dc 00 00 11 2c 01 e8 03 00 00 00 00 0a 00"
    for second in range(70, 1000):
        talk.bmc.simulation.tick(float(second))
        if second > 80:
            assert 280 < talk.bmc.simulation.watts <= 300
    assert reading(talk, 999.0).maximum <= 300
    assert talk.bmc.simulation.load == 1.0  # what is wanted has not changed
    talk.ask("b0 05 dc 00 00 00")
    run(talk, 1000, 1060)
    assert talk.bmc.simulation.watts > 450


def test_a_limit_does_not_slow_down_what_keeps_it(talk: Conversation) -> None:
    run(talk, 1, 60)
    before = talk.bmc.simulation.watts
    talk.ask("b0 04 dc 00 00 00 00 d0 07 e8 03 00 00 00 00 0a 00")
    talk.ask("b0 05 dc 01 00 00")
    run(talk, 60, 120)
    assert talk.bmc.simulation.watts == pytest.approx(before, abs=8)


def log_of(talk: Conversation) -> list[str]:
    """Sensor type, number, direction and type, data 1 of all records."""
    return [record[10:14].hex(" ") for record in talk.bmc.sel]


IMPOSSIBLE = "b0 04 dc 00 00 00 {action} 32 00 88 13 00 00 00 00 0a 00"
"""50 W within 5 s, which is below what the server takes when it idles."""


def test_a_limit_that_cannot_be_kept_is_logged(talk: Conversation) -> None:
    run(talk, 1, 10)
    talk.ask(IMPOSSIBLE.format(action="11"))
    talk.ask("b0 05 dc 01 00 00")
    run(talk, 10, 15)
    assert "09 0a 05 01" not in log_of(talk)  # the correction time is running
    run(talk, 15, 40)
    assert log_of(talk).count("09 0a 05 01") == 1  # Power Unit, limit exceeded
    assert talk.bmc.chassis.power_is_on
    talk.ask(LIMIT_300)
    run(talk, 40, 60)
    assert log_of(talk).count("09 0a 85 01") == 1  # and no longer


def test_or_the_power_goes_off(talk: Conversation) -> None:
    talk.events()
    talk.ask(IMPOSSIBLE.format(action="01"))
    talk.ask("b0 05 dc 01 00 00")
    run(talk, 1, 30)
    assert [e for e in talk.events() if isinstance(e, PowerRequested)] == [PowerRequested(PowerAction.OFF)]
    assert "09 0a 05 01" in log_of(talk)


def test_or_nothing_happens(talk: Conversation) -> None:
    talk.events()
    talk.ask(IMPOSSIBLE.format(action="00"))
    talk.ask("b0 05 dc 01 00 00")
    before = log_of(talk)
    run(talk, 1, 30)
    assert log_of(talk) == before
    assert not [e for e in talk.events() if isinstance(e, PowerRequested)]


def test_a_server_without_a_sensor_for_it_logs_all_the_same() -> None:
    settings = Settings()
    settings = settings.replace(sensors=tuple(s for s in settings.sensors if s.number != 0x0A))
    talk = server(settings=settings)
    talk.ask(IMPOSSIBLE.format(action="11"))
    talk.ask("b0 05 dc 01 00 00")
    run(talk, 1, 30)
    assert log_of(talk).count("09 0a 05 01") == 1


def test_the_limit_is_kept() -> None:
    talk = server(load=1.0)
    talk.ask(LIMIT_300)
    talk.ask("b0 05 dc 01 00 00")
    talk.restart()
    assert talk.ask("b0 03 dc 00 00") == "b4 03 00 dc 00 00 11 2c 01 e8 03 00 00 00 00 0a 00"
    assert talk.bmc.simulation.power_limit == 300


# Temperatures


def test_sensor_info_names_records(talk: Conversation) -> None:
    names = {}
    for entity in ("40", "41", "42", "37", "03", "07"):
        _, _, code, group, total, count, *ids = bytes.fromhex(talk.ask(f"b0 07 dc 01 {entity} 00 01"))
        assert (code, group, total) == (0, 0xDC, count)
        found = [int.from_bytes(bytes(ids[i : i + 2]), "little") for i in range(0, len(ids), 2)]
        records = [
            bytes.fromhex(talk.ask(f"28 23 00 00 {n & 255:02x} {n >> 8:02x} 00 ff"))[5:] for n in found
        ]
        names[entity] = [record[48:].decode("latin-1") for record in records]
    assert names["40"] == names["37"] == ["Inlet Temp"]
    assert names["41"] == names["03"] == ["CPU1 Temp", "CPU2 Temp"]
    assert names["42"] == names["07"] == ["Board Temp"]


def test_one_instance(talk: Conversation) -> None:
    both = talk.ask("b0 07 dc 01 41 00 00")
    assert both[:20] == "b4 07 00 dc 02 02 " + both[18:20]
    assert talk.ask("b0 07 dc 01 41 02 00") == f"b4 07 00 dc 02 01 {both[-5:]}"
    assert talk.ask("b0 07 dc 01 41 00 02") == f"b4 07 00 dc 02 01 {both[-5:]}"
    assert talk.ask("b0 07 dc 01 41 03 00") == "b4 07 00 dc 02 00"


def test_at_most_eight() -> None:
    more = tuple(
        ThresholdSensorSettings(
            number=0xA0 + n, name=f"Socket {n}", sensor_type=1, entity=(0x41, 10 + n), unit=1, nominal=20 + n
        )
        for n in range(10)
    )
    talk = server(settings=Settings().replace(sensors=Settings().sensors + more))
    assert talk.ask("b0 07 dc 01 41 00 01").split()[4:6] == ["0c", "08"]
    assert talk.ask("b0 07 dc 01 41 00 10").split()[4:6] == ["0c", "04"]
    assert talk.ask("b0 10 dc 01 41 00 12") == "b4 10 00 dc 0c 02 1c 12 1d 13"


def test_temperature_readings(talk: Conversation) -> None:
    bmc = talk.bmc
    bmc.simulation.hold(bmc.sensors["CPU1 Temp"], 0.0, value=55)
    bmc.simulation.hold(bmc.sensors["CPU2 Temp"], 0.0, value=-7)
    assert talk.ask("b0 10 dc 01 41 00 00") == "b4 10 00 dc 02 02 37 01 87 02"
    assert talk.ask("b0 10 dc 01 41 02 00") == "b4 10 00 dc 02 01 87 02"
    bmc.simulation.hold(bmc.sensors["CPU1 Temp"], 0.0)  # it cannot be read any more
    assert talk.ask("b0 10 dc 01 41 00 00") == "b4 10 00 dc 01 01 87 02"


def heat(talk: Conversation, value: float) -> None:
    talk.bmc.simulation.hold(talk.bmc.sensors["Inlet Temp"], 0.0, value=value)


def test_a_thermal_limit_is_logged(talk: Conversation) -> None:
    assert talk.ask("b0 0b dc 40 01 20 28 0a 00") == "b4 0b 00 dc"  # 40 degrees, 10 s
    assert talk.ask("b0 0c dc 40 01") == "b4 0c 00 dc 20 28 0a 00"
    heat(talk, 40)
    run(talk, 1, 30)
    assert "01 0b 05 01" not in log_of(talk)
    heat(talk, 41)
    run(talk, 30, 40)
    assert "01 0b 05 01" not in log_of(talk)
    run(talk, 40, 60)
    assert log_of(talk).count("01 0b 05 01") == 1
    heat(talk, 30)
    run(talk, 60, 62)
    assert log_of(talk).count("01 0b 85 01") == 1


def test_or_it_takes_the_power(talk: Conversation) -> None:
    talk.events()
    talk.ask("b0 0b dc 40 01 40 28 05 00")
    heat(talk, 45)
    run(talk, 1, 20)
    assert [e for e in talk.events() if isinstance(e, PowerRequested)] == [PowerRequested(PowerAction.OFF)]
    assert log_of(talk).count("01 0b 05 01") == 1


def test_a_thermal_limit_outlasts_the_controller_when_asked_to(talk: Conversation) -> None:
    talk.ask("b0 0b dc 40 01 20 28 0a 00")
    talk.restart()
    assert talk.ask("b0 0c dc 40 01") == "b4 0c 00 dc 00 00 00 00"
    talk.ask("b0 0b dc 40 01 a0 28 0a 00")
    talk.restart()
    assert talk.ask("b0 0c dc 40 01") == "b4 0c 00 dc a0 28 0a 00"
    talk.ask("b0 0b dc 40 01 20 28 0a 00")
    talk.restart()
    assert talk.ask("b0 0c dc 40 01") == "b4 0c 00 dc 00 00 00 00"


# Names and parameters


def test_the_asset_tag_is_a_field_of_the_inventory(talk: Conversation) -> None:
    tag = b"Rack 12, unit 7, Frankfurt"
    assert talk.ask(f"b0 08 dc 00 10 {tag[:16].hex()}") == "b4 08 00 dc 10"
    assert talk.ask(f"b0 08 dc 10 0a {tag[16:].hex()}") == "b4 08 00 dc 1a"
    talk.restart()
    assert talk.ask("b0 06 dc 00 10") == f"b4 06 00 dc 1a {tag[:16].hex(' ')}"
    assert talk.ask("b0 06 dc 10 10") == f"b4 06 00 dc 1a {tag[16:].hex(' ')}"
    assert tag in bytes(talk.bmc.fru.get(0).data)
    assert talk.ask(f"b0 08 dc 00 04 {b'Blue'.hex()}") == "b4 08 00 dc 04"
    assert talk.ask("b0 06 dc 00 10") == f"b4 06 00 dc 04 {b'Blue'.hex(' ')}"


@pytest.mark.parametrize(
    ("head", "language", "code"),
    [
        (0x04, 25, "80"),
        (0x44, 25, "81"),
        (0x84, 25, "82"),
        (0xC4, 12, "83"),
        (0xC4, 25, "00"),
        (0xC4, 0, "00"),
    ],
)
def test_the_tag_s_encoding_is_told(talk: Conversation, head: int, language: int, code: str) -> None:
    talk.ask(f"b0 08 dc 00 04 {b'Blue'.hex()}")
    image = talk.bmc.fru.get(0).data
    image[image.index(b"\xc4Blue")] = head
    image[image[4] * 8 + 2] = language
    assert talk.ask("b0 06 dc 00 10") == f"b4 06 {code} dc 04 {b'Blue'.hex(' ')}"


@given(st.binary(max_size=300))
def test_any_inventory_has_a_tag_or_none(image: bytes) -> None:
    talk = Conversation(dcmi.TABLE)
    talk.bmc.fru.get(0).data[: len(image)] = image
    assert talk.ask("b0 06 dc 00 00").split()[2] in ("00", "80", "81", "82", "83")
    assert talk.ask("b0 08 dc 00 02 41 42").startswith("b4 08 00 dc 02")
    assert talk.ask("b0 06 dc 00 10") == "b4 06 00 dc 02 41 42"


def test_a_tag_has_63_bytes_at_most(talk: Conversation) -> None:
    for offset in (0, 16, 32):
        assert talk.ask(f"b0 08 dc {offset:02x} 10 {'41' * 16}") == f"b4 08 00 dc {offset + 16:02x}"
    assert talk.ask(f"b0 08 dc 30 10 {'41' * 16}") == "b4 08 c9 dc"
    assert talk.ask(f"b0 08 dc 30 0f {'41' * 15}") == "b4 08 00 dc 3f"


def test_the_identifier_begins_as_dcmi_has_it(talk: Conversation) -> None:
    mac = talk.bmc.lan_configuration.get(5, 0)
    identifier = b"DCMI" + mac.hex().upper().encode() + b"\0"
    assert talk.ask("b0 09 dc 00 10") == f"b4 09 00 dc 11 {identifier[:16].hex(' ')}"
    assert talk.ask("b0 09 dc 10 10") == "b4 09 00 dc 11 00"


def test_the_identifier_is_kept(talk: Conversation) -> None:
    assert talk.ask(f"b0 0a dc 00 10 {b'controller-of-ra'.hex()}") == "b4 0a 00 dc 11"
    assert talk.ask(f"b0 0a dc 10 05 {b'ck-3'.hex()} 00") == "b4 0a 00 dc 15"
    talk.restart()
    assert talk.ask("b0 09 dc 10 10") == f"b4 09 00 dc 15 {b'ck-3'.hex(' ')} 00"
    assert talk.ask("b0 0a dc 3a 10 " + "41" * 16) == "b4 0a c9 dc"
    assert talk.ask("b0 0a dc 00 02 41") == "b4 0a c7 dc"


def test_configuration_is_kept(talk: Conversation) -> None:
    talk.ask("b0 12 dc 02 00 83")
    talk.ask("b0 12 dc 05 00 2c 01")
    talk.restart()
    assert talk.ask("b0 13 dc 02 00") == "b4 13 00 dc 01 05 01 83"
    assert talk.ask("b0 13 dc 05 00") == "b4 13 00 dc 01 05 01 2c 01"


def test_privileges(talk: Conversation) -> None:
    assert talk.over_lan("b0 01 dc 01", Privilege.NONE).startswith("b4 01 00 dc")
    assert talk.over_lan("b0 02 dc 01 00 00", Privilege.USER).startswith("b4 02 00 dc")
    assert talk.over_lan("b0 05 dc 00 00 00", Privilege.USER) == "b4 05 d4 dc"
    assert talk.over_lan("b0 0a dc 00 01 41", Privilege.OPERATOR) == "b4 0a d4 dc"


@given(st.sampled_from([row.number for row in dcmi.TABLE.commands]), st.binary(max_size=24))
def test_any_bytes_are_answered(number: int, data: bytes) -> None:
    answer = Conversation(*TABLES).ask(f"b0 {number:02x} dc {data.hex()}")
    assert answer.startswith("b4")
    assert answer.split()[3] == "dc"
