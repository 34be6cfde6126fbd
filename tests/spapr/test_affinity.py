"""NUMA affinity in both forms, in nodes of all kinds. `tests/interop/test_spapr_affinity.py`
sees that QEMU 7.2 has the same after CAS.
"""

from __future__ import annotations

import pytest

from baseboard.spapr.device_tree import device_tree
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.vector5 import DYNAMIC_MEMORY, FORM_1_AFFINITY, FORM_2_AFFINITY, vector

GIB = 1 << 30
FORM_1 = vector((DYNAMIC_MEMORY, FORM_1_AFFINITY))
FORM_2 = vector((DYNAMIC_MEMORY, FORM_1_AFFINITY, FORM_2_AFFINITY))


@pytest.fixture
def machine() -> PseriesMachine:
    machine = PseriesMachine(
        cores=2, max_cores=4, ram=2 * GIB, max_ram=4 * GIB, slots=2, numa=(GIB, GIB), phbs=()
    )
    machine.plug_core("c", 2, node=1, cold=True)
    machine.plug_dimm("d", GIB, node=1, cold=True)
    uuid = "d3b55c3c-4b5a-4a8e-9d6c-1f5f5c6d7e90"
    machine.plug_nvdimm("n", GIB // 4, label_size=1 << 17, uuid=uuid, node=1, cold=True)
    machine.plug_phb("p", 1, node=1, cold=True)
    return machine


RTAS, DYNAMIC = "/rtas", "/ibm,dynamic-reconfiguration-memory"
PERSISTENT = "/ibm,persistent-memory/ibm,pmemory@90000001"
LISTS = "ibm,associativity-lookup-arrays"
# fmt: off
EXPECTED = [
    # node                      property                              form 1                  form 2
    (RTAS,                      "ibm,associativity-reference-points", (4, 3, 2, 1),           (1,)),
    (RTAS,                      "ibm,max-associativity-domains",      (4, 2, 2, 2, 2),        (1, 2)),
    (RTAS,                      "ibm,numa-lookup-index-table",        (),                     (2, 0, 1)),
    (RTAS,                      "ibm,numa-distance-table",            (),                (4, 0x0A14140A)),
    (DYNAMIC,                   LISTS,             (2, 4, 0, 0, 0, 0, 0, 0, 0, 1),            (2, 1, 0, 1)),
    ("/memory@40000000",        "ibm,associativity",                  (4, 0, 0, 0, 1),        (1, 1)),
    ("/cpus/PowerPC,POWER9@2",  "ibm,associativity",                  (5, 0, 0, 0, 1, 2),     (2, 1, 2)),
    ("/pci@800000020000001",    "ibm,associativity",                  (4, 0, 0, 0, 1),        (1, 1)),
    (PERSISTENT,                "ibm,associativity",                  (4, 0, 0, 0, 1),        (1, 1)),
]
# fmt: on


@pytest.mark.parametrize(("path", "name", "form_1", "form_2"), EXPECTED)
def test_the_tree(
    machine: PseriesMachine, path: str, name: str, form_1: tuple[int, ...], form_2: tuple[int, ...]
) -> None:
    for agreed, cells in ((FORM_1, form_1), (FORM_2, form_2)):
        node = device_tree(machine, agreed).find(path)
        assert node is not None
        assert node.cells(name) == cells


def test_what_is_configured_later_has_the_form_that_was_agreed_on(machine: PseriesMachine) -> None:
    block = machine.connectors[0x8000_0008]
    assert machine.describe(block).cells("ibm,associativity") == (4, 0, 0, 0, 1)
    machine.negotiated(FORM_2, hotplug_events=False)
    assert machine.describe(block).cells("ibm,associativity") == (1, 1)
    machine.reset()
    assert machine.describe(block).cells("ibm,associativity") == (4, 0, 0, 0, 1)


def test_one_node() -> None:
    rtas = device_tree(PseriesMachine(), FORM_2).find("/rtas")
    assert rtas is not None
    assert rtas.cells("ibm,max-associativity-domains") == (1, 1)
    assert rtas.properties["ibm,numa-distance-table"].hex() == "000000010a"
