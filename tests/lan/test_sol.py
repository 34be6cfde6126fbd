"""Serial over LAN in bytes: recorded conversations, and what the specification says of each bit.

Lines starting with ">" go to the engine, with "<" come from it. The recordings are ipmitool 1.8.19,
FreeIPMI 1.6.10 and pyghmi 1.6.19 against the OpenIPMI simulator 2.0.33 and two reference servers; as each
server decides for itself when to send, what is compared is what the console's packets are answered with.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import LocalProtocolError
from baseboard.lan.sol import (
    BreakReceived,
    CharactersReceived,
    ControlChanged,
    InputFlushed,
    SolEngine,
    SolEvent,
    WakeReceived,
)
from baseboard.lan.sol_sender import HIGH_WATER, LOW_WATER, SolTiming

SESSION = 0x0302_0100
OTHER = 0x0302_0101
TIMING = SolTiming(accumulate_interval=0.06, send_threshold=8, retry_count=2, retry_interval=0.5)


class Wire:
    """The engine with a machine at its serial port, and a clock that only we move."""

    def __init__(self, timing: SolTiming = TIMING) -> None:
        self.engine = SolEngine(lambda: timing)
        self.now = 100.0
        self.engine.serial_connected(self.now)

    def activate(self, *, handshake: bool = False) -> None:
        """Activate, and acknowledge the opening packet."""
        self.engine.activate(SESSION, encrypted=True, authenticated=True, handshake=handshake, now=self.now)
        assert self.after(TIMING.accumulate_interval) == ["01000000"]
        self.send("00010000")
        self.events()

    def send(self, data: str, session: int = SESSION) -> list[str]:
        """A payload from the console; what the engine sends at once."""
        self.engine.receive_payload(session, bytes.fromhex(data), self.now)
        return self.sent()

    def output(self, data: bytes) -> list[str]:
        """Characters from the machine; what the engine sends at once."""
        self.engine.receive_output(data, self.now)
        return self.sent()

    def after(self, seconds: float) -> list[str]:
        """What the engine sends while the time goes by."""
        end, sent = self.now + seconds, []
        while (deadline := self.engine.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.engine.handle_deadline(self.now)
            sent += self.sent()
        self.now = end
        return sent

    def sent(self) -> list[str]:
        """Payloads that are to leave."""
        return [payload.data.hex() for payload in self.engine.payloads_to_send()]

    def events(self) -> list[SolEvent]:
        """What happened."""
        return list(_events(self.engine))


def _events(engine: SolEngine) -> Iterator[SolEvent]:
    while (event := engine.next_event()) is not None:
        yield event


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.activate()
    return wire


RECORDED = [
    pytest.param("> 0100000068656c6c6f < 00010500 > 02000010 < 00020000", id="freeipmi and pyghmi"),
    pytest.param("> 0100000068656c6c6f < 00010500 > 020000000d < 00020100", id="ipmitool"),
    pytest.param("> 0100000068656c6c6f < 00010500 > 0100000068656c6c6f < 00010500", id="freeipmi repeats"),
    pytest.param("> 0200000068656c6c6f < 00020500 > 030000000d < 00030100", id="ipmitool after a loss"),
    pytest.param("> 020000000d < 00020100 > 03000010 < 00030000 > 040000000d < 00040100", id="break"),
]


@pytest.mark.parametrize("conversation", RECORDED)
def test_recorded_consoles_get_the_recorded_answers(wire: Wire, conversation: str) -> None:
    answers: list[str] = []
    words = conversation.split()
    for direction, payload in zip(words[::2], words[1::2], strict=True):
        if direction == ">":
            answers = wire.send(payload)
        else:
            assert answers == [payload]


def test_characters_go_to_the_machine_once(wire: Wire) -> None:
    wire.send("0100000068656c6c6f")
    wire.send("0100000068656c6c6f")
    assert wire.events() == [CharactersReceived(b"hello")]


def test_a_retry_with_more_characters_delivers_only_the_new_ones(wire: Wire) -> None:
    wire.send("01000000 6865")
    assert wire.send("01000000 68656c6c6f") == ["00010500"]
    assert wire.events() == [CharactersReceived(b"he"), CharactersReceived(b"llo")]


def test_the_same_number_with_something_else_is_another_packet(wire: Wire) -> None:
    wire.send("01000000 61")
    assert wire.send("01000000 62") == ["00010100"]
    assert wire.events() == [CharactersReceived(b"a"), CharactersReceived(b"b")]


def test_late_copies_are_ignored_until_time_has_passed(wire: Wire) -> None:
    wire.send("01000000 61")
    wire.send("02000000 62")
    assert wire.send("01000000 61") == []
    wire.after(5.0)
    assert wire.send("01000000 61") == ["00010100"]
    assert wire.events() == [CharactersReceived(b"a"), CharactersReceived(b"b"), CharactersReceived(b"a")]


def test_numbers_go_round_without_zero(wire: Wire) -> None:
    numbers = []
    for _ in range(16):
        [packet] = wire.output(b"12345678")
        numbers.append(packet[:2])
        wire.send(f"00{packet[:2]}0800")
    assert numbers == [f"{number:02x}" for number in (*range(2, 16), 1, 2)]


def test_the_threshold_sends_at_once_and_the_interval_the_rest(wire: Wire) -> None:
    assert wire.output(b"1234567") == []
    assert wire.output(b"8") == ["02000000" + b"12345678".hex()]
    assert wire.output(b"9") == []
    assert wire.send("00020800") == []
    assert wire.after(0.05) == []
    assert wire.after(0.02) == ["0300000039"]


def test_one_packet_is_under_way_at_most(wire: Wire) -> None:
    [first] = wire.output(bytes(300))
    assert len(first) == 2 * 259
    assert wire.output(bytes(100)) == []
    [second] = wire.send("0002ff00")
    assert second == "03000000" + bytes(145).hex()


def test_a_burst_leaves_at_once_and_the_rest_at_the_rate(wire: Wire) -> None:
    # 8192 characters, then 65536 a second.
    wire.output(bytes(65_000))
    sent, start = 255, wire.now
    number = 2
    while sent < 65_000:
        packets = wire.send(f"00{number:02x}ff00") or wire.after(0.01)
        number = number % 15 + 1
        assert [packet[:2] for packet in packets] == [f"{number:02x}"]
        sent += len(packets[0]) // 2 - 4
        assert sent <= 8192 + 255 + (wire.now - start) * 65536
    assert wire.now - start < 2.0


def test_a_packet_is_repeated_and_then_dropped(wire: Wire) -> None:
    assert wire.output(b"12345678") == ["02000000" + b"12345678".hex()]
    assert wire.after(0.4) == []
    assert wire.after(0.7) == ["02000000" + b"12345678".hex()] * 2
    assert wire.after(0.5) == []
    assert wire.output(b"abcdefgh") == ["03000008" + b"abcdefgh".hex()]  # "overrun" says that some were lost
    wire.send("00030800")
    assert wire.output(b"abcdefgh") == ["04000000" + b"abcdefgh".hex()]


def test_a_partial_acknowledgement_sends_the_rest_under_a_new_number(wire: Wire) -> None:
    wire.output(b"12345678")
    assert wire.send("00020500") == []
    assert wire.after(0.06) == ["03000000" + b"678".hex()]


@pytest.mark.parametrize("refusal", ["00020040", "00020000"])
def test_a_refusal_waits_for_the_retry_interval(wire: Wire, refusal: str) -> None:
    wire.output(b"12345678")
    assert wire.send(refusal) == []
    assert wire.after(0.4) == []
    assert wire.after(0.2) == ["03000000" + b"12345678".hex()]


def test_acknowledgements_of_other_packets_change_nothing(wire: Wire) -> None:
    wire.output(b"12345678")
    assert wire.send("00030800") == []
    assert wire.after(0.5) == ["02000000" + b"12345678".hex()]


def test_data_with_an_acknowledgement(wire: Wire) -> None:
    wire.output(b"12345678")
    assert wire.send("0102080061") == ["00010100"]
    assert wire.events() == [CharactersReceived(b"a")]
    assert wire.after(2.0) == []


def test_break_ring_and_flush(wire: Wire) -> None:
    wire.output(b"1234")
    assert wire.send("01000033") == ["00010000"]
    assert wire.events() == [InputFlushed(), WakeReceived(), BreakReceived()]
    assert wire.after(1.0) == []


def test_lines(wire: Wire) -> None:
    wire.send("01000008")
    assert wire.events() == [ControlChanged(cts=False, dcd=True)]
    assert not wire.engine.wants_output
    wire.send("00000000")  # no number: says nothing of the lines
    assert wire.events() == []
    wire.send("02000004")
    assert wire.events() == [ControlChanged(cts=True, dcd=False)]
    assert wire.engine.wants_output


def test_without_the_handshake_the_lines_are_up_at_once() -> None:
    wire = Wire()
    wire.engine.activate(SESSION, encrypted=True, authenticated=True, handshake=False, now=wire.now)
    assert wire.events() == [ControlChanged(cts=True, dcd=True)]
    assert wire.engine.wants_output


def test_the_handshake_ends_with_the_first_packet() -> None:
    wire = Wire()
    wire.engine.activate(SESSION, encrypted=True, authenticated=True, handshake=True, now=wire.now)
    assert wire.events() == [ControlChanged(cts=False, dcd=False)]
    assert not wire.engine.wants_output
    assert wire.after(0.06) == ["01000000"]
    wire.send("00010000")
    assert wire.events() == [ControlChanged(cts=True, dcd=True)]
    assert wire.engine.wants_output


def test_the_machine_is_held_back_above_the_mark_and_nothing_is_lost(wire: Wire) -> None:
    text = bytes(range(256)) * (HIGH_WATER // 256)
    packets = wire.output(text)
    assert not wire.engine.wants_output
    received = b""
    while packets:
        data = bytes.fromhex(packets.pop())
        received += data[4:]
        assert wire.engine.wants_output == (len(text) - len(received) <= LOW_WATER)
        packets = wire.send(f"00{data[0]:02x}{len(data) - 4:02x}00")
        packets += [] if packets else wire.after(0.06)
    assert received == text


def test_a_silent_console_does_not_hold_the_machine_back(wire: Wire) -> None:
    wire.output(bytes(HIGH_WATER + 1000))
    assert not wire.engine.wants_output
    wire.after(1.5)
    assert wire.engine.wants_output
    for _ in range(10):
        wire.output(bytes(HIGH_WATER))
    wire.output(b"the newest")
    [packet] = wire.after(0.5)
    assert bytes.fromhex(packet)[3] & 0x08
    received = b""
    packets = [packet]
    while packets:
        data = bytes.fromhex(packets.pop())
        received += data[4:]
        packets = wire.send(f"00{data[0]:02x}{len(data) - 4:02x}00") or wire.after(0.06)
    assert received.endswith(b"the newest")
    assert HIGH_WATER <= len(received) < 2 * HIGH_WATER


def test_a_packet_without_room_waits_for_its_acknowledgement(wire: Wire) -> None:
    wire.engine.pause_writing()
    for number in range(1, 15):
        assert wire.send(f"{number:02x}000000" + "61" * 255) == [f"00{number:02x}ff00"]
    for number in (15, 1):
        assert wire.send(f"{number:02x}000000" + "61" * 255) == [f"00{number:02x}ff00"]
    assert wire.send("02000000" + "62" * 255) == []
    assert wire.send("02000000" + "62" * 255) == []  # a retry of it
    wire.after(0.3)
    wire.engine.resume_writing(wire.now)
    assert wire.sent() == ["0002ff00"]
    assert wire.events() == [CharactersReceived(b"a" * 255 * 16), CharactersReceived(b"b" * 255)]


def test_a_packet_without_room_for_long_was_never_there(wire: Wire) -> None:
    wire.engine.pause_writing()
    wire.send("01000000 61")
    assert wire.send("02000010") == []  # a break waits for the characters before it
    assert wire.after(0.5) == []
    wire.engine.resume_writing(wire.now)
    assert wire.events() == [CharactersReceived(b"a")]
    assert wire.send("02000010") == ["00020000"]
    assert wire.events() == [BreakReceived()]


def test_flushing_needs_no_room(wire: Wire) -> None:
    wire.engine.pause_writing()
    wire.send("01000000 61")
    assert wire.send("02000012") == ["00020000"]
    wire.engine.resume_writing(wire.now)
    assert wire.events() == [InputFlushed(), BreakReceived()]


def test_without_a_machine_characters_go_nowhere_and_the_console_is_told(wire: Wire) -> None:
    wire.engine.serial_lost(wire.now)
    assert wire.after(0.1) == ["02000020"]
    wire.send("00020000")
    assert wire.send("01000000 61") == ["00010120"]
    assert wire.events() == []
    wire.engine.serial_connected(wire.now)
    assert wire.after(0.1) == ["03000000"]
    wire.send("00030000")
    assert wire.send("02000000 61") == ["00020100"]
    assert wire.events() == [CharactersReceived(b"a")]


def test_a_break_of_the_machine_is_told_once(wire: Wire) -> None:
    wire.engine.receive_break(wire.now)
    assert wire.after(0.06) == ["02000004"]
    wire.send("00020000")
    assert wire.output(b"12345678") == ["03000000" + b"12345678".hex()]


def test_who_loses_sol_is_told_and_told_again(wire: Wire) -> None:
    wire.engine.deactivate(notify=True)
    assert wire.sent() == ["00000010"]
    assert wire.events() == [ControlChanged(cts=True, dcd=False)]
    assert wire.engine.next_deadline() is None
    assert wire.send("0100000061") == ["00000010"]
    assert wire.send("00010000") == []
    assert wire.send("0100000061", session=OTHER) == []
    wire.engine.session_closed(SESSION, wire.now)
    assert wire.send("0100000061") == []


def test_who_ends_it_is_not_told(wire: Wire) -> None:
    wire.engine.deactivate(notify=False)
    wire.engine.deactivate(notify=True)
    assert wire.sent() == []
    assert wire.engine.session_id is None


def test_the_session_closes(wire: Wire) -> None:
    wire.engine.session_closed(OTHER, wire.now)
    assert wire.engine.session_id == SESSION
    wire.engine.session_closed(SESSION, wire.now)
    assert wire.engine.session_id is None
    assert wire.sent() == []
    assert wire.engine.wants_output  # nobody listens, the machine goes on
    assert wire.output(b"x" * 100_000) == []


def test_a_new_activation_starts_afresh(wire: Wire) -> None:
    wire.send("05000000 61")
    wire.output(b"never acknowledged")
    wire.engine.deactivate(notify=False)
    wire.activate()
    assert wire.send("05000000 61") == ["00050100"]
    assert wire.output(b"12345678") == ["02000000" + b"12345678".hex()]


def test_only_one_session_has_it(wire: Wire) -> None:
    with pytest.raises(LocalProtocolError):
        wire.engine.activate(OTHER, encrypted=True, authenticated=True, handshake=False, now=wire.now)


def test_payloads_travel_as_activated_and_as_suspended(wire: Wire) -> None:
    wire.engine.set_encrypted(False)
    wire.engine.receive_payload(SESSION, bytes.fromhex("0100000061"), wire.now)
    [payload] = wire.engine.payloads_to_send()
    assert (payload.session_id, payload.encrypted, payload.authenticated) == (SESSION, False, True)
    assert not wire.engine.encrypted


@given(st.lists(st.tuples(st.binary(max_size=300), st.floats(0, 3))))
def test_any_payloads_are_survived(payloads: list[tuple[bytes, float]]) -> None:
    wire = Wire()
    wire.activate()
    for data, pause in payloads:
        wire.engine.receive_payload(SESSION, data, wire.now)
        wire.output(data)
        wire.after(pause)
    assert all(len(data) <= 259 for data in map(bytes.fromhex, wire.sent()))


@pytest.mark.parametrize("size", [0, 1, 3, 260, 1000])
def test_what_is_no_sol_packet_is_counted(wire: Wire, size: int) -> None:
    assert wire.send(bytes(size).hex()) == []
    assert wire.engine.malformed == 1
