"""Satellites and bridging as conversations in bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import ASession

from baseboard.bmc.changes import DELETED
from baseboard.bmc.commands import assemble
from baseboard.bmc.controller import Bmc
from baseboard.bmc.events import BridgedResponse, Event
from baseboard.bmc.fru import FruSettings
from baseboard.bmc.satellite_settings import IpmbSettings, SatelliteSettings
from baseboard.bmc.sensor_settings import DiscreteSensorSettings, ThresholdSensorSettings
from baseboard.bmc.settings import Settings
from baseboard.errors import ConfigError
from baseboard.ipmi.ipmb import BusMessage
from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.records.fru import Inventory, ProductArea

INLET = ThresholdSensorSettings(
    number=1, name="Blade Temp", sensor_type=0x01, unit=1, minimum=0, maximum=127.5, nominal=25,
    upper_noncritical=60, upper_critical=70,
)  # fmt: skip
SLOT = DiscreteSensorSettings(number=2, name="Slot", sensor_type=0x25, states=(0, 1), present=(0,))
PRODUCT = FruSettings(name="Blade", inventory=Inventory(product=ProductArea(product_name="Blade")))
SATELLITES = (
    SatelliteSettings(address=0x82, name="Fan board", sensors=(INLET, SLOT), fru=(PRODUCT,)),
    SatelliteSettings(address=0x84, name="Blade"),
)


class Wire:
    """A link that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send_message(self, message: bytes) -> None:
        self.sent.append(message.hex(" "))


class Chassis:
    """A controller with two satellites, who asks it, and what it keeps."""

    def __init__(self, **ipmb: Any) -> None:
        self.settings = Settings(satellites=SATELLITES, ipmb=IpmbSettings(**ipmb))
        self.rooms: dict[str, dict[str, Any]] = {}
        self.now = 1.0
        self.start()

    def start(self) -> None:
        self.bmc = Bmc(self.settings, self.now)
        self.core = assemble(self.bmc)
        self.bmc.restore(self.rooms)

    def restart(self) -> None:
        _, rows = self.bmc.changes.take()
        for (room, key), value in rows.items():
            assert value is not DELETED
            self.rooms.setdefault(room, {})[key] = value
        self.start()

    def ask(self, text: str, context: Context | None = None) -> str:
        netfn_lun, command, *data = bytes.fromhex(text)
        message = Message(netfn_lun >> 2, netfn_lun & 3, command, bytes(data))
        answer = self.core.handle(message, context or Context(now=self.now))
        return (bytes((netfn_lun | 4, command)) + answer).hex(" ")

    def console(self, privilege: Privilege = Privilege.ADMINISTRATOR) -> Context:
        session: Any = ASession(privilege=privilege)
        return Context(channel=1, privilege=privilege, now=self.now, session=session, peer="console")

    def events(self) -> list[Event]:
        return list(iter(self.bmc.next_event, None))

    def bridged(self, address: int, text: str, privilege: Privilege = Privilege.ADMINISTRATOR) -> str:
        """As `ipmitool -t`: what Send Message answers when that is not 00h, else the satellite's answer."""
        netfn_lun, command, *data = bytes.fromhex(text)
        message = BusMessage(address, netfn_lun >> 2, netfn_lun & 3, 0x81, 6, 0, command, bytes(data))
        answer = self.ask("18 34 40 " + message.encode().hex(), self.console(privilege))
        if answer != "1c 34 00":
            return answer[6:]
        return self.answer()

    def answer(self) -> str:
        """The answer that goes to the console as a message of its own, from its completion code on."""
        (response,) = [event.response for event in self.events() if isinstance(event, BridgedResponse)]
        assert (response.to_address, response.to_lun, response.sequence) == (0x81, 0, 6)
        return response.data.hex(" ")

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        deadline = self.bmc.port.next_deadline()
        if deadline is not None and deadline <= self.now:
            self.bmc.port.handle_deadline(self.now)


@pytest.fixture
def chassis() -> Chassis:
    return Chassis()


