"""The cards that can be plugged in: what their configuration space says, and the node of one function.

Values are those of QEMU 7.2's devices of the same names.  [IEEE 1275 PCI 2.1, 4.1.2]
"""

from __future__ import annotations

from dataclasses import dataclass

from baseboard.spapr.cells import cells, strings
from baseboard.spapr.devices import PciFunction
from baseboard.spapr.drc import PCI, pci_identifier
from baseboard.spapr.tree import Node

IO, MEMORY, MEMORY_64 = 1, 2, 3
_SPACE_SHIFT, _BUS_SHIFT, _FUNCTION_SHIFT = 24, 16, 8

_Bar = tuple[int, int, int]
"""Its register's offset, its space, its size."""


@dataclass(frozen=True, slots=True)
class Card:
    """One row."""

    name: str
    identity: int
    """Vendor, device."""
    kind: int
    """Class code, revision."""
    node: str
    """What the node of such a class is called.  [IEEE 1275 PCI 2.5]"""
    subsystem: int
    """Vendor, identifier; where one is 0 there is no such property."""
    cache_line: int
    msi: int
    """How many interrupts of that kind it asks for."""
    msix: int
    bars: tuple[_Bar, ...]
    bridge: bool = False
    express: bool = False


def _virtio(io: int) -> tuple[_Bar, ...]:
    return ((0x10, IO, io), (0x14, MEMORY, 0x1000), (0x20, MEMORY_64, 0x4000))


# fmt: off
MODELS = {model.name: model for model in (
    #    name                  identity     kind         node                        subsystem    line MSI X
    Card("virtio-rng-pci",     0x1AF4_1005, 0x00FF00_00, "legacy-device",            0x1AF4_0004, 0,   0, 2,
         _virtio(0x20)),
    Card("virtio-net-pci",     0x1AF4_1000, 0x020000_00, "ethernet",                 0x1AF4_0001, 0,   0, 4,
         _virtio(0x20)),
    Card("virtio-blk-pci",     0x1AF4_1001, 0x010000_00, "scsi",                     0x1AF4_0002, 0,   0, 2,
         _virtio(0x80)),
    Card("virtio-scsi-pci",    0x1AF4_1004, 0x010000_00, "scsi",                     0x1AF4_0008, 0,   0, 4,
         _virtio(0x40)),
    Card("virtio-serial-pci",  0x1AF4_1003, 0x078000_00, "communication-controller", 0x1AF4_0003, 0,   0, 2,
         _virtio(0x40)),
    Card("virtio-balloon-pci", 0x1AF4_1002, 0x00FF00_00, "legacy-device",            0x1AF4_0005, 0,   0, 0,
         ((0x10, IO, 0x40), (0x20, MEMORY_64, 0x4000))),
    Card("e1000",              0x8086_100E, 0x020000_03, "ethernet",                 0x1AF4_1100, 0x10,0, 0,
         ((0x10, MEMORY, 0x20000), (0x14, IO, 0x40))),
    Card("e1000e",             0x8086_10D3, 0x020000_00, "ethernet",                 0x8086_0000, 0x10,1, 5,
         ((0x10, MEMORY, 0x20000), (0x14, MEMORY, 0x20000), (0x18, IO, 0x20), (0x1C, MEMORY, 0x4000)),
         express=True),
    Card("rtl8139",            0x10EC_8139, 0x020000_20, "ethernet",                 0x1AF4_1100, 0,   0, 0,
         ((0x10, IO, 0x100), (0x14, MEMORY, 0x100))),
    Card("nvme",               0x1B36_0010, 0x010802_02, "mass-storage",             0x1AF4_1100, 0,   0, 65,
         ((0x10, MEMORY_64, 0x4000),), express=True),
    Card("nec-usb-xhci",       0x1033_0194, 0x0C0330_03, "usb-xhci",                 0x1AF4_1100, 0x10,1, 16,
         ((0x10, MEMORY_64, 0x4000),), express=True),
    Card("qemu-xhci",          0x1B36_000D, 0x0C0330_01, "usb-xhci",                 0x1AF4_1100, 0x10,0, 16,
         ((0x10, MEMORY_64, 0x4000),), express=True),
    Card("ich9-ahci",          0x8086_2922, 0x010601_02, "sata",                     0x1AF4_1100, 8,   1, 0,
         ((0x20, IO, 0x20), (0x24, MEMORY, 0x1000))),
    Card("megasas",            0x1000_0060, 0x010400_00, "raid",                     0x1000_1013, 0,   1, 15,
         ((0x10, MEMORY_64, 0x4000), (0x18, IO, 0x100), (0x1C, MEMORY_64, 0x40000))),
    Card("pci-bridge",         0x1B36_0001, 0x060400_00, "pci",                      0x0000_0000, 0,   1, 0,
         ((0x10, MEMORY_64, 0x100),), bridge=True),
)}
# fmt: on


def card_node(card: PciFunction, bus: int, *, was_reset: bool = False) -> Node:
    """`bus` is the number of the bus that it sits on; what is behind a bridge is not in it.

    A reset clears what is to be set by software, which is the size of a cache line.
    """
    model = MODELS[card.model]
    position = bus << _BUS_SHIFT | (card.slot << 3 | card.function) << _FUNCTION_SHIFT
    unit = f"{card.slot:x},{card.function:x}" if card.function else f"{card.slot:x}"
    index = PCI.drc_index(pci_identifier(card.phb, card.chassis, card.slot, card.function))
    place = f"{card.phb:04x}:{bus:02x}:{card.slot:02x}.{card.function:x}"
    reg = cells(position, 0, 0, 0, 0)
    for offset, space, size in model.bars:
        reg += cells(space << _SPACE_SHIFT | position | offset, 0, 0, 0, size)
    properties = {} if model.bridge else {"max-latency": cells(0), "min-grant": cells(0)}
    if model.express:
        properties["ibm,pci-config-space-type"] = cells(1)
    properties["reg"] = reg
    if model.msix:
        properties["ibm,req#msi-x"] = cells(model.msix)
    if model.msi:
        properties["ibm,req#msi"] = cells(model.msi)
    properties["ibm,my-drc-index"] = cells(index)
    properties["ibm,loc-code"] = strings(f"qemu_{model.name}:{place}")
    if model.bridge:
        properties |= {"66mhz-capable": b"", "fast-back-to-back": b""}
    properties["devsel-speed"] = cells(0)
    properties["cache-line-size"] = cells(0 if was_reset else model.cache_line)
    if model.subsystem >> 16:
        properties["subsystem-vendor-id"] = cells(model.subsystem >> 16)
    if model.subsystem & 0xFFFF:
        properties["subsystem-id"] = cells(model.subsystem & 0xFFFF)
    properties |= {
        "interrupts": cells(1),
        "class-code": cells(model.kind >> 8),
        "revision-id": cells(model.kind & 0xFF),
        "device-id": cells(model.identity & 0xFFFF),
        "vendor-id": cells(model.identity >> 16),
    }
    return Node(f"{model.node}@{unit}", properties)
