"""The Service Processor Management Interface table.  [IPMI C3, Table C3-2]

    36  interface type     1 KCS, 2 SMIC, 3 BT, 4 SSIF
    37  01h
    38  specification      0200h
    40  interrupt type     bit 0 a GPE of the SCI, bit 1 an interrupt of the I/O APIC
    41  GPE                0: we use none
    43  PCI                0: not a PCI function's address
    44  interrupt          its number (GSI), 4 bytes
    48  base address       a Generic Address Structure, 12 bytes
    60  UID                that of the device in the namespace, 4 bytes
    64  00h

Interface type and 01h stand as ACPICA and Linux read them.
"""

from __future__ import annotations

import struct

from baseboard.interface.describe.description import Description, Kind, Space
from baseboard.interface.describe.table import table

_BODY = struct.Struct("<BBHBBBBIBBBBQIB")
_REVISION = 5
_ALWAYS_1 = 1
_IPMI_2_0 = 0x0200
_IO_APIC = 0x02

_REGISTER_BITS, _BYTE_ACCESS = 8, 1
# fmt: off
_SPACE_ID = {  # ACPI 5.2.3.2
    Space.MEMORY:  0,
    Space.IO:      1,
}
_SMBUS = 4
# fmt: on


def spmi(description: Description) -> bytes:
    """The file for `-acpitable file=`."""
    if description.kind is Kind.SSIF:
        space, bits, access = _SMBUS, 0, 0
    else:
        space, bits, access = _SPACE_ID[description.space], _REGISTER_BITS * description.spacing, _BYTE_ACCESS
    irq = description.irq
    body = _BODY.pack(
        description.kind,
        _ALWAYS_1,
        _IPMI_2_0,
        _IO_APIC if irq is not None else 0,
        0,
        0,
        0,
        irq or 0,
        space,
        bits,
        0,
        access,
        description.base,
        description.uid,
        0,
    )
    return table(b"SPMI", _REVISION, f"IPMI{description.uid:02X}".ljust(8).encode(), body)