def test_what_ipmitool_sends_and_what_comes_back(chassis: Chassis) -> None:
    """The request that ipmitool -t sends, for 82h instead of the recording's 30h."""
    assert chassis.ask("18 34 40 82 18 66 81 18 01 66", chassis.console()) == "1c 34 00"
    (event,) = chassis.events()
    assert isinstance(event, BridgedResponse)
    assert event.peer == "console"
    # to 81h from 82h with the console's own sequence: device 21h, device SDRs, sensors + FRU + events
    assert event.response.encode().hex(" ") == (
        "81 1c 63 82 18 01 00 21 81 00 01 02 29 d9 7e 00 01 00 00 00 00 00 3f"
    )


# fmt: off
REQUESTS = [
    pytest.param("18 04",             "00 55 00",             id="self test"),
    pytest.param("18 08",             "00" + " 00" * 16,      id="a device GUID that nobody gave"),
    pytest.param("10 2d 01",          "00 32 c0 c0 80",       id="reading"),
    pytest.param("10 2d 02",          "00 00 c0 01 80",       id="states"),
    pytest.param("10 2d 03",          "cb",                   id="no such sensor"),
    pytest.param("10 20",             "00 02 01",             id="device SDR info: sensors of LUN 0"),
    pytest.param("10 20 01",          "00 04 01",             id="device SDR info: records"),
    pytest.param("10 21 00 00 00 00 00 05", "00 02 00 01 00 51 12 14", id="device SDR: itself first"),
    pytest.param("28 10 00",          "00 00 08 00",          id="inventory size"),
    pytest.param("10 01",             "00 20 00",             id="event receiver"),
    pytest.param("10 02 04 01 01 01 57", "c1",                id="it takes no events"),
    pytest.param("28 48",             "c1",                   id="it has no log"),
    pytest.param("00 01",             "c1",                   id="and no chassis"),
    pytest.param("18 2e 00",          "c1",                   id="and no system interface"),
    pytest.param("18 02",             "00",                   id="cold reset"),
]
# fmt: on


@pytest.mark.parametrize(("request_", "answer"), REQUESTS)
def test_a_satellite_answers(chassis: Chassis, request_: str, answer: str) -> None:
    assert chassis.bridged(0x82, request_) == answer


def test_who_is_not_there_is_not_acknowledged(chassis: Chassis) -> None:
    assert chassis.bridged(0x86, "18 01") == "83"


def test_a_user_may_not_bridge_and_nobody_gains_privilege(chassis: Chassis) -> None:
    assert chassis.bridged(0x82, "18 01", Privilege.USER) == "d4"
    assert chassis.bridged(0x82, "18 02", Privilege.OPERATOR) == "d4"  # Cold Reset
    back_home = BusMessage(0x20, 0x06, 0, 0x20, 6, 0, 0x02).encode().hex()
    answer = chassis.bridged(0x82, "18 34 40" + back_home, Privilege.OPERATOR)
    assert answer == "00 20 1c c4 20 18 02 d4 f2"  # of 20h, in the answer to the second Send Message


def test_double_bridging_answers_inside_the_answer(chassis: Chassis) -> None:
    """ipmitool -T 0x82 -t 0x84: it looks for the whole message behind the completion code."""
    inner = BusMessage(0x84, 0x06, 0, 0x20, 6, 0, 0x04).encode().hex()
    assert chassis.bridged(0x82, "18 34 40" + inner) == "00 20 1c c4 84 18 04 00 55 00 0b"
    absent = BusMessage(0x86, 0x06, 0, 0x20, 6, 0, 0x04).encode().hex()
    assert chassis.bridged(0x82, "18 34 40" + absent) == "83"


def test_system_software_gets_the_answer_by_get_message(chassis: Chassis) -> None:
    """From 20h LUN 10b, sequence 5, not tracked, as Linux and ipmitool -I open do it."""
    assert chassis.ask("18 34 00 82 18 66 20 16 04 c6") == "1c 34 00"
    assert chassis.ask("18 33") == "1c 33 00 00 1e c2 82 14 04 00 55 00 11"
    assert chassis.ask("18 33") == "1c 33 80"


def test_a_broadcast_finds_a_controller_and_no_other_command_is_one(chassis: Chassis) -> None:
    broadcast = "18 34 40 00 82 18 66 81 18 01 66"
    assert chassis.ask(broadcast, chassis.console()) == "1c 34 00"
    assert chassis.answer().startswith("00 21 81")
    for absent in ("86 18 62 81 18 01 66", "82 18 66 81 18 04 63"):
        assert chassis.ask("18 34 40 00" + absent, chassis.console()) == "1c 34 00"
        assert chassis.events() == []
        chassis.pass_time(1.0)
        assert chassis.answer() == "c3"


