"""Channels: access settings twice, exact Get Channel Info, K_G."""

from __future__ import annotations

import pytest
from tests.bmc.conversation import Conversation

from baseboard.bmc import Settings
from baseboard.bmc.channels import ChannelSettings
from baseboard.bmc.events import ChannelChanged
from baseboard.bmc.handlers import channels
from baseboard.ipmi import Privilege
from baseboard.ipmi.app_channels import ChannelProtocol

KEY = b"kg-of-twenty-bytes!!".hex(" ")
NO_KEY = bytes(20).hex(" ")


@pytest.fixture
def talk() -> Conversation:
    return Conversation(channels.TABLE)


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("18 42 00", "1c 42 00 00 01 01 00 f2 1b 00 00 00", id="IPMB"),
        # captures.json, sim-walk-lan, has 81h in the fourth place: one session
        pytest.param("18 42 01", "1c 42 00 01 04 01 80 f2 1b 00 00 00", id="LAN"),
        pytest.param("18 42 0f", "1c 42 00 0f 0c 05 00 f2 1b 00 ff ff", id="system interface, KCS"),
        pytest.param("18 42 0e", "1c 42 00 0f 0c 05 00 f2 1b 00 ff ff", id="present channel"),
        pytest.param("18 42 02", "1c 42 cc", id="no channel 2"),
        pytest.param("18 42", "1c 42 c7", id="which channel?"),
        pytest.param("18 41 01 80", "1c 41 00 22 04", id="volatile access"),
        pytest.param("18 41 01 40", "1c 41 00 22 04", id="non-volatile access"),
        pytest.param("18 41 01 00", "1c 41 cc", id="which access?"),
        pytest.param("18 41 0f 80", "1c 41 82", id="no access settings at the system interface"),
        pytest.param("18 41 0e 80", "1c 41 82", id="nor by its other name"),
        pytest.param("18 41 00 80", "1c 41 82", id="nor on IPMB"),
        pytest.param("18 41 07 80", "1c 41 cc", id="no channel 7"),
        pytest.param("18 40 01 81 84", "1c 40 83", id="no pre-boot mode"),
        pytest.param("18 40 01 83 84", "1c 40 83", id="no shared mode"),
        pytest.param("18 40 01 c2 84", "1c 40 cc", id="setting 11b"),
        pytest.param("18 40 01 82 86", "1c 40 cc", id="no level 6"),
        pytest.param("18 40 01 82 80", "1c 40 cc", id="no level 0"),
        pytest.param("18 40 0f 82 84", "1c 40 82", id="session-less"),
        pytest.param("18 40 01 82", "1c 40 c7", id="set access is too short"),
        pytest.param("18 40 01 01 06", "1c 40 00", id="nothing to change"),
        pytest.param("18 56 01 00 01", f"1c 56 00 02 {NO_KEY}", id="read K_G that is not set"),
        pytest.param("18 56 01 00 00", "1c 56 84", id="K_R is not used"),
        pytest.param("18 56 01 00 02", "1c 56 cc", id="no third key"),
        pytest.param("18 56 01 03 01", "1c 56 cc", id="no fourth operation"),
        pytest.param("18 56 0f 00 01", "1c 56 cc", id="no keys at the system interface"),
        pytest.param("18 56 01 01 01 00", "1c 56 81", id="key too short"),
        pytest.param(f"18 56 01 01 01 {KEY} 00", "1c 56 82", id="key too long"),
    ],
)
def test_channels(talk: Conversation, request_: str, response: str) -> None:
    assert talk.ask(request_) == response


def test_the_present_channel_over_the_lan(talk: Conversation) -> None:
    talk.bmc.channels.count_sessions = lambda channel: 1
    assert talk.over_lan("18 42 0e") == "1c 42 00 01 04 01 81 f2 1b 00 00 00"


@pytest.mark.parametrize(
    ("protocol", "number"),
    [(ChannelProtocol.BT_1_5, "08"), (ChannelProtocol.IPMI_SMBUS, "04"), (ChannelProtocol.SMIC, "06")],
)
def test_another_system_interface(protocol: ChannelProtocol, number: str) -> None:
    settings = Settings(channels=ChannelSettings(system_interface=protocol, system_interface_interrupt=5))
    talk = Conversation(channels.TABLE, settings=settings)
    assert talk.ask("18 42 0f") == f"1c 42 00 0f 0c {number} 00 f2 1b 00 05 05"


@pytest.mark.parametrize(
    ("request_", "needed"),
    [
        ("18 40 01 00 00", Privilege.ADMINISTRATOR),
        ("18 41 01 80", Privilege.USER),
        ("18 42 01", Privilege.USER),
        ("18 56 01 00 01", Privilege.ADMINISTRATOR),
    ],
)
def test_privilege(talk: Conversation, request_: str, needed: Privilege) -> None:
    assert talk.over_lan(request_, Privilege(needed - 1)).split()[2] == "d4"
    assert talk.over_lan(request_, needed).split()[2] == "00"


def test_the_two_settings_are_apart_until_a_reset(talk: Conversation) -> None:
    assert talk.ask("18 40 01 5a 43") == "1c 40 00"  # non-volatile: per message and user level off, OPERATOR
    assert talk.ask("18 41 01 40") == "1c 41 00 1a 03"
    assert talk.ask("18 41 01 80") == "1c 41 00 22 04"
    assert talk.events() == []
    assert talk.ask("18 40 01 a0 00") == "1c 40 00"  # volatile: disabled
    assert talk.ask("18 41 01 80") == "1c 41 00 20 04"
    assert talk.events() == [ChannelChanged(1)]
    talk.bmc.reset(cold=True, now=0.0)
    assert talk.ask("18 41 01 80") == "1c 41 00 1a 03"
    talk.restart()
    assert talk.ask("18 41 01 80") == talk.ask("18 41 01 40") == "1c 41 00 1a 03"


def test_mode_and_limit_go_to_different_settings(talk: Conversation) -> None:
    assert talk.ask("18 40 01 80 42") == "1c 40 00"
    assert talk.ask("18 41 01 80") == "1c 41 00 00 04"
    assert talk.ask("18 41 01 40") == "1c 41 00 22 02"


def test_nothing_is_changed_when_the_second_half_is_wrong(talk: Conversation) -> None:
    assert talk.ask("18 40 01 80 86") == "1c 40 cc"
    assert talk.ask("18 41 01 80") == "1c 41 00 22 04"


def test_the_key_is_kept_and_locked(talk: Conversation) -> None:
    assert talk.ask(f"18 56 01 01 01 {KEY}") == "1c 56 00 02"
    talk.restart()
    assert talk.ask("18 56 01 00 01") == f"1c 56 00 02 {KEY}"
    assert talk.ask("18 56 01 02 01") == "1c 56 00 01"
    talk.restart()
    assert talk.ask("18 56 01 00 01") == "1c 56 80"
    assert talk.ask(f"18 56 01 01 01 {NO_KEY}") == "1c 56 80"
    assert talk.bmc.authority.channel_key == b"kg-of-twenty-bytes!!"


def test_a_key_of_zeros_is_none(talk: Conversation) -> None:
    talk.ask(f"18 56 01 01 01 {KEY}")
    talk.ask(f"18 56 01 01 01 {NO_KEY}")
    assert talk.bmc.authority.channel_key == b""
    assert "twenty" not in repr(talk.bmc.channels.get(1))
