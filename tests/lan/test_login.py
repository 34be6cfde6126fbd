"""RMCP+ log-in: what opens a session, and every status with which it is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.lan.lan_world import (
    ADMIN,
    ALL_SUITES,
    ANONYMOUS,
    DEVICE_ID,
    GUID,
    MONITOR,
    OPERATOR,
    RULES,
    Console,
    TableAuthority,
    make_server,
    plus,
)

from baseboard.ipmi.privilege import Privilege
from baseboard.lan.server import LanServer
from baseboard.lan.settings import LanSettings


def suites(*numbers: int, limit: Privilege = Privilege.OEM) -> TableAuthority:
    return TableAuthority(suites=dict.fromkeys(numbers, limit))


@pytest.mark.parametrize("suite", ALL_SUITES)
def test_every_suite_opens_a_session_that_works(suite: int) -> None:
    server = make_server()
    console = Console(server, suite=suite).login()
    assert console.guid == GUID
    assert console.request(0x06, 0x01) == DEVICE_ID
    assert console.request(0x06, 0x3B, b"\x04") == b"\0\x04"
    assert console.request(0x06, 0x01) == DEVICE_ID
    assert console.request(0x06, 0x3C, console.id_c) == b"\0"
    assert not server.active()
    assert console.request(0x06, 0x01) is None


@pytest.mark.parametrize("suite", [3, 17])
def test_two_keys(suite: int) -> None:
    key = b"kg-of-twenty-bytes!!"
    server = make_server(TableAuthority(channel_key=key))
    assert Console(server, suite=suite, key=key).login().request(0x06, 0x01) == DEVICE_ID
    with pytest.raises(AssertionError):  # RAKP 4's check value is another one
        Console(server, suite=suite, key=b"another").login()


def test_a_password_of_twenty_bytes() -> None:
    account = replace(ADMIN, password=b"twenty-byte-password")
    server = make_server(TableAuthority((account,)))
    assert Console(server, account).login().request(0x06, 0x01) == DEVICE_ID
    assert Console(server, account, password=b"twenty-byte-passwor").open() == 0


def test_the_null_user() -> None:
    server = make_server(TableAuthority((ANONYMOUS,)))
    assert Console(server, ANONYMOUS).login().request(0x06, 0x01) == DEVICE_ID


# -------------------------------------------------------------------------------------- privileges


@pytest.mark.parametrize(
    ("asked", "suite_limit", "channel_limit", "granted"),
    [
        pytest.param(0, Privilege.OEM, Privilege.ADMINISTRATOR, 4, id="highest of the channel"),
        pytest.param(0, Privilege.OPERATOR, Privilege.ADMINISTRATOR, 3, id="highest of the suite"),
        pytest.param(2, Privilege.OEM, Privilege.ADMINISTRATOR, 2, id="less than could be had"),
    ],
)
def test_the_level_of_open_session_is_real(
    asked: int, suite_limit: Privilege, channel_limit: Privilege, granted: int
) -> None:
    authority = suites(3, limit=suite_limit)
    authority.rules = replace(RULES, limit=channel_limit)
    console = Console(make_server(authority), level=asked, role=0x10 | granted)
    console.login()
    assert console.granted == granted
    assert console.request(0x06, 0x3B, bytes((granted,))) == bytes((0, granted))
    assert console.request(0x06, 0x3B, bytes((granted + 1,))) == b"\x81"


def test_a_session_starts_at_user_level_and_callback_below_it() -> None:
    server = make_server()
    console = Console(server).login()
    assert console.request(0x06, 0x3B, b"\0") == b"\0\x02"
    Console(server, role=0x11).login()
    assert [session.privilege for session in server.active()] == [Privilege.USER, Privilege.CALLBACK]


def test_a_role_above_the_users_limit_is_capped() -> None:
    server = make_server()
    console = Console(server, MONITOR, role=0x14).login()
    assert server.active()[0].maximum_privilege is Privilege.USER
    assert console.request(0x06, 0x3B, b"\x04") == b"\x81"
    assert console.request(0x06, 0x3B, b"\x03") == b"\x81"
    assert console.request(0x06, 0x01) == DEVICE_ID


def test_look_up_by_name_and_level() -> None:
    server = make_server()
    assert Console(server, OPERATOR, role=0x03).login().request(0x06, 0x01) == DEVICE_ID
    for role in (0x04, 0x02):
        console = Console(server, OPERATOR, role=role)
        assert console.open() == 0
        assert console.rakp1() == 0x0D


# ------------------------------------------------------------------------------- Open Session refused


def change(payload: bytes, **bytes_at: int) -> bytes:
    data = bytearray(payload)
    for name, value in bytes_at.items():
        data[int(name.removeprefix("at"))] = value
    return bytes(data)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"at1": 6}, 0x09, id="no such role"),
        pytest.param({"at12": 9}, 0x04, id="unknown authentication"),
        pytest.param({"at20": 9}, 0x05, id="unknown integrity"),
        pytest.param({"at28": 9}, 0x10, id="unknown confidentiality"),
        pytest.param({"at28": 2}, 0x10, id="xRC4-128"),
        pytest.param({"at28": 3}, 0x10, id="xRC4-40"),
        pytest.param({"at12": 3}, 0x11, id="algorithms that make no suite"),
        pytest.param({"at12": 2, "at20": 2}, 0x11, id="a suite that is off"),
        pytest.param({"at8": 1}, 0x03, id="not an authentication payload"),
        pytest.param({"at11": 7}, 0x12, id="length of a payload"),
        pytest.param({"at1": 5}, 0x0A, id="level above the channel's"),
    ],
)
def test_open_session_is_refused(changes: dict[str, int], status: int) -> None:
    server = make_server(suites(3, 17, 1))
    console = Console(server)
    answer = console.exchange(0x10, change(console.open_request(7), **changes))
    assert answer == bytes((7, status, 0, 0)) + console.id_m


def test_open_session_without_a_console_id_or_in_another_length_is_refused() -> None:
    console = Console(make_server())
    request = console.open_request(7)
    assert console.exchange(0x10, request[:4] + bytes(4) + request[8:])[1] == 0x02
    assert console.exchange(0x10, request[:24])[1] == 0x12
    assert console.exchange(0x10, request + b"\0")[1] == 0x12
    assert console.send(plus(0x10, request[:7])) is None


def test_a_level_above_the_suites_is_refused() -> None:
    console = Console(make_server(suites(3, limit=Privilege.USER)), level=3)
    assert console.open() == 0x0A


def test_a_suite_whose_limit_is_no_access_is_off() -> None:
    assert Console(make_server(suites(3, limit=Privilege.NO_ACCESS))).open() == 0x11


def test_no_session_is_free() -> None:
    server = make_server(settings=LanSettings(sessions=2))
    Console(server).login()
    late = Console(server)
    assert late.open() == 0
    assert late.rakp1() == 0
    last = Console(server).login()
    assert Console(server).open() == 0x01
    assert late.rakp3() == 0x01
    assert last.request(0x06, 0x3C, last.id_c) == b"\0"
    Console(server).login()


def test_a_silent_session_makes_room_for_another_of_the_same_address() -> None:
    server = make_server(settings=LanSettings(sessions=2))
    dead = Console(server).login()
    lively = Console(server).login()
    lively.now = 2.0
    assert lively.request(0x06, 0x01)
    stranger = Console(server, address=("192.0.2.8", 40000))
    stranger.now = 3.0
    assert stranger.open() == 0x01  # none of these is its own
    thief = Console(server, password=b"wrong")
    thief.now = 3.0
    assert thief.open() == 0
    assert thief.rakp1() == 0
    assert thief.rakp3() == 0x0F
    assert server.find(int.from_bytes(dead.id_c, "little")) is not None
    late = Console(server)
    late.now = 3.0
    late.login()
    assert server.find(int.from_bytes(dead.id_c, "little")) is None
    assert lively.request(0x06, 0x01)
    assert late.request(0x06, 0x01)
    assert Console(server).open() == 0x01  # both are in use


@pytest.mark.parametrize(
    ("null", "chosen"),
    [
        pytest.param((), (3, 4, 1), id="none"),
        pytest.param((0, 1, 2), (3, 4, 1), id="all"),
        pytest.param((1,), (3, 4, 1), id="integrity"),
        pytest.param((2,), (3, 4, 1), id="confidentiality"),
    ],
)
def test_null_algorithms_leave_the_choice_to_us(null: tuple[int, ...], chosen: tuple[int, ...]) -> None:
    console = Console(make_server(suites(17, 16, 3)), suite=17)
    request = change(console.open_request(), **{f"at{8 + 8 * kind + 3}": 0 for kind in null})
    answer = console.exchange(0x10, request)
    assert tuple(answer[16 + 8 * kind] for kind in range(3)) == chosen


# -------------------------------------------------------------------------------------- RAKP refused


def opened(server: LanServer, **options: object) -> Console:
    console = Console(server, **options)  # type: ignore[arg-type]
    assert console.open() == 0
    return console


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"at24": 0x10}, 0x09, id="role 0"),
        pytest.param({"at24": 0x16}, 0x09, id="no such role"),
        pytest.param({"at27": 17}, 0x0C, id="name too long"),
        pytest.param({"at27": 16}, 0x12, id="name shorter than it says"),
        pytest.param({"at28": 0x41}, 0x0D, id="no such user"),
        pytest.param({"at27": 0}, 0x0D, id="null user that there is not"),
    ],
)
def test_rakp1_is_refused_for_good(changes: dict[str, int], status: int) -> None:
    console = opened(make_server())
    request = change(console.rakp1_request(7), **changes)
    answer = console.exchange(0x12, request)
    assert answer == bytes((7, status, 0, 0)) + console.id_m
    assert console.exchange(0x12, request) == answer
    assert console.rakp1() == 0x08


def test_a_role_above_what_was_granted() -> None:
    assert opened(make_server(), level=2, role=0x14).rakp1() == 0x09
    assert opened(make_server(), level=2, role=0x12).rakp1() == 0


def test_a_disabled_channel_is_silent() -> None:
    authority = TableAuthority()
    server = make_server(authority)
    authority.rules = replace(RULES, enabled=False)
    assert Console(server).send(plus(0x10, Console(server).open_request())) is None


def test_sessions_of_a_user_are_limited() -> None:
    authority = TableAuthority(session_limit=1)
    server = make_server(authority)
    second = opened(server)
    assert second.rakp1() == 0
    Console(server).login()
    assert second.rakp3() == 0x01
    assert opened(server).rakp1() == 0x01


def test_unknown_session_ids() -> None:
    server = make_server()
    console = Console(server).login()
    session = server.active()[0]
    console.id_c = b"\x01\x02\x03\x04"
    assert console.exchange(0x12, console.rakp1_request(3)) == b"\x03\x02\0\0\0\0\0\0"
    assert console.exchange(0x14, console.rakp3_request(4)) == b"\x04\x02\0\0\0\0\0\0"
    assert server.active() == (session,)


def test_rakp3_before_rakp1() -> None:
    console = opened(make_server())
    assert console.exchange(0x14, console.rakp3_request())[1] == 0x08


@pytest.mark.parametrize("suite", [3, 17, 8])
def test_a_wrong_password_is_refused_for_good(suite: int) -> None:
    server = make_server()
    console = opened(server, suite=suite, password=b"wrong")
    assert console.rakp1() == 0
    assert not console.is_known()
    request = console.rakp3_request(9)
    assert console.exchange(0x14, request) == b"\x09\x0f\0\0" + console.id_m
    assert console.exchange(0x14, request) == b"\x09\x0f\0\0" + console.id_m
    console.password = ADMIN.password
    assert console.exchange(0x14, console.rakp3_request())[1] == 0x08
    assert not server.active()


@pytest.mark.parametrize("length", [0, 19, 21])
def test_a_code_of_another_length_is_wrong(length: int) -> None:
    console = opened(make_server())
    assert console.rakp1() == 0
    request = (console.rakp3_request() + b"\0")[: 8 + length]
    assert console.exchange(0x14, request)[1] == 0x0F


def test_a_console_that_gives_up_is_not_answered() -> None:
    console = opened(make_server())
    assert console.rakp1() == 0
    assert console.send(plus(0x14, b"\0\x0f\0\0" + console.id_c)) is None
    assert console.exchange(0x14, console.rakp3_request())[1] == 0x02


def test_an_unknown_user_can_be_hidden() -> None:
    server = make_server(settings=LanSettings(hide_unknown_users=True))
    console = opened(server, account=replace(ADMIN, name=b"nobody"))
    assert console.rakp1() == 0
    assert len(console.code) == 20
    assert not console.is_known()
    assert console.rakp3() == 0x0F
    without = opened(server, account=replace(ADMIN, name=b"nobody"), suite=0)
    assert without.rakp1() == 0x0D  # there would be nothing to hide behind


def test_suite_0_needs_a_user_all_the_same() -> None:
    server = make_server()
    assert opened(server, suite=0, account=replace(ADMIN, name=b"nobody")).rakp1() == 0x0D
    console = Console(server, suite=0, password=b"anything").login()
    assert console.request(0x06, 0x01) == DEVICE_ID


# ------------------------------------------------------------------------------------- repetitions


def test_repeated_messages_get_the_same_bytes() -> None:
    server = make_server()
    console = Console(server)
    first = [console.exchange(0x10, console.open_request()) for _ in range(2)]
    assert first[0] == first[1]
    console.id_c = first[0][8:12]
    second = [console.exchange(0x12, console.rakp1_request()) for _ in range(2)]
    assert second[0] == second[1]
    console.random_c = second[0][8:24]
    third = [console.exchange(0x14, console.rakp3_request()) for _ in range(2)]
    assert third[0] == third[1]
    assert third[0][1] == 0
    assert len(server.active()) == 1


def test_either_of_two_answers_to_rakp1_may_be_used() -> None:
    console = opened(make_server())
    assert console.rakp1() == 0
    earlier = console.random_c
    assert console.exchange(0x12, console.rakp1_request(9))[8:24] == earlier
    assert console.rakp3() == 0


def test_opening_again_after_a_lost_rakp2() -> None:
    server = make_server()
    first = opened(server)
    assert first.rakp1() == 0
    second = Console(server)
    second.id_m = first.id_m
    second.login()
    assert second.id_c != first.id_c


def test_a_changed_password_ends_log_ins_under_way() -> None:
    server = make_server()
    console = opened(server)
    assert console.rakp1() == 0
    server.close_sessions_of(ADMIN.user_id)
    assert console.exchange(0x14, console.rakp3_request())[1] == 0x02


# ------------------------------------------------------------------------------------- half-open


def test_log_ins_expire() -> None:
    server = make_server(settings=LanSettings(half_open_timeout=5.0))
    console = opened(server)
    console.now = 4.9
    assert server.next_deadline() == 5.0
    assert console.rakp1() == 0
    console.now = 5.0
    assert console.exchange(0x14, console.rakp3_request())[1] == 0x02
    server.handle_deadline(5.0)
    assert server.next_deadline() is None


def test_a_flood_of_log_ins_takes_nothing_from_sessions_or_other_sources() -> None:
    server = make_server()
    working = Console(server).login()
    under_way = opened(server, address=("192.0.2.9", 1))
    for number in range(5000):
        Console(server, address=("198.51.100.1", number)).open()
    assert len(server._openings) == 64 + 2  # of the source, one under way, one that is decided
    assert working.request(0x06, 0x01) == DEVICE_ID
    assert under_way.rakp1() == 0
    assert under_way.rakp3() == 0
    Console(server, address=("203.0.113.5", 1)).login()


def test_a_flood_from_everywhere_is_bounded() -> None:
    server = make_server()
    working = Console(server).login()
    for number in range(2000):
        Console(server, address=(f"10.0.{number >> 8}.{number & 255}", 1)).open()
    assert len(server._openings) == 256
    assert working.request(0x06, 0x01) == DEVICE_ID
    Console(server, address=("203.0.113.5", 1)).login()
