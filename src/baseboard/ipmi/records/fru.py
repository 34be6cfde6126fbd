"""Inventory images: common header, areas, type/length fields.  [FRU 8 to 16]

Theory of operation
-------------------
    common header  01h, offsets of the five areas in units of 8 bytes (0: absent), 00h, checksum
    internal use   01h, free data
    chassis        01h, length/8, chassis type, fields, C1h, padding, checksum
    board          01h, length/8, language, date (3 bytes), fields, C1h, padding, checksum
    product        01h, length/8, language, fields, C1h, padding, checksum
    multirecords   5-byte header (type, end and version, length, checksums) and data, again and again

A field is a byte (7:6 encoding, 5:0 length) and its data. Text is read in all four encodings and written
as 8-bit ASCII + Latin-1, the only one that every client shows in the same way; bytes are written as
binary. C1h ends the list, therefore text of a single character is written with a space after it.
"""

from __future__ import annotations

from collections.abc import Iterable

from baseboard.errors import DecodeError, LocalProtocolError
from baseboard.ipmi.checksum import checksum, is_sound
from baseboard.ipmi.codec import Record, array, bit, bits, decode_text, u8
from baseboard.ipmi.value import Value

FORMAT_VERSION = 0x01
END_OF_FIELDS = 0xC1
LONGEST_FIELD = 63
ENGLISH = 25
EPOCH = 820_454_400
"""1996-01-01 00:00 UTC, from which the manufacturing date counts minutes.  [FRU 11]"""
LAST_MINUTE = 0xFF_FFFF

FieldValue = str | bytes
"""Text, or what its maker says is not text."""


class CommonHeader(Record):
    """Where the areas are.  [FRU 8, Table 8-1]"""

    # fmt: off
    version:  int = bits(1, 3, 0)
    offsets:  tuple[int, ...] = array(2, 5)   # internal use, chassis, board, product, multirecords
    pad:      int = u8(7)
    checksum: int = u8(8)
    # fmt: on


class MultirecordHeader(Record):
    """What precedes the data of each multirecord.  [FRU 16.1, Table 16-1]"""

    # fmt: off
    kind:            int  = u8(1)
    last:            bool = bit(2, 7)
    version:         int  = bits(2, 3, 0)
    length:          int  = u8(3)
    data_checksum:   int  = u8(4)
    header_checksum: int  = u8(5)
    # fmt: on


class ChassisArea(Value, kw_only=True):
    """[FRU 10, Table 10-1]"""

    kind: int = 0x17
    part_number: FieldValue = ""
    serial_number: FieldValue = ""
    custom: tuple[FieldValue, ...] = ()


class BoardArea(Value, kw_only=True):
    """[FRU 11, Table 11-1]"""

    language: int = ENGLISH
    manufactured: int | None = None
    """Seconds since 1970-01-01; None, or a date that the area cannot hold: unspecified."""
    manufacturer: FieldValue = ""
    product_name: FieldValue = ""
    serial_number: FieldValue = ""
    part_number: FieldValue = ""
    file_id: FieldValue = ""
    custom: tuple[FieldValue, ...] = ()


class ProductArea(Value, kw_only=True):
    """[FRU 12, Table 12-1]"""

    language: int = ENGLISH
    manufacturer: FieldValue = ""
    product_name: FieldValue = ""
    part_number: FieldValue = ""
    version: FieldValue = ""
    serial_number: FieldValue = ""
    asset_tag: FieldValue = ""
    file_id: FieldValue = ""
    custom: tuple[FieldValue, ...] = ()


class Multirecord(Value):
    """One record of the multirecord area; `multirecords` knows what the data mean."""

    kind: int
    data: bytes
    version: int = 2


class Inventory(Value, kw_only=True):
    """An image taken apart; None or empty: the area is absent."""

    internal: bytes | None = None
    chassis: ChassisArea | None = None
    board: BoardArea | None = None
    product: ProductArea | None = None
    multirecords: tuple[Multirecord, ...] = ()


