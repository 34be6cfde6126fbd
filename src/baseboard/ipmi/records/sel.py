"""Records of the system event log: 16 bytes in three forms.  [IPMI 32.1 to 32.3]"""

from __future__ import annotations

from baseboard.ipmi.codec import Record, Variants, bit, bits, raw, u8, u16, u24, u32

SIZE = 16
SYSTEM_EVENT = 0x02
EVENT_MESSAGE_REVISION = 0x04
"""Event message format of IPMI 1.5 and later; 03h in a request is stored as this.  [IPMI 32.1]"""
UNSPECIFIED = 0xFF
"""An event data byte that says nothing."""


class SelRecord(Record):
    """What every record begins with."""

    record_id: int = u16(1)
    kind: int = u8(3)


class SystemEvent(SelRecord):
    """An event of a sensor.  [IPMI 32.1, Table 32-1]"""

    # fmt: off
    timestamp:     int   = u32(4)
    generator_id:  int   = u8(8)           # 7:1 slave address, bit 0 = 0; or 7:1 software id, bit 0 = 1
    channel:       int   = bits(9, 7, 4)
    lun:           int   = bits(9, 1, 0)
    revision:      int   = u8(10)          # EvM Rev
    sensor_type:   int   = u8(11)
    sensor_number: int   = u8(12)
    deassertion:   bool  = bit(13, 7)
    event_type:    int   = bits(13, 6, 0)
    event_data:    bytes = raw(14, 3)
    # fmt: on


class TimestampedOemRecord(SelRecord):
    """Types C0h-DFh.  [IPMI 32.2, Table 32-2]"""

    # fmt: off
    timestamp:       int   = u32(4)
    manufacturer_id: int   = u24(8)
    data:            bytes = raw(11, 6)
    # fmt: on


class OemRecord(SelRecord):
    """Types E0h-FFh.  [IPMI 32.3, Table 32-3]"""

    data: bytes = raw(4, 13)


RECORDS: Variants[SelRecord] = Variants(
    3,
    {SYSTEM_EVENT: SystemEvent}
    | dict.fromkeys(range(0xC0, 0xE0), TimestampedOemRecord)
    | dict.fromkeys(range(0xE0, 0x100), OemRecord),
)


def is_timestamped(kind: int) -> bool:
    """Whether the controller writes its time into records of this type.  [IPMI 32.3]"""
    return kind < 0xE0
