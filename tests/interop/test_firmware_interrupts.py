"""Firmware that sleeps until an interrupt comes, on the interrupt controllers of all three Aspeed chips."""

from __future__ import annotations

from pathlib import Path

import pytest

from baseboard.attach.aspeed import PortKind
from tests.interop.bmc_machine import BmcMachine, Board, ask

BOARDS = (
    Board("ast2600-evb", "ast2600-interrupt", "00 26"),
    Board("romulus-bmc", "ast2500-interrupt", "00 25"),
    Board("palmetto-bmc", "ast2400-interrupt", "00 24"),
)


@pytest.mark.parametrize("board", BOARDS, ids=str)
@pytest.mark.parametrize("kind", [PortKind.MIXED, PortKind.QTEST_ONLY], ids=str)
def test_each_controller(board: Board, kind: PortKind, tmp_path: Path) -> None:
    """Every byte of a request and an answer is one interrupt; on both channels."""
    with BmcMachine(tmp_path, board) as machine:
        for channel in (3, 4):
            kcs = machine.attach(kind, channel=channel)
            assert ask(kcs, "06 01").endswith(f"{board.product} 00 00 00 00")
            assert ask(kcs, "30 01" + "5a" * 60) == "00" + " 5a" * 60
            kcs.detach()


# fmt: off
FAULTS = [
    # Misbehave: fault, requests, delay
    pytest.param("02 01 00", "00 20", id="late by nothing"),
    pytest.param("02 01 02", "00 20", id="late"),
    pytest.param("04 01",    "00 20", id="640 bytes"),
    pytest.param("07 01",    "00 20", id="twice"),
]
# fmt: on


@pytest.mark.parametrize(("fault", "answer"), FAULTS)
def test_answers_that_are_odd(fault: str, answer: str, tmp_path: Path) -> None:
    """They are told on as they are; the next is right."""
    with BmcMachine(tmp_path) as machine:
        kcs = machine.attach()
        assert ask(kcs, f"30 03 {fault}") == "00"
        assert ask(kcs, "06 01").startswith(answer)
        assert ask(kcs, "06 04") == "00 55 00"
        kcs.detach()
