"""What several commands share: flags, and a command line behind `--`."""

from __future__ import annotations

from pathlib import Path

import click

from baseboard.store.directory import default_state

PATH = click.Path(path_type=Path)

STATE = click.option(
    "--state",
    metavar="DIR",
    type=PATH,
    default=default_state,
    show_default="$XDG_STATE_HOME/baseboard/default",
    help="State directory of the instance.",
)

JSON = click.option("--json", "as_json", is_flag=True, help="One line of JSON, for programs.")


class WithQemu(click.Command):
    """A command that gets what stands behind the first `--` untouched, as its parameter `qemu`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.params["qemu"] = tuple(args[at + 1 :])
        return super().parse_args(ctx, args[:at])
