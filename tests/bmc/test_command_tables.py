"""Our command tables against the list of the specifications."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from baseboard.bmc.commands import TABLES
from baseboard.bmc.core import Command
from baseboard.ipmi import Privilege

COMMANDS = json.loads((Path(__file__).parents[1] / "data" / "commands.json").read_text())["commands"]

LEVELS = {
    "none": Privilege.NONE,
    "callback": Privilege.CALLBACK,
    "user": Privilege.USER,
    "operator": Privilege.OPERATOR,
    "admin": Privilege.ADMINISTRATOR,
    "system": Privilege.SYSTEM,
}

DEVIATIONS = {
    # Levels that are no single one, and which we took.
    ("06", "34"): (Privilege.USER, "a user may reach system software; other channels take an operator"),
    ("06", "3C"): (Privilege.CALLBACK, "everybody may close the own session; others take an administrator"),
    ("06", "48"): (Privilege.USER, "configurable: SOL parameter 2"),
    ("06", "49"): (Privilege.USER, "configurable: SOL parameter 2"),
    ("0C", "18"): (Privilege.NONE, "sent by a BMC, never to one"),
    ("0C", "19"): (Privilege.CALLBACK, "callback level and operators, but no users: the least of them"),
    ("0C", "20"): (Privilege.NONE, "sent by a BMC, never to one"),
}


def rows() -> dict[tuple[str, str], Command[Any]]:
    found: dict[tuple[str, str], Command[Any]] = {}
    for table in TABLES:
        netfn = f"{table.netfn:02X}" if table.group is None else f"{table.netfn:02X}.{table.group:02X}"
        for row in table.commands:
            key = netfn, f"{row.number:02X}"
            assert key not in found, f"{key} stands in two tables"
            found[key] = row
    return found


ROWS = rows()


@pytest.mark.parametrize(
    ("netfn", "number", "level", "name"), [pytest.param(*row, id=f"{row[0]}/{row[1]}") for row in COMMANDS]
)
def test_every_command_is_there(netfn: str, number: str, level: str, name: str) -> None:
    row = ROWS.get((netfn, number))
    assert row is not None, f"{name} has no row"
    assert row.handler is not None or row.reason, f"{name} is left out without a reason"
    if level == "not given":
        return
    deviation = DEVIATIONS.get((netfn, number))
    expected = deviation[0] if deviation else LEVELS[level]
    assert row.privilege == expected, name


def test_we_invent_none() -> None:
    assert ROWS.keys() <= {(netfn, number) for netfn, number, _, _ in COMMANDS}


def test_deviations_are_deviations() -> None:
    told = {(netfn, number): LEVELS.get(level) for netfn, number, level, _ in COMMANDS}
    assert all(told[key] != level for key, (level, _) in DEVIATIONS.items())


@pytest.mark.parametrize(
    "table", TABLES, ids=lambda table: f"{table.netfn:02X}/{table.commands[0].number:02X}"
)
def test_tables_are_in_the_order_of_numbers(table: Any) -> None:
    numbers = [row.number for row in table.commands]
    assert numbers == sorted(numbers)
