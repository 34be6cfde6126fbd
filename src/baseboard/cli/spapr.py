"""`baseboard spapr`: the partition's side of a POWER machine."""

from __future__ import annotations

from importlib import import_module

import click

# fmt: off
COMMANDS = {
    # command        module in spapr_commands, and what the command is called in it
    "serve":         ("serve",    "serve"),
    "attach":        ("attach",   "attach"),
    "ls":            ("ls",       "ls"),
    "plug":          ("plug",     "plug"),
    "unplug":        ("unplug",   "unplug"),
    "tree":          ("tree",     "tree"),
    "reset":         ("power",    "reset"),
    "power-down":    ("power",    "power_down"),
    "fault":         ("fault",    "fault"),
    "log":           ("log",      "log"),
    "replay":        ("log",      "replay_log"),
    "exec":          ("run_tool", "run_tool"),
    "files":         ("files",    "files"),
    "event":         ("event",    "event"),
    "tcti":          ("tcti",     "tcti"),
}
# fmt: on


class _Commands(click.Group):
    """Imports a command's module when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"baseboard.cli.spapr_commands.{module}"), name)
        return command


@click.group("spapr", cls=_Commands, no_args_is_help=True)
def spapr() -> None:
    """A partition of a POWER machine: hot plug, RTAS, events, TPM."""
