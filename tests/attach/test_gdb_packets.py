"""GDB's packets in bytes, from the protocol's own examples and from what QEMU sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.attach.gdb_packets import Packets, expand, frame
from baseboard.errors import DecodeError


def received(packets: Packets, data: bytes, piece: int) -> list[bytes]:
    payloads = []
    for start in range(0, len(data), piece):
        packets.receive_data(data[start : start + piece])
        while (payload := packets.next_event()) is not None:
            payloads.append(payload)
    return payloads


@pytest.mark.parametrize(
    ("payload", "packet"),
    [
        pytest.param(b"OK", b"$OK#9a", id="text"),
        pytest.param(b"", b"$#00", id="nothing"),
        pytest.param(b"}", b"$}]#da", id="an escape is escaped"),
        pytest.param(b"#$*", b"$}\x03}\x04}\n#88", id="what would end a packet, begin one, or repeat"),
    ],
)
def test_a_payload_is_framed(payload: bytes, packet: bytes) -> None:
    assert frame(payload) == packet


@pytest.mark.parametrize(
    ("coded", "payload"),
    [
        pytest.param(b"0* ", b"0000", id="the manual's example: space is 32, 3 more"),
        pytest.param(b"x*!y", b"xxxxxy", id="4 more, and another"),
        pytest.param(b'}\x03*"', b"#" * 6, id="a repeated escaped byte"),
        pytest.param(b"m}]", b"m}", id="an escape"),
    ],
)
def test_what_a_packet_stands_for(coded: bytes, payload: bytes) -> None:
    assert expand(coded) == payload


@pytest.mark.parametrize("coded", [b"*!", b"x*", b"x*\x1d", b"ab}"])
def test_bad_codes_are_decode_errors(coded: bytes) -> None:
    with pytest.raises(DecodeError):
        expand(coded)


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_packets_among_acknowledgements_and_notifications(piece: int) -> None:
    packets = Packets()
    data = b"++$T05thread:01;#07noise%Stop:T05#12$OK#9a"
    assert received(packets, data, piece) == [b"T05thread:01;", b"OK"]
    assert packets.data_to_send() == b"++"


def test_a_damaged_packet_is_asked_for_again() -> None:
    packets = Packets()
    assert received(packets, b"$OK#9b", 100) == []
    assert packets.data_to_send() == b"-"
    assert received(packets, b"$OK#9A", 100) == [b"OK"]


def test_without_acknowledgements_the_sum_is_not_looked_at() -> None:
    packets = Packets()
    packets.acknowledging = False
    assert received(packets, b"$OK#00", 100) == [b"OK"]
    assert packets.data_to_send() == b""


def test_a_packet_is_sent_again_three_times() -> None:
    packets = Packets()
    packets.send(b"g")
    assert packets.data_to_send() == b"$g#67"
    for _ in range(3):
        packets.receive_data(b"-")
        assert packets.data_to_send() == b"$g#67"
    with pytest.raises(DecodeError, match="again"):
        packets.receive_data(b"-")


def test_a_packet_without_end_is_not_kept() -> None:
    packets = Packets()
    with pytest.raises(DecodeError, match="more than"):
        packets.receive_data(b"$" + b"0" * (1 << 21))


@given(st.binary(max_size=100))
def test_any_payload_comes_back(payload: bytes) -> None:
    packets = Packets()
    assert received(packets, frame(payload), 7) == [payload]


@given(
    st.lists(st.sampled_from([b"$", b"#", b"*", b"}", b"+", b"-", b"%", b"O", b"9a", b"\xff"]), max_size=30)
)
def test_any_bytes_are_packets_or_decode_errors(pieces: list[bytes]) -> None:
    packets = Packets()
    packets.acknowledging = False
    try:
        packets.receive_data(b"".join(pieces))
    except DecodeError:
        pass
