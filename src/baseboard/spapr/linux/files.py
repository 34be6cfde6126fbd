"""The files of /proc, /sys and /dev that drmgr, lsslot and their library read.

`files(tree)` gives all of them by path: bytes, or None for a folder. What follows from the tree is in
`_FROM_TREE`; the rest is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from baseboard.errors import DecodeError
from baseboard.spapr.drc_info import connectors_of
from baseboard.spapr.settings import LMB_SIZE
from baseboard.spapr.tree import Node, proc_files

Files = Mapping[str, bytes | None]

RMO_BUFFER = 0x100_0000, 0x4000
"""Where the library finds memory for work areas: real address and size."""
MEMORY = "dev/mem"
OFDT = "proc/ppc64/ofdt"
SLOTS = "sys/bus/pci/slots"

MOST_THREADS = 16384
ASSIGNED = 0x8
"""Flag of a block in `ibm,dynamic-memory`: the partition has it.  [LoPAR Table 13.3]"""

# fmt: off
_FIXED: dict[str, bytes | None] = {
    "proc/cpuinfo":                       b"processor\t: 0\ncpu\t\t: POWER9\n\nplatform\t: pSeries\n",
    "proc/modules":                      b"",
    "proc/ppc64/rtas/rmo_buffer":         b"%016x %x\n" % RMO_BUFFER,
    OFDT:                                 b"",
    "sys/devices/system/memory/block_size_bytes": b"%x\n" % LMB_SIZE,
    "sys/devices/system/memory/probe":    b"",
    SLOTS:                                None,
    "sys/bus/pci/slots/control/add_slot":    b"",
    "sys/bus/pci/slots/control/remove_slot": b"",
    "sys/bus/pci/rescan":                 b"",
    "sys/bus/pci/devices":                None,
    "sys/class/net":                      None,
    # Programs make these where there are none, and would make them on the machine that they really run on.
    "var/lock/LCK..librtas":              b"",
    "var/lock/dr_config_lock":            b"",
    "var/log/drmgr":                      b"",
    "var/log/drmgr.0":                    b"",
    "etc/ld.so.cache":                    b"",
}
# fmt: on


def files(tree: Node, cards: Collection[int] = ()) -> dict[str, bytes | None]:
    """All of them. `cards` are the connectors of slots in which something is, configured or not.

    Raises DecodeError for a tree that is none of a partition.
    """
    shown: dict[str, bytes | None] = dict(_FIXED)
    shown |= {f"proc/device-tree/{path}": content for path, content in proc_files(tree).items()}
    shown |= dict(_processors(tree))
    shown |= dict(_memory_blocks(tree))
    shown |= dict(_slots(tree, cards))
    return shown


def _processors(tree: Node) -> Iterator[tuple[str, bytes | None]]:
    """A folder for each thread that there can be, under its hardware number."""
    base = "sys/devices/system/cpu"
    cpus = tree.find("/cpus") or Node("cpus")
    cores = [node for node in cpus.children if node.strings("device_type") == ("cpu",)]
    threads = {thread for node in cores for thread in node.cells("ibm,ppc-interrupt-server#s")}
    each = max((len(node.cells("ibm,ppc-interrupt-server#s")) for node in cores), default=1)
    possible = min(
        max(len(connectors_of(cpus)) * each, *(thread + 1 for thread in threads), 1),
        MOST_THREADS,
    )
    for number in range(possible):
        there = number in threads
        yield f"{base}/cpu{number}/online", b"%d\n" % there
        yield f"{base}/cpu{number}/physical_id", b"%d\n" % (number if there else -1)
    listed = ",".join(str(thread) for thread in sorted(threads)).encode() + b"\n"
    yield f"{base}/present", listed
    yield f"{base}/online", listed
    yield f"{base}/possible", b"0-%d\n" % (possible - 1)


def _memory_blocks(tree: Node) -> Iterator[tuple[str, bytes | None]]:
    for address in sorted(set(_assigned(tree))):
        folder = f"sys/devices/system/memory/memory{address // LMB_SIZE}"
        yield f"{folder}/state", b"online\n"
        yield f"{folder}/removable", b"1\n"
        yield f"{folder}/phys_index", b"%08x\n" % (address // LMB_SIZE)


def _assigned(tree: Node) -> Iterator[int]:
    """Addresses of the blocks that Linux has: what stands in memory nodes, and what is assigned."""
    for node in tree.children:
        if node.strings("device_type") == ("memory",):
            reg = node.cells("reg")
            for start in range(0, len(reg) - 3, 4):
                first, size = reg[start] << 32 | reg[start + 1], reg[start + 2] << 32 | reg[start + 3]
                yield from range(first, first + min(size, 1 << 46), LMB_SIZE)
    dynamic = tree.child("ibm,dynamic-reconfiguration-memory")
    if dynamic is not None:
        count, *rest = dynamic.cells("ibm,dynamic-memory") or (0,)
        if len(rest) != 6 * count:
            raise DecodeError(f"ibm,dynamic-memory: {count} blocks in {len(rest)} cells")
        for high, low, _, _, _, flags in zip(*[iter(rest)] * 6, strict=True):
            if flags & ASSIGNED:
                yield high << 32 | low


def _slots(tree: Node, cards: Collection[int]) -> Iterator[tuple[str, bytes | None]]:
    """A folder for each slot that takes a card: adapter 0 empty, 1 configured, 2 there and not configured."""
    for _, node in tree.walk():
        configured = {child.cells("ibm,my-drc-index")[:1] for child in node.children}
        for index, name, kind in connectors_of(node):
            if kind.isdigit():
                there = (index,) in configured
                adapter = b"1\n" if there else b"2\n" if index in cards else b"0\n"
                yield f"{SLOTS}/{name}/adapter", adapter
                yield f"{SLOTS}/{name}/power", b"1\n" if there else b"0\n"
