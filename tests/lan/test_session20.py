"""Inside an RMCP+ session: what is taken, dropped and sent, by the fast path and by the general path."""

from __future__ import annotations

import pytest
from tests.lan.lan_world import ADMIN, CONSOLE, DEVICE_ID, MONITOR, Console, Toy, lan_message, make_server

from baseboard.ipmi.privilege import Privilege
from baseboard.lan.server import LanServer
from baseboard.lan.settings import LanSettings

ELSEWHERE = ("192.0.2.8", 50000)
GET_DEVICE_ID = lan_message(0x06, 0x01)
ADD_SEL = 0x0A, 0x44, bytes(16)


@pytest.fixture(params=["fast", "general"])
def server(request: pytest.FixtureRequest) -> LanServer:
    server = make_server()
    if request.param == "general":
        add = server.add

        def add_without_fast_path(session: object) -> None:
            add(session)  # type: ignore[arg-type]
            session.fast = None  # type: ignore[attr-defined]

        server.add = add_without_fast_path  # type: ignore[method-assign]
    return server


def toy(server: LanServer) -> Toy:
    assert isinstance(server.handler, Toy)
    return server.handler


# ----------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize("suite", [17, 3, 12, 2, 1, 0])
def test_addresses_luns_and_sequence_come_back(server: LanServer, suite: int) -> None:
    console = Console(server, suite=suite).login()
    head = bytes((0x20, 0x06 << 2 | 1))
    body = bytes((0x8F, 0x2A << 2 | 2, 0x01))  # from software 8Fh, LUN 2, to LUN 1
    message = head + bytes((-sum(head) & 0xFF,)) + body + bytes((-sum(body) & 0xFF,))
    answer = console.send(console.seal(message))
    assert answer is not None
    response = console.unseal(answer)[2]
    assert response[:2] == bytes((0x8F, 0x07 << 2 | 2))
    assert response[3:6] == bytes((0x20, 0x2A << 2 | 1, 0x01))
    assert toy(server).seen[-1][0].lun == 1


@pytest.mark.parametrize("size", range(0, 64, 3))
@pytest.mark.parametrize("suite", [17, 8, 2])
def test_answers_of_every_length(server: LanServer, suite: int, size: int) -> None:
    console = Console(server, suite=suite).login()
    assert console.request(0x0A, 0x11, bytes((size, *range(size)))) == bytes(1 + size)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(GET_DEVICE_ID[:2] + b"\0" + GET_DEVICE_ID[3:], id="first checksum"),
        pytest.param(GET_DEVICE_ID[:-1] + b"\0", id="second checksum"),
        pytest.param(
            b"\x21" + GET_DEVICE_ID[1:2] + bytes((GET_DEVICE_ID[2] - 1,)) + GET_DEVICE_ID[3:], id="not for us"
        ),
        pytest.param(lan_message(0x07, 0x01, b"\0"), id="a response"),
        pytest.param(GET_DEVICE_ID[:6], id="too short"),
        pytest.param(b"", id="empty"),
    ],
)
def test_wrong_messages_are_dropped(server: LanServer, message: bytes) -> None:
    console = Console(server).login()
    assert console.send(console.seal(message)) is None
    assert console.request(0x06, 0x01) == DEVICE_ID


def test_the_level_in_force_reaches_the_handler(server: LanServer) -> None:
    console = Console(server).login()
    console.request(0x06, 0x01)
    console.request(0x06, 0x3B, b"\x04")
    console.request(0x06, 0x01)
    levels = [privilege for message, privilege in toy(server).seen if message.command == 1]
    assert levels == [Privilege.USER, Privilege.ADMINISTRATOR]


# ---------------------------------------------------------------------------------------- protection


@pytest.mark.parametrize("suite", [3, 17, 2, 16, 11])
def test_a_changed_bit_anywhere_is_noticed(server: LanServer, suite: int) -> None:
    console = Console(server, suite=suite).login()
    packet = console.seal(GET_DEVICE_ID)
    for index in range(4, len(packet)):
        changed = packet[:index] + bytes((packet[index] ^ 1,)) + packet[index + 1 :]
        assert console.send(changed) is None
        assert console.send(packet[:index]) is None
    assert console.send(packet + b"\0") is None
    assert console.send(packet) is not None