def encode_inventory(inventory: Inventory, size: int = 0) -> bytes:
    """The image, filled up with zeros to `size` bytes.  Raises LocalProtocolError when that is too few."""
    areas = (
        _internal(inventory.internal) if inventory.internal is not None else b"",
        _chassis(inventory.chassis) if inventory.chassis else b"",
        _board(inventory.board) if inventory.board else b"",
        _product(inventory.product) if inventory.product else b"",
        _multirecords(inventory.multirecords),
    )
    offsets, position = [], 8
    for area in areas:
        offsets.append(position // 8 if area else 0)
        position += len(area)
    if max(offsets) > 0xFF or (size and position > size):
        raise LocalProtocolError(f"the inventory needs {position} bytes, {size or 0xFF * 8} are there")
    header = bytes((FORMAT_VERSION, *offsets, 0))
    return (header + bytes((checksum(header),)) + b"".join(areas)).ljust(size, b"\0")


def decode_inventory(data: bytes) -> Inventory:
    """Take an image apart.  Raises DecodeError."""
    header = CommonHeader.decode(data[:8])
    if header.version != FORMAT_VERSION or not is_sound(data[:8]):
        raise DecodeError("there is no common header of format version 1 with a sound checksum")
    starts = [offset * 8 for offset in header.offsets]
    internal, chassis, board, product, records = starts
    following = sorted(start for start in (*starts, len(data)) if start > internal)
    return Inventory(
        internal=data[internal + 1 : following[0]] if internal and following else None,
        chassis=_decode_chassis(_area(data, chassis)) if chassis else None,
        board=_decode_board(_area(data, board)) if board else None,
        product=_decode_product(_area(data, product)) if product else None,
        multirecords=tuple(_decode_multirecords(data, records)) if records else (),
    )


# Writing.


def encode_field(value: FieldValue) -> bytes:
    """A type/length byte and its data.  [FRU 13]"""
    if isinstance(value, bytes):
        return bytes((min(len(value), LONGEST_FIELD),)) + value[:LONGEST_FIELD]
    text = value.encode("latin-1", "replace")[:LONGEST_FIELD]
    if not text:
        return b"\0"
    if len(text) == 1:
        text += b" "
    return bytes((0xC0 | len(text),)) + text


def _finish(start: bytes, fields: Iterable[FieldValue]) -> bytes:
    """Format version and length in front, end mark, padding and checksum behind."""
    body = start + b"".join(map(encode_field, fields)) + bytes((END_OF_FIELDS,))
    size = -(-(2 + len(body) + 1) // 8) * 8
    if size > 0xFF * 8:
        raise LocalProtocolError(f"an area of {size} bytes does not fit its length byte")
    area = (bytes((FORMAT_VERSION, size // 8)) + body).ljust(size - 1, b"\0")
    return area + bytes((checksum(area),))


def _internal(data: bytes) -> bytes:
    size = -(-(1 + len(data)) // 8) * 8
    return (bytes((FORMAT_VERSION,)) + data).ljust(size, b"\0")


def _chassis(area: ChassisArea) -> bytes:
    return _finish(bytes((area.kind,)), (area.part_number, area.serial_number, *area.custom))


def _board(area: BoardArea) -> bytes:
    minutes = 0 if area.manufactured is None else (area.manufactured - EPOCH) // 60
    if not 0 < minutes <= LAST_MINUTE:
        minutes = 0  # unspecified; the three bytes end on 2027-11-24
    return _finish(
        bytes((area.language,)) + minutes.to_bytes(3, "little"),
        (
            area.manufacturer,
            area.product_name,
            area.serial_number,
            area.part_number,
            area.file_id,
            *area.custom,
        ),
    )


def _product(area: ProductArea) -> bytes:
    return _finish(
        bytes((area.language,)),
        (
            area.manufacturer,
            area.product_name,
            area.part_number,
            area.version,
            area.serial_number,
            area.asset_tag,
            area.file_id,
            *area.custom,
        ),
    )


def _multirecords(records: tuple[Multirecord, ...]) -> bytes:
    area = b""
    for number, record in enumerate(records, 1):
        last = 0x80 if number == len(records) else 0
        header = bytes((record.kind, last | record.version, len(record.data), checksum(record.data)))
        area += header + bytes((checksum(header),)) + record.data
    return area.ljust(-(-len(area) // 8) * 8, b"\0")


# Reading.


def _area(data: bytes, start: int) -> bytes:
    size = data[start + 1] * 8 if start + 1 < len(data) else 0
    area = data[start : start + size]
    if not size or len(area) < size or area[0] & 0x0F != FORMAT_VERSION or not is_sound(area):
        raise DecodeError(f"there is no sound area of format version 1 at {start}")
    return area[:-1]


def _fields(area: bytes, start: int, language: int) -> list[FieldValue]:
    """Fields up to the end mark, or to the end of the area where the mark is missing."""
    fields: list[FieldValue] = []
    while start < len(area) and area[start] != END_OF_FIELDS:
        kind, length = area[start] >> 6, area[start] & 0x3F
        value = area[start + 1 : start + 1 + length]
        if len(value) < length:
            raise DecodeError(f"a field has {len(value)} bytes of {length}")
        fields.append(_value(kind, value, language))
        start += 1 + length
    return fields


def _value(kind: int, value: bytes, language: int) -> FieldValue:
    if not value:
        return ""
    if kind == 0:
        return value
    if kind == 3 and language not in (0, ENGLISH):
        return value.decode("utf-16-le", "replace")
    return decode_text(kind, value)


def _take(fields: list[FieldValue], count: int) -> tuple[list[FieldValue], tuple[FieldValue, ...]]:
    """The predefined fields, those that are missing empty, and the custom ones."""
    return fields[:count] + [""] * (count - len(fields)), tuple(fields[count:])


def _decode_chassis(area: bytes) -> ChassisArea:
    (part, serial), custom = _take(_fields(area, 3, ENGLISH), 2)
    return ChassisArea(kind=area[2], part_number=part, serial_number=serial, custom=custom)


def _decode_board(area: bytes) -> BoardArea:
    minutes = int.from_bytes(area[3:6], "little")
    fields, custom = _take(_fields(area, 6, area[2]), 5)
    manufacturer, product, serial, part, file_id = fields
    return BoardArea(
        language=area[2],
        manufactured=EPOCH + minutes * 60 if minutes else None,
        manufacturer=manufacturer,
        product_name=product,
        serial_number=serial,
        part_number=part,
        file_id=file_id,
        custom=custom,
    )


def _decode_product(area: bytes) -> ProductArea:
    fields, custom = _take(_fields(area, 3, area[2]), 7)
    manufacturer, product, part, version, serial, asset, file_id = fields
    return ProductArea(
        language=area[2],
        manufacturer=manufacturer,
        product_name=product,
        part_number=part,
        version=version,
        serial_number=serial,
        asset_tag=asset,
        file_id=file_id,
        custom=custom,
    )


def _decode_multirecords(data: bytes, start: int) -> Iterable[Multirecord]:
    last = False
    while not last:
        header = MultirecordHeader.decode(data[start : start + 5])
        if not is_sound(data[start : start + 5]):
            raise DecodeError(f"the multirecord header at {start} has a wrong checksum")
        body = data[start + 5 : start + 5 + header.length]
        if len(body) < header.length or (sum(body) + header.data_checksum) & 0xFF:
            raise DecodeError(f"the multirecord at {start} has a wrong checksum or is cut short")
        yield Multirecord(header.kind, body, header.version)
        start += 5 + header.length
        last = header.last
