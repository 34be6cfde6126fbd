"""A processor core's node: a POWER9, as QEMU's.  [LoPAR B.5.4]

The order of properties is that in which QEMU hands them out.
"""

from __future__ import annotations

from baseboard.spapr.cells import cells, strings
from baseboard.spapr.devices import Core
from baseboard.spapr.drc import CPU
from baseboard.spapr.settings import MachineSettings
from baseboard.spapr.tree import Node

FIRMWARE_NAME = "PowerPC,POWER9"
PROCESSOR_VERSION = 0x004E_1200  # POWER9, revision 2.0
TIMEBASE_FREQUENCY = 512_000_000
CLOCK_FREQUENCY = 1_000_000_000
HOST_THREADS = 4
CACHE_LINE = 128
CACHE_SIZE = 32768
DECREMENTER_BITS = 56
_CHIP = 0

_FEATURES = bytes.fromhex(
    # length of what follows, type 0, then the bits of [LoPAR C]
    "4200 f63fc7c080f0 800000000000 000000008000 800080000000 800080008000 80008000c000"
    "800080008000 800080008000 800080008000 800080008000 800080000000"
)
_SEGMENTS = cells(28, 40, -1, -1)
"""256 MiB and 1 TiB, as powers of two."""
_PAGES = cells(12, 0, 1, 12, 0) + cells(16, 0x110, 1, 16, 1)
"""Base size, encoding, count; page size, encoding."""
_RADIX_PAGES = cells(0x0000_000C, 0xA000_0010, 0x2000_0015, 0x4000_001E)
"""Encoding in the upper three bits, size below."""


def core_node(settings: MachineSettings, core: Core, memory: int) -> Node:
    """`memory` is how much there was at the last reset, which the hashed page table is made for."""
    first = core.core_id
    name = f"{FIRMWARE_NAME}@{first:x}"
    properties = {
        "name": strings(name),
        "ibm,dec-bits": cells(DECREMENTER_BITS),
        "ibm,processor-radix-AP-encodings": _RADIX_PAGES,
        "ibm,ppc-interrupt-gserver#s": cells(first, 0),
        "ibm,ppc-interrupt-server#s": cells(*range(first, first + settings.threads)),
        "ibm,associativity": cells(5, 0, 0, 0, core.node, first),
        "ibm,pft-size": cells(0, page_table_shift(memory)),
        "ibm,chip-id": cells(_CHIP),
        "ibm,pa-features": _FEATURES,
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
        "cpu-version": cells(PROCESSOR_VERSION),
        "device_type": strings("cpu"),
        "reg": cells(first),
        "ibm,my-drc-index": cells(CPU.drc_index(first)),
    }
    if settings.nodes == 1:
        del properties["ibm,associativity"]
    return Node(name, properties)


def page_table_shift(memory: int) -> int:
    """A hashed page table has a 128th of the memory, as a power of two.  [QEMU 7.2]"""
    return min(max((memory - 1).bit_length() - 7, 18), 46)
