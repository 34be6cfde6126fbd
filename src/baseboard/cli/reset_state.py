"""`baseboard reset-state`: forget what commands changed."""

from __future__ import annotations

import json as json_

import typer

from baseboard.cli.flags import Json, State

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def reset_state(state: State, json: Json = False) -> None:
    """Forget what commands changed: the next start is as the configuration says. The password file stays."""
    from baseboard.store.database import reset_state

    done = reset_state(state)
    if json:
        typer.echo(json_.dumps({"state": str(state), "reset": done}))
    else:
        typer.echo(
            f"{state}: what commands had changed is forgotten" if done else f"{state}: nothing was kept"
        )
