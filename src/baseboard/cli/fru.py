"""`baseboard fru`: the inventory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from baseboard.cli.client import call
from baseboard.cli.flags import JSON, STATE
from baseboard.cli.output import print_json, print_table


@click.command
@STATE
@JSON
def fru(state: Path, as_json: bool) -> None:
    """Show every inventory device."""
    devices = call(state, "fru.list")
    if as_json:
        return print_json(devices)
    print_table(("id", "device", "area", "field", "value"), (row for one in devices for row in _rows(one)))
    return None


def _rows(device: dict[str, Any]) -> list[tuple[Any, ...]]:
    head: tuple[Any, ...] = device["id"], device["name"]
    rows = [
        (area, field.replace("_", " "), value)
        for area in ("chassis", "board", "product")
        for field, value in device.get(area, {}).items()
    ]
    if "error" in device:
        rows.append(("-", "unreadable", device["error"]))
    return [(*head, *row) if number == 0 else ("", "", *row) for number, row in enumerate(rows)]
