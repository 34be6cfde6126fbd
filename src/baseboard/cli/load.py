"""`baseboard load`: what the simulated server works on."""

from __future__ import annotations

from pathlib import Path

import click

from baseboard.cli.client import call
from baseboard.cli.flags import JSON, STATE
from baseboard.cli.output import print_json, print_pairs


@click.command(context_settings={"ignore_unknown_options": True})  # a number may be negative
@STATE
@click.argument("load", metavar="[LOAD]", type=float, required=False)
@click.option("--ambient", type=float, help="Temperature of the room in degrees C.")
@JSON
def load(state: Path, as_json: bool, **values: float | None) -> None:
    """Show or change the simulated server's load.

    LOAD is from 0 (idle) to 1 (all it can); temperatures, fans and power follow.
    """
    given = {name: value for name, value in values.items() if value is not None}
    answer = call(state, "load.set", **given) if given else call(state, "load.get")
    if as_json:
        print_json(answer)
    else:
        print_pairs(answer.items())
