"""The example and the names of docs/explanation/spapr.md."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from baseboard.spapr.choices import Choice
from baseboard.spapr.faults import FaultPlan
from baseboard.spapr.rtas import TOKENS

TEXT = (Path(__file__).parents[2] / "docs" / "explanation" / "spapr.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    return found[1]


def test_example(capsys: pytest.CaptureFixture[str]) -> None:
    exec(block("python"), {})  # our own text
    printed = capsys.readouterr().out.strip()
    assert f"`{printed}`" in TEXT


def test_fault_plan() -> None:
    plan = FaultPlan(TOKENS)
    for row in tomllib.loads(block("toml"))["fault"]:
        plan.add(row)
    assert plan


def test_every_choice_has_its_row() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", TEXT, re.MULTILINE)) == {choice.name for choice in Choice}
