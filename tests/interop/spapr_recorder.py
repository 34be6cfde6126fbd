"""Writes down what a live QEMU answers to the steps of `tests/data/spapr`: `scripts/record-spapr [FILE ...]`.

A recording has the settings of a machine, steps as `tests.spapr.sides` has them with their answers, and the
management events that QEMU told. To make a new one, write it with null for every answer; a walk that failed
prints its steps.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.interop.spapr_oracle import Oracle
from tests.spapr.sides import Ours
from tests.spapr.test_recorded import RECORDINGS


def recorded(data: dict[str, Any]) -> dict[str, Any]:
    """The same with QEMU's answers of today."""
    settings, steps = data["settings"], [step for step, _ in data["steps"]]
    ours = Ours(settings)
    for step in steps:
        ours.ask(step)
    with Oracle(settings) as oracle:
        answers = [[step, oracle.ask(step)] for step in steps]
        return {
            "tool": f"qemu-system-ppc64 {oracle.version}",
            "command": " ".join(oracle.command),
            "settings": settings,
            "steps": answers,
            "told": oracle.told_like(ours.told()),
        }


def main(files: list[str]) -> None:
    for path in [Path(file) for file in files] or RECORDINGS:
        data = recorded(json.loads(path.read_text()))
        path.write_text(json.dumps(data, separators=(",", ":")))
        print(f"{path}: {len(data['steps'])} steps")


if __name__ == "__main__":
    main(sys.argv[1:])
