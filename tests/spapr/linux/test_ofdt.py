"""Writes to /proc/ppc64/ofdt, as drmgr of powerpc-utils 1.3.13 makes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import DecodeError
from baseboard.spapr.cells import cells, strings
from baseboard.spapr.linux.ofdt import apply
from baseboard.spapr.tree import Node, add_phandles


@pytest.fixture
def tree() -> Node:
    root = Node("", children=[Node("cpus"), Node("pci@1", {"reg": cells(1)}, [Node("ethernet@3")])])
    add_phandles(root)
    return root


def test_a_node_is_added_with_a_number_of_its_own(tree: Node) -> None:
    command = (
        b"add_node /cpus/PowerPC,POWER9@1 name 16 PowerPC,POWER9\0\0 reg 4 \0\0\0\1 empty 0  last 2 a \0"
    )
    assert apply(tree, command) == "/cpus/PowerPC,POWER9@1"
    node = tree.find("/cpus/PowerPC,POWER9@1")
    assert node is not None
    assert node.properties == {
        "reg": cells(1),
        "empty": b"",
        "last": b"a ",
        "phandle": cells(5),
        "linux,phandle": cells(5),
    }


def test_a_node_is_removed(tree: Node) -> None:
    assert apply(tree, b"remove_node /pci@1/ethernet@3\0") == "/pci@1/ethernet@3"
    assert apply(tree, b"remove_node /pci@1") == "/pci@1"
    assert [child.name for child in tree.children] == ["cpus"]


def test_properties_change_by_the_number_of_their_node(tree: Node) -> None:
    """drmgr sends some bytes of its buffer behind the value."""
    assert apply(tree, b"update_property 0x3 reg 4 \0\0\0\7garbage") == "/pci@1"
    apply(tree, b"add_property 3 status 5 okay\0")
    node = tree.find("/pci@1")
    assert node is not None
    assert node.properties["reg"] == cells(7)
    assert node.properties["status"] == strings("okay")
    apply(tree, b"remove_property 3 status")
    assert "status" not in node.properties


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (b"", "no command"),
        (b"burn_node /cpus", "no command"),
        (b"add_node /none/x", "no node /none"),
        (b"add_node cpus/x", "no node"),
        (b"add_node /cpus", "already"),
        (b"add_node /cpus/..", "no name"),
        (b"add_node /cpus/a%b", "no name"),
        (b"add_node /cpus/x ../../etc/passwd 1 x", "no name"),
        (b"add_node /cpus/x reg 40 short", "has 5 bytes"),
        (b"add_node /cpus/x reg -1 short", "has 5 bytes"),
        (b"add_node /\xff", "not text"),
        (b"remove_node /pci@1", "below it"),
        (b"remove_node /none", "no node"),
        (b"update_property 99 reg 1 x", "has the number"),
        (b"update_property x reg 1 x", "not the number"),
        (b"remove_property 3 none", "no property"),
        (b"add_node " + bytes(1 << 20), "bytes"),
    ],
)
def test_what_is_refused_changes_nothing(tree: Node, command: bytes, reason: str) -> None:
    before = repr([(path, node.properties) for path, node in tree.walk()])
    with pytest.raises(DecodeError, match=reason):
        apply(tree, command)
    assert repr([(path, node.properties) for path, node in tree.walk()]) == before


@given(st.sampled_from([b"add_node ", b"remove_node ", b"update_property ", b""]), st.binary(max_size=60))
def test_any_bytes(verb: bytes, rest: bytes) -> None:
    try:
        apply(Node("", {"phandle": cells(1)}), verb + rest)
    except DecodeError:
        pass
