"""`baseboard reset-state`: forget what commands changed."""

from __future__ import annotations

import json
from pathlib import Path

import click

from baseboard.cli.flags import JSON, STATE
from baseboard.store import database


@click.command("reset-state")
@STATE
@JSON
def reset_state(state: Path, as_json: bool) -> None:
    """Forget what commands changed.

    The next start is as the configuration says. The password file stays.
    """
    done = database.reset_state(state)
    if as_json:
        click.echo(json.dumps({"state": str(state), "reset": done}))
    else:
        click.echo(
            f"{state}: what commands had changed is forgotten" if done else f"{state}: nothing was kept"
        )
