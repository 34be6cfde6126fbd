"""A PCI host bridge's node.  [LoPAR B.5.5.1]"""

from __future__ import annotations

from baseboard.spapr.affinity import associativity
from baseboard.spapr.cells import cells, strings, wide
from baseboard.spapr.devices import Phb
from baseboard.spapr.drc import PHB
from baseboard.spapr.tree import Node

BUID = 0x0800_0000_2000_0000
"""Bus unit identifier of host bridge 0."""
INTERRUPT_CONTROLLER = 0x1111
"""Its phandle."""
FIRST_LSI = 0x1200
"""Interrupt number of host bridge 0's INTA; each has four."""

_LSI_PINS = 4
_SLOTS = 32
_MSI_TOTAL = 0xD00
_DMA_WINDOW = 0x4000_0000
_DDW_TOKENS = (0x2026, 0x2027, 0x2028)
_DDW_RESET_TOKEN = 0x2029

# fmt: off
_WINDOWS = (
    # space  bus address          platform address of bridge 0    size
    (1,      0,                   0x2000_0000_0000,               0x1_0000),
    (2,      0x8000_0000,         0x2000_8000_0000,               0x8000_0000),
    (3,      0x2100_0000_0000,    0x2100_0000_0000,               0x100_0000_0000),
)
# fmt: on


def bridge_name(index: int) -> str:
    return f"pci@{BUID + index:x}"


def bridge_node(phb: Phb, vector: bytes) -> Node:
    """Without the arrays of its connectors and without what is behind it."""
    ranges = b""
    for space, bus, platform, size in _WINDOWS:
        place = platform + phb.index * size
        ranges += cells(space << 24) + wide(place if space == 3 else bus, place, size)
    properties = {
        "#size-cells": cells(2),
        "#address-cells": cells(3),
        "qemu,phb-enumerated": cells(1),  # spares SLOF the search for cards
        "ibm,my-drc-index": cells(PHB.drc_index(phb.index)),
        "ibm,dma-window": cells(0x8000_0000 | phb.index << 8) + wide(0, _DMA_WINDOW),
        "ibm,#dma-size-cells": cells(2),
        "ibm,#dma-address-cells": cells(2),
        "interrupt-map": _interrupt_map(phb.index),
        "interrupt-map-mask": cells(0xF800, 0, 0, -1),
        "ibm,associativity": associativity(vector, phb.node),
        "ibm,ddw-extensions": cells(2, _DDW_RESET_TOKEN, 1),
        "ibm,ddw-applicable": cells(*_DDW_TOKENS),
        "ibm,pe-total-#msi": cells(_MSI_TOTAL),
        "ibm,pci-config-space-type": cells(1),
        "reg": wide(BUID + phb.index, 0),
        "ranges": ranges,
        "bus-range": cells(0, 0xFF),
        "used-by-rtas": b"",
        "#interrupt-cells": cells(1),
        "compatible": strings("IBM,Logical_PHB"),
        "device_type": strings("pci"),
    }
    if phb.node < 0:
        del properties["ibm,associativity"]
    return Node(bridge_name(phb.index), properties)


def _interrupt_map(index: int) -> bytes:
    """Slot, pin; controller, number, level-triggered: pins of neighbouring slots are shifted by one."""
    first = FIRST_LSI + index * _LSI_PINS
    return b"".join(
        cells(slot << 11, 0, 0, pin + 1, INTERRUPT_CONTROLLER, first + (slot + pin) % _LSI_PINS, 1)
        for slot in range(_SLOTS)
        for pin in range(_LSI_PINS)
    )
