"""Flags that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

from baseboard.store.directory import default_state

PATH = click.Path(path_type=Path)

STATE = click.option(
    "--state",
    metavar="DIR",
    type=PATH,
    default=default_state,
    show_default="$XDG_STATE_HOME/baseboard/default",
    help="State directory of the instance.",
)

JSON = click.option("--json", "as_json", is_flag=True, help="One line of JSON, for programs.")
