"""Frames: the bytes of README.vm and of QEMU, whole and one at a time, and any bytes at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.vm.framing import (
    COMMAND_END,
    LONGEST_MESSAGE,
    MESSAGE_END,
    Deframer,
    Fault,
    escape,
    frame_command,
    frame_message,
)


def frames(data: bytes, deframer: Deframer | None = None) -> list[tuple[str, str]]:
    deframer = deframer or Deframer()
    return [(end.hex(), frame.hex()) for end, frame in deframer.receive_data(data)]


@pytest.mark.parametrize(
    ("plain", "wire"),
    [
        pytest.param("a0", "aab0", id="README.vm's example"),
        pytest.param("a1", "aab1", id="command end"),
        pytest.param("aa", "aaba", id="escape"),
        pytest.param("aab0", "aabab0", id="what looks escaped is escaped once more"),
        pytest.param("00b0b1ba", "00b0b1ba", id="the escaped forms alone are ordinary bytes"),
    ],
)
def test_escapes(plain: str, wire: str) -> None:
    assert escape(bytes.fromhex(plain)).hex() == wire
    assert frames(bytes.fromhex(wire) + MESSAGE_END) == [("a0", plain)]


def test_what_qemu_says_when_it_connects() -> None:
    assert frames(bytes.fromhex("ff01a1 083fa1")) == [("a1", "ff01"), ("a1", "083f")]
    assert frame_command(b"\xff\x01").hex() == "ff01a1"


def test_a_checksum_is_escaped_too() -> None:
    assert frame_message(bytes.fromhex("48 18 00")).hex() == "481800aab0a0"  # 48 + 18 + a0 = 100


@pytest.mark.parametrize(
    ("wire", "fault", "count"),
    [
        pytest.param("0118 aa a0", Fault.ESCAPE, 1, id="escape before the end"),
        pytest.param("0118 aa a1", Fault.ESCAPE, 1, id="escape before the end of a command"),
        pytest.param("00" * (LONGEST_MESSAGE + 1) + "a0", Fault.OVERLONG, 1, id="just too long"),
        pytest.param("00" * 100_000 + "a1", Fault.OVERLONG, 1, id="much too long, counted once"),
        pytest.param("aa" * 100_000 + "a1", Fault.OVERLONG, 1, id="nothing but escapes"),
    ],
)
def test_malformed_frames_are_counted_and_do_not_hurt_the_next(wire: str, fault: Fault, count: int) -> None:
    data = bytes.fromhex(wire)
    deframer = Deframer()
    assert frames(data + b"\x05\xa1", deframer) == [("a1", "05")]
    assert deframer.faults[fault] == count == sum(deframer.faults.values())
    slow = Deframer()
    found = [frame for i in range(len(data)) for frame in slow.receive_data(data[i : i + 1])]
    assert found == []
    assert slow.faults == deframer.faults
    assert frames(b"\x05\xa1", slow) == [("a1", "05")]


def test_the_longest_message_passes_with_every_byte_escaped() -> None:
    plain = b"\xaa" * LONGEST_MESSAGE
    assert Deframer().receive_data(escape(plain) + MESSAGE_END) == [(MESSAGE_END, plain)]


def test_what_is_kept_is_bounded() -> None:
    deframer = Deframer()
    for _ in range(100):
        deframer.receive_data(bytes(10_000))
        assert len(deframer._partial) <= 2 * LONGEST_MESSAGE


special = st.lists(
    st.one_of(st.sampled_from([b"\xa0", b"\xa1", b"\xaa"]), st.binary(max_size=400)), max_size=12
).map(b"".join)


@given(special, st.integers(1, 9))
def test_any_bytes_give_the_same_frames_in_any_pieces(data: bytes, size: int) -> None:
    whole, pieces = Deframer(), Deframer()
    expected = whole.receive_data(data)
    found = [f for i in range(0, len(data), size) for f in pieces.receive_data(data[i : i + size])]
    assert found == expected
    assert whole.faults == pieces.faults
    assert all(len(frame) <= LONGEST_MESSAGE for _, frame in found)


@given(st.binary(min_size=3, max_size=299))
def test_what_is_framed_comes_out_again(data: bytes) -> None:
    wire = frame_message(data)
    assert b"\xa0" not in wire[:-1]
    assert b"\xa1" not in wire
    ((end, frame),) = Deframer().receive_data(wire)
    assert end == MESSAGE_END
    assert frame[:-1] == data
    assert sum(frame) & 0xFF == 0
    assert Deframer().receive_data(frame_command(data)) == [(COMMAND_END, data)]
