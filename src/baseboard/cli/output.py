"""Answers for people (rich) and for programs (one line of JSON)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

PIPE_WIDTH = 160
"""Columns of a table that no terminal shows."""


def print_json(data: Any) -> None:
    """One line."""
    print(json.dumps(data, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, note: str = "") -> None:
    """A table; None is shown as a dash, numbers stand right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    cells = [list(row) for row in rows]
    for number, column in enumerate(columns):
        values = [row[number] for row in cells if row[number] is not None]
        numeric = bool(values) and all(isinstance(value, (int, float)) for value in values)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(_shown(cell), style=_style(cell)) for cell in row))
    console.print(table)
    if note:
        console.print(note, markup=False)


def print_pairs(pairs: Iterable[tuple[str, Any]]) -> None:
    """Names and values, one pair a line."""
    shown = [(name, _shown(value)) for name, value in pairs]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        print(f"{name:{width}}  {value}")


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "-"
    return str(value)


def _style(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    if "critical" in value or "non-recoverable" in value:
        return "yellow" if "non-critical" in value else "bold red"
    return "dim" if value == "no reading" else ""
