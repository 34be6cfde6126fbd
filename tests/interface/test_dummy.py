"""The structures of `ipmitool -I dummy`, as Debian's ipmitool 1.8.19 (amd64) sends and reads them."""

from __future__ import annotations

import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.interface.dummy import DummyReceiver, frame_response, refusal
from baseboard.ipmi.message import Message

pytestmark = pytest.mark.skipif(
    sys.byteorder != "little" or struct.calcsize("P") != 8, reason="the bytes are those of amd64"
)

PICMG_PROPERTIES = "2c 00 00 00 01 00 00 00 3f 81 5a 2e fd 7f 00 00 00"  # its first request: group byte 00h
GET_DEVICE_ID = "06 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00"
GOODBYE = "3f 00 ff 00 00 00 00 00 00 00 00 00 00 00 00 00"


def test_requests() -> None:
    receiver = DummyReceiver()
    assert receiver.receive_data(bytes.fromhex(PICMG_PROPERTIES + GET_DEVICE_ID)) == [
        Message(0x2C, 0, 0, b"\0"),
        Message(6, 0, 1),
    ]
    assert not receiver.goodbye
    assert receiver.receive_data(bytes.fromhex(GOODBYE + GET_DEVICE_ID)) == []
    assert receiver.goodbye


def test_responses() -> None:
    assert frame_response(Message(6, 1, 1), b"\xc1") == bytes.fromhex(
        "07 01 00 01 c1 000000 00000000 00000000 0000000000000000"
    )
    assert frame_response(Message(6, 0, 1), b"\x00\x20\x81") == bytes.fromhex(
        "07 01 00 00 00 000000 02000000 00000000 0000000000000000 20 81"
    )


@pytest.mark.parametrize(
    ("request_", "answer"),
    [(Message(6, 3, 1), ""), (Message(7, 0, 1), "c1"), (Message(0x40, 0, 1), "c1"), (Message(6, 4, 1), "c2")],
)
def test_what_is_no_request_is_refused(request_: Message, answer: str) -> None:
    assert refusal(request_).hex() == answer


@given(st.binary(max_size=200))
def test_any_bytes_are_survived_whole_and_one_at_a_time(data: bytes) -> None:
    whole, slow = DummyReceiver(), DummyReceiver()
    expected = whole.receive_data(data)
    assert [message for byte in data for message in slow.receive_data(bytes((byte,)))] == expected
    assert whole.goodbye == slow.goodbye
