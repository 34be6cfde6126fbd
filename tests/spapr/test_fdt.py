"""Device-tree blobs: against dtc's bytes, against dtc itself, and bytes that are none."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.programs import require_program

from baseboard.errors import DecodeError
from baseboard.spapr import fdt
from baseboard.spapr.cells import cells, strings
from baseboard.spapr.tree import Node, differences

TREE = Node(
    "",
    {"compatible": strings("ibm,pseries", "test")},
    [
        Node("memory@0", {"reg": cells(0, 0, 0, 0x1000_0000), "device_type": strings("memory")}),
        Node("chosen", {"odd": b"\x01\x02\x03", "empty": b""}),
    ],
)
SOURCE = """/dts-v1/;
/ {
    compatible = "ibm,pseries", "test";
    memory@0 { reg = <0 0 0 0x10000000>; device_type = "memory"; };
    chosen { odd = [01 02 03]; empty; };
};
"""


def dtc(data: bytes, *arguments: str) -> bytes:
    program = require_program("dtc")
    return subprocess.run([program, "-q", *arguments], input=data, capture_output=True, check=True).stdout


def test_what_dtc_compiles_is_read() -> None:
    assert differences(fdt.parse(dtc(SOURCE.encode(), "-I", "dts", "-O", "dtb")), TREE) == []


def test_what_is_built_dtc_reads_as_its_own() -> None:
    ours = dtc(fdt.build(TREE, boot_cpu=8), "-I", "dtb", "-O", "dts", "-s")
    theirs = dtc(dtc(SOURCE.encode(), "-I", "dts", "-O", "dtb"), "-I", "dtb", "-O", "dts", "-s")
    assert ours == theirs
    assert fdt.build(TREE, boot_cpu=8)[28:32] == cells(8)


def test_bytes_behind_the_blob_do_not_matter() -> None:
    assert differences(fdt.parse(fdt.build(TREE) + bytes(100)), TREE) == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "header of 40 bytes; there are 0", id="nothing"),
        pytest.param(fdt.build(TREE)[:100], "truncated: 100 of", id="truncated"),
        pytest.param(b"\0" * 64, "FDT_ERR_TRUNCATED|FDT_ERR_BADMAGIC", id="zeros"),
        pytest.param(b"\0\0\0\0" + fdt.build(TREE)[4:], "FDT_ERR_BADMAGIC", id="magic"),
        pytest.param(fdt.build(Node("", children=[Node("..")])), "'..' is no name", id="a name out of here"),
        pytest.param(fdt.build(Node("", {"a/b": b""})), "'a/b' is no name", id="a name of two"),
    ],
)
def test_what_is_no_blob_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        fdt.parse(data)


def test_a_tree_too_deep_or_a_name_twice_is_refused() -> None:
    deep = Node("")
    place = deep
    for _ in range(fdt.MAXIMUM_DEPTH):
        place = place.add(Node("n"))
    with pytest.raises(DecodeError, match="more than 64 levels"):
        fdt.parse(fdt.build(deep))
    twice = fdt.build(Node("", {"aaaa": b"", "bbbb": b""}, [Node("nn-1"), Node("nn-2")]))
    with pytest.raises(DecodeError, match="/ has property aaaa twice"):
        fdt.parse(twice.replace(b"bbbb", b"aaaa"))
    with pytest.raises(DecodeError, match="/ has a child nn-1 twice"):
        fdt.parse(twice.replace(b"nn-2", b"nn-1"))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_tree_or_a_decode_error(data: bytes) -> None:
    try:
        fdt.parse(data)
    except DecodeError:
        pass


@given(st.integers(0, len(fdt.build(TREE)) - 1), st.integers(0, 255))
def test_any_byte_may_be_wrong(place: int, value: int) -> None:
    data = bytearray(fdt.build(TREE))
    data[place] = value
    try:
        fdt.parse(bytes(data))
    except DecodeError:
        pass


VALUES = st.dictionaries(st.from_regex(r"[a-z,#-]{1,12}", fullmatch=True), st.binary(max_size=40), max_size=4)
NAMES = st.from_regex(r"[a-z]{1,6}(@[0-9a-f]{1,8})?", fullmatch=True)
TREES = st.recursive(
    st.builds(lambda values: Node("", values), VALUES),
    lambda below: st.builds(
        lambda values, children: Node("", values, [_named(name, node) for name, node in children.items()]),
        VALUES,
        st.dictionaries(NAMES, below, max_size=3),
    ),
    max_leaves=8,
)


def _named(name: str, node: Node) -> Node:
    return Node(name, node.properties, node.children)


@given(TREES)
def test_every_tree_comes_back(tree: Node) -> None:
    assert differences(fdt.parse(fdt.build(tree)), tree) == []