@pytest.mark.parametrize(
    ("suite", "encrypted", "authenticated"),
    [
        pytest.param(3, False, True, id="not encrypted"),
        pytest.param(3, True, False, id="not authenticated"),
        pytest.param(3, False, False, id="neither"),
        pytest.param(2, False, False, id="suite 2 not authenticated"),
        pytest.param(2, True, True, id="suite 2 encrypted"),
        pytest.param(1, True, False, id="suite 1 encrypted"),
    ],
)
def test_messages_have_the_protection_of_the_suite(
    server: LanServer, suite: int, encrypted: bool, authenticated: bool
) -> None:
    console = Console(server, suite=suite).login()
    packet = console.seal(GET_DEVICE_ID, encrypted=encrypted, authenticated=authenticated)
    assert console.send(packet) is None


def test_suite_1_with_the_authenticated_bit_is_dropped(server: LanServer) -> None:
    console = Console(server, suite=1).login()
    packet = bytearray(console.seal(GET_DEVICE_ID))
    packet[5] |= 0x40
    assert console.send(bytes(packet) + b"\xff\xff\x02\x07") is None


@pytest.mark.parametrize(
    ("trailer", "is_right"),
    [
        pytest.param(bytes((1, 2, 3, 4, 5, 6, 7, 8, 8)), True, id="right"),
        pytest.param(bytes((1, 2, 3, 4, 5, 6, 7, 7, 8)), False, id="wrong pad byte"),
        pytest.param(bytes((1, 2, 3, 4, 5, 6, 7, 8, 7)), False, id="wrong number"),
        pytest.param(bytes((1, 2, 3, 4, 5, 6, 7, 8, 16)), False, id="more than 15"),
        pytest.param(bytes((1, 2, 3, 4, 5, 6, 7, 8, 255)), False, id="more than there is"),
    ],
)
def test_the_confidentiality_trailer(server: LanServer, trailer: bytes, is_right: bool) -> None:
    console = Console(server).login()
    answer = console.send(console.seal(GET_DEVICE_ID, trailer=trailer))
    assert (answer is not None) == is_right


def test_a_console_may_move_where_packets_are_authenticated(server: LanServer) -> None:
    console = Console(server).login()
    console.address = ELSEWHERE
    assert console.request(0x06, 0x01) == DEVICE_ID
    server.send_message(server.active()[0].id, GET_DEVICE_ID)
    assert [address for _, address in server.datagrams_to_send()] == [ELSEWHERE]


@pytest.mark.parametrize("suite", [0, 1])
def test_and_not_where_they_are_not(server: LanServer, suite: int) -> None:
    console = Console(server, suite=suite).login()
    console.address = ELSEWHERE
    assert console.request(0x06, 0x01) is None
    console.address = CONSOLE
    assert console.request(0x06, 0x01) == DEVICE_ID


# ---------------------------------------------------------------------------------- sequence numbers


@pytest.mark.parametrize("suite", [3, 1])
@pytest.mark.parametrize(
    ("numbers", "accepted"),
    [
        pytest.param((1, 2, 3), (1, 2, 3), id="in order"),
        pytest.param((1, 1, 2, 2, 1), (1, 2), id="repeated"),
        pytest.param((3, 1, 2, 3), (3, 1, 2), id="a client that begins with 3"),
        pytest.param((15, 16), (15, 16), id="15 above"),
        pytest.param((16, 1), (1,), id="16 above"),
        pytest.param((10, 20, 30, 14, 13), (10, 20, 30, 14), id="16 below"),
        pytest.param((0, 0xFFFF_FFFF, 1), (1,), id="before the session"),
    ],
)
def test_the_window(
    server: LanServer, suite: int, numbers: tuple[int, ...], accepted: tuple[int, ...]
) -> None:
    console = Console(server, suite=suite).login()
    taken = [n for n in numbers if console.send(console.seal(GET_DEVICE_ID, sequence=n)) is not None]
    assert tuple(taken) == accepted


def test_the_window_goes_round_without_zero(server: LanServer) -> None:
    console = Console(server).login()
    window = server.active()[0].window
    window.highest = 0xFFFF_FFFE
    for number, is_new in ((0xFFFF_FFFF, True), (0, False), (1, True), (0xFFFF_FFFF, False), (2, True)):
        answer = console.send(console.seal(GET_DEVICE_ID, sequence=number))
        assert (answer is not None) == is_new


def test_our_own_numbers_begin_at_1_and_leave_0_out(server: LanServer) -> None:
    console = Console(server).login()
    numbers = []
    for start in (None, None, 0xFFFF_FFFE, None, None):
        if start is not None:
            server.active()[0].sequence = start
        answer = console.send(console.seal(GET_DEVICE_ID))
        assert answer is not None
        numbers.append(console.unseal(answer)[1])
    assert numbers == [1, 2, 0xFFFF_FFFF, 1, 2]


