"""The kinds of connectors: how each is numbered and named.

An index is the kind in bits 31 to 28 and an identifier, unique in its kind, below. That is PowerVM's custom
and QEMU's; a guest may not rely on it.  [LoPAR 13.5.2]
"""

from __future__ import annotations

from dataclasses import dataclass

POWER_DOMAIN = 0xFFFF_FFFF
"""-1, "live insertion", for all: the platform switches the power by itself.  [LoPAR 13.5.2.5]"""

_IDENTIFIER = 0x0FFF_FFFF


@dataclass(frozen=True, slots=True)
class DrcKind:
    """One row."""

    name: str
    number: int
    prefix: str
    """Names are this and the identifier in decimal.  [LoPAR 13.5.2.4, 12.3.1.5]"""
    type: str
    """In `ibm,drc-types`.  [LoPAR 13.5.2.6]"""
    physical: bool
    event: int
    """Resource type in hot-plug event logs.  [LoPAR 10.3.2.2.13]"""

    def drc_index(self, identifier: int) -> int:
        return self.number << 28 | identifier & _IDENTIFIER

    def connector_name(self, identifier: int) -> str:
        return f"{self.prefix}{identifier}"


# fmt: off
#              kind    number  name     type    physical  event    identifier
CPU  = DrcKind("CPU",  1,      "CPU ",  "CPU",  False,    1)       # number of the core's first thread
PHB  = DrcKind("PHB",  2,      "PHB ",  "PHB",  False,    4)       # index of the host bridge
VIO  = DrcKind("VIO",  3,      "C",     "SLOT", True,     3)       # named by the documents, made by nobody
PCI  = DrcKind("PCI",  4,      "C",     "28",   True,     5)       # `pci_identifier`
LMB  = DrcKind("LMB",  8,      "LMB ",  "MEM",  False,    2)       # address / 256 MiB
PMEM = DrcKind("PMEM", 9,      "PMEM ", "PMEM", False,    6)       # memory slot
# fmt: on
KINDS = {kind.name: kind for kind in (CPU, PHB, VIO, PCI, LMB, PMEM)}


def pci_identifier(phb: int, chassis: int, slot: int, function: int) -> int:
    """`chassis` is the number of the bridge that the card is behind; 0 is the host bridge's own bus."""
    return phb << 16 | chassis << 8 | slot << 3 | function
