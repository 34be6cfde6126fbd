"""Session commands through the controller: what a console asks before it logs in, and about sessions."""

from __future__ import annotations

import os

import pytest
from tests.bmc.conversation import Conversation
from tests.lan.lan_world import ADMIN, MONITOR, Console, Console15

from baseboard.bmc import Settings
from baseboard.bmc.handlers import channels, device, session
from baseboard.bmc.lan_configuration import LanSettings
from baseboard.ipmi.message import Context
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.transport_lan import AuthenticationTypes
from baseboard.lan.server import LanServer

ALL_15 = AuthenticationTypes(0x15)


class Lan:
    """A controller with a LAN server before it."""

    def __init__(self, suites: tuple[int, ...] = (17, 3), loopback: bool = True) -> None:
        settings = Settings(
            lan=LanSettings(
                cipher_suites=suites, insecure_cipher_zero=0 in suites, authentication_types=ALL_15
            )
        )
        self.talk = Conversation(session.TABLE, device.TABLE, channels.TABLE, settings=settings)
        self.bmc = self.talk.bmc
        self.bmc.device.provision_guid(bytes(range(16)))
        self.bmc.users.provision(2, b"admin", ADMIN.password)
        self.bmc.users.provision(4, b"monitor", MONITOR.password, Privilege.USER)
        self.bmc.lan_configuration.bound("127.0.0.1")
        self.server = LanServer(self.bmc.authority, self.talk.core.handle, os.urandom, loopback=loopback)
        self.bmc.sessions = self.server

    def outside(self, text: str) -> str:
        """A command without a session; netFn/LUN and command first."""
        netfn_lun, command, *data = bytes.fromhex(text)
        answer = Console15(self.server).outside(netfn_lun >> 2, command, bytes(data))
        assert answer is not None
        return answer.hex(" ")


@pytest.fixture
def lan() -> Lan:
    return Lan()


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        # As mini-ipmitool-auto-5byte of rakp-vectors.json has it, but for the types of IPMI 1.5.
        pytest.param("18 38 8e 04", "00 01 95 04 03 00 00 00 00", id="with IPMI 2.0"),
        pytest.param("18 38 0e 02", "00 01 15 04 00 00 00 00 00", id="with IPMI 1.5"),
        pytest.param("18 38 81 04", "00 01 95 04 03 00 00 00 00", id="channel by number"),
        pytest.param("18 38 8e 00", "cc", id="no level"),
        pytest.param("18 38 8e 06", "cc", id="no such level"),
        pytest.param("18 38 8f 04", "cc", id="the system interface has no sessions"),
        pytest.param("18 38 87 04", "cc", id="no channel 7"),
        pytest.param("18 38 8e", "c7", id="too short"),
        pytest.param("18 3b 00", "d4", id="privilege outside a session"),
        pytest.param("18 3c 00 00 00 00", "d4", id="close outside a session"),
        pytest.param("18 3d 00", "d4", id="info outside a session"),
        pytest.param("18 3f 00", "c1", id="Get AuthCode"),
        pytest.param("18 01", "d4", id="Get Device ID outside a session"),
    ],
)
def test_outside_a_session(lan: Lan, request_: str, response: str) -> None:
    assert lan.outside(request_) == response


def test_authentication_capabilities_follow_the_settings(lan: Lan) -> None:
    access = lan.bmc.channels.resolve(1, Context()).volatile
    lan.bmc.channels.resolve(1, Context()).volatile = access.replace(
        per_message_authentication=False, user_level_authentication=False
    )
    lan.bmc.channels.resolve(1, Context()).key = bytes(range(20))
    lan.bmc.users.provision(1, b"", b"secret")
    assert lan.outside("18 38 8e 04") == "00 01 95 3e 03 00 00 00 00"
    lan.bmc.users.set_password(1, bytes(16))
    assert lan.outside("18 38 8e 04") == "00 01 95 3d 03 00 00 00 00"
    assert lan.outside("18 38 0e 04") == "00 01 15 1d 00 00 00 00 00"  # K_G is of IPMI 2.0


