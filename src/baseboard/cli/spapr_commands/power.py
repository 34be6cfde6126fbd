"""`baseboard spapr reset` and `power-down`."""

from __future__ import annotations

from pathlib import Path

import click

from baseboard.cli.spapr_commands.flags import STATE, partition


@click.command
@STATE
def reset(state: Path) -> None:
    """Reset the partition: requested unplugs are complete, what is there is ready."""
    with partition(state) as caller:
        caller.call("reset")
    forget_files(state)
    print("the partition is reset")


@click.command("power-down")
@STATE
def power_down(state: Path) -> None:
    """Ask the guest to shut down, by an EPOW event."""
    with partition(state) as caller:
        caller.call("power-down")
    print("power-down requested")


def forget_files(state: Path) -> None:
    """What programs of the guest saw is gone with the guest's memory."""
    import shutil

    from baseboard.cli.spapr_commands.files import FILES

    shutil.rmtree(state / FILES, ignore_errors=True)
