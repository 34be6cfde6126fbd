"""Bus messages: the bytes that ipmitool and ipmi_sim exchange, and any bytes at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import DecodeError
from baseboard.ipmi.ipmb import BusMessage

# Get Device ID for a satellite at 30h, as ipmitool -t 0x30 embeds it
REQUEST = "30 18 b8 81 18 01 66"


def test_what_ipmitool_embeds() -> None:
    message = BusMessage.decode(bytes.fromhex(REQUEST))
    assert message == BusMessage(0x30, 0x06, 0, 0x81, 6, 0, 0x01)
    assert message.encode().hex(" ") == REQUEST


def test_a_response_swaps_the_addresses() -> None:
    request = BusMessage(0x20, 0x06, 0, 0x20, 5, 2, 0x01)
    assert request.response(b"\x00\x20").encode().hex(" ") == "20 1e c2 20 14 01 00 20 ab"


@pytest.mark.parametrize("data", ["", "30 18 b8 81 18 01", "30 18 b9 81 18 01 66", "30 18 b8 81 18 01 67"])
def test_what_is_none_is_refused(data: str) -> None:
    with pytest.raises(DecodeError):
        BusMessage.decode(bytes.fromhex(data))


@given(st.binary(max_size=40))
def test_any_bytes_decode_or_raise_decode_error(data: bytes) -> None:
    try:
        message = BusMessage.decode(data)
    except DecodeError:
        return
    assert message.encode() == data
