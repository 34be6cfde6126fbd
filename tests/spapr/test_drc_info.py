"""`ibm,drc-info`: rows as [LoPAR 13.5.2.5] has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import DecodeError
from baseboard.spapr.drc_info import (
    DrcRow,
    connector_properties,
    connectors_of,
    decode_drc_info,
    drc_rows,
    encode_drc_info,
)
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.tree import Node
from baseboard.spapr.vector5 import BEFORE_CAS, DRC_INFO, vector

LIVE = 0xFFFF_FFFF


def test_connectors_that_follow_each_other_are_one_row() -> None:
    machine = PseriesMachine(cores=1, max_cores=4, threads=8, ram=1 << 30, max_ram=2 << 30, slots=2)
    cpus = [one for one in machine.connectors.values() if one.parent == "/cpus"]
    assert drc_rows(cpus) == [DrcRow("CPU", "CPU ", 0x1000_0000, 0, 4, 8, LIVE)]
    root = [one for one in machine.connectors.values() if one.parent == "/"]
    assert drc_rows(root) == [
        DrcRow("PHB", "PHB ", 0x2000_0000, 0, 31, 1, LIVE),
        DrcRow("MEM", "LMB ", 0x8000_0004, 4, 4, 1, LIVE),
        DrcRow("PMEM", "PMEM ", 0x9000_0000, 0, 2, 1, LIVE),
    ]


@pytest.mark.parametrize("threads", [1, 4])
def test_rows_name_every_connector(threads: int) -> None:
    """The increment is that of index and suffix.  [LoPAR B, "ibm,drc-info": sequential-increment]"""
    machine = PseriesMachine(cores=2, max_cores=9, threads=threads, phbs=(0, 4))
    for parent in {one.parent for one in machine.connectors.values()}:
        connectors = [one for one in machine.connectors.values() if one.parent == parent]
        named = {
            row.first_index
            + number * row.increment: f"{row.prefix}{row.first_suffix + number * row.increment}"
            for row in drc_rows(connectors)
            for number in range(row.amount)
        }
        assert named == {one.index: one.name for one in connectors}
        forms = [
            Node("", connector_properties(connectors, form)) for form in (BEFORE_CAS, vector((DRC_INFO,)))
        ]
        assert [len(node.properties) for node in forms] == [4, 1]
        for node in forms:
            assert connectors_of(node) == sorted((one.index, one.name, one.type) for one in connectors)


def test_rows_without_end_are_refused() -> None:
    rows = [DrcRow("MEM", "LMB ", 0x8000_0004, 4, 0xFFFF_FFFF, 1, LIVE)]
    with pytest.raises(DecodeError, match="more than 1048576 connectors"):
        connectors_of(Node("", {"ibm,drc-info": encode_drc_info(rows)}))


def test_bytes() -> None:
    rows = [DrcRow("MEM", "LMB ", 0x8000_0004, 4, 4, 1, LIVE)]
    value = bytes.fromhex("00000001 4d454d00 4c4d422000 80000004 00000004 00000004 00000001 ffffffff")
    assert encode_drc_info(rows) == value
    assert decode_drc_info(value) == rows


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("0000", "no number of rows"),
        ("00000002", "0 rows, 2 are announced"),
        ("00000001 4d454d00 4c4d422000 80000004", "row 0 is cut"),
        ("00000001 ff00 0000" + "00" * 20, "row 0 is cut or not text"),
    ],
)
def test_what_is_none(value: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode_drc_info(bytes.fromhex(value))


@given(st.integers(0, 3), st.binary(max_size=80))
def test_any_bytes_are_rows_or_a_decode_error(count: int, data: bytes) -> None:
    try:
        decode_drc_info(count.to_bytes(4, "big") + data)
    except DecodeError:
        pass