def test_without_ipmi_15() -> None:
    lan = Lan(loopback=False)
    assert lan.outside("18 38 8e 04") == "00 01 80 04 02 00 00 00 00"
    assert lan.outside("18 39 02" + "00" * 16) == "c1"


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        # mini-ipmitool-auto-5byte of rakp-vectors.json
        pytest.param(
            "18 54 0e 00 80", "00 01 c0 00 00 40 80 c0 01 01 40 80 c0 02 01 41 80 c0", id="first 16"
        ),
        pytest.param("18 54 0e 00 81", "00 01 03 01 41 81 c0 11 03 44 81", id="the rest"),
        pytest.param("18 54 0e 00 82", "00 01", id="nothing more"),
        pytest.param("18 54 0e 00 bf", "00 01", id="last index"),
        pytest.param("18 54 0e 01 81", "00 01 03 01 41 81 c0 11 03 44 81", id="for SOL"),
        pytest.param("18 54 0e 00 00", "00 01 00 01 03 40 41 44 80 81", id="algorithms"),
        pytest.param("18 54 0e 02 80", "cc", id="another payload"),
        pytest.param("18 54 0f 00 80", "cc", id="the system interface"),
        pytest.param("18 54 0e 00", "c7", id="too short"),
    ],
)
def test_cipher_suites(request_: str, response: str) -> None:
    assert Lan((17, 3, 2, 1, 0)).outside(request_) == response


def test_session_commands_of_the_lan_exist_nowhere_else(lan: Lan) -> None:
    for text in ("18 39 02" + "00" * 16, "18 3a" + "00" * 22, "18 3f 00"):
        assert lan.talk.ask(text).split()[2] == "c1"
        assert lan.talk.over_lan(text).split()[2] == "c1"
    assert lan.talk.ask("18 3b 04") == "1c 3b d5"


@pytest.mark.parametrize("make", [Console, Console15])
def test_levels(lan: Lan, make: type[Console] | type[Console15]) -> None:
    console = make(lan.server, ADMIN).login()
    for level, answer in (("00", "0002"), ("04", "0004"), ("02", "0002"), ("05", "81"), ("01", "cc")):
        result = console.request(0x06, 0x3B, bytes.fromhex(level))
        assert result is not None
        assert result.hex() == answer
    assert console.request(0x06, 0x3B, b"\x06") == b"\xcc"


def test_session_info(lan: Lan) -> None:
    first = Console(lan.server, ADMIN).login()
    second = Console15(lan.server, MONITOR)
    assert second.challenge() == 0
    assert second.activate(2) == 0
    this = "00 01 3f 02 02 02 11 c0 00 02 07 00 00 00 00 00 00 40 9c"
    other = "00 02 3f 02 04 02 01 c0 00 02 07 00 00 00 00 00 00 40 9c"
    none = "00 00 3f 02"

    def info(text: str) -> str:
        answer = first.request(0x06, 0x3D, bytes.fromhex(text))
        assert answer is not None
        return answer.hex(" ")

    assert info("00") == this
    assert info("01") == this
    assert info("02") == other
    assert info("03") == none
    assert info("fe 02") == other
    assert info("fe 09") == none
    assert info("ff" + second.id.to_bytes(4, "little").hex()) == other
    assert info("ff 01 02 03 04") == none
    for wrong in ("fe", "fe 01 02", "ff 01", "00 01", "01 01"):
        assert info(wrong) == "c7"
    assert lan.talk.ask("18 3d 00") == f"1c 3d {none}"
    assert lan.talk.ask("18 3d 01") == f"1c 3d {this}"
    assert lan.talk.ask("18 42 01").split()[6] == "82"  # two sessions in Get Channel Info


def test_closing_sessions(lan: Lan) -> None:
    admin, monitor = Console(lan.server, ADMIN).login(), Console(lan.server, MONITOR).login()
    assert monitor.request(0x06, 0x3C, admin.id_c) == b"\xd4"
    assert monitor.request(0x06, 0x3C, bytes(4) + b"\x01") == b"\xd4"
    assert monitor.request(0x06, 0x3C, b"\1\2\3\4") == b"\x87"
    assert monitor.request(0x06, 0x3C, bytes(4) + b"\x09") == b"\x88"
    assert monitor.request(0x06, 0x3C, bytes(4)) == b"\x87"
    assert admin.request(0x06, 0x3C, monitor.id_c) == b"\xd4"  # at User level still
    assert admin.request(0x06, 0x3B, b"\x04") == b"\0\x04"
    assert admin.request(0x06, 0x3C, monitor.id_c) == b"\0"
    assert monitor.request(0x06, 0x01) is None
    assert admin.request(0x06, 0x3C, bytes(4) + b"\x01") == b"\0"
    assert not lan.server.active()


def test_the_system_interface_may_close_sessions(lan: Lan) -> None:
    Console(lan.server, ADMIN).login()
    assert lan.talk.ask("18 3c 00 00 00 00 01") == "1c 3c 00"
    assert not lan.server.active()


def test_without_a_lan() -> None:
    talk = Conversation(session.TABLE)
    assert talk.ask("18 3d 01") == "1c 3d 00 00 00 00"
    assert talk.ask("18 3c 00 00 00 00 01") == "1c 3c 88"