def test_events_of_a_satellite_are_in_the_log(chassis: Chassis) -> None:
    before = len(chassis.bmc.sel)
    sensor = chassis.bmc.satellites[0].sensors["Blade Temp"]
    chassis.bmc.simulation.hold(sensor, 2.0, value=65.0)
    assert len(chassis.bmc.sel) == before + 1
    record = chassis.bmc.sel.get(0xFFFF)[0]
    # generator 82h LUN 0 channel 0; revision 4, temperature, sensor 1, threshold event, upper non-critical
    assert record[7:].hex(" ") == "82 00 04 01 01 01 57 82 78"


def test_events_go_to_the_receiver_or_to_nobody(chassis: Chassis) -> None:
    assert chassis.bridged(0x82, "10 00 ff 00") == "00"
    chassis.events()
    before = len(chassis.bmc.sel)
    chassis.bmc.simulation.hold(chassis.bmc.satellites[0].sensors["Blade Temp"], 2.0, value=65.0)
    assert len(chassis.bmc.sel) == before
    assert chassis.bridged(0x82, "10 00 20 00") == "00"  # and what is still so is told again
    assert len(chassis.bmc.sel) == before + 1


def test_the_repository_describes_the_satellites(chassis: Chassis) -> None:
    records = [record[3:] for record in chassis.bmc.sdr]
    locators = [record for record in records if record[0] == 0x12]
    assert [(record[2], record[5], record[13:].decode()) for record in locators] == [
        (0x20, 0x9F, "baseboard BMC"),
        (0x82, 0x29, "Fan board"),
        (0x84, 0x20, "Blade"),
    ]
    owned = [(record[2], record[4]) for record in records if record[0] in (1, 2) and record[2] != 0x20]
    assert owned == [(0x82, 1), (0x82, 2)]
    assert [record[2:4].hex() for record in records if record[0] == 0x11][-1] == "8200"
    assert all(record[5] == 0x20 for record in chassis.bmc.device_sdrs)


def test_what_commands_change_at_a_satellite_is_kept(chassis: Chassis) -> None:
    assert chassis.bridged(0x82, "10 26 01 08 00 00 00 50 00 00") == "00"  # upper non-critical 40 degrees
    assert chassis.bridged(0x82, "28 12 00 00 00 aa") == "00 01"
    chassis.restart()
    assert chassis.bridged(0x82, "10 27 01") == "00 18 00 00 00 50 8c 00"
    assert chassis.bridged(0x82, "28 11 00 00 00 01") == "00 01 aa"
    assert chassis.bridged(0x84, "10 27 01") == "cb"


def test_a_controller_elsewhere_answers_later_or_never(chassis: Chassis) -> None:
    wire = Wire()
    chassis.bmc.bus.add_link(wire)
    request = "18 34 40 86 18 62 81 18 01 66"
    assert chassis.ask(request, chassis.console()) == "1c 34 00"
    (sent,) = wire.sent
    assert BusMessage.decode(bytes.fromhex(sent)) == BusMessage(0x86, 6, 0, 0x20, 1, 0, 0x01)
    chassis.bmc.bus.receive_message(
        BusMessage.decode(bytes.fromhex(sent)).response(b"\0ab").encode(), wire, 1.2
    )
    assert chassis.answer() == "00 61 62"
    assert chassis.ask(request, chassis.console()) == "1c 34 00"
    chassis.pass_time(0.5)
    assert chassis.events() == []
    chassis.pass_time(0.5)
    assert chassis.answer() == "c3"


def test_a_message_from_elsewhere_has_the_links_privilege(chassis: Chassis) -> None:
    wire = Wire()
    chassis.bmc.bus.add_link(wire)
    for command, answer in ((0x01, b"\0"), (0x02, b"\xd4")):
        asked = BusMessage(0x20, 6, 0, 0x90, 1, 0, command)
        chassis.bmc.bus.receive_message(asked.encode(), wire, 1.0)
        assert BusMessage.decode(bytes.fromhex(wire.sent.pop())).data[:1] == answer


