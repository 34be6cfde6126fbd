r"""An SSDT with one device, IPI0001.  [IPMI C3, Table C3-1], [ACPI 6.1]

    Scope (\_SB) { Device (MI00) {
        Name (_HID, "IPI0001")
        Name (_STR, Unicode ("IPMI KCS"))
        Name (_UID, 0)
        Name (_CRS, ResourceTemplate () { ... })
        Name (_IFT, 1)                              interface type
        Name (_SRV, 0x0200)                         IPMI 2.0
    } }

The device of SSIF is not put below its SMBus controller but names it: the table loads wherever it is.
"""

from __future__ import annotations

from baseboard.interface.describe.aml import device, integer, name, resource_template, scope, string, unicode
from baseboard.interface.describe.description import Description
from baseboard.interface.describe.resources import descriptors
from baseboard.interface.describe.table import table

_INTEGERS_HAVE_64_BITS = 2
_IPMI_2_0 = 0x0200


def ssdt(description: Description) -> bytes:
    """The file for `-acpitable file=`."""
    uid, kind = description.uid, description.kind
    body = scope(
        r"\_SB",
        device(
            f"MI{uid:02X}",
            name("_HID", string("IPI0001")),
            name("_STR", unicode(f"IPMI {kind.name}")),
            name("_UID", integer(uid)),
            name("_CRS", resource_template(*descriptors(description))),
            name("_IFT", integer(kind)),
            name("_SRV", integer(_IPMI_2_0)),
        ),
    )
    return table(b"SSDT", _INTEGERS_HAVE_64_BITS, f"IPMI{kind.name}{uid:02X}".ljust(8)[:8].encode(), body)
