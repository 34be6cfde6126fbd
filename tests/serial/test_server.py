"""The serial port as conversations in characters."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.bmc.channels import ChannelSettings
from baseboard.bmc.commands import assemble
from baseboard.bmc.controller import Bmc
from baseboard.bmc.events import BridgedResponse, ChannelChanged, PowerRequested
from baseboard.bmc.health import health
from baseboard.bmc.satellite_settings import SatelliteSettings
from baseboard.bmc.sessions import AllSessions
from baseboard.bmc.settings import Settings
from baseboard.ipmi.ipmb import BusMessage
from baseboard.ipmi.message import NoSessions
from baseboard.ipmi.privilege import Channel, Privilege
from baseboard.serial.basic import PacketReader, messages, packet
from baseboard.serial.server import Port, SerialServer
from baseboard.serial.session import LOCKOUT

SETTINGS = Settings(
    channels=ChannelSettings(serial=True, serial_enabled=True),
    satellites=(SatelliteSettings(address=0x82),),
)


class Line:
    """A controller and its serial port, without echo."""

    def __init__(self, privilege: Privilege = Privilege.NONE, settings: Settings = SETTINGS) -> None:
        self.now = 1.0
        self.bmc = bmc = Bmc(settings, self.now)
        self.bmc.users.provision(2, b"admin", b"secret", Privilege.ADMINISTRATOR, Channel.SERIAL)
        self.bmc.users.provision(3, b"guest", b"guest", Privilege.USER, Channel.SERIAL)
        bmc.chassis.power_changed(True, self.now)
        core = assemble(bmc)
        self.server = SerialServer(
            Port(
                core.handle,
                bmc.authority,
                bmc.serial_configuration.get,
                lambda: health(bmc.sensors, bmc.chassis.power_is_on),
                lambda size: bytes(range(1, size + 1)),
            ),
            privilege,
        )
        bmc.sessions = AllSessions(NoSessions(), self.server)
        if bmc.channels.get(Channel.SERIAL) is not None:
            bmc.serial_configuration.set(29, b"\x00\x31")  # no echo; CR out and in

    def say(self, line: str) -> list[str]:
        """Type a line; the lines that come back."""
        self.server.receive_data(line.encode() + b"\r", self.now)
        return self.server.data_to_send().decode().split("\r")[:-1]

    def send(self, netfn: int, command: int, data: bytes = b"") -> bytes:
        """A packet; completion code and data of its answer."""
        request = BusMessage(0x20, netfn, 0, 0x81, 5, 0, command, data)
        self.server.receive_data(packet(request.encode()), self.now)
        answer = self.server.data_to_send()
        assert answer[:1] == b"\xa6"
        (message,) = messages(answer, PacketReader())
        response = BusMessage.decode(message)
        assert response == request.response(response.data)
        return response.data

    def bridged(self) -> str:
        """Pass on the answer of a satellite; what is said then."""
        for event in iter(self.bmc.next_event, None):
            if isinstance(event, BridgedResponse):
                assert event.peer is self.server
                self.server.send_bridged(event.response)
        return self.server.data_to_send().hex(" ")


def test_a_person_logs_in_and_out() -> None:
    line = Line()
    assert line.say("[18 00 01]") == ["[1C 00 01 D4]"]
    assert line.say("[SYS POWER OFF]") == ["[ERR D4]"]
    assert line.say("[SYS HEALTH QUERY]") == ["[ERR D4]"]
    assert line.say("[SYS PWD -U admin secret]") == ["[OK]"]
    assert line.say("[18 04 01]")[0].startswith("[1C 04 01 00 20")
    assert line.say("[SYS POWER OFF]") == ["[OK]"]
    assert any(isinstance(event, PowerRequested) for event in iter(line.bmc.next_event, None))
    # Get Session Info: handle FEh, one slot, one session, user 2, administrator, channel 2
    assert line.say("[18 08 3D 00]")[0].startswith("[1C 08 3D 00 FE 01 01 02 04 02")
    assert line.say("[SYS PWD -X]") == ["[OK]"]
    assert line.say("[18 00 01]") == ["[1C 00 01 D4]"]


@pytest.mark.parametrize("login", ["-U admin wrong", "-U nobody secret", "-N", "-N secret", "-U admin"])
def test_who_is_not_let_in(login: str) -> None:
    line = Line()
    assert line.say(f"[SYS PWD {login}]") == ["[ERR D4]"]
    assert line.server.session is None


def test_a_user_may_what_a_user_may() -> None:
    line = Line()
    assert line.say("[SYS PWD -U guest guest]") == ["[OK]"]
    assert line.say("[SYS HEALTH QUERY]") == ["[OK PWR:ON H:ok T:ok V:ok PS:ok C:ok D:ok S:ok O:ok]"]
    assert line.say("[SYS RESET]") == ["[ERR D4]"]


def test_wrong_passwords_lock_the_port_for_a_while() -> None:
    line = Line()
    for _ in range(3):
        assert line.say("[SYS PWD -U admin wrong]") == ["[ERR D4]"]
    assert line.say("[SYS PWD -U admin secret]") == ["[ERR D4]"]
    line.now += LOCKOUT
    assert line.say("[SYS PWD -U admin secret]") == ["[OK]"]


# fmt: off
LINES = [
    pytest.param("[SYS TMODE]",                    ["[OK TMODE]"],            id="is this Terminal Mode?"),
    pytest.param("[SYS SET BOOT 80 08 00 00 00]",  ["[OK]"],                  id="boot from a disk"),
    pytest.param("[SYS SET BOOTOPT 00 00]",        ["[OK]"],                  id="boot option"),
    pytest.param("[SYS GET BOOTOPT 00 00 00]",     ["[OK 01 00 00]"],         id="read one"),
    pytest.param("[SYS GET BOOTOPT 00]",           ["[ERR C1]"],              id="too little"),
    pytest.param("[SYS GET BOOTOPT 63 00 00]",     ["[ERR 80]"],              id="no such parameter"),
    pytest.param("[SYS SET TCFG]",                 ["[OK 11 00 31]"],         id="how is the terminal set?"),
    pytest.param("[SYS SET TCFG -V 01 31]",        ["[OK]", "[SYS]"],         id="handshake on"),
    pytest.param("[SYS IDENTIFY]",                 ["[OK]"],                  id="identify"),
    pytest.param("[SYS IDENTIFY -ON 05]",          ["[OK]"],                  id="for five seconds"),
    pytest.param("[SYS IDENTIFY -OFF]",            ["[OK]"],                  id="no more"),
    pytest.param("[SYS POWER ON]",                 ["[OK]"],                  id="power on"),
    pytest.param("[sys tmode]",                    ["[ERR C7]"],              id="words are upper case"),
    pytest.param("[SYS]",                          ["[ERR C1]"],              id="no word"),
    pytest.param("[SYS 001111 hello]",             ["[ERR C1]"],              id="no OEM text"),
    pytest.param("[18 00 01",                      [],                        id="no end"),
    pytest.param("login: [18 00 37]",              ["[1C 00 37 00" + " 00" * 16 + "]"], id="prompt"),
    pytest.param("[18 00 5F]",                     ["[1C 00 5F C1]"],         id="no such command"),
    pytest.param("[18 00]",                        ["[ERR C7]"],              id="no command"),
    pytest.param("[1C 00 01 00]",                  ["[ERR CC]"],              id="a response"),
    pytest.param("[18 02 01]",                     ["[ERR CC]"],              id="to another software"),
]
# fmt: on


@pytest.mark.parametrize(("line", "answers"), LINES)
def test_one_line(line: str, answers: list[str]) -> None:
    assert Line(Privilege.ADMINISTRATOR).say(line) == answers


def test_health_in_words() -> None:
    line = Line(Privilege.USER)
    fan = next(sensor for sensor in line.bmc.sensors if sensor.sensor_type == 0x04)
    line.bmc.simulation.hold(fan, 2.0, value=0.0)
    said = line.say("[SYS HEALTH QUERY -V]")
    assert said[:3] == ["SYS Health:Critical", "Power:ON", "Temperature:OK"]
    assert "Cooling:Critical" in said
    assert said[-1] == "[OK]"


@pytest.mark.parametrize("kind", [2, 4])
def test_a_program_logs_in_with_the_commands_of_ipmi15(kind: int) -> None:
    line = Line()
    assert line.send(0x06, 0x01) == b"\xd4"
    # capabilities: channel 2, MD5 and straight password, named users
    assert line.send(0x06, 0x38, b"\x0e\x04")[:4] == b"\0\x02\x14\x04"
    answer = line.send(0x06, 0x39, bytes((kind,)) + b"admin".ljust(16, b"\0"))
    assert answer[0] == 0
    session_id, challenge = answer[1:5], answer[5:]
    password = b"secret".ljust(16, b"\0")
    digest = hashlib.md5(password + session_id + challenge + password, usedforsecurity=False).digest()
    code = password if kind == 4 else digest
    answer = line.send(0x06, 0x3A, bytes((kind, 4)) + code + bytes(4))
    assert (answer[:2], answer[10:]) == (b"\0\0", b"\x04")
    assert line.send(0x06, 0x01)[0] == 0
    assert line.send(0x06, 0x02) == b"\xd4"  # it starts as a user
    assert line.send(0x06, 0x3B, b"\x04") == b"\0\x04"
    assert line.send(0x06, 0x3C, answer[2:6]) == b"\0"
    assert line.server.session is None


def test_what_does_not_open_a_session() -> None:
    line = Line()
    admin = b"admin".ljust(16, b"\0")
    assert line.send(0x06, 0x39, b"\x01" + admin) == b"\xcc"  # MD2
    assert line.send(0x06, 0x39, b"\x00" + admin) == b"\xcc"  # no password
    assert line.send(0x06, 0x39, b"\x04" + bytes(16)) == b"\x82"
    assert line.send(0x06, 0x39, b"\x04" + b"nobody".ljust(16, b"\0")) == b"\x81"
    activate = b"\x04\x04" + b"secret".ljust(16, b"\0") + bytes(4)
    assert line.send(0x06, 0x3A, activate) == b"\x85"  # without a challenge
    line.send(0x06, 0x39, b"\x04" + admin)
    assert line.send(0x06, 0x3A, activate.replace(b"secret", b"guess!")) == b"\xd4"
    assert line.send(0x06, 0x3A, activate) == b"\x85"  # a challenge is good for one answer
    line.send(0x06, 0x39, b"\x04" + b"guest".ljust(16, b"\0"))
    assert line.send(0x06, 0x3A, activate.replace(b"secret", b"guest\0")) == b"\x86"  # above the limit


def test_a_session_ends_with_idleness_loss_and_its_user() -> None:
    line = Line()
    line.say("[SYS PWD -U admin secret]")
    assert line.server.next_deadline() == 61.0
    line.server.handle_deadline(60.0)
    assert line.server.session is not None
    line.server.handle_deadline(61.0)
    assert line.server.session is None
    for ends in (line.server.lost, lambda: line.server.close_sessions_of(2), line.server.close_all):
        line.say("[SYS PWD -U admin secret]")
        assert line.server.session is not None
        ends()
        assert line.server.session is None


def test_bridging_answers_in_the_form_of_the_request() -> None:
    """As ipmitool 1.8.19 asks 82h for its self test in both modes."""
    line = Line(Privilege.OPERATOR)
    assert line.say("[18 18 34 40 82 18 66 20 18 04 C4]") == ["[1C 18 34 00]"]
    assert bytes.fromhex(line.bridged()) == b"[1C 19 04 00 55 00]\r"
    assert line.send(0x06, 0x34, bytes.fromhex("40 82 18 66 20 18 04 C4")) == b"\0"
    assert line.bridged() == "a0 20 1c c4 82 18 04 00 55 00 0d a5"


def test_a_channel_that_is_switched_off_is_silent() -> None:
    line = Line(Privilege.ADMINISTRATOR)
    assert line.say("[18 00 40 02 80 00]") == ["[1C 00 40 00]"]
    assert any(isinstance(event, ChannelChanged) for event in iter(line.bmc.next_event, None))
    assert line.say("[18 00 01]") == []
    off = Line(Privilege.ADMINISTRATOR, SETTINGS.replace(channels=ChannelSettings()))
    off.server.receive_data(b"[18 00 01]\r\xa0\x20\xa5", 1.0)
    assert off.server.data_to_send() == b""


def test_modes_can_be_switched_off() -> None:
    line = Line(Privilege.ADMINISTRATOR)
    line.bmc.serial_configuration.set(3, b"\x81")  # direct, Basic Mode alone
    assert line.say("[18 00 01]") == []
    line.bmc.serial_configuration.set(3, b"\x84")
    assert line.say("[18 00 01]") != []
    line.server.receive_data(packet(BusMessage(0x20, 6, 0, 0x81, 0, 0, 1).encode()), 1.0)
    assert line.server.data_to_send() == b""


@given(st.lists(st.one_of(st.binary(max_size=60), st.just(b"[SYS PWD -U admin secret]\r")), max_size=20))
def test_any_characters_are_survived(pieces: list[bytes]) -> None:
    line = Line(Privilege.OPERATOR)
    for data in pieces:
        line.server.receive_data(data, line.now)
        line.server.receive_data(packet(data), line.now)
        assert len(line.server.data_to_send()) < 4096
