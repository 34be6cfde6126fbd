"""The codec on the tables that ask most of it: SDR type 01h, LAN parameters, optional tails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import DecodeError
from baseboard.ipmi.codec import (
    Record,
    Request,
    Response,
    Variants,
    array,
    bit,
    bits,
    group,
    i8,
    raw,
    split,
    string,
    tail,
    u8,
    u16,
    u24,
)


class DeviceId(Response):
    device_id: int = u8(2)
    device_revision: int = bits(3, 3, 0)
    provides_sdrs: bool = bit(3, 7)
    manufacturer_id: int = u24(8)
    product_id: int = u16(11)
    auxiliary: bytes = tail(13)


class FullSensor(Record):
    record_id: int = u16(1)
    kind: int = u8(4)
    m: int = split((25, 7, 0), (26, 7, 6), signed=True)
    tolerance: int = bits(26, 5, 0)
    b: int = split((27, 7, 0), (28, 7, 6), signed=True)
    r_exponent: int = split((30, 7, 4), signed=True)
    thresholds: tuple[int, ...] = array(37, 6)
    name: str = string(48)


class Other(Record):
    kind: int = u8(4)


class SetUser(Request):
    user_id: int = bits(1, 5, 0)
    limit: int = bits(2, 3, 0)
    sessions: int = bits(3, 3, 0, default=0)


class Pair(Record):
    entity: int = u8(1)
    instance: int = i8(2)


class Pairs(Record):
    count: int = u8(1)
    pairs: tuple[Pair, ...] = group(2, Pair)


class Address(Request):
    selector: int = u8(1)
    address: bytes = raw(2, 4, default=None)


def test_a_response_starts_with_its_completion_code() -> None:
    message = DeviceId(
        device_id=0x20,
        device_revision=1,
        provides_sdrs=True,
        manufacturer_id=0x4C1C,
        product_id=0x3242,
        auxiliary=b"",
    )
    assert message.encode().hex() == "002081000000001c4c004232"
    assert DeviceId.decode(message.encode()[1:]) == message


def test_numbers_in_pieces_keep_their_sign() -> None:
    sensor = FullSensor(
        record_id=1,
        kind=1,
        m=-3,
        tolerance=1,
        b=511,
        r_exponent=-2,
        thresholds=(1, 2, 3, 4, 5, 6),
        name="CPU1 Temp",
    )
    data = sensor.encode()
    assert data[24:28].hex() == "fdc1ff40"
    assert data[29] == 0xE0
    assert data[47:] == b"\xc9CPU1 Temp"
    assert FullSensor.decode(data) == sensor


@pytest.mark.parametrize(
    ("data", "sessions"), [pytest.param("02 04", 0, id="absent"), pytest.param("02 04 03", 3, id="given")]
)
def test_an_optional_byte(data: str, sessions: int) -> None:
    assert SetUser.decode(bytes.fromhex(data)) == SetUser(user_id=2, limit=4, sessions=sessions)


@pytest.mark.parametrize("data", ["", "02", "02 04 03 04"])
def test_other_lengths_are_refused(data: str) -> None:
    with pytest.raises(DecodeError):
        SetUser.decode(bytes.fromhex(data))


@pytest.mark.parametrize("data", ["01 7f", "01 7f 00 00"])
def test_a_message_does_not_end_inside_a_field(data: str) -> None:
    with pytest.raises(DecodeError):
        Address.decode(bytes.fromhex(data))


def test_what_is_none_is_not_written() -> None:
    assert Address(selector=3).encode() == b"\x03"
    assert Address(selector=3, address=b"\x7f\0\0\1").encode() == b"\x03\x7f\0\0\1"
    with pytest.raises(ValueError, match="4 bytes are needed"):
        Address(selector=3, address=b"\x7f").encode()


def test_records_one_after_the_other() -> None:
    pairs = Pairs(count=2, pairs=(Pair(entity=3, instance=-1), Pair(entity=7, instance=1)))
    assert pairs.encode().hex() == "0203ff0701"
    assert Pairs.decode(pairs.encode()) == pairs
    with pytest.raises(DecodeError):
        Pairs.decode(b"\x02\x03")


def test_the_type_byte_chooses_the_layout() -> None:
    variants: Variants[Record] = Variants(4, {1: FullSensor, 2: Other})
    assert isinstance(variants.decode(b"\0\0\0\x02"), Other)
    with pytest.raises(DecodeError, match="type 03h"):
        variants.decode(b"\0\0\0\x03")
    with pytest.raises(DecodeError):
        variants.decode(b"\0")


def test_messages_are_immutable_and_hashable() -> None:
    message = SetUser(user_id=1, limit=2)
    with pytest.raises(AttributeError):
        message.limit = 3  # type: ignore[misc]
    assert len({message, SetUser(user_id=1, limit=2)}) == 1
    assert message.replace(limit=4).limit == 4


@given(st.binary(max_size=70))
def test_any_bytes_decode_or_raise_decode_error(data: bytes) -> None:
    for layout in (DeviceId, FullSensor, SetUser, Pairs, Address):
        try:
            message = layout.decode(data)
        except DecodeError:
            continue
        assert layout.decode(message.encode()[len(layout.PREFIX) :]) == message
