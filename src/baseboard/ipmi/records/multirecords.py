"""Records in the multirecord area of an inventory image.  [FRU 16 to 18]"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from baseboard.ipmi.codec import Record, bit, bits, i16, split, tail, u8, u16, u24

NOT_SPECIFIED = 0xFFFF


class MultirecordData(Record):
    """The data of one record; type and checksums are in the header that `fru` writes."""

    TYPE: ClassVar[int] = 0xFF


class PowerSupply(MultirecordData):
    """What a power supply can do.  [FRU 18.1]"""

    TYPE = 0x00

    # fmt: off
    capacity_watts:           int  = split((1, 7, 0), (2, 3, 0))
    peak_va:                  int  = u16(3)            # FFFFh: not specified
    inrush_amps:              int  = u8(5)
    inrush_ms:                int  = u8(6)
    input_1_low_10mv:         int  = u16(7)
    input_1_high_10mv:        int  = u16(9)
    input_2_low_10mv:         int  = u16(11)
    input_2_high_10mv:        int  = u16(13)
    frequency_low:            int  = u8(15)            # Hz; 0 and 0: direct current
    frequency_high:           int  = u8(16)
    dropout_ms:               int  = u8(17)
    tachometer_two_pulses:    bool = bit(18, 4)
    hot_swap:                 bool = bit(18, 3)
    autoswitch:               bool = bit(18, 2)
    power_factor_correction:  bool = bit(18, 1)
    predictive_fail:          bool = bit(18, 0)
    peak_watts:               int  = split((19, 7, 0), (20, 3, 0))
    hold_up_seconds:          int  = bits(20, 7, 4)
    combined_voltage_1:       int  = bits(21, 7, 4)    # 0 12 V, 1 -12 V, 2 5 V, 3 3.3 V
    combined_voltage_2:       int  = bits(21, 3, 0)
    combined_watts:           int  = u16(22)
    predictive_fail_rps:      int  = u8(24)            # revolutions per second
    # fmt: on


class DcOutput(MultirecordData):
    """An output of a power supply.  [FRU 18.2]"""

    TYPE = 0x01

    # fmt: off
    standby:              bool = bit(1, 7)
    number:               int  = bits(1, 3, 0)
    nominal_10mv:         int  = i16(2)
    maximum_negative_10mv: int = i16(4)
    maximum_positive_10mv: int = i16(6)
    ripple_mv:            int  = u16(8)
    minimum_ma:           int  = u16(10)
    maximum_ma:           int  = u16(12)
    # fmt: on


class DcLoad(MultirecordData):
    """What a board needs of an output.  [FRU 18.3]"""

    TYPE = 0x02

    # fmt: off
    number:       int = bits(1, 3, 0)
    nominal_10mv: int = i16(2)
    minimum_10mv: int = i16(4)
    maximum_10mv: int = i16(6)
    ripple_mv:    int = u16(8)
    minimum_ma:   int = u16(10)
    maximum_ma:   int = u16(12)
    # fmt: on


class ManagementAccess(MultirecordData):
    """How the system is reached and named.  [FRU 18.4]

    Sub-types: 1 system URL, 2 system name, 3 system ping address, 4 component URL, 5 component name,
    6 component ping address, 7 system unique id (16 bytes).
    """

    TYPE = 0x03

    kind: int = u8(1)
    data: bytes = tail(2)


class Compatibility(MultirecordData):
    """Which other boards it works with.  [FRU 18.5]"""

    TYPE = 0x04

    # fmt: off
    manufacturer_id: int   = u24(1)
    entity_id:       int   = u8(4)
    base:            int   = u8(5)
    start:           int   = bits(6, 6, 0)
    mask:            bytes = tail(7)
    # fmt: on


class ExtendedCompatibility(Compatibility):
    """The same, with codes in a second set.  [FRU 18.6]"""

    TYPE = 0x05


class ExtendedDcOutput(DcOutput):
    """A DC output whose currents may be in units of 100 mA.  [FRU 18.2a]"""

    TYPE = 0x09

    in_100ma: bool = bit(1, 4)


class ExtendedDcLoad(DcLoad):
    """A DC load whose currents may be in units of 100 mA.  [FRU 18.3a]"""

    TYPE = 0x0A

    in_100ma: bool = bit(1, 4)


class OemData(MultirecordData):
    """Types C0h-FFh: a maker's number and its data.  [FRU 18.7]"""

    TYPE = 0xC0

    manufacturer_id: int = u24(1)
    data: bytes = tail(4)


class OtherData(MultirecordData):
    """A type that has no table here (ASF, NVMe)."""

    data: bytes = tail(1)


# fmt: off
LAYOUTS: Mapping[int, type[MultirecordData]] = {
    0x00: PowerSupply,  # 18.1
    0x01: DcOutput,  # 18.2
    0x02: DcLoad,  # 18.3
    0x03: ManagementAccess,  # 18.4
    0x04: Compatibility,  # 18.5
    0x05: ExtendedCompatibility,  # 18.6
    0x09: ExtendedDcOutput,  # 18.2a
    0x0A: ExtendedDcLoad,  # 18.3a
} | dict.fromkeys(range(0xC0, 0x100), OemData)
# fmt: on


def decode_multirecord(kind: int, data: bytes) -> MultirecordData:
    """The data of a record of this type.  Raises DecodeError."""
    return LAYOUTS.get(kind, OtherData).decode(data)
