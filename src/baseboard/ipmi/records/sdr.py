"""Sensor data records: the header that all share, and which type has which body.  [IPMI 43]

A record is five bytes of header and a body. Bodies are declared with the byte numbers of the
specification's tables, which count the header: hence their `FIRST = 6`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from baseboard.errors import DecodeError
from baseboard.ipmi.codec import Record, tail, u8, u16
from baseboard.ipmi.records.body import Body
from baseboard.ipmi.records.locators import (
    BmcMessageChannelInfo,
    DeviceRelativeEntityAssociation,
    EntityAssociation,
    FruDeviceLocator,
    GenericDeviceLocator,
    ManagementControllerConfirmation,
    ManagementControllerLocator,
    OemRecord,
)
from baseboard.ipmi.records.sensor_records import CompactSensor, EventOnlySensor, FullSensor

VERSION = 0x51
"""Of the records since IPMI 1.5, digits swapped.  [IPMI 43.1]"""
HEADER_SIZE = 5
LARGEST = HEADER_SIZE + 0xFF


class Header(Record):
    """The first five bytes of every record.  [IPMI 43, Table 43-1, bytes 1-5]"""

    # fmt: off
    record_id: int = u16(1)
    version:   int = u8(3)
    kind:      int = u8(4)   # record type
    length:    int = u8(5)   # of what follows
    # fmt: on


class UnknownBody(Body):
    """A body of a type that the specification does not have."""

    data: bytes = tail(6)


# fmt: off
BODIES: Mapping[int, type[Body]] = {
    0x01: FullSensor,                        # 43.1
    0x02: CompactSensor,                     # 43.2
    0x03: EventOnlySensor,                   # 43.3
    0x08: EntityAssociation,                 # 43.4
    0x09: DeviceRelativeEntityAssociation,   # 43.5
    0x10: GenericDeviceLocator,              # 43.7
    0x11: FruDeviceLocator,                  # 43.8
    0x12: ManagementControllerLocator,       # 43.9
    0x13: ManagementControllerConfirmation,  # 43.10
    0x14: BmcMessageChannelInfo,             # 43.11
    0xC0: OemRecord,                         # 43.12
}
# fmt: on


class SensorDataRecord(NamedTuple):
    """A record taken apart."""

    record_id: int
    kind: int
    body: Body
    version: int = VERSION


def encode_record(record_id: int, body: Body) -> bytes:
    """Header and body as they are stored."""
    data = body.encode()
    return Header(record_id=record_id, version=VERSION, kind=body.TYPE, length=len(data)).encode() + data


def decode_record(data: bytes) -> SensorDataRecord:
    """Take a stored record apart.  Raises DecodeError."""
    header = check_frame(data)
    body = BODIES.get(header.kind, UnknownBody).decode(data[HEADER_SIZE:])
    return SensorDataRecord(header.record_id, header.kind, body, header.version)


def check_frame(data: bytes) -> Header:
    """The header, when it tells the truth about the length.  Raises DecodeError."""
    header = Header.decode(data[:HEADER_SIZE])
    if len(data) != HEADER_SIZE + header.length:
        raise DecodeError(f"the record says {header.length} bytes follow its header, {len(data) - 5} do")
    return header
