"""The commands, each imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click

# fmt: off
COMMANDS = {
    # command        module, and what the command is called in it
    "run":           "run",
    "init":          "init",
    "check":         "check",
    "status":        "status",
    "sensor":        "sensor",
    "sel":           "sel",
    "fru":           "fru",
    "power":         "power",
    "load":          "load",
    "describe":      "describe",
    "host":          "host",
    "pair":          "pair",
    "pci-proxy":     "pci_proxy",
    "spapr":         "spapr",
    "reset-state":   "reset_state",
}
# fmt: on

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class _Commands(click.Group):
    """Imports a command's module when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = COMMANDS.get(cmd_name)
        if name is None:
            return None
        command: click.Command = getattr(import_module(f"baseboard.cli.{name}"), name)
        return command


def _show_version(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # brings email and zipfile: 15 ms

        click.echo(f"baseboard {version('baseboard')}")
        context.exit()


@click.group(cls=_Commands, no_args_is_help=True, context_settings=CONTEXT)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version.",
)
def baseboard() -> None:
    """The management side of a virtual machine: a complete BMC for QEMU guests and for tests."""
