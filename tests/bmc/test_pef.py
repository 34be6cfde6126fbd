"""Platform event filtering: parameters, filters, actions, timers and alerts, in bytes."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc import Settings
from baseboard.bmc.channels import ChannelSettings
from baseboard.bmc.device import DeviceSettings
from baseboard.bmc.events import (
    Event,
    PowerAction,
    PowerRequested,
    RestartCause,
    SensorEventLogged,
    TrapRequested,
)
from baseboard.bmc.handlers import chassis, lan_configuration, pef, sel, sensors
from baseboard.bmc.lan_configuration import AlertDestination, LanSettings
from baseboard.bmc.pef_filters import DEFAULT_FILTERS, UNUSED_FILTER, matches
from baseboard.bmc.pef_parameters import PefSettings
from baseboard.bmc.sel import SelSettings
from baseboard.ipmi import Channel, Context, Message, Privilege
from baseboard.ipmi.records.sel import SystemEvent

GUID = bytes.fromhex("00112233445566778899aabbccddeeff")
TABLES = (pef.TABLE, sensors.TABLE, sel.TABLE, lan_configuration.TABLE, chassis.TABLE)

RECEIVER = AlertDestination(address=ip_address("192.0.2.7"))
HOT = "10 02 41 04 01 10 01 59 60 5f"
"""Platform Event from software 20h: temperature 10h, upper critical going high."""


class Talk(Conversation):
    """A controller at a time."""

    now = 1000.0

    def ask(
        self, text: str, privilege: int = Privilege.SYSTEM, channel: int = Channel.SYSTEM_INTERFACE
    ) -> str:
        netfn_lun, command, *data = bytes.fromhex(text)
        context = Context(channel=channel, privilege=privilege, now=self.now)
        answer = self.core.handle(Message(netfn_lun >> 2, netfn_lun & 3, command, bytes(data)), context)
        return answer.hex(" ")

    def start(self) -> None:
        super().start()
        self.bmc.clock.synchronize(1_800_000_000.0, 0.0)
        self.bmc.start(self.now)

    def wait(self, seconds: float) -> list[Event]:
        """Let time pass, and do what falls due."""
        end = self.now + seconds
        while (deadline := self.bmc.pef.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.bmc.pef.handle_deadline(self.now)
        self.now = end
        return self.events()

    def traps(self) -> list[TrapRequested]:
        return [event for event in self.events() if isinstance(event, TrapRequested)]

    def power(self) -> list[PowerRequested]:
        return [event for event in self.events() if isinstance(event, PowerRequested)]


def make(*destinations: AlertDestination, enabled: bool = True) -> Talk:
    settings = Settings(
        device=DeviceSettings(guid=GUID),
        lan=LanSettings(destinations=destinations),
        pef=PefSettings(enabled=enabled, destinations=len(destinations)),
        channels=ChannelSettings(lan_pef_alerting=bool(destinations)),
    )
    talk = Talk(*TABLES, settings=settings)
    talk.bmc.lan_configuration.bound("127.0.0.1", "255.0.0.0", mac=bytes(6), port=6230)
    talk.bmc.chassis.power_changed(True, talk.now)
    talk.events()
    return talk


@pytest.fixture
def talk() -> Talk:
    return make()


def body(trap: TrapRequested) -> bytes:
    """The octets of the variable binding, behind its name: 2B 06 01 04 01 98 6F 01 01 01."""
    _, _, rest = trap.datagram.partition(bytes.fromhex("06 0a 2b 06 01 04 01 98 6f 01 01 01 04"))
    assert rest[0] == len(rest) - 1
    return rest[1:]


# Parameters.


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("10 10", "00 51 2f 20", id="capabilities: 1.5, all but OEM, 32 filters"),
        pytest.param("10 13 80 00 00", "00 11", id="revision"),
        pytest.param("10 13 00 00 00", "00 11 00", id="set complete"),
        pytest.param("10 13 01 00 00", "00 11 01", id="on, without delays"),
        pytest.param("10 13 02 00 00", "00 11 2f", id="actions"),
        pytest.param("10 13 03 00 00", "00 11 3c", id="startup delay"),
        pytest.param("10 13 04 00 00", "00 11 3c", id="alert startup delay"),
        pytest.param("10 13 05 00 00", "00 11 20", id="number of filters"),
        pytest.param(
            "10 13 06 01 00",
            "00 11 01 c0 01 01 08 ff ff 01 ff 01 81 00 00 00 00 00 00 00 00 00 00",
            id="filter 1: temperature, non-critical",
        ),
        pytest.param(
            "10 13 06 02 00",
            "00 11 02 c0 01 01 10 ff ff 01 ff 01 14 0a 00 00 00 00 00 00 00 00 00",
            id="filter 2: temperature, critical",
        ),
        pytest.param(
            "10 13 06 20 00",
            "00 11 20 00 00 00 00 ff ff ff ff ff ff ff 00 00 00 00 00 00 00 00 00",
            id="filter 32: unused",
        ),
        pytest.param("10 13 06 00 00", "c9", id="no filter 0"),
        pytest.param("10 13 06 21 00", "c9", id="no filter 33"),
        pytest.param("10 13 07 02 00", "00 11 02 c0", id="filter 2, first byte"),
        pytest.param("10 13 08 00 00", "00 11 20", id="number of policies"),
        pytest.param("10 13 09 01 00", "00 11 01 00 00 00", id="policy 1"),
        pytest.param("10 13 09 00 00", "c9", id="no policy 0"),
        pytest.param("10 13 0a 00 00", f"00 11 00 {GUID.hex(' ')}", id="the system's GUID"),
        pytest.param("10 13 0b 00 00", "00 11 10", id="number of strings"),
        pytest.param("10 13 0c 01 00", "00 11 01 00 00", id="key 1"),
        pytest.param("10 13 0d 01 01", "00 11 01 01" + " 00" * 16, id="string 1, block 1"),
        pytest.param("10 13 0d 01 00", "c9", id="no block 0"),
        pytest.param("10 13 0d 01 05", "c9", id="no block 5"),
        pytest.param("10 13 0d 11 01", "c9", id="no string 17"),
        pytest.param("10 13 0e 00 00", "00 11 00", id="no group control"),
        pytest.param("10 13 0f 01 00", "80", id="no group control table"),
        pytest.param("10 13 60 00 00", "80", id="no OEM parameters"),
        pytest.param("10 12 05 08", "82", id="read-only"),
        pytest.param("10 12 60 00", "80", id="set an OEM parameter"),
        pytest.param("10 12 01", "c7", id="nothing to set"),
        pytest.param("10 12 01 00 00", "c7", id="too much to set"),
        pytest.param("10 12 00 02", "cc", id="no roll-back"),
        pytest.param("10 12 06 13 20" + " 00" * 19, "cc", id="reserved filter type"),
        pytest.param("10 12 06 13 80 01 01 03" + " 00" * 16, "cc", id="no such severity"),
        pytest.param("10 12 09 01 1d 11 00", "cc", id="no such rule"),
        pytest.param("10 12 09 21 18 11 00", "c9", id="set policy 33"),
        pytest.param("10 12 0d 01 01", "c7", id="an empty block"),
        pytest.param("10 15", "00 ff ff ff ff ff ff 00 00 00 00", id="nothing was processed"),
        pytest.param("10 11 ff", "00 00", id="no countdown"),
        pytest.param("10 16 01 40 00", "00 00", id="no alert status"),
        pytest.param("10 16 01 c0 00", "cc", id="no operation 3"),
        pytest.param("10 17" + " 00" * 12, "00", id="acknowledgement of nothing"),
        pytest.param("10 17" + " 00" * 11, "c7", id="a short acknowledgement"),
    ],
)
def test_answers(request_: str, response: str) -> None:
    talk = Conversation(*TABLES, settings=Settings(device=DeviceSettings(guid=GUID)))
    netfn_command = request_[:5].replace("10", "14", 1)
    assert talk.ask(request_) == f"{netfn_command} {response}"


@pytest.mark.parametrize(
    ("data", "selectors"),
    [
        pytest.param("01 0f", "01 00 00", id="control"),
        pytest.param("02 3f", "02 00 00", id="actions"),
        pytest.param("03 05", "03 00 00", id="startup delay"),
        pytest.param("04 06", "04 00 00", id="alert startup delay"),
        pytest.param(
            "06 13 80 02 05 20 20 00 01 10 01 00 02 ff 0f f0 01 02 03 04 05 06", "06 13 00", id="filter"
        ),
        pytest.param("09 20 5b 12 83", "09 20 00", id="policy"),
        pytest.param("0a 01" + GUID.hex(), "0a 00 00", id="GUID"),
        pytest.param("0c 02 13 03", "0c 02 00", id="key"),
        pytest.param("0d 03 02 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f 50", "0d 03 02", id="string"),
    ],
)
def test_what_is_written_is_kept(talk: Talk, data: str, selectors: str) -> None:
    written = f"00 11 {bytes.fromhex(data)[1:].hex(' ')}"
    assert talk.ask(f"10 12 {data}") == "00"
    assert talk.ask(f"10 13 {selectors}") == written
    talk.restart()
    assert talk.ask(f"10 13 {selectors}") == written


def test_the_first_byte_of_a_filter_alone(talk: Talk) -> None:
    assert talk.ask("10 12 07 02 00") == "00"
    assert talk.ask("10 13 06 02 00").startswith("00 11 02 40 01 01 10 ff")
    talk.restart()
    assert talk.ask("10 13 07 02 00") == "00 11 02 40"


def test_string_0_and_its_key_are_volatile(talk: Talk) -> None:
    assert talk.ask("10 12 0d 00 01 41 42 43") == "00"
    assert talk.ask("10 12 0c 00 01 02") == "00"
    assert talk.ask("10 13 0d 00 01") == "00 11 00 01 41 42 43" + " 00" * 13
    assert not any(room == "pef" and key[:2] in ("12", "13") for room, key in talk.bmc.changes.pending)
    talk.bmc.reset(True, talk.now)
    assert talk.ask("10 13 0d 00 01") == "00 11 00 01" + " 00" * 16
    assert talk.ask("10 13 0c 00 00") == "00 11 00 00 00"


def test_set_in_progress(talk: Talk) -> None:
    assert talk.ask("10 12 00 01") == "00"
    assert talk.ask("10 12 00 01") == "81"
    assert talk.ask("10 13 00 00 00") == "00 11 01"
    talk.bmc.reset(False, talk.now)
    assert talk.ask("10 13 00 00 00") == "00 11 00"


@pytest.mark.parametrize(
    ("request_", "least"),
    [
        ("10 10", Privilege.USER),
        ("10 11 ff", Privilege.ADMINISTRATOR),
        ("10 12 01 01", Privilege.ADMINISTRATOR),
        ("10 13 01 00 00", Privilege.OPERATOR),
        ("10 14 00 00 00", Privilege.ADMINISTRATOR),
        ("10 15", Privilege.ADMINISTRATOR),
        ("10 16 01 40 00", Privilege.ADMINISTRATOR),
        ("10 17" + " 00" * 12, Privilege.NONE),
    ],
)
def test_privileges(talk: Talk, request_: str, least: Privilege) -> None:
    assert talk.ask(request_, least)[:2] == "00"
    if least:
        assert talk.ask(request_, least - 1) == "d4"


# Filters.


def an_event(**fields: object) -> SystemEvent:
    whole: dict[str, Any] = {
        "record_id": 1,
        "kind": 2,
        "timestamp": 0,
        "generator_id": 0x20,
        "channel": 0,
        "lun": 0,
        "revision": 4,
        "sensor_type": 1,
        "sensor_number": 0x10,
        "deassertion": False,
        "event_type": 1,
        "event_data": b"\x59\x60\x5f",
    }
    return SystemEvent(**(whole | fields))


@pytest.mark.parametrize(
    ("fields", "matched"),
    [
        pytest.param({}, True, id="anything"),
        pytest.param({"generator_id": 0x20, "generator_lun": 0x00}, True, id="our generator"),
        pytest.param({"generator_id": 0x81}, False, id="another generator"),
        pytest.param({"generator_lun": 0x10}, False, id="another channel"),
        pytest.param({"generator_lun": 0x01}, False, id="another LUN"),
        pytest.param({"sensor_type": 1}, True, id="sensor type"),
        pytest.param({"sensor_type": 2}, False, id="another sensor type"),
        pytest.param({"sensor_number": 0x10}, True, id="sensor"),
        pytest.param({"sensor_number": 0x11}, False, id="another sensor"),
        pytest.param({"trigger": 0x01}, True, id="event type, asserted"),
        pytest.param({"trigger": 0x81}, False, id="event type, de-asserted"),
        pytest.param({"trigger": 0x6F}, False, id="another event type"),
        pytest.param({"offsets": 1 << 9}, True, id="offset"),
        pytest.param({"offsets": 0xFFFF ^ 1 << 9}, False, id="other offsets"),
        pytest.param({"data": bytes.fromhex("f0 ff 50 00 00 00 00 00 00")}, True, id="data 1, high nibble"),
        pytest.param({"data": bytes.fromhex("f0 ff 40 00 00 00 00 00 00")}, False, id="data 1, another"),
        pytest.param({"data": bytes.fromhex("00 00 00 ff ff 60 00 00 00")}, True, id="data 2, exactly"),
        pytest.param({"data": bytes.fromhex("00 00 00 ff ff 61 00 00 00")}, False, id="data 2, another"),
        pytest.param({"data": bytes.fromhex("00 00 00 60 00 60 00 00 00")}, True, id="either of two bits"),
        pytest.param({"data": bytes.fromhex("00 00 00 60 00 20 00 00 00")}, True, id="one of two bits"),
        pytest.param({"data": bytes.fromhex("00 00 00 60 00 00 00 00 00")}, False, id="none of two bits"),
        pytest.param(
            {"data": bytes.fromhex("00 00 00 ff 40 41 00 00 00")}, True, id="one exactly, others not"
        ),
        pytest.param({"data": bytes.fromhex("00 00 00 00 00 00 ff ff 60")}, False, id="data 3"),
    ],
)
def test_matching(fields: dict[str, object], matched: bool) -> None:
    assert matches(UNUSED_FILTER.replace(**fields), an_event()) is matched


@pytest.mark.parametrize(
    ("event", "filters"),
    [
        pytest.param({}, [2], id="temperature, upper critical"),
        pytest.param({"event_data": b"\x57\x60\x5f"}, [1], id="temperature, upper non-critical"),
        pytest.param({"deassertion": True}, [], id="back again"),
        pytest.param({"sensor_type": 4, "event_data": b"\x52\x00\x00"}, [6], id="fan, lower critical"),
        pytest.param({"sensor_type": 8, "event_type": 0x6F, "event_data": b"\x01\xff\xff"}, [8], id="PSU"),
        pytest.param(
            {"sensor_type": 8, "event_type": 0x0B, "event_data": b"\x01\xff\xff"}, [7], id="redundancy"
        ),
        pytest.param(
            {"sensor_type": 9, "event_type": 0x6F, "event_data": b"\x00\xff\xff"}, [], id="power off"
        ),
        pytest.param(
            {"sensor_type": 5, "event_type": 0x6F, "event_data": b"\x00\xff\xff"}, [10], id="intrusion"
        ),
    ],
)
def test_the_default_filters(event: dict[str, object], filters: list[int]) -> None:
    hit = [
        number
        for number, one in enumerate(DEFAULT_FILTERS, 1)
        if one.enabled and matches(one, an_event(**event))
    ]
    assert hit == filters


# Actions.


def arm(talk: Talk, actions: int, number: int = 0x20, severity: int = 0x10) -> None:
    """A filter for temperature 10h."""
    text = f"10 12 06 {number:02x} 80 {actions:02x} 01 {severity:02x} ff ff 01 10 01 ff ff" + " 00" * 9
    assert talk.ask(text) == "00"


@pytest.mark.parametrize(
    ("actions", "requested"),
    [
        pytest.param(0x02, PowerRequested(PowerAction.OFF, RestartCause.UNKNOWN), id="off"),
        pytest.param(0x04, PowerRequested(PowerAction.RESET, RestartCause.PEF_RESET), id="reset"),
        pytest.param(0x08, PowerRequested(PowerAction.CYCLE, RestartCause.PEF_POWER_CYCLE), id="cycle"),
        pytest.param(
            0x20, PowerRequested(PowerAction.DIAGNOSTIC_INTERRUPT, RestartCause.UNKNOWN), id="interrupt"
        ),
        pytest.param(0x2E, PowerRequested(PowerAction.OFF, RestartCause.UNKNOWN), id="off before all others"),
        pytest.param(
            0x2C, PowerRequested(PowerAction.CYCLE, RestartCause.PEF_POWER_CYCLE), id="cycle before reset"
        ),
    ],
)
def test_actions_on_the_machine(talk: Talk, actions: int, requested: PowerRequested) -> None:
    arm(talk, actions)
    assert talk.ask(HOT) == "00"
    assert talk.power() == [requested]


def test_no_action_that_is_not_enabled(talk: Talk) -> None:
    arm(talk, 0x06)
    talk.ask("10 12 02 05")  # alert and reset alone
    talk.ask(HOT)
    assert talk.power() == [PowerRequested(PowerAction.RESET, RestartCause.PEF_RESET)]
    talk.ask("10 12 02 00")
    talk.ask(HOT)
    talk.ask("10 12 02 3f")
    talk.ask("10 12 01 00")  # filtering off
    talk.ask(HOT)
    assert talk.power() == []


def test_no_action_on_a_machine_that_is_off(talk: Talk) -> None:
    arm(talk, 0x0E)
    talk.bmc.chassis.power_changed(False, talk.now)
    talk.ask(HOT)
    assert talk.power() == []


def test_oem_and_group_actions_do_nothing(talk: Talk) -> None:
    arm(talk, 0x50)
    talk.ask("10 12 01 03")
    talk.events()
    talk.ask(HOT)
    assert len(talk.events()) == 1  # it was logged


def test_an_event_about_the_action(talk: Talk) -> None:
    arm(talk, 0x04)
    arm(talk, 0x04, number=0x1F)
    talk.ask("10 12 06 1e 80 04 00 00 ff ff ff ff ff ff ff" + " 00" * 9)  # any event: also that about actions
    talk.ask("10 12 01 03")
    talk.events()
    talk.ask(HOT)
    hot, about, request = talk.events()
    assert hot.record[10:] == bytes.fromhex("01 10 01 59 60 5f")  # type: ignore[attr-defined]
    assert about.record[7:] == bytes.fromhex("20 00 04 12 03 6f c4 04 ff")  # type: ignore[attr-defined]
    assert isinstance(request, PowerRequested)


def test_threshold_events_of_our_own_sensors_are_filtered(talk: Talk) -> None:
    arm(talk, 0x04)
    talk.bmc.sensors.get_threshold(0x10).set(43.0, talk.now)  # upper critical is 42
    assert (
        talk.power() == [PowerRequested(PowerAction.RESET, RestartCause.PEF_RESET)] * 2
    )  # non-critical, critical


def test_what_cannot_be_logged_is_filtered_all_the_same() -> None:
    talk = Talk(*TABLES, settings=Settings(sel=SelSettings(capacity=1)))
    talk.bmc.chassis.power_changed(True, talk.now)
    arm(talk, 0x04)
    talk.events()
    talk.ask(HOT)
    assert talk.power() == [PowerRequested(PowerAction.RESET, RestartCause.PEF_RESET)]
    assert talk.ask("10 15").endswith("00 00")


# Last processed events, timers.


def last(talk: Talk) -> tuple[int, int, int]:
    """Last record, last processed by software, by the controller."""
    data = bytes.fromhex(talk.ask("10 15"))[5:]
    return tuple(int.from_bytes(data[i : i + 2], "little") for i in (0, 2, 4))  # type: ignore[return-value]


def test_last_processed_event(talk: Talk) -> None:
    record, _, processed = last(talk)
    assert processed == record
    talk.ask(HOT)
    assert last(talk) == (record + 1, 0, record + 1)
    assert talk.ask(f"10 14 00 {record:02x} 00") == "00"
    assert last(talk) == (record + 1, record, record + 1)
    assert talk.ask("10 14 01 01 00") == "00"
    talk.restart()
    assert talk.ask("10 14 00 99 00") == "cb"


def test_clearing_the_log_forgets_them(talk: Talk) -> None:
    talk.ask(HOT)
    talk.ask("10 14 00 01 00")
    reservation = talk.ask("28 42")[3:]
    assert talk.ask(f"28 47 {reservation} 43 4c 52 aa")[:2] == "00"
    assert last(talk) == (1, 0, 1)  # "cleared"


def test_the_postpone_timer_counts_while_there_is_something_to_do(talk: Talk) -> None:
    arm(talk, 0x04)
    assert talk.ask("10 11 1e") == "00 1e"
    assert talk.wait(100) == []
    assert talk.ask("10 11 ff") == "00 1e"
    talk.ask(HOT)
    assert talk.power() == []
    assert talk.wait(20) == []
    assert talk.ask("10 11 ff") == "00 0a"
    assert talk.wait(10) == [PowerRequested(PowerAction.RESET, RestartCause.PEF_RESET)]
    assert talk.ask("10 11 ff") == "00 00"


def test_software_that_processes_events_stops_the_timer(talk: Talk) -> None:
    arm(talk, 0x04)
    talk.ask("10 11 1e")
    talk.ask(HOT)
    talk.ask(HOT)
    record = last(talk)[0]
    talk.events()
    talk.wait(10)
    talk.ask(f"10 14 00 {record - 1:02x} 00")
    assert talk.ask("10 11 ff") == "00 14"
    talk.ask(f"10 14 00 {record:02x} 00")
    assert talk.ask("10 11 ff") == "00 1e"
    assert talk.wait(100) == []


def test_disabled_for_now_until_the_machine_is_off(talk: Talk) -> None:
    arm(talk, 0x01)
    assert talk.ask("10 11 fe") == "00 fe"
    talk.ask(HOT)
    processed = last(talk)[2]
    assert processed == last(talk)[0] - 1
    talk.bmc.chassis.power_changed(False, talk.now)
    assert talk.ask("10 11 ff") == "00 00"
    assert last(talk)[0] == last(talk)[2]


def test_what_waits_when_the_controller_ends_is_found_again() -> None:
    talk = make(RECEIVER)
    talk.ask("10 11 fe")
    talk.ask(HOT)
    assert talk.traps() == []
    talk.restart()
    assert len(talk.traps()) == 1
    talk.restart()
    assert talk.traps() == []


def test_filtering_that_is_switched_on_begins_with_the_next_event() -> None:
    talk = make(RECEIVER, enabled=False)
    talk.ask(HOT)
    talk.ask("10 12 01 01")
    assert talk.traps() == []
    talk.restart()
    assert talk.traps() == []
    talk.ask(HOT)
    assert len(talk.traps()) == 1


def test_startup_delay(talk: Talk) -> None:
    arm(talk, 0x04)
    talk.ask("10 12 01 05")
    talk.ask("10 12 03 14")
    talk.bmc.chassis.machine_reset(talk.now, RestartCause.CHASSIS_CONTROL)
    talk.events()
    talk.ask(HOT)
    assert talk.power() == []
    assert not [event for event in talk.wait(19) if isinstance(event, PowerRequested)]
    assert talk.wait(1) == [PowerRequested(PowerAction.RESET, RestartCause.PEF_RESET)]


# Alerts.


def test_a_trap() -> None:
    talk = make(RECEIVER)
    assert talk.ask(HOT) == "00"
    (trap,) = talk.traps()
    assert (trap.address, trap.port) == ("192.0.2.7", 162)
    wall = 1_800_000_000 + 1000 - 883_612_800
    expected = (
        GUID.hex()
        + "0001"
        + wall.to_bytes(4, "big").hex()
        + "ffff 20 20 10 41 10 00 00 59605f0000000000 19 00007ed9 0001 c1"
    )
    assert body(trap) == bytes.fromhex(expected)


def test_a_trap_of_our_own_sensor_names_its_entity() -> None:
    talk = make(RECEIVER)
    talk.bmc.sensors.get_threshold(0x10).set(43.0, talk.now)
    warning, critical = talk.traps()
    assert body(warning)[24:34] == bytes.fromhex("20 20 08 20 10 37 01 57 2b 26")
    assert body(critical)[24:34] == bytes.fromhex("20 20 10 20 10 37 01 59 2b 2a")


def test_nothing_leaves_unless_it_was_configured() -> None:
    talk = make()
    talk.ask(HOT)
    assert talk.traps() == []
    talk.ask("10 12 09 01 18 11 00")  # policy 1: always, channel 1, destination 1
    talk.ask(HOT)
    assert talk.traps() == []
    talk.ask("30 01 01 13 01 00 00 c0 00 02 07 00 00 00 00 00 00")
    talk.ask(HOT)
    assert talk.traps() == []  # PEF alerting is still disabled on the channel
    talk.bmc.channels.get(1).volatile = talk.bmc.channels.get(1).volatile.replace(pef_alerting=True)  # type: ignore[union-attr]
    talk.ask(HOT)
    assert [trap.address for trap in talk.traps()] == ["192.0.2.7"]


def test_ipv6() -> None:
    talk = make(AlertDestination(address=ip_address("2001:db8::7")))
    talk.ask(HOT)
    assert [trap.address for trap in talk.traps()] == ["2001:db8::7"]


ACKNOWLEDGED = AlertDestination(address=ip_address("192.0.2.7"), acknowledged=True, timeout=5, retries=2)
SECOND = AlertDestination(address=ip_address("192.0.2.8"))


def acknowledge(talk: Talk, trap: TrapRequested) -> str:
    """As a console does, without a session: numbers least significant byte first."""
    octets = body(trap)
    numbers = octets[16:18][::-1] + octets[18:22][::-1] + octets[25:26] + octets[27:29] + octets[31:34]
    return talk.ask(f"10 17 {numbers.hex()}", Privilege.NONE, Channel.LAN)


def test_a_trap_is_repeated_until_nobody_acknowledged_it() -> None:
    talk = make(ACKNOWLEDGED)
    talk.ask(HOT)
    (first,) = talk.traps()
    assert talk.wait(4.9) == []
    assert talk.wait(0.1) == [first]
    assert talk.wait(5) == [first]
    assert talk.wait(100) == []


def test_an_acknowledged_trap_is_not_repeated() -> None:
    talk = make(ACKNOWLEDGED)
    talk.ask(HOT)
    (trap,) = talk.traps()
    assert talk.ask("10 17" + " 00" * 12, Privilege.NONE, Channel.LAN) == "00"
    talk.wait(5)
    assert acknowledge(talk, trap) == "00"
    assert talk.wait(100) == []


def test_alerts_follow_one_another() -> None:
    talk = make(ACKNOWLEDGED)
    talk.ask(HOT)
    talk.ask(HOT)
    (trap,) = talk.traps()
    acknowledge(talk, trap)
    (following,) = talk.traps()
    assert body(following)[16:18] == b"\x00\x02"
    for _ in range(100):
        talk.ask(HOT)
    talk.traps()
    assert sum(isinstance(event, TrapRequested) for event in talk.wait(10_000)) == 2 + 63 * 3


def test_unacknowledged_alerts_are_sent_again_too() -> None:
    talk = make(RECEIVER.replace(retries=1, timeout=3))
    talk.ask(HOT)
    (trap,) = talk.traps()
    assert talk.wait(3) == [trap]
    assert talk.wait(100) == []


@pytest.mark.parametrize(
    ("rule", "answered", "addresses"),
    [
        pytest.param(0, True, ["7", "8", "9"], id="always"),
        pytest.param(1, True, ["7", "9"], id="after a success the next entry"),
        pytest.param(2, True, ["7"], id="after a success no more"),
        pytest.param(3, True, ["7"], id="after a success another channel"),
        pytest.param(4, True, ["7"], id="after a success another type"),
        pytest.param(1, False, ["7", "8", "9"], id="not after a failure (entry)"),
        pytest.param(2, False, ["7", "8", "9"], id="not after a failure (stop)"),
        pytest.param(3, False, ["7", "8", "9"], id="not after a failure (channel)"),
        pytest.param(4, False, ["7", "8", "9"], id="not after a failure (type)"),
    ],
)
def test_rules_of_a_policy_set(rule: int, answered: bool, addresses: list[str]) -> None:
    third = AlertDestination(address=ip_address("192.0.2.9"))
    talk = make(ACKNOWLEDGED.replace(retries=0), SECOND, third)
    talk.ask(f"10 12 09 02 {0x18 | rule:02x} 12 00")
    talk.ask(HOT)
    traps = talk.traps()
    if answered:
        acknowledge(talk, traps[0])
        traps += talk.traps()
    traps += [event for event in talk.wait(100) if isinstance(event, TrapRequested)]
    assert [trap.address.rpartition(".")[2] for trap in traps] == addresses


def test_alerts_wait_until_the_power_is_off() -> None:
    talk = make(RECEIVER)
    arm(talk, 0x03)
    talk.ask(HOT)
    assert talk.events()[-1] == PowerRequested(PowerAction.OFF, RestartCause.UNKNOWN)
    assert talk.wait(3) == []
    talk.bmc.chassis.power_changed(False, talk.now)
    assert len(talk.traps()) == 1
    talk.bmc.chassis.power_changed(True, talk.now)
    talk.events()
    talk.ask(HOT)  # and now it never goes off
    assert talk.traps() == []
    assert len(talk.wait(10)) == 1


def test_alert_startup_delay() -> None:
    talk = make(RECEIVER)
    talk.ask("10 12 01 09")
    talk.ask("10 12 04 14")
    talk.bmc.chassis.machine_reset(talk.now, RestartCause.CHASSIS_CONTROL)
    talk.events()
    talk.ask(HOT)
    assert talk.traps() == []
    assert talk.wait(19) == []
    assert len(talk.wait(1)) == 1


def test_the_highest_severity_and_the_string_of_the_filter() -> None:
    talk = make(RECEIVER)
    arm(talk, 0x01, number=0x20, severity=0x20)
    talk.ask("10 12 09 01 18 11 85")  # policy 1: the string of set 5 for the filter
    talk.ask("10 12 0c 03 02 05")  # string 3: filter 2, set 5
    talk.ask("10 12 0d 03 01 48 6f 74 21")
    talk.ask(HOT)
    (trap,) = talk.traps()
    assert body(trap)[26] == 0x20
    assert body(trap)[46:] == b"\xc4Hot!\xc1"


def test_a_guid_for_traps() -> None:
    talk = make(RECEIVER)
    talk.ask("10 12 0a 01 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f")
    talk.ask(HOT)
    assert body(talk.traps()[0])[:16] == bytes(range(16))
    talk.ask("10 12 0a 00 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f")
    talk.ask(HOT)
    assert body(talk.traps()[0])[:16] == GUID


def test_community() -> None:
    talk = make(RECEIVER)
    talk.ask(HOT)
    assert b"\x04\x06public\xa4" in talk.traps()[0].datagram
    talk.ask("30 01 01 10 6c 61 62" + " 00" * 15)
    talk.ask(HOT)
    assert b"\x04\x03lab\xa4" in talk.traps()[0].datagram


# Alert Immediate.


def test_alert_immediate() -> None:
    talk = make(ACKNOWLEDGED)
    talk.ask("10 12 0d 00 01 54 65 73 74")
    assert talk.ask("10 16 01 01 80 20 04 01 10 01 59 60 5f") == "00"
    (trap,) = talk.traps()
    assert body(trap)[24:34] == bytes.fromhex("20 20 00 20 10 37 01 59 60 5f")
    assert body(trap)[46:] == b"\xc4Test\xc1"
    assert talk.ask("10 16 01 40 00") == "00 ff"
    assert talk.ask("10 16 01 01 00") == "81"
    assert acknowledge(talk, trap) == "00"
    assert talk.ask("10 16 01 40 00") == "00 01"
    assert talk.ask("10 16 01 80 00") == "00"
    assert talk.ask("10 16 01 40 00") == "00 00"


def test_alert_immediate_without_an_event_and_without_an_answer() -> None:
    talk = make(ACKNOWLEDGED)
    talk.ask("10 12 01 00")  # it needs no filtering
    assert talk.ask("10 16 0e 01 00", channel=Channel.LAN) == "00"
    (trap,) = talk.traps()
    assert body(trap)[22:] == bytes.fromhex("ffff 20 20 00 ff 00 00 00 0000000000000000 19 00007ed9 0001 c1")
    talk.wait(15)
    assert talk.ask("10 16 01 40 00") == "00 03"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param("10 16 01 02 00", "d3", id="a destination without an address"),
        pytest.param("10 16 01 05 00", "cc", id="no such destination"),
        pytest.param("10 16 00 01 00", "cc", id="a channel that is no LAN"),
        pytest.param("10 16 03 01 00", "cc", id="no such channel"),
        pytest.param("10 16 01 01 00 20 04", "c7", id="half an event"),
    ],
)
def test_alert_immediate_is_refused(request_: str, code: str) -> None:
    talk = make(RECEIVER)
    assert talk.ask(request_) == code
    assert talk.traps() == []


@given(st.integers(0x10, 0x17), st.binary(max_size=30))
def test_any_bytes(command: int, data: bytes) -> None:
    talk = make(RECEIVER)
    answer = bytes.fromhex(talk.ask(f"10 {command:02x} {data.hex()}"))
    assert answer
    talk.ask(HOT)
    talk.wait(3000)


# Log-ins that fail.


def test_failed_log_ins_are_logged_but_cannot_fill_the_log() -> None:
    talk = make(RECEIVER)
    for _ in range(100):
        talk.bmc.session_audit.refused(1, 2, talk.now)
    records = [event.record for event in talk.events() if isinstance(event, SensorEventLogged)]
    assert [record[7:] for record in records] == [bytes.fromhex("20 00 04 2a 07 6f f2 02 01")] * 10
    talk.bmc.session_audit.refused(1, 0, talk.now + 59)
    assert talk.traps() == []
    talk.bmc.session_audit.refused(1, 0, talk.now + 60)
    (trap,) = talk.traps()
    assert body(trap)[28:34] == bytes.fromhex("07 2e 01 f2 00 01")


def test_failed_log_ins_are_not_logged_if_nobody_wants_it() -> None:
    talk = Talk(*TABLES, settings=Settings(sel=SelSettings(failed_logins=False)))
    talk.events()
    talk.bmc.session_audit.refused(1, 2, talk.now)
    assert talk.events() == []
