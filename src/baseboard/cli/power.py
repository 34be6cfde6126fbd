"""`baseboard power`: the machine's power."""

from __future__ import annotations

from typing import Annotated

import typer

from baseboard.cli.client import call
from baseboard.cli.flags import Json, State
from baseboard.cli.output import print_json, print_pairs
from baseboard.errors import ConfigError

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)

ACTIONS = ("status", "on", "off", "cycle", "reset", "soft", "nmi")


@app.command()
def power(
    state: State,
    action: Annotated[str, typer.Argument(metavar="|".join(ACTIONS), help="What to do.")] = "status",
    json: Json = False,
) -> None:
    """Show or change the machine's power, by the same rules as Chassis Control over IPMI."""
    if action not in ACTIONS:
        raise ConfigError(f"power: {action!r} is not one of {', '.join(ACTIONS)}")
    answer = call(state, f"power.{action}")
    if json:
        print_json(answer)
    elif action == "status":
        print_pairs((name.replace("_", " "), value) for name, value in answer.items())
    else:
        print(f"power {action} requested")