# --------------------------------------------------------------------------------------- repetitions


def test_a_repeated_request_is_not_executed_again(server: LanServer) -> None:
    console = Console(server).login()
    message = lan_message(*ADD_SEL, sequence=9)
    answers = [console.send(console.seal(message)) for _ in range(3)]
    assert all(answers)
    assert len(set(answers)) == 3  # sealed anew
    assert {console.unseal(answer)[2] for answer in answers if answer} == {
        console.unseal(answers[0] or b"")[2]
    }
    assert toy(server).records == 1


@pytest.mark.parametrize(
    ("difference", "records"),
    [
        pytest.param({"sequence": 10}, 2, id="another rqSeq"),
        pytest.param({"data": bytes(15) + b"\1"}, 2, id="other data"),
        pytest.param({"pause": 9.0}, 2, id="much later"),
        pytest.param({"others": 40}, 2, id="rqSeq came round"),
        pytest.param({"others": 5}, 1, id="others in between"),
    ],
)
def test_what_is_a_repetition(server: LanServer, difference: dict[str, object], records: int) -> None:
    console = Console(server).login()
    assert console.send(console.seal(lan_message(*ADD_SEL, sequence=9)))
    for _ in range(int(str(difference.get("others", 0)))):
        assert console.send(console.seal(GET_DEVICE_ID))
    console.now += float(str(difference.get("pause", 0)))
    sequence, data = int(str(difference.get("sequence", 9))), difference.get("data", bytes(16))
    assert isinstance(data, bytes)
    assert console.send(console.seal(lan_message(0x0A, 0x44, data, sequence)))
    assert toy(server).records == records


def test_two_sessions_repeat_nothing_of_each_other(server: LanServer) -> None:
    for console in (Console(server).login(), Console(server).login()):
        assert console.send(console.seal(lan_message(*ADD_SEL, sequence=9)))
    assert toy(server).records == 2


# -------------------------------------------------------------------------------------------- table


def test_the_session_table() -> None:
    server = make_server()
    consoles = [Console(server, account).login() for account in (ADMIN, MONITOR, ADMIN)]
    first, second, third = server.active()
    assert [session.handle for session in server.active()] == [1, 2, 3]
    assert server.find(second.id) is second
    assert server.find(0) is None
    assert server.by_handle(3) is third
    assert server.by_handle(4) is None
    assert (second.console_ip, second.console_port) == (bytes((192, 0, 2, 7)), 40000)
    assert second.console_mac == bytes(6)
    assert server.close_session(first.id)
    assert not server.close_session(first.id)
    consoles.append(Console(server).login())
    assert server.active()[-1].handle == 1
    server.close_sessions_of(ADMIN.user_id, but=third.id)
    assert server.active() == (second, third)
    server.close_all()
    assert server.active() == ()


@pytest.mark.parametrize(
    ("address", "ip"),
    [
        (("::ffff:192.0.2.7", 40000, 0, 0), bytes((192, 0, 2, 7))),
        (("2001:db8::1", 40000, 0, 0), bytes(4)),
        ("somewhere", bytes(4)),
    ],
)
def test_addresses_of_consoles(address: object, ip: bytes) -> None:
    server = make_server()
    Console(server, address=address).login()
    assert server.active()[0].console_ip == ip


def test_idle_sessions_are_closed(server: LanServer) -> None:
    idle, busy = Console(server).login(), Console(server).login()
    busy.now = 59.0
    assert busy.request(0x06, 0x01) == DEVICE_ID
    idle.now = 59.5
    forged = idle.seal(GET_DEVICE_ID)
    assert idle.send(forged[:-1] + bytes((forged[-1] ^ 1,))) is None  # does not keep it alive
    server.handle_deadline(59.9)
    assert len(server.active()) == 2
    deadline = server.next_deadline()
    while deadline is not None and deadline <= 60.0:
        server.handle_deadline(deadline)
        deadline = server.next_deadline()
    assert len(server.active()) == 1
    assert deadline == 119.0
    busy.now = idle.now = 61.0
    assert idle.request(0x06, 0x01) is None
    assert busy.request(0x06, 0x01) == DEVICE_ID


# ----------------------------------------------------------------------------------------- payloads


