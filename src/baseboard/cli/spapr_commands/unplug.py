"""`baseboard spapr unplug`: ask the guest to let go of something."""

from __future__ import annotations

from pathlib import Path

import click

from baseboard.cli.flags import JSON
from baseboard.cli.output import print_json
from baseboard.cli.spapr_commands.flags import STATE, partition


@click.command
@STATE
@click.argument("name")
@JSON
def unplug(state: Path, name: str, as_json: bool) -> None:
    """Ask the guest to let go of NAME; it is gone when it has.

    What the guest does not hold goes at once.
    """
    with partition(state) as caller:
        answer = caller.call("unplug", id=name)
    if as_json:
        print_json(answer)
    else:
        print(f"{name}: the guest is asked" if answer["there"] else f"{name} is gone")
