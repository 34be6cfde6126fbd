"""A processor core's node: a POWER9, as QEMU's.  [LoPAR B.5.4]

The order of properties is that in which QEMU hands them out.
"""

from __future__ import annotations

from baseboard.spapr.affinity import associativity
from baseboard.spapr.cells import cells, strings
from baseboard.spapr.devices import Core
from baseboard.spapr.drc import CPU
from baseboard.spapr.processor import ISA_2_05, ISA_2_06, ISA_2_06_PLUS, ISA_2_07, Processor
from baseboard.spapr.settings import MachineSettings
from baseboard.spapr.tree import Node

FIRMWARE_NAME = "PowerPC,POWER9"
TIMEBASE_FREQUENCY = 512_000_000
CLOCK_FREQUENCY = 1_000_000_000
HOST_THREADS = 4
CACHE_LINE = 128
CACHE_SIZE = 32768
DECREMENTER_BITS = 56
_CHIP = 0

# Length of what follows, type 0, then the bits of [LoPAR C].
_FEATURES = bytes.fromhex(
    "4200 f63fc7c080f0 800000000000 000000008000 800080000000 800080008000 80008000c000"
    "800080008000 800080008000 800080008000 800080008000 800080000000"
)
_FEATURES_2_06 = bytes.fromhex("0600 f63fc70080c0")
_OLDER_FEATURES = {
    ISA_2_05: None,
    ISA_2_06: _FEATURES_2_06,
    ISA_2_06_PLUS: _FEATURES_2_06,
    ISA_2_07: bytes.fromhex("1800 f63fc7c080f0 800000000000 000000008000 800080000000"),
}
_RADIX = 42, 0x80
"""Byte and bit of the features that say that there are radix page tables."""
_SEGMENTS = cells(28, 40, -1, -1)
"""256 MiB and 1 TiB, as powers of two."""
_PAGES = cells(12, 0, 1, 12, 0) + cells(16, 0x110, 1, 16, 1)
"""Base size, encoding, count; page size, encoding."""
_RADIX_PAGES = cells(0x0000_000C, 0xA000_0010, 0x2000_0015, 0x4000_001E)
"""Encoding in the upper three bits, size below."""


def core_node(
    settings: MachineSettings, core: Core, memory: int, processor: Processor, vector: bytes
) -> Node:
    """`memory` is how much the hashed page table is made for, `vector` option vector 5."""
    first = core.core_id
    name = f"{FIRMWARE_NAME}@{first:x}"
    properties = {
        "name": strings(name),
        "ibm,dec-bits": cells(DECREMENTER_BITS),
        "ibm,processor-radix-AP-encodings": _RADIX_PAGES,
        "ibm,ppc-interrupt-gserver#s": cells(first, 0),
        "ibm,ppc-interrupt-server#s": cells(*range(first, first + settings.threads)),
        "ibm,associativity": associativity(vector, core.node, first),
        "ibm,pft-size": cells(0, page_table_shift(memory)),
        "ibm,chip-id": cells(_CHIP),
        "ibm,pa-features": _features(processor),
        "ibm,segment-page-sizes": _PAGES,
        "ibm,dfp": cells(1),
        "ibm,vmx": cells(2),
        "ibm,processor-segment-sizes": _SEGMENTS,
        "ibm,spurr": cells(1),
        "ibm,purr": cells(1),
        "64-bit": b"",
        "status": strings("okay"),
        "ibm,slb-size": cells(32),
        "slb-size": cells(32),
        "clock-frequency": cells(CLOCK_FREQUENCY),
        "timebase-frequency": cells(TIMEBASE_FREQUENCY),
        "i-cache-size": cells(CACHE_SIZE),
        "d-cache-size": cells(CACHE_SIZE),
        "i-cache-line-size": cells(CACHE_LINE),
        "i-cache-block-size": cells(CACHE_LINE),
        "d-cache-line-size": cells(CACHE_LINE),
        "d-cache-block-size": cells(CACHE_LINE),
        "cpu-version": cells(processor.version),
        "device_type": strings("cpu"),
        "reg": cells(first),
        "ibm,my-drc-index": cells(CPU.drc_index(first)),
    }
    if settings.nodes == 1:
        del properties["ibm,associativity"]
    return Node(name, {name: value for name, value in properties.items() if value is not None})


def _features(processor: Processor) -> bytes | None:
    """None: an architecture that had no such property."""
    if processor.version in _OLDER_FEATURES:
        return _OLDER_FEATURES[processor.version]
    features = bytearray(_FEATURES)
    if not processor.radix:
        byte, bit = _RADIX
        features[byte] &= ~bit
    return bytes(features)


def page_table_shift(memory: int) -> int:
    """A hashed page table has a 128th of the memory, as a power of two.  [QEMU 7.2]"""
    return min(max((memory - 1).bit_length() - 7, 18), 46)
