"""Answers that were planned."""

from __future__ import annotations

from typing import Any

import pytest
from tests.spapr.guest import BLOCK, Guest, make_machine

from baseboard.errors import ConfigError
from baseboard.spapr.guest_memory import write_cells
from baseboard.spapr.hcalls import Hypervisor
from baseboard.spapr.rtas import TOKENS

CORE, OTHER = 0x1000_0000, 0x2000_0000


@pytest.fixture
def guest() -> Guest:
    return Guest(make_machine())


def test_each_answer_once_in_order_and_nothing_happens(guest: Guest) -> None:
    guest.machine.faults.add({"service": "set-indicator", "answers": [-2, 9902, "pass", -9000]})
    assert [guest.set(9001, CORE, 0) for _ in range(2)] == [-2, 9902]
    assert guest.machine.connectors[CORE].state == 4
    assert guest.set(9001, CORE, 0) == 0
    assert guest.machine.connectors[CORE].state == 2
    assert [guest.set(9001, CORE, 1) for _ in range(2)] == [-9000, 0]


def test_for_one_connector_and_one_indicator(guest: Guest) -> None:
    guest.machine.faults.add(
        {"service": "set-indicator", "index": CORE, "sensor": 9003, "answers": [-1, -9001]}
    )
    assert guest.set(9001, CORE, 1) == 0
    assert guest.set(9003, OTHER, 1) == 0
    assert [guest.set(9003, CORE, 1) for _ in range(3)] == [-1, -9001, 0]


def test_other_services(guest: Guest) -> None:
    faults = guest.machine.faults
    faults.add({"service": "ibm,configure-connector", "index": CORE, "answers": [5, 9900]})
    faults.add({"service": "get-sensor-state", "answers": [-9000]})
    faults.add({"service": "set-power-level", "index": 0xFFFF_FFFF, "answers": [9905]})
    assert [guest.configure_once(CORE) for _ in range(3)] == [5, 9900, 2]
    assert guest.configure_once(OTHER) == 2
    assert guest.sense(CORE)[0] == -9000
    assert guest.sense(CORE) == (0, 1)
    assert guest.call("set-power-level", 0xFFFF_FFFF, 100, results=2)[0] == 9905
    assert not faults


def test_hypercalls(guest: Guest) -> None:
    """r3 is the answer, r4 stays, nothing happens."""
    call = Hypervisor(guest.machine).call
    guest.machine.faults.add({"service": "H_RTAS", "answers": [1, 9902, "pass", -1]})
    guest.machine.faults.add({"service": "H_TPM_COMM", "index": 1, "answers": [9900, -1]})
    write_cells(guest.machine.memory, BLOCK, TOKENS["set-indicator"], 3, 1, 9001, CORE, 0)
    assert [call(0xF000, BLOCK) for _ in range(2)] == [(1, BLOCK), (9902, BLOCK)]
    assert guest.machine.connectors[CORE].state == 4
    assert call(0xF000, BLOCK) == (0, BLOCK)
    assert guest.machine.connectors[CORE].state == 2
    assert call(0xF000, BLOCK) == (-1, BLOCK)
    assert call(0xEF10, 2) == (-2, 2), "close is not what was planned for; there is no proxy"
    assert [call(0xEF10, 1)[0] for _ in range(3)] == [9900, -1, -2]
    assert not guest.machine.faults


def test_wrong_counts_take_no_answer(guest: Guest) -> None:
    guest.machine.faults.add({"service": "get-power-level", "answers": [-1]})
    assert guest.call("get-power-level", results=2)[0] == -3
    assert guest.machine.faults.to_rows() == [{"service": "get-power-level", "answers": [-1]}]


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"service": "nothing", "answers": [1]},
        {"service": "set-indicator"},
        {"service": "set-indicator", "answers": []},
        {"service": "set-indicator", "answers": ["busy"]},
        {"service": "set-indicator", "answers": [1 << 31]},
        {"service": "set-indicator", "answers": [True]},
        {"service": "set-indicator", "answers": [1] * 5000},
        {"service": "set-indicator", "answers": [1], "index": -1},
        {"service": "set-indicator", "answers": [1], "indx": 1},
        {"service": ["set-indicator"], "answers": [1]},
    ],
)
def test_rows_that_are_none(guest: Guest, row: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="fault"):
        guest.machine.faults.add(row)
    assert not guest.machine.faults


def test_bounded(guest: Guest) -> None:
    row = {"service": "set-indicator", "answers": [-1]}
    for _ in range(256):
        guest.machine.faults.add(row)
    with pytest.raises(ConfigError, match="256"):
        guest.machine.faults.add(row)
