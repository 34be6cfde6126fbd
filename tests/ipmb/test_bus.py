"""The bus: who gets what, and which bytes go over a link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.ipmb.bus import MOST_WAITING, Bus
from baseboard.ipmb.framing import Deframer, frame
from baseboard.ipmb.port import SEQUENCES, TIMEOUT, Outcome, Port
from baseboard.ipmi.ipmb import BusMessage
from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.privilege import Privilege

DEVICE_ID = Message(0x06, 0, 0x01)


class Wire:
    """A link that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send_message(self, message: bytes) -> None:
        self.sent.append(message)


class Wires:
    """A link between two buses, in one direction."""

    def __init__(self) -> None:
        self.far: tuple[Bus, Wires]

    def send_message(self, message: bytes) -> None:
        bus, link = self.far
        bus.receive_message(message, link, 1.0)


def join(one: Bus, other: Bus) -> None:
    here, there = Wires(), Wires()
    here.far, there.far = (other, there), (one, here)
    one.add_link(here)
    other.add_link(there)


def controller(bus: Bus, address: int) -> Port:
    """One that answers its address and the privilege of whoever asks."""

    def handle(message: Message, context: Context) -> bytes:
        return bytes((0, address, context.privilege))

    port = Port(bus, address)
    port.handler = handle
    return port


class Answers(list[bytes | None]):
    def __call__(self, response: BusMessage | None, now: float) -> None:
        self.append(None if response is None else response.data)


def test_blades_reach_each_other_over_their_manager() -> None:
    hub, blade, other = Bus(), Bus(), Bus(Privilege.USER)
    manager = controller(hub, 0x20)
    asking = controller(blade, 0x82)
    controller(other, 0x84)
    join(hub, blade)
    join(hub, other)
    answers = Answers()
    for address in (0x20, 0x84):
        assert asking.request(address, DEVICE_ID, answers, 1.0) is Outcome.SENT
    assert answers == [bytes((0, 0x20, Privilege.OPERATOR)), bytes((0, 0x84, Privilege.USER))]
    assert manager.request(0x82, DEVICE_ID, answers, 1.0) is Outcome.SENT
    assert answers[2:] == [bytes((0, 0x82, Privilege.OPERATOR))]


def test_what_was_heard_is_not_sent_everywhere() -> None:
    bus, near, far = Bus(), Wire(), Wire()
    port = controller(bus, 0x20)
    bus.add_link(near)
    bus.add_link(far)
    port.request(0x82, DEVICE_ID, Answers(), 1.0)
    assert near.sent == far.sent
    bus.receive_message(BusMessage.decode(near.sent.pop()).response(b"\0").encode(), near, 1.1)
    far.sent.clear()
    port.request(0x82, DEVICE_ID, Answers(), 1.2)
    assert (len(near.sent), len(far.sent)) == (1, 0)
    bus.remove_link(near)
    port.request(0x82, DEVICE_ID, Answers(), 1.3)
    assert len(far.sent) == 1
    bus.remove_link(far)
    assert port.request(0x82, DEVICE_ID, Answers(), 1.4) is Outcome.NOT_ACKNOWLEDGED


def test_who_pretends_to_be_us_is_not_heard() -> None:
    bus, wire = Bus(), Wire()
    controller(bus, 0x20)
    bus.add_link(wire)
    bus.receive_message(BusMessage(0x20, 6, 0, 0x20, 1, 0, 1).encode(), wire, 1.0)
    bus.receive_message(b"\x20\x18\xc8\x82\x04\x01\x00", wire, 1.0)  # a wrong checksum
    assert (wire.sent, bus.dropped) == ([], 2)


