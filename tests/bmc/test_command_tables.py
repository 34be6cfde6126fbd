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

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"

CHAPTERS = {
    "00": "Chassis, 00h",
    "02": "Bridge, 02h",
    "04": "Sensor/Event, 04h",
    "06": "Application, 06h",
    "0A": "Storage, 0Ah",
    "0C": "Transport, 0Ch",
    "2C.00": "PICMG and HPM.1, 2Ch, group 00h",
    "2C.DC": "DCMI, 2Ch, group DCh",
}

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


def page() -> str:
    """docs/reference/commands.md as the tables have it."""
    lines = [
        "# Commands",
        "",
        "Every command of IPMI 2.0, DCMI 1.5 and PICMG/HPM.1: the least privilege that it takes, or why it",
        "is left out. `none` is accepted outside a session; `system` over interfaces without sessions alone.",
        "",
        "`python -m tests.bmc.test_command_tables` writes this page from the command tables.",
    ]
    chapter = ""
    for netfn, number, _, name in COMMANDS:
        if netfn != chapter:
            chapter = netfn
            head = "| command | name | privilege | left out because |"
            lines += ["", f"## {CHAPTERS[netfn]}", "", head, "|---|---|---|---|"]
        row = ROWS[netfn, number]
        level = row.privilege.name.lower() if row.handler else ""
        lines.append(f"| {number}h | {name} | {level} | {row.reason} |")
    return "\n".join(lines) + "\n"


def test_the_page_is_that_of_the_tables() -> None:
    assert PAGE.read_text() == page(), "write it anew: python -m tests.bmc.test_command_tables"


@pytest.mark.parametrize(
    "table", TABLES, ids=lambda table: f"{table.netfn:02X}/{table.commands[0].number:02X}"
)
def test_tables_are_in_the_order_of_numbers(table: Any) -> None:
    numbers = [row.number for row in table.commands]
    assert numbers == sorted(numbers)


if __name__ == "__main__":
    PAGE.write_text(page())
