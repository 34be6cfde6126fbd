"""`baseboard spapr files`: what Linux in the partition would show to its programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from baseboard.cli.flags import PATH
from baseboard.cli.spapr_commands.flags import STATE, Caller, partition

if TYPE_CHECKING:
    from baseboard.attach.linux_files import LinuxFiles

FILES = "files"
"""The folder in the state directory in which `baseboard spapr exec` keeps them."""


@click.command
@STATE
@click.argument("directory", type=PATH)
def files(state: Path, directory: Path) -> None:
    """Write the files of /proc, /sys and /dev that hot-plug tools read into DIRECTORY.

    One that has them already is brought up to date and keeps its device tree.
    """
    with partition(state) as caller:
        guest_files(caller, directory)
    print(f"{directory} has the files")


def guest_files(caller: Caller, directory: Path) -> LinuxFiles:
    """The files of a folder, made from the partition's tree when they are new."""
    from baseboard.attach.linux_files import LinuxFiles
    from baseboard.fleet.partition.methods import data_node
    from baseboard.spapr.tree import Node, add_phandles

    def first_tree() -> Node:
        tree = data_node(caller.call("tree", guest=True))
        add_phandles(tree)
        return tree

    return LinuxFiles(directory, first_tree, caller.call("cards")["cards"])
