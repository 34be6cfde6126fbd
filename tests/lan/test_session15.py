"""IPMI 1.5 sessions, and commands outside a session in both formats."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from tests.lan.lan_world import (
    ADMIN,
    CONSOLE,
    DEVICE_ID,
    GUID,
    MONITOR,
    OPERATOR,
    RULES,
    Console15,
    TableAuthority,
    Toy,
    answer_of,
    lan_message,
    make_server,
    plus,
)

from baseboard.ipmi.privilege import Privilege
from baseboard.lan.settings import LanSettings

NONE, MD2, MD5, PASSWORD = 0, 1, 2, 4


@pytest.mark.parametrize("kind", [NONE, MD5, PASSWORD])
def test_a_session_from_challenge_to_close(kind: int) -> None:
    server = make_server()
    console = Console15(server, kind=kind).login()
    temporary = console.id
    (session,) = server.active()
    assert console.id == session.id
    assert not session.rmcp_plus
    assert session.privilege is Privilege.USER
    assert console.request(0x06, 0x01) == DEVICE_ID
    assert console.request(0x06, 0x3B, b"\x04") == b"\0\x04"
    assert console.request(0x06, 0x3C, struct.pack("<I", temporary)) == b"\0"
    assert console.request(0x06, 0x01) is None


# -------------------------------------------------------------------------------------- challenge


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        pytest.param(b"nobody", MD5, 0x81, id="unknown user"),
        pytest.param(b"", MD5, 0x82, id="null user"),
        pytest.param(b"operator", MD5, 0x81, id="a password of 20 bytes"),
        pytest.param(b"admin", MD2, 0xCC, id="MD2"),
        pytest.param(b"admin", 5, 0xCC, id="OEM"),
        pytest.param(b"admin", 15, 0xCC, id="no such type"),
    ],
)
def test_a_challenge_is_refused(name: bytes, kind: int, code: int) -> None:
    console = Console15(make_server(), replace(ADMIN, name=name), kind=kind)
    assert console.challenge() == code


def test_a_challenge_of_another_length() -> None:
    assert Console15(make_server()).outside(0x06, 0x39, b"\x02admin") == b"\xc7"


def test_a_type_that_is_not_enabled() -> None:
    server = make_server(TableAuthority(rules=replace(RULES, authentication_types=(4, 4, 4, 4, 4))))
    assert Console15(server, kind=PASSWORD).challenge() == 0xCC
    Console15(server, kind=MD5).login()


def test_ipmi_15_can_be_off() -> None:
    server = make_server(loopback=False)
    assert not server.offers_ipmi15
    assert Console15(server).outside(0x06, 0x39, b"\x02" + b"admin".ljust(16, b"\0")) == b"\xd4"


# -------------------------------------------------------------------------------------- activation


def challenged(**options: object) -> Console15:
    console = Console15(make_server(), **options)  # type: ignore[arg-type]
    assert console.challenge() == 0
    return console


def test_a_wrong_password_is_not_answered() -> None:
    console = challenged(password=b"wrong")
    assert console.activate() is None
    assert console.activate() is None
    console.password = ADMIN.password.ljust(16, b"\0")
    assert console.activate() == 0


def test_a_type_other_than_that_of_the_challenge_is_not_answered() -> None:
    console = challenged(kind=MD5)
    console.kind = NONE
    assert console.activate() is None
    console.kind = PASSWORD
    assert console.activate() is None


@pytest.mark.parametrize("kind", [NONE, MD5])
def test_another_challenge_is_refused(kind: int) -> None:
    console = challenged(kind=kind)
    console.challenge_string = bytes(16)
    assert console.activate() == 0xCC


@pytest.mark.parametrize(
    ("account", "level", "code"),
    [
        pytest.param(MONITOR, 3, 0x86, id="above the user's limit"),
        pytest.param(ADMIN, 5, 0x86, id="above the channel's limit"),
        pytest.param(ADMIN, 0, 0xCC, id="no level"),
        pytest.param(ADMIN, 6, 0xCC, id="no such level"),
        pytest.param(MONITOR, 2, 0x00, id="the limit"),
    ],
)
def test_levels(account: object, level: int, code: int) -> None:
    assert challenged(account=account).activate(level) == code


def test_a_type_that_is_not_enabled_for_the_level() -> None:
    rules = replace(RULES, authentication_types=(4, 5, 5, 4, 4))
    server = make_server(TableAuthority(rules=rules))
    console = Console15(server, kind=NONE)
    assert console.challenge() == 0
    assert console.activate(4) == 0x86
    assert console.activate(3) == 0


def test_the_first_outbound_number_is_not_zero() -> None:
    console = challenged()
    answer = console.send(console.activation(outbound=0))
    assert answer is not None
    assert answer_of(console.unseal(answer)[3]) == b"\x84"


def test_no_session_is_free() -> None:
    server = make_server(settings=LanSettings(sessions=1))
    Console15(server).login()
    console = Console15(server)
    assert console.challenge() == 0
    assert console.activate() == 0x81
    console = Console15(server)
    console.now = 3.0  # the other says nothing any more
    assert console.challenge() == 0
    assert console.activate() == 0
    assert len(server.active()) == 1


def test_sessions_of_a_user_are_limited() -> None:
    server = make_server(TableAuthority(session_limit=1))
    Console15(server).login()
    console = Console15(server)
    assert console.challenge() == 0
    assert console.activate() == 0x82


def test_a_lost_answer_to_activate_session_is_given_again() -> None:
    console = challenged()
    request = console.activation()
    first, second = console.send(request), console.send(request)
    assert first == second
    assert len(console.server.active()) == 1
    assert console.activate() == 0
    assert console.request(0x06, 0x01) == DEVICE_ID
    again = console.send(request)
    assert again is not None
    assert answer_of(console.unseal(again)[3]) == b"\x85"


def test_only_activate_session_in_the_temporary_session() -> None:
    console = challenged()
    assert console.send(console.seal(lan_message(0x06, 0x01), MD5, console.id, 0)) is None
    assert console.send(console.seal(lan_message(0x06, 0x3A, b"\x02"), MD5, console.id, 0)) is not None
    console.now = 20.0
    assert console.activate() is None  # the challenge has expired


def test_a_flood_of_challenges_is_bounded() -> None:
    server = make_server()
    console = Console15(server).login()
    for _ in range(1000):
        assert Console15(server).challenge() == 0
    assert len(server._challenges) == 64
    assert console.request(0x06, 0x01) == DEVICE_ID


# --------------------------------------------------------------------------------- in the session


@pytest.mark.parametrize("kind", [NONE, MD5, PASSWORD])
def test_the_window(kind: int) -> None:
    server = make_server()
    console = Console15(server, kind=kind).login()
    first = console.inbound
    taken = []
    for offset in (0, 0, 8, 17, 16, 7, 8, -1, 9, 16):
        message = lan_message(0x06, 0x01)
        sequence = (first + offset) & 0xFFFF_FFFF
        if console.send(console.seal(message, kind, console.id, sequence)) is not None:
            taken.append(offset)
    assert taken == [0, 8, 16, 9]


def test_a_wrong_code_is_dropped_and_does_not_keep_the_session() -> None:
    server = make_server()
    console = Console15(server).login()
    console.now = 50.0
    packet = bytearray(console.seal(lan_message(0x06, 0x01), MD5, console.id, console.inbound))
    packet[20] ^= 1
    assert console.send(bytes(packet)) is None
    server.handle_deadline(60.0)
    assert not server.active()


@pytest.mark.parametrize(
    ("per_message", "user_level", "kind", "accepted"),
    [
        pytest.param(True, True, MD5, True, id="as agreed"),
        pytest.param(True, True, NONE, False, id="unauthenticated"),
        pytest.param(True, True, PASSWORD, False, id="another type"),
        pytest.param(False, True, NONE, True, id="per message off"),
        pytest.param(False, True, MD5, True, id="per message off and authenticated all the same"),
        pytest.param(True, False, NONE, True, id="user level off"),
    ],
)
def test_what_packets_must_have(per_message: bool, user_level: bool, kind: int, accepted: bool) -> None:
    rules = replace(RULES, per_message_authentication=per_message, user_level_authentication=user_level)
    console = Console15(make_server(TableAuthority(rules=rules)), kind=MD5).login()
    assert console.packet_kind == (MD5 if per_message else NONE)
    assert console.request(0x06, 0x01, kind=kind) == (DEVICE_ID if accepted else None)


def test_without_user_level_authentication_higher_commands_still_need_it() -> None:
    rules = replace(RULES, user_level_authentication=False)
    server = make_server(TableAuthority(rules=rules))
    console = Console15(server).login()
    assert console.request(0x06, 0x3B, b"\x04") == b"\0\x04"
    console.request(0x06, 0x01, kind=NONE)
    console.request(0x06, 0x01)
    assert isinstance(server.handler, Toy)
    assert [privilege for _, privilege in server.handler.seen[-2:]] == [2, 4]


def test_an_unauthenticated_session_does_not_move() -> None:
    server = make_server()
    console = Console15(server, kind=NONE).login()
    packet = console.seal(lan_message(0x06, 0x01), NONE, console.id, console.inbound)
    assert server.receive_datagram(packet, ("192.0.2.66", 1), 1.0) is None
    assert server.receive_datagram(packet, CONSOLE, 1.0) is not None


def test_a_repeated_request_is_not_executed_again() -> None:
    server = make_server()
    console = Console15(server).login()
    for _ in range(2):
        console.request_sequence = 7
        assert console.request(0x0A, 0x44, bytes(16)) == b"\0\1\0"


def test_an_answer_that_does_not_fit_is_refused() -> None:
    console = Console15(make_server()).login()
    assert console.request(0x0A, 0x11, bytes((240, *bytes(10)))) == bytes(241)
    assert console.request(0x0A, 0x11, bytes((250, *bytes(10)))) == b"\xca"


def test_messages_sent_unasked() -> None:
    server = make_server()
    console = Console15(server).login()
    bridged = lan_message(0x07, 0x01, b"\0")
    assert server.send_message(console.id, bridged)
    ((datagram, address),) = server.datagrams_to_send()
    assert address == CONSOLE
    assert console.unseal(datagram) == (MD5, console.outbound + 1, console.id, bridged)
    assert not server.send_payload(console.id, 1, b"")


@pytest.mark.parametrize("length", [56, 84, 112, 128, 156])
def test_the_legacy_pad_is_taken_and_not_sent(length: int) -> None:
    """python-ipmi 0.6.1 refuses the answer that has it, ipmitool 1.8.19 takes it for data."""
    console = Console15(make_server()).login()
    size = length - 30 - 8
    packet = console.seal(lan_message(0x0A, 0x11, bytes((size, 0))), MD5, console.id, console.inbound)
    answer = console.send(packet)
    assert answer is not None
    assert len(answer) == length
    assert console.send(packet + b"\0") is None  # a duplicate, not a fault
    console.inbound += 1
    packet = console.seal(lan_message(0x06, 0x01), MD5, console.id, console.inbound)
    assert console.send(packet + b"\0") is not None


# ------------------------------------------------------------------------------ outside of sessions


def test_commands_outside_a_session() -> None:
    server = make_server()
    console = Console15(server)
    assert console.outside(0x06, 0x37) == b"\0" + GUID
    assert console.outside(0x06, 0x01) == b"\xd4"
    assert isinstance(server.handler, Toy)
    assert [privilege for _, privilege in server.handler.seen] == [Privilege.NONE] * 2


def test_commands_outside_a_session_in_the_rmcp_plus_format() -> None:
    server = make_server()
    answer = server.receive_datagram(plus(0, lan_message(0x06, 0x37, sequence=3)), CONSOLE, 0.0)
    assert answer is not None
    assert answer[:16] == plus(0, bytes(24))[:16]
    assert answer_of(answer[16:]) == b"\0" + GUID
    assert answer[16 + 4] == 3 << 2
    for bits in (0x80, 0x40, 0xC0):
        assert server.receive_datagram(plus(bits, lan_message(0x06, 0x37)), CONSOLE, 0.0) is None


@pytest.mark.parametrize("command", [0x39, 0x3A])
def test_session_commands_are_not_for_rmcp_plus(command: int) -> None:
    server = make_server()
    answer = server.receive_datagram(plus(0, lan_message(0x06, command, bytes(17))), CONSOLE, 0.0)
    assert answer is not None
    assert answer_of(answer[16:]) == b"\xd4"


def test_a_disabled_channel_is_silent() -> None:
    console = Console15(make_server(TableAuthority(rules=replace(RULES, enabled=False))))
    assert console.outside(0x06, 0x37) is None
    assert console.outside(0x06, 0x39, bytes(17)) is None


def test_authenticated_packets_outside_a_session_are_dropped() -> None:
    console = Console15(make_server())
    assert console.send(console.seal(lan_message(0x06, 0x37), MD5, 0, 0)) is None


def test_passwords_are_in_no_repr() -> None:
    server = make_server()
    console = Console15(server).login()
    Console15(server).challenge()
    assert "Passw0rd" not in repr((server.sessions, server._challenges, console.account, OPERATOR))


# ----------------------------------------------------------------------------------------------- ASF


@pytest.mark.parametrize(
    ("ping", "pong"),
    [
        pytest.param(
            "0600ff06000011be80fe0000",
            "0600ff06000011be40fe0010000011be000000008100000000000000",
            id="ping",
        ),
        pytest.param("0600ff06000011be80ff0000", None, id="one way"),
        pytest.param("0600ff06000011be40fe0000", None, id="a pong"),
        pytest.param("0600ff06000011bf80fe0000", None, id="another enterprise"),
        pytest.param("0600ff06000011be80fe00", None, id="too short"),
        pytest.param("0500ff06000011be80fe0000", None, id="another version"),
        pytest.param("0600ff86000011be80fe0000", None, id="an acknowledgement"),
        pytest.param("0600ff08000011be80fe0000", None, id="another class"),
    ],
)
def test_presence(ping: str, pong: str | None) -> None:
    answer = make_server().receive_datagram(bytes.fromhex(ping), CONSOLE, 0.0)
    assert (answer.hex() if answer is not None else None) == pong


def test_presence_with_dcmi_and_acknowledgement() -> None:
    server = make_server(settings=LanSettings(announce_dcmi=True))
    answer = server.receive_datagram(bytes.fromhex("06000506000011be80070000"), CONSOLE, 0.0)
    assert answer is not None
    assert answer.hex() == "0600ff06000011be4007001000008e71000000008100000000000000"
    assert server.datagrams_to_send() == [(bytes.fromhex("06000586"), CONSOLE)]
