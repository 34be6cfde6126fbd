r"""SMBIOS structure type 38, IPMI Device Information.  [IPMI C1, Table C1-1], [SMBIOS 7.39]

    00h  type          26h
    01h  length        12h
    02h  handle
    04h  interface     1 KCS, 2 SMIC, 3 BT, 4 SSIF
    05h  revision      20h, major in the high nibble
    06h  slave address on the IPMB
    07h  NV storage    FFh: there is none
    08h  base address  bit 0: 1 I/O, 0 memory; SSIF: address on the SMBus
    10h  modifier      7:6 spacing, 4 bit 0 of the base address, 3 interrupt specified,
                       1 polarity (1 high), 0 trigger (1 level)
    11h  interrupt     00h: none

The strings of a structure follow it; this one has none, which is two zero bytes.
"""

from __future__ import annotations

import struct

from baseboard.interface.describe.description import Description, Kind, Space, Trigger

TYPE = 38
HANDLES = TYPE << 8
"""The first of 256 handles: the structures of SeaBIOS and QEMU leave them free."""

_STRUCTURE = struct.Struct("<BBHBBBBQBB")
_REVISION = 0x20
_NO_NV_STORAGE = 0xFF
# fmt: off
_SPACING = {
    1:   0b00 << 6,
    4:   0b01 << 6,
    16:  0b10 << 6,
}
_ADDRESS_BIT_0       = 0x10
_INTERRUPT_SPECIFIED = 0x08
_TRIGGER = {
    #                    polarity  level
    Trigger.EDGE_HIGH:   0x02    | 0x00,
    Trigger.LEVEL_LOW:   0x00    | 0x01,
}
# fmt: on


def smbios(description: Description) -> bytes:
    """The file for `-smbios file=`: one structure with its (empty) strings."""
    base, modifier, irq = description.base, 0, 0
    if description.kind is not Kind.SSIF:
        modifier = _SPACING[description.spacing] | (_ADDRESS_BIT_0 if base & 1 else 0)
        base = base & ~1 | (description.space is Space.IO)
    if description.irq is not None and description.irq <= 0xFF:  # the field has one byte
        irq = description.irq
        modifier |= _INTERRUPT_SPECIFIED | _TRIGGER[description.trigger]
    return (
        _STRUCTURE.pack(
            TYPE,
            _STRUCTURE.size,
            HANDLES | description.uid,
            description.kind,
            _REVISION,
            description.slave_address,
            _NO_NV_STORAGE,
            base,
            modifier,
            irq,
        )
        + b"\0\0"
    )
