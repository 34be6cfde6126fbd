"""Users: conversations as ipmitool and FreeIPMI have them."""

from __future__ import annotations

import pytest
from tests.bmc.conversation import ASession, Conversation

from baseboard.bmc.events import UserChanged
from baseboard.bmc.handlers import users
from baseboard.ipmi import Privilege

ADMIN = b"admin".ljust(16, b"\0").hex(" ")
EVE = b"eve".ljust(16, b"\0").hex(" ")
SECRET_16 = b"secret".ljust(16, b"\0").hex(" ")
SECRET_20 = b"secret".ljust(20, b"\0").hex(" ")
LONG_20 = b"seventeen letters".ljust(20, b"\0").hex(" ")
NOTHING_16 = bytes(16).hex(" ")


@pytest.fixture
def talk() -> Conversation:
    talk = Conversation(users.TABLE)
    talk.bmc.users.provision(2, b"admin", b"secret")
    return talk


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("18 44 01 02", "1c 44 00 10 41 01 14", id="access: 16 ids, one enabled, ADMINISTRATOR"),
        pytest.param("18 44 01 01", "1c 44 00 10 81 01 0f", id="the null user is off"),
        pytest.param("18 44 01 10", "1c 44 00 10 81 01 0f", id="the last user"),
        pytest.param("18 44 01 11", "1c 44 c9", id="no user 17"),
        pytest.param("18 44 01 00", "1c 44 c9", id="no user 0"),
        pytest.param("18 44 07 02", "1c 44 cc", id="no channel 7"),
        pytest.param("18 44 0e 02", "1c 44 00 10 41 01 0f", id="present channel: nobody logs in at KCS"),
        pytest.param("18 44 01", "1c 44 c7", id="access is too short"),
        pytest.param("18 46 02", f"1c 46 00 {ADMIN}", id="name"),
        pytest.param("18 46 01", f"1c 46 00 {NOTHING_16}", id="null name"),
        pytest.param("18 46 03", f"1c 46 00 {NOTHING_16}", id="no name yet"),
        pytest.param("18 46 3f", "1c 46 c9", id="no user 63"),
        pytest.param(f"18 45 01 {EVE}", "1c 45 cc", id="user 1 keeps the null name"),
        pytest.param(f"18 45 01 {NOTHING_16}", "1c 45 00", id="user 1 has the null name already"),
        pytest.param("18 45 03 65 76 65", "1c 45 c7", id="a name has 16 bytes"),
        pytest.param("18 43 91 02 00", "1c 43 cc", id="level 0 is no limit"),
        pytest.param("18 43 91 02 06", "1c 43 cc", id="level 6 is none"),
        pytest.param("18 43 9f 02 04", "1c 43 cc", id="no access to set on the system interface"),
        pytest.param("18 43 91 02 04 00 00", "1c 43 c7", id="set access is too long"),
        pytest.param(f"18 47 02 03 {SECRET_16}", "1c 47 00", id="test the password"),
        pytest.param(f"18 47 02 03 {NOTHING_16}", "1c 47 80", id="test another one"),
        pytest.param(f"18 47 82 03 {SECRET_20}", "1c 47 81", id="test with the other size"),
        pytest.param(f"18 47 02 03 {SECRET_20}", "1c 47 c7", id="20 bytes without bit 7"),
        pytest.param(f"18 47 82 02 {SECRET_16}", "1c 47 c7", id="16 bytes with bit 7"),
        pytest.param("18 47 02 02", "1c 47 c7", id="set no password"),
        pytest.param("18 47 02 01 00", "1c 47 c7", id="enable with half a password"),
        pytest.param(f"18 47 12 02 {SECRET_16}", "1c 47 c9", id="password of nobody"),
    ],
)
def test_users(talk: Conversation, request_: str, response: str) -> None:
    assert talk.ask(request_) == response


@pytest.mark.parametrize(
    ("request_", "needed"),
    [
        ("18 43 91 02 04", Privilege.ADMINISTRATOR),
        ("18 44 01 02", Privilege.OPERATOR),
        (f"18 45 03 {EVE}", Privilege.ADMINISTRATOR),
        ("18 46 02", Privilege.OPERATOR),
        (f"18 47 02 03 {SECRET_16}", Privilege.ADMINISTRATOR),
    ],
)
def test_privilege(talk: Conversation, request_: str, needed: Privilege) -> None:
    assert talk.over_lan(request_, Privilege(needed - 1)).split()[2] == "d4"
    assert talk.over_lan(request_, needed).split()[2] == "00"


