"""`baseboard run` in the list of commands; what it does is `run`."""

from __future__ import annotations

import typer

from baseboard.cli.run import run as run_now

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True}, add_help_option=False
)
def run(context: typer.Context) -> None:
    """Run a controller: with no arguments, a complete simulated server."""
    run_now(context.args)
