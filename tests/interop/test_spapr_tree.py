"""Our device tree and the one that QEMU would start a guest with."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from baseboard.spapr import fdt
from baseboard.spapr.cells import unpack_strings
from baseboard.spapr.device_tree import device_tree
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.tree import Node, differences
from tests.programs import require_program

GIB = 1 << 30
NODES = (2 * GIB, 4 * GIB)
ARRAYS = ("ibm,drc-indexes", "ibm,drc-names", "ibm,drc-types", "ibm,drc-power-domains")

# What QEMU has and we do not: devices and services that are not ours; a random seed; its BIOS's wishes; where
# the boot loader may put something. What dtc asks for in interrupt controllers, and drmgr in a partition, is
# only ours.
OTHERS = {
    "phandle",
    "linux,phandle",
    "#address-cells",
    "available",
    "ibm,lpar-capable",
    "rng-seed",
    "rtas-size",
    "vm,uuid",
    "ibm,arch-vec-5-platform-support",
    "ibm,change-msix-capable",
    *ARRAYS,
}
NOT_OURS = {"vdevice"}

CONFIGURATIONS = {
    "no room to grow": ("-smp 1 -m 6G", {"ram": 6 * GIB}),
    "room to grow": (
        "-smp 2,maxcpus=4 -m 2G,slots=4,maxmem=6G",
        {"cores": 2, "max_cores": 4, "ram": 2 * GIB, "max_ram": 6 * GIB, "slots": 4},
    ),
    "odd size": (
        "-smp 1 -m 1280M,slots=1,maxmem=1792M",
        {"ram": 0x5000_0000, "max_ram": 0x7000_0000, "slots": 1},
    ),
    "numa": (
        "-smp 2,maxcpus=4 -m 6G,slots=2,maxmem=8G"
        " -object memory-backend-ram,id=a,size=2G -object memory-backend-ram,id=b,size=4G"
        " -numa node,memdev=a,cpus=0,cpus=2 -numa node,memdev=b,cpus=1,cpus=3",
        {
            "cores": 2,
            "max_cores": 4,
            "ram": 6 * GIB,
            "max_ram": 8 * GIB,
            "slots": 2,
            "numa": NODES,
        },
    ),
    "a second bridge": (
        "-smp 1 -m 1G -device spapr-pci-host-bridge,index=3",
        {"ram": GIB, "phbs": (0, 3)},
    ),
    "a card": ("-smp 1 -m 1G -device virtio-rng-pci,addr=2,id=rng", {"ram": GIB}),
}


def of_qemu(arguments: str, file: Path) -> Node:
    program = require_program("qemu-system-ppc64")
    machine = f"-machine pseries,x-vof=on,dumpdtb={file} -accel tcg -cpu POWER9 -nodefaults -display none"
    subprocess.run(
        (program, *machine.split(), *arguments.split()), check=True, capture_output=True, timeout=60
    )
    return fdt.parse(file.read_bytes())


def connectors(node: Node) -> set[tuple[int, str, str, int]]:
    """The rows of the four arrays, whose order means nothing."""
    indexes, domains = node.cells(ARRAYS[0]), node.cells(ARRAYS[3])
    names, types = (unpack_strings(node.properties.get(array, b"")[4:]) for array in ARRAYS[1:3])
    return set(zip(indexes[1:], names, types, domains[1:], strict=True))


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_the_tree_at_the_start(configuration: str, tmp_path: Path) -> None:
    arguments, settings = CONFIGURATIONS[configuration]
    named: dict[str, Any] = dict(settings)
    machine = PseriesMachine(**named)
    if configuration == "a card":
        machine.plug_pci("rng", "virtio-rng-pci", 2, cold=True)
    ours, theirs = device_tree(machine), of_qemu(arguments, tmp_path / "dtb")
    for path, node in theirs.walk():
        own = ours.find(path)
        if own is not None:
            assert connectors(own) == connectors(node), path
    lines = differences(ours, theirs, ignored=OTHERS)
    services = [line for line in lines if line.startswith("/rtas ") and ": only right, <0000" in line]
    wishes = [
        line for line in lines if ": only right" in line and (" qemu," in line or line[1:8] in NOT_OURS)
    ]
    assert [line for line in lines if line not in (*services, *wishes)] == []
