"""The commands, each imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

# fmt: off
COMMANDS = {
    # command        module, whose `app` it is
    "run":           "run_help",
    "init":          "init",
    "check":         "check",
    "status":        "status",
    "sensor":        "sensor",
    "sel":           "sel",
    "fru":           "fru",
    "power":         "power",
    "load":          "load",
    "reset-state":   "reset_state",
}
# fmt: on


class _Commands(TyperGroup):
    """Imports a command's module when that command is asked for."""

    if not TYPE_CHECKING:  # typer carries its own click, or uses the one beside it: no name for its types

        def list_commands(self, ctx: Any) -> list[str]:
            return list(COMMANDS)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            module = COMMANDS.get(cmd_name)
            if module is None:
                return None
            command = typer.main.get_command(import_module(f"baseboard.cli.{module}").app)
            command.name = cmd_name
            return command


app = typer.Typer(cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"baseboard {version('baseboard')}")
        raise typer.Exit


@app.callback()
def baseboard(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """The management side of a virtual machine: a complete BMC for QEMU guests and for tests."""
