"""Flags that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from baseboard.store.directory import default_state

State = Annotated[
    Path,
    typer.Option(
        "--state",
        metavar="DIR",
        help="State directory of the instance.",
        default_factory=default_state,
        show_default="$XDG_STATE_HOME/baseboard/default",
    ),
]

Json = Annotated[bool, typer.Option("--json", help="One line of JSON, for programs.")]
