"""`baseboard power`: the machine's power."""

from __future__ import annotations

from pathlib import Path

import click

from baseboard.cli.client import call
from baseboard.cli.flags import JSON, STATE
from baseboard.cli.output import print_json, print_pairs
from baseboard.errors import ConfigError

ACTIONS = ("status", "on", "off", "cycle", "reset", "soft", "nmi")


@click.command
@STATE
@click.argument("action", metavar=f"[{'|'.join(ACTIONS)}]", default="status")
@JSON
def power(state: Path, action: str, as_json: bool) -> None:
    """Show or change the machine's power.

    The rules are those of Chassis Control over IPMI.
    """
    if action not in ACTIONS:
        raise ConfigError(f"power: {action!r} is not one of {', '.join(ACTIONS)}")
    answer = call(state, f"power.{action}")
    if as_json:
        print_json(answer)
    elif action == "status":
        print_pairs((name.replace("_", " "), value) for name, value in answer.items())
    else:
        print(f"power {action} requested")