def test_only_the_answer_that_was_asked_for_is_taken() -> None:
    bus, wire = Bus(), Wire()
    port = controller(bus, 0x20)
    bus.add_link(wire)
    answers = Answers()
    port.request(0x82, DEVICE_ID, answers, 1.0)
    asked = BusMessage.decode(wire.sent.pop())
    right = asked.response(b"\0yes")
    for wrong in (
        BusMessage(0x20, 7, 0, 0x84, asked.sequence, 0, 1, b"\0no"),
        BusMessage(0x20, 7, 0, 0x82, asked.sequence + 1, 0, 1, b"\0no"),
        BusMessage(0x20, 7, 0, 0x82, asked.sequence, 0, 4, b"\0no"),
        BusMessage(0x20, 5, 0, 0x82, asked.sequence, 0, 1, b"\0no"),
        BusMessage(0x20, 7, 1, 0x82, asked.sequence, 1, 1, b"\0no"),
        BusMessage(0x20, 7, 0, 0x82, asked.sequence, 0, 1, b""),
    ):
        bus.receive_message(wrong.encode(), wire, 1.1)
    assert answers == []
    bus.receive_message(right.encode(), wire, 1.2)
    bus.receive_message(right.encode(), wire, 1.3)
    assert answers == [b"\0yes"]
    assert port.next_deadline() is None


def test_a_request_is_sent_again_and_then_given_up() -> None:
    bus, wire = Bus(), Wire()
    port = controller(bus, 0x20)
    bus.add_link(wire)
    answers = Answers()
    port.request(0x82, DEVICE_ID, answers, 0.0, retries=1)
    assert port.next_deadline() == TIMEOUT
    port.handle_deadline(TIMEOUT)
    assert (len(wire.sent), wire.sent[0] == wire.sent[1], answers) == (2, True, [])
    port.handle_deadline(2 * TIMEOUT)
    assert answers == [None]


def test_sequence_numbers_are_bounded() -> None:
    bus = Bus()
    port = controller(bus, 0x20)
    bus.add_link(Wire())
    outcomes = [port.request(0x82, DEVICE_ID, Answers(), 0.0) for _ in range(SEQUENCES + 1)]
    assert outcomes == [Outcome.SENT] * SEQUENCES + [Outcome.BUSY]
    assert port.request(0x84, DEVICE_ID, Answers(), 0.0) is Outcome.SENT


def test_a_flood_inside_is_not_acknowledged() -> None:
    bus = Bus()
    taken: list[bool] = []

    class Flooder:
        address = 0x30

        def receive_message(self, message: BusMessage, now: float, privilege: int) -> None:
            if not taken:
                taken.extend(bus.send(message, now) for _ in range(MOST_WAITING + 1))

    bus.attach(Flooder())
    bus.send(BusMessage(0x30, 6, 0, 0x20, 0, 0, 1), 0.0)
    assert taken == [True] * MOST_WAITING + [False]


# What is written to /dev/ipmb-N for Get Device ID from 20h to 82h, and an answer as it is read from there.
LINUX = "07 82 18 66 20 04 01 db 0a 20 1c c4 82 04 01 00 21 81 d7"


@pytest.mark.parametrize("size", [1, 3, 100])
def test_frames_are_those_of_the_linux_device(size: int) -> None:
    data = bytes.fromhex(LINUX)
    deframer = Deframer()
    messages = [
        message for at in range(0, len(data), size) for message in deframer.receive_data(data[at : at + size])
    ]
    request, response = map(BusMessage.decode, messages)
    assert (request.to_address, request.command, response.data) == (0x82, 1, b"\x00\x21\x81")
    assert b"".join(frame(message.encode()) for message in (request, response)) == data


@given(st.lists(st.binary(max_size=300)))
def test_any_bytes_are_messages_or_faults(pieces: list[bytes]) -> None:
    deframer, bus = Deframer(), Bus()
    controller(bus, 0x20)
    wire = Wire()
    bus.add_link(wire)
    for data in pieces:
        for message in deframer.receive_data(data):
            assert 7 <= len(message) <= 239
            bus.receive_message(message, wire, 1.0)
