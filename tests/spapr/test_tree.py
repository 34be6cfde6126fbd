"""Nodes, the folder that Linux shows, and differences in words."""

from __future__ import annotations

import pytest

from baseboard.errors import LocalProtocolError
from baseboard.spapr.cells import cells, strings
from baseboard.spapr.tree import Node, add_phandles, differences, proc_files


@pytest.fixture
def root() -> Node:
    tree = Node("", {"model": strings("IBM pSeries (emulated by qemu)")})
    cpus = tree.add(Node("cpus", {"#address-cells": cells(1)}))
    cpus.add(Node("PowerPC,POWER9@0", {"reg": cells(0), "device_type": strings("cpu")}))
    return tree


def test_nodes_are_found_by_their_path(root: Node) -> None:
    processor = root.find("/cpus/PowerPC,POWER9@0")
    assert processor is not None
    assert processor.cells("reg") == (0,)
    assert processor.strings("device_type") == ("cpu",)
    assert processor.cells("ibm,my-drc-index") == ()
    assert root.find("/") is root
    assert root.find("/cpus/none/deeper") is None
    assert [path for path, _ in root.walk()] == ["/", "/cpus", "/cpus/PowerPC,POWER9@0"]


def test_a_name_stands_once(root: Node) -> None:
    with pytest.raises(LocalProtocolError, match="/ has a node cpus already"):
        root.add(Node("cpus"))
    assert root.remove("cpus").name == "cpus"
    assert not root.children


def test_the_folder_of_linux(root: Node) -> None:
    root.properties["cpus"] = b"x"
    assert proc_files(root) == {
        "name": b"\0",
        "model": b"IBM pSeries (emulated by qemu)\0",
        "cpus#1": b"x",
        "cpus": None,
        "cpus/name": b"cpus\0",
        "cpus/#address-cells": cells(1),
        "cpus/PowerPC,POWER9@0": None,
        "cpus/PowerPC,POWER9@0/name": b"PowerPC,POWER9\0",
        "cpus/PowerPC,POWER9@0/reg": cells(0),
        "cpus/PowerPC,POWER9@0/device_type": b"cpu\0",
    }


def test_phandles_are_unique_and_those_that_are_there_stay(root: Node) -> None:
    cpus = root.find("/cpus")
    assert cpus is not None
    cpus.set_cells("phandle", 1)
    add_phandles(root)
    handles = [node.cells("phandle") for _, node in root.walk()]
    assert handles == [(2,), (1,), (3,)]
    assert all(node.properties["linux,phandle"] == node.properties["phandle"] for _, node in root.walk())


def test_a_tree_is_no_different_from_its_copy(root: Node) -> None:
    other = root.copy()
    other.properties = dict(reversed(other.properties.items()))
    assert differences(root, other) == []


def test_differences_are_told_by_path(root: Node) -> None:
    other = root.copy()
    cpus = other.find("/cpus")
    assert cpus is not None
    cpus.add(Node("cache"))
    cpus.set_cells("#address-cells", 2)
    other.properties["model"] = bytes(range(1, 40))
    other.properties["compatible"] = b""
    processor = cpus.remove("PowerPC,POWER9@0")
    assert processor.name not in {child.name for child in cpus.children}
    assert sorted(differences(root, other)) == [
        "/ compatible: only right, empty",
        '/ model: "IBM pSeries (emulated by qemu)" left, '
        f"[{bytes(range(1, 33)).hex(' ')}] ... (39 bytes) right",
        "/cpus #address-cells: <00000001> left, <00000002> right",
        "/cpus/PowerPC,POWER9@0: only left",
        "/cpus/cache: only right",
    ]
    assert not any("model" in line for line in differences(root, other, ignored=("model",)))