def test_an_event_that_is_sent_twice_is_logged_once(chassis: Chassis) -> None:
    wire = Wire()
    chassis.bmc.bus.add_link(wire)
    before = len(chassis.bmc.sel)
    event = BusMessage(0x20, 0x04, 0, 0x90, 1, 0, 0x02, bytes.fromhex("04 01 30 01 57 82 78"))
    for sequence, now in ((1, 1.0), (1, 1.5), (2, 1.6), (1, 9.0)):
        again = BusMessage(0x20, 0x04, 0, 0x90, sequence, 0, 0x02, event.data)
        chassis.bmc.bus.receive_message(again.encode(), wire, now)
    assert len(wire.sent) == 4
    assert len(chassis.bmc.sel) == before + 3


def test_a_blade_has_its_own_address_and_tells_the_manager() -> None:
    blade = Chassis(address=0x90, event_receiver=0x20)
    wire = Wire()
    blade.bmc.bus.add_link(wire)
    assert {record[5] for record in blade.bmc.device_sdrs} == {0x90}
    # its software writes to the manager at 20h, and believes that it is at 20h itself
    assert blade.ask("18 34 00 20 18 c8 20 16 01 c9") == "1c 34 00"
    message = BusMessage.decode(bytes.fromhex(wire.sent.pop()))
    assert (message.to_address, message.from_address, message.from_lun) == (0x20, 0x90, 2)
    blade.bmc.bus.receive_message(message.response(b"\0\x20").encode(), wire, 1.0)
    assert blade.ask("18 33") == "1c 33 00 00 1e 52 20 14 01 00 20 ab"
    blade.bmc.platform_event(0x09, 1, 0x6F, False, b"\x00\xff\xff", 2.0)
    (sent,) = wire.sent
    message = BusMessage.decode(bytes.fromhex(sent))
    assert (message.to_address, message.from_address) == (0x20, 0x90)
    assert message.data.hex(" ") == "04 09 01 6f 00 ff ff"
    assert blade.bmc.sel.get(0xFFFF)[0][7:9] == b"\x90\0"
    for now in (3.0, 4.0, 5.0):
        blade.bmc.port.handle_deadline(now)
    assert wire.sent == [sent] * 3


def test_addresses_are_checked() -> None:
    with pytest.raises(ConfigError, match="even ones"):
        SatelliteSettings(address=0x83)
    with pytest.raises(ConfigError, match="82h is taken already"):
        Bmc(Settings(satellites=(SATELLITES[0], SATELLITES[0])))


def test_sixty_four_requests_may_wait(chassis: Chassis) -> None:
    chassis.bmc.bus.add_link(Wire())
    for _ in range(64):
        assert chassis.ask("18 34 40 86 18 62 81 18 01 66", chassis.console()) == "1c 34 00"
    assert chassis.ask("18 34 40 86 18 62 81 18 01 66", chassis.console()) == "1c 34 c0"


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=40)), max_size=12))
def test_any_messages_from_elsewhere_are_survived(messages: list[tuple[bool, bytes]]) -> None:
    chassis = Chassis()
    wire = Wire()
    chassis.bmc.bus.add_link(wire)
    for sound, data in messages:
        if sound and len(data) >= 6:
            to, netfn, lun, sequence, command, *rest = data
            message = BusMessage(
                (0x20, 0x82, to)[to % 3],
                netfn & 0x3F,
                lun & 3,
                0x90,
                sequence & 0x3F,
                0,
                command,
                bytes(rest),
            )
            data = message.encode()
        chassis.bmc.bus.receive_message(data, wire, 1.0)
    assert len(wire.sent) <= len(messages) * 2


@pytest.mark.parametrize("tracking", ["00", "40"])
def test_messages_to_ourselves_are_not_nested(chassis: Chassis, tracking: str) -> None:
    """A datagram has room for hundreds of them, one in the other."""
    message = BusMessage(0x20, 0x06, 0, 0x20, 0, 2, 0x01)
    for _ in range(400):
        message = BusMessage(0x20, 0x06, 0, 0x20, 0, 2, 0x34, b"\x00" + message.encode())
    assert chassis.ask(f"18 34 {tracking}" + message.encode().hex(), chassis.console()) == "1c 34 00"
    if tracking == "40":
        (event,) = chassis.events()
        assert isinstance(event, BridgedResponse)
        assert event.response.data == b"\xd5"
    else:
        assert chassis.bmc.messaging.get_message().data[5:-1] == b"\xd5"
