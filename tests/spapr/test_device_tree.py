"""Whole trees: what dtc says to them, what a machine of some size has in them."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from tests.programs import require_program

from baseboard.spapr import fdt
from baseboard.spapr.cells import cells, wide
from baseboard.spapr.device_tree import device_tree
from baseboard.spapr.drc_info import decode_drc_info
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.memory import decode_v1, decode_v2
from baseboard.spapr.tree import Node, differences
from baseboard.spapr.vector5 import DRC_INFO, DYNAMIC_MEMORY, DYNAMIC_MEMORY_2, HOTPLUG_EVENTS, vector

GIB = 1 << 30
DYNAMIC = "/ibm,dynamic-reconfiguration-memory"
UUID = "c0ffee00-0000-4000-8000-000000000001"
BOTH = vector((DYNAMIC_MEMORY, DYNAMIC_MEMORY_2, HOTPLUG_EVENTS))

# fmt: off
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "smallest":    {"ram": GIB},
    "growing":     {"cores": 2, "max_cores": 4, "ram": 2 * GIB, "max_ram": 6 * GIB, "slots": 4},
    "threads":     {"cores": 2, "max_cores": 8, "threads": 8, "ram": GIB},
    "numa":        {"ram": 6 * GIB, "numa": (2 * GIB, 4 * GIB), "max_ram": 8 * GIB, "slots": 2},
    "bridges":     {"ram": GIB, "phbs": (0, 1, 30)},
    "no bridge":   {"ram": GIB, "phbs": ()},
    "odd size":    {"ram": 0x5000_0000, "max_ram": 0x7000_0000, "slots": 1, "uuid": UUID},
}
# fmt: on
VECTORS = {
    "before CAS": None,
    "v1": vector((DYNAMIC_MEMORY,)),
    "v2": BOTH,
    "drc-info": vector((DYNAMIC_MEMORY, DRC_INFO)),
}


def part(tree: Node, path: str) -> Node:
    node = tree.find(path)
    assert node is not None, path
    return node


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_dtc_has_nothing_to_say(configuration: str) -> None:
    machine = PseriesMachine(**CONFIGURATIONS[configuration])
    if machine.settings.phbs:
        machine.plug_pci("net", "virtio-net-pci", 2, cold=True)
    if machine.settings.slots:
        machine.plug_dimm("dimm", 0x2000_0000, cold=True)
    for options in VECTORS.values():
        tree = device_tree(machine, options)
        blob = fdt.build(tree)
        assert differences(fdt.parse(blob), tree) == []
        done = subprocess.run(
            (require_program("dtc"), "-I", "dtb", "-O", "dts", "-o", "/dev/null"),
            input=blob,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr.decode()) == (0, "")


def test_a_machine_that_can_grow() -> None:
    tree = device_tree(PseriesMachine(**CONFIGURATIONS["growing"]))
    rtas = part(tree, "/rtas")
    assert rtas.properties["ibm,lrdr-capacity"] == wide(6 * GIB, 0x1000_0000) + cells(4)
    assert rtas.cells("ibm,configure-connector") == (0x201E,)
    assert tree.cells("ibm,drc-indexes")[0] == 31 + 16 + 4
    assert part(tree, "/cpus").properties["ibm,drc-names"] == cells(4) + b"CPU 0\0CPU 1\0CPU 2\0CPU 3\0"
    assert part(tree, "/memory@0").properties["reg"] == wide(0, 2 * GIB)
    assert part(tree, "/cpus/PowerPC,POWER9@1").cells("ibm,my-drc-index") == (0x1000_0001,)
    assert part(tree, "/chosen").properties["ibm,architecture-vec-5"] == b"\0\0"
    assert tree.find(DYNAMIC) is None


def test_memory_that_can_be_plugged_in_needs_the_guests_consent() -> None:
    machine = PseriesMachine(**CONFIGURATIONS["growing"])
    machine.plug_dimm("d", GIB, cold=True)
    first = part(device_tree(machine, vector((DYNAMIC_MEMORY,))), DYNAMIC)
    assert len(decode_v1(first.properties["ibm,dynamic-memory"])) == 8 + 16
    assert "ibm,dynamic-memory-v2" not in first.properties
    second = part(device_tree(machine, BOTH), DYNAMIC)
    assert [one.blocks for one in decode_v2(second.properties["ibm,dynamic-memory-v2"])] == [8, 4, 12]
    assert "ibm,dynamic-memory" not in second.properties
    assert second.properties["ibm,lmb-size"] == wide(0x1000_0000)
    assert device_tree(PseriesMachine(ram=GIB), BOTH).find(DYNAMIC) is None


def test_numa() -> None:
    tree = device_tree(PseriesMachine(**CONFIGURATIONS["numa"]), BOTH)
    assert part(tree, "/memory@80000000").cells("ibm,associativity") == (4, 0, 0, 0, 1)
    assert part(tree, DYNAMIC).cells("ibm,associativity-lookup-arrays") == (2, 4, 0, 0, 0, 0, 0, 0, 0, 1)
    assert part(tree, "/rtas").cells("ibm,max-associativity-domains") == (4, 2, 2, 2, 2)


def test_one_property_in_place_of_four() -> None:
    tree = device_tree(PseriesMachine(**CONFIGURATIONS["growing"]), VECTORS["drc-info"])
    assert not any("ibm,drc-indexes" in node.properties for _, node in tree.walk())
    rows = decode_drc_info(tree.properties["ibm,drc-info"])
    assert [(row.type, row.amount) for row in rows] == [("PHB", 31), ("MEM", 16), ("PMEM", 4)]
    bridge = decode_drc_info(part(tree, "/pci@800000020000000").properties["ibm,drc-info"])
    assert [(row.type, row.prefix, row.amount) for row in bridge] == [("28", "C", 256)]


def test_a_core_has_the_node_that_configure_connector_gives() -> None:
    machine = PseriesMachine(**CONFIGURATIONS["growing"])
    core = part(device_tree(machine), "/cpus/PowerPC,POWER9@1")
    given = machine.describe(machine.connectors[0x1000_0001])
    assert differences(core, given, ignored=("name",)) == []


def test_4096_blocks_and_1024_cores() -> None:
    machine = PseriesMachine(cores=1024, ram=2 * GIB, max_ram=1026 * GIB, slots=32)
    tree = fdt.parse(fdt.build(device_tree(machine, vector((DYNAMIC_MEMORY,)))))
    assert len(part(tree, "/cpus").children) == 1024
    assert len(decode_v1(part(tree, DYNAMIC).properties["ibm,dynamic-memory"])) == 8 + 4096
