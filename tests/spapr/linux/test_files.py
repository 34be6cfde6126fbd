"""What Linux shows of a tree: processors, memory blocks, slots."""

from __future__ import annotations

import pytest

from baseboard.errors import DecodeError
from baseboard.spapr.cells import cells, strings, wide
from baseboard.spapr.linux.files import files
from baseboard.spapr.tree import Node

CORE = {"device_type": strings("cpu"), "ibm,ppc-interrupt-server#s": cells(2, 3)}
CORES = {
    "ibm,drc-indexes": cells(3, 0x10000000, 0x10000002, 0x10000004),
    "ibm,drc-names": cells(3) + strings("CPU 0", "CPU 2", "CPU 4"),
    "ibm,drc-types": cells(3) + strings("CPU", "CPU", "CPU"),
}
GIB = 1 << 30


def partition() -> Node:
    rows = b"".join(
        wide(GIB + (number << 28)) + cells(0x80000004 + number, 0, 0, 8 * (number == 1))
        for number in range(3)
    )
    card = Node("ethernet@3", {"ibm,my-drc-index": cells(0x40000018)})
    bridge = Node(
        "pci@1",
        {
            "ibm,drc-indexes": cells(2, 0x40000018, 0x40000020),
            "ibm,drc-names": cells(2) + strings("C24", "C32"),
            "ibm,drc-types": cells(2) + strings("28", "28"),
        },
        [card],
    )
    return Node(
        "",
        {"model": strings("IBM")},
        [
            Node("cpus", CORES, [Node("PowerPC,POWER9@2", CORE)]),
            Node("memory@0", {"device_type": strings("memory"), "reg": wide(0, 1 << 29)}),
            Node("ibm,dynamic-reconfiguration-memory", {"ibm,dynamic-memory": cells(3) + rows}),
            bridge,
        ],
    )


def test_processors_have_a_folder_whether_they_are_there_or_not() -> None:
    shown = files(partition())
    numbers = {path.split("/")[4]: shown[path] for path in shown if path.endswith("physical_id")}
    there = {"cpu2": b"2\n", "cpu3": b"3\n"}
    assert numbers == {f"cpu{number}": there.get(f"cpu{number}", b"-1\n") for number in range(6)}
    assert shown["sys/devices/system/cpu/present"] == b"2,3\n"


def test_memory_blocks_that_the_partition_has() -> None:
    blocks = sorted(path.split("/")[4] for path in files(partition()) if path.endswith("/state"))
    assert blocks == ["memory0", "memory1", "memory5"]


def test_slots_are_empty_configured_or_occupied() -> None:
    shown = files(partition(), cards={0x40000020})
    assert shown["sys/bus/pci/slots/C24/adapter"] == b"1\n"
    assert shown["sys/bus/pci/slots/C32/adapter"] == b"2\n"
    assert files(partition())["sys/bus/pci/slots/C32/adapter"] == b"0\n"


def test_the_tree_is_shown_with_names() -> None:
    shown = files(partition())
    assert shown["proc/device-tree/model"] == b"IBM\0"
    assert shown["proc/device-tree/pci@1/ethernet@3/name"] == b"ethernet\0"


def test_a_map_that_is_cut_off() -> None:
    tree = partition()
    node = tree.child("ibm,dynamic-reconfiguration-memory")
    assert node is not None
    node.set_cells("ibm,dynamic-memory", 5, 0, 0)
    with pytest.raises(DecodeError, match="5 blocks in 2 cells"):
        files(tree)