class Receiver:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.log: list[tuple[int, bytes | None, float]] = []

    def receive_payload(self, session_id: int, data: bytes, now: float) -> None:
        self.log.append((session_id, data, now))

    def session_closed(self, session_id: int, now: float) -> None:
        self.log.append((session_id, None, now))


@pytest.mark.parametrize("suite", [17, 3, 2, 1])
def test_payloads_come_and_go(suite: int) -> None:
    server, receiver = make_server(), Receiver()
    server.payloads[1] = receiver
    console = Console(server, suite=suite).login()
    session_id = server.active()[0].id
    console.now = 5.0
    assert console.send(console.seal(b"\1\0\0\0hello", payload_type=1)) is None
    assert server.send_payload(session_id, 1, b"\0\1\5\0")
    ((datagram, address),) = server.datagrams_to_send()
    assert address == CONSOLE
    bits = (0x80 if console.suite[2] else 0) | (0x40 if console.suite[1] else 0)
    kind, _, payload = console.unseal(datagram)
    assert (kind, payload) == (bits | 1, b"\0\1\5\0")
    assert server.datagrams_to_send() == []
    server.close_session(session_id)
    assert not server.send_payload(session_id, 1, b"")
    assert receiver.log == [(session_id, b"\1\0\0\0hello", 5.0), (session_id, None, 5.0)]


def test_a_payload_may_be_unencrypted_but_is_authenticated_unless_activated_otherwise() -> None:
    server, receiver = make_server(), Receiver()
    server.payloads[1] = receiver
    console = Console(server).login()
    session_id = server.active()[0].id
    console.send(console.seal(b"plain", payload_type=1, encrypted=False))
    console.send(console.seal(b"forged", payload_type=1, authenticated=False))
    server.protect_payload(session_id, 1, authenticated=False)
    console.send(console.seal(b"as agreed", payload_type=1, encrypted=False, authenticated=False, sequence=1))
    console.send(console.seal(b"more than agreed", payload_type=1))
    assert [data for _, data, _ in receiver.log] == [b"plain", b"as agreed"]
    assert server.send_payload(session_id, 1, b"x", encrypted=False, authenticated=False)
    ((datagram, _),) = server.datagrams_to_send()
    assert console.unseal(datagram) == (1, 1, b"x")  # its own sequence number space
    assert server.send_payload(session_id, 1, b"x", encrypted=False)
    ((datagram, _),) = server.datagrams_to_send()
    assert console.unseal(datagram) == (0x41, 1, b"x")


def test_a_payload_without_authentication_moves_no_session() -> None:
    """Whoever saw the session id could else have everything else of the session sent to himself."""
    server, receiver = make_server(), Receiver()
    server.payloads[1] = receiver
    console = Console(server).login()
    session_id = server.active()[0].id
    server.protect_payload(session_id, 1, authenticated=False)
    console.address = ELSEWHERE
    forged = console.seal(b"injected", payload_type=1, encrypted=False, authenticated=False, sequence=1)
    assert console.send(forged) is None
    assert receiver.log == []
    assert server.active()[0].console_ip == bytes((192, 0, 2, 7))
    server.send_message(session_id, GET_DEVICE_ID)
    assert [address for _, address in server.datagrams_to_send()] == [CONSOLE]
    console.address = CONSOLE
    console.send(forged)
    assert [data for _, data, _ in receiver.log] == [b"injected"]


def test_payload_types_that_nobody_takes_are_dropped(server: LanServer) -> None:
    console = Console(server).login()
    for payload_type in (1, 2, 0x10, 0x12, 0x14, 0x20, 0x3F):
        assert console.send(console.seal(b"data", payload_type=payload_type)) is None
    assert console.request(0x06, 0x01) == DEVICE_ID


def test_messages_sent_unasked(server: LanServer) -> None:
    console = Console(server).login()
    bridged = lan_message(0x07, 0x01, b"\0" + bytes(11))
    assert server.send_message(server.active()[0].id, bridged)
    ((datagram, _),) = server.datagrams_to_send()
    assert console.unseal(datagram) == (0xC0, 1, bridged)
    assert not server.send_message(0x1234, bridged)


def test_what_waits_to_be_sent_is_bounded(server: LanServer) -> None:
    console = Console(server).login()
    for _ in range(5000):
        server.send_payload(server.active()[0].id, 1, b"x")
    datagrams = server.datagrams_to_send()
    assert len(datagrams) == 1024
    assert console.unseal(datagrams[-1][0])[1] == 5000


def test_settings_bound_the_sessions() -> None:
    assert make_server(settings=LanSettings(sessions=1000)).capacity == 63
