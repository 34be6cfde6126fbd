"""`baseboard load`: what the simulated server works on."""

from __future__ import annotations

from typing import Annotated

import typer

from baseboard.cli.client import call
from baseboard.cli.flags import Json, State
from baseboard.cli.output import print_json, print_pairs

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command(context_settings={"ignore_unknown_options": True})
def load(
    state: State,
    load: Annotated[
        float | None, typer.Argument(metavar="[LOAD]", help="0 (idle) to 1 (all it can).")
    ] = None,
    ambient: Annotated[float | None, typer.Option(help="Temperature of the room in degrees C.")] = None,
    json: Json = False,
) -> None:
    """Show or change the simulated server's load; temperatures, fans and power follow."""
    given = {name: value for name, value in (("load", load), ("ambient", ambient)) if value is not None}
    answer = call(state, "load.set", **given) if given else call(state, "load.get")
    if json:
        print_json(answer)
    else:
        print_pairs(answer.items())