def test_a_user_is_made_as_ipmitool_makes_one(talk: Conversation) -> None:
    for request in (
        f"18 45 03 {EVE}",  # user set name 3 eve
        f"18 47 03 02 {SECRET_16}",  # user set password 3 secret
        "18 43 91 03 03",  # channel setaccess 1 3 ipmi=on privilege=3
        f"18 47 03 01 {NOTHING_16}",  # user enable 3
    ):
        assert talk.ask(request).endswith(" 00")
    for _ in range(2):
        assert talk.ask("18 46 03") == f"1c 46 00 {EVE}"
        assert talk.ask("18 44 01 03").endswith("01 13")
        assert talk.ask(f"18 47 03 03 {SECRET_16}") == "1c 47 00"
        talk.restart()


def test_rights_change_only_when_bit_7_says_so(talk: Conversation) -> None:
    talk.ask("18 43 f1 02 03")
    assert talk.ask("18 44 01 02") == "1c 44 00 10 41 01 73"
    talk.ask("18 43 01 02 02")
    assert talk.ask("18 44 01 02") == "1c 44 00 10 41 01 72"
    talk.ask("18 43 81 02 0f")
    assert talk.ask("18 44 01 02") == "1c 44 00 10 41 01 0f"


def test_the_session_limit_stays_when_it_is_left_out(talk: Conversation) -> None:
    talk.ask("18 43 91 02 04 02")
    talk.ask("18 43 91 02 04")
    assert talk.bmc.users.access(2, 1).session_limit == 2
    talk.restart()
    assert talk.bmc.users.access(2, 1).session_limit == 2


def test_a_password_of_20_bytes(talk: Conversation) -> None:
    assert talk.ask(f"18 47 82 02 {LONG_20}") == "1c 47 00"
    talk.restart()
    assert talk.ask(f"18 47 82 03 {LONG_20}") == "1c 47 00"
    assert talk.ask(f"18 47 82 03 {SECRET_20}") == "1c 47 80"
    assert talk.ask(f"18 47 02 03 {LONG_20[:47]}") == "1c 47 81"


def test_enable_and_disable(talk: Conversation) -> None:
    talk.ask("18 47 01 01")
    assert talk.ask("18 44 01 01") == "1c 44 00 10 42 01 0f"
    talk.restart()
    talk.ask("18 47 02 00")
    talk.bmc.users.provision(2, b"admin", b"secret")
    assert talk.ask("18 44 01 02").startswith("1c 44 00 10 81 01"), "what a command took away stays away"


def test_a_changed_user_is_told_once_and_by_whom(talk: Conversation) -> None:
    talk.events()
    talk.over_lan("18 43 91 02 03")
    talk.over_lan("18 43 91 02 03")  # no change
    talk.ask(f"18 47 02 02 {NOTHING_16}")
    talk.ask(f"18 45 02 {EVE}")
    talk.ask("18 47 02 00")
    talk.ask("18 47 02 00")
    assert talk.events() == [UserChanged(2, ASession().id), UserChanged(2), UserChanged(2), UserChanged(2)]


def test_commands_stand_above_the_configuration_each_for_itself(talk: Conversation) -> None:
    talk.ask("18 43 91 02 03")
    talk.restart()
    talk.bmc.users.provision(2, b"root", b"another")
    assert talk.ask("18 46 02").startswith("1c 46 00 72 6f 6f 74 00")
    assert talk.ask("18 44 01 02").endswith("13")
    assert talk.ask(f"18 47 02 03 {b'another'.ljust(16, bytes(1)).hex()}") == "1c 47 00"


def test_a_password_shows_nowhere(talk: Conversation) -> None:
    from baseboard.ipmi.app_users import SetUserPasswordRequest

    request = SetUserPasswordRequest.decode(bytes.fromhex(f"02 02 {SECRET_16}"))
    assert "secret" not in repr(request)
    assert "secret" not in repr(talk.bmc.users.user(2))
