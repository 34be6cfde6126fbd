"""`baseboard spapr ls`: connectors, and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from baseboard.cli.flags import JSON
from baseboard.cli.output import print_json, print_table
from baseboard.cli.spapr_commands.flags import STATE, Caller, partition

_COLUMNS = ("index", "name", "kind", "state", "sense", "device", "unplug_requested")


@click.command
@STATE
@click.option("--all", "everything", is_flag=True, help="Also connectors that have nothing.")
@JSON
def ls(state: Path, everything: bool, as_json: bool) -> None:
    """List connectors: index, name, state, and the device."""
    with partition(state) as caller:
        rows = connectors(caller, everything)
    if as_json:
        print_json(rows)
    else:
        print_table(
            [column.replace("_", " ") for column in _COLUMNS],
            ([row[name] for name in _COLUMNS] for row in rows),
        )


def connectors(caller: Caller, everything: bool) -> list[dict[str, Any]]:
    """All of them, a page at a time."""
    rows: list[dict[str, Any]] = []
    while True:
        after = int(rows[-1]["index"], 16) if rows else 0
        page = caller.call("ls", everything=everything, after=after)
        rows += page["connectors"]
        if not page["more"]:
            return rows
