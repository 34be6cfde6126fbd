"""The kernel's device tree in a guest's memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.attach.guest_tree import find_tree
from baseboard.spapr import fdt
from baseboard.spapr.cells import cells
from baseboard.spapr.guest_memory import ByteMemory
from baseboard.spapr.tree import Node

pytest.importorskip("libfdt")
RAM = 1 << 20


WITHOUT, WITH = (
    fdt.build(Node("", {}, [Node("rtas", properties)]))
    for properties in ({}, {"linux,rtas-entry": cells(0x2FFF_0000)})
)


@pytest.mark.parametrize("place", [0x3_0000, 0x3_1000])
def test_on_a_page_of_either_size(place: int) -> None:
    memory = ByteMemory(RAM)
    memory.write(0x1_0000, WITHOUT)  # the firmware's own, from before
    memory.write(0x2_0000, WITH[:40])  # what is left of one
    memory.write(place, WITH)
    found = find_tree(memory.read, RAM)
    assert found is not None
    tree, data = found
    rtas = tree.child("rtas")
    assert rtas is not None
    assert (rtas.cells("linux,rtas-entry"), data) == ((0x2FFF_0000,), WITH)


def test_none() -> None:
    memory = ByteMemory(RAM)
    memory.write(0x1_0000, WITHOUT)
    memory.write(0x2_0800, WITH)  # not where a page begins
    assert find_tree(memory.read, RAM) is None


@given(st.binary(max_size=60))
def test_what_only_begins_as_a_tree(rest: bytes) -> None:
    memory = ByteMemory(1 << 16)
    memory.write(0, b"\xd0\x0d\xfe\xed" + rest)
    assert find_tree(memory.read, 1 << 16) is None
