"""The header of every ACPI table.  [ACPI 5.2.6]"""

from __future__ import annotations

import struct

from baseboard.ipmi.checksum import checksum

_HEADER = struct.Struct("<4sIBB6s8sI4sI")
_CHECKSUM = 9

OEM_ID = b"BASEBD"
CREATOR = b"BSBD"
REVISION = 1
"""Of what we describe and of who describes it."""


def table(signature: bytes, revision: int, oem_table_id: bytes, body: bytes) -> bytes:
    """`body` with header and checksum: all bytes sum to 0."""
    made = bytearray(
        _HEADER.pack(
            signature,
            _HEADER.size + len(body),
            revision,
            0,
            OEM_ID,
            oem_table_id,
            REVISION,
            CREATOR,
            REVISION,
        )
        + body
    )
    made[_CHECKSUM] = checksum(bytes(made))
    return bytes(made)
