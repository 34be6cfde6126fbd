"""What live QEMU answered, asked of our machine: every status, every cell, every property, every event log.

`tests/data/spapr/*.json` hold QEMU's version and command line, and each step with its answer. The guest is
`sides.Side`; none of these negotiated. `scripts/record-spapr` asks a live QEMU again.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.spapr.sides import Ours, comparable

RECORDINGS = sorted((Path(__file__).parent.parent / "data" / "spapr").glob("qemu-*.json"))


@pytest.mark.parametrize("recording", RECORDINGS, ids=[path.stem for path in RECORDINGS])
def test_as_qemu(recording: Path) -> None:
    data = json.loads(recording.read_text())
    ours = Ours(data["settings"])
    for number, (step, answer) in enumerate(data["steps"]):
        assert comparable(step, ours.ask(step)) == comparable(step, answer), f"step {number}: {step}"
    assert ours.told() == data["told"]


def test_there_are_recordings() -> None:
    assert len(RECORDINGS) >= 3
