"""NUMA affinity after client architecture support: our nodes and those of a live QEMU, in both forms."""

from __future__ import annotations

from typing import Any

import pytest

from baseboard.spapr import vector5
from tests.interop.spapr_oracle import Oracle
from tests.spapr.sides import Ours, Step, disagreement

GIB = 1 << 30
UUID = "75a3cdd7-6a2f-4791-8d15-fe0a920e8e9e"
TWO_NODES: dict[str, Any] = {
    "cores": 2, "max_cores": 4, "ram": 2 * GIB, "max_ram": 4 * GIB, "slots": 3, "numa": (GIB, GIB),
}  # fmt: skip
ONE_NODE: dict[str, Any] = {"max_cores": 4, "ram": GIB, "max_ram": 4 * GIB, "slots": 3}
PROCESSORS = bytes.fromhex("ffffffff 004e1200 00000000 ffffffff")
ALWAYS = (vector5.DYNAMIC_MEMORY, vector5.DYNAMIC_MEMORY_2, vector5.HOTPLUG_EVENTS, vector5.RADIX)
BOTH = (vector5.FORM_1_AFFINITY, vector5.FORM_2_AFFINITY)


def request(*forms: vector5.Option) -> str:
    """What H_CAS reads, of a guest that knows these forms; vectors 1 and 5 count.

    With `ibm,dynamic-memory-v2`: in the first version QEMU has persistent memory as if it were RAM.
    """
    five = vector5.vector((*ALWAYS, *forms))
    vectors = (b"\0\x80\x80", b"\x80", b"\x80", b"\x80", five)
    return (PROCESSORS + b"\4" + b"".join(bytes([len(one) - 1]) + one for one in vectors)).hex()


@pytest.mark.parametrize("settings", [TWO_NODES, ONE_NODE], ids=["two nodes", "one node"])
@pytest.mark.parametrize("forms", [(), BOTH[:1], BOTH[1:], BOTH], ids=["neither", "form 1", "form 2", "both"])
def test_trees_and_what_is_plugged_in(settings: dict[str, Any], forms: tuple[vector5.Option, ...]) -> None:
    """The tree of CAS, a core, a block of memory, an NVDIMM and a host bridge."""
    steps: list[Step] = [
        ["cas", request(*forms)],
        ["plug_core", "c", 2],
        ["take", 0x1000_0002],
        ["plug_at", "d", GIB // 4, {"node": len(settings.get("numa", (0,))) - 1}],
        ["take", 0x8000_0008 if "numa" in settings else 0x8000_0004],
        ["plug_nvdimm", "n", GIB // 4, 1 << 17, UUID],
        ["take", 0x9000_0001],
        ["plug_phb", "p", 1],
        ["take", 0x2000_0001],
        ["cas", request(*forms)],
    ]
    ours = Ours(settings)
    with Oracle(settings) as oracle:
        for step in steps:
            answer = ours.ask(step)
            assert not disagreement(step, answer, oracle.ask(step)), step
            if step[0] == "take":
                assert answer[2][-1] == [0], "it was configured"
