"""Where memory is and where it can be plugged in, as the device tree says it.  [LoPAR C.6.6.2]

`ibm,dynamic-memory` has an entry for each logical memory block (LMB, 256 MiB) from address 0 on;
`ibm,dynamic-memory-v2` one for each run of blocks alike, and is what a guest gets that asks for it (option
vector 5, byte 22, bit 0). Blocks below the device memory are `RESERVED`: they have `/memory` nodes
and no connectors.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from baseboard.errors import DecodeError
from baseboard.spapr.devices import Device, Dimm
from baseboard.spapr.drc import LMB
from baseboard.spapr.settings import LMB_SIZE, MachineSettings

# fmt: off
PRESERVED       = 0x001
PRESERVABLE     = 0x002
PRESERVED_STATE = 0x004
ASSIGNED        = 0x008
NO_MIGRATION    = 0x010
DRC_INVALID     = 0x020
LIST_INVALID    = 0x040
RESERVED        = 0x080
HOT_REMOVABLE   = 0x100
# fmt: on
NO_LIST = 0xFFFF_FFFF
"""In place of the number of an associativity list."""

_BLOCK = struct.Struct(">QIIII")  # address, connector index, 0, list, flags
_SET = struct.Struct(">IQIII")  # number of blocks, address, index of the first, list, flags
MOST_BLOCKS = 1 << 20
"""Of a decoded map: 256 TiB."""


@dataclass(frozen=True, slots=True)
class BlockSet:
    """Blocks that follow each other, addresses and connector indexes alike."""

    blocks: int
    address: int
    index: int
    """Connector of the first; 0 with `DRC_INVALID`."""
    list: int
    """Which of the associativity lists: the NUMA node, or `NO_LIST`."""
    flags: int

    def each(self) -> Iterator[BlockSet]:
        """The blocks one by one."""
        step = 0 if self.flags & DRC_INVALID else 1
        for number in range(self.blocks):
            yield BlockSet(
                1, self.address + number * LMB_SIZE, self.index + number * step, self.list, self.flags
            )


def lmb_map(settings: MachineSettings, devices: Iterable[Device]) -> list[BlockSet]:
    """What is below the device memory; then DIMMs and the gaps between them, in the order of addresses."""
    region = settings.device_memory
    sets = [BlockSet(region.start // LMB_SIZE, 0, 0, NO_LIST, RESERVED | DRC_INVALID)]
    dimms = [device for device in devices if isinstance(device, Dimm)]
    place = region.start
    for dimm in sorted(dimms, key=lambda dimm: dimm.address):
        sets += _gap(place, dimm.address)
        index = LMB.drc_index(dimm.address // LMB_SIZE)
        sets.append(BlockSet(dimm.size // LMB_SIZE, dimm.address, index, dimm.node, ASSIGNED | HOT_REMOVABLE))
        place = dimm.address + dimm.size
    return sets + _gap(place, region.stop)


def _gap(start: int, stop: int) -> list[BlockSet]:
    if start == stop:
        return []
    index = LMB.drc_index(start // LMB_SIZE)
    return [BlockSet((stop - start) // LMB_SIZE, start, index, NO_LIST, 0)]


def encode_v1(sets: Iterable[BlockSet]) -> bytes:
    """`ibm,dynamic-memory`. Hot-removable is not said there."""
    entries = [
        _BLOCK.pack(block.address, block.index, 0, block.list, block.flags & ~HOT_REMOVABLE)
        for one in sets
        for block in one.each()
    ]
    return struct.pack(">I", len(entries)) + b"".join(entries)


def encode_v2(sets: Iterable[BlockSet]) -> bytes:
    """`ibm,dynamic-memory-v2`."""
    entries = [_SET.pack(one.blocks, one.address, one.index, one.list, one.flags) for one in sets]
    return struct.pack(">I", len(entries)) + b"".join(entries)


def decode_v1(value: bytes) -> list[BlockSet]:
    """A set of one block for each entry. Raises `DecodeError`."""
    return [
        BlockSet(1, address, index, number, flags)
        for address, index, _, number, flags in _entries(value, _BLOCK)
    ]


def decode_v2(value: bytes) -> list[BlockSet]:
    """Raises `DecodeError`."""
    sets = [BlockSet(*entry) for entry in _entries(value, _SET)]
    blocks = sum(one.blocks for one in sets)
    if blocks > MOST_BLOCKS:
        raise DecodeError(f"a map of {blocks} blocks; {MOST_BLOCKS} are allowed")
    return sets


def _entries(value: bytes, layout: struct.Struct) -> Iterator[tuple[int, ...]]:
    count = int.from_bytes(value[:4], "big")
    if len(value) != 4 + count * layout.size:
        raise DecodeError(f"{count} entries of {layout.size} bytes behind a cell are not {len(value)} bytes")
    return layout.iter_unpack(value[4:])


def ram_pieces(settings: MachineSettings) -> list[tuple[int, int, int]]:
    """What was there at the start: address, size and NUMA node of each `/memory` node.

    Powers of two, aligned to their size, as QEMU 7.2's.
    """
    pieces, address = [], 0
    for node, size in enumerate(settings.numa or (settings.ram,)):
        end = address + size
        while address < end:
            piece = 1 << (end - address).bit_length() - 1
            if address:
                piece = min(piece, address & -address)
            pieces.append((address, piece, node))
            address += piece
    return pieces
