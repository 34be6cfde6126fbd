"""`baseboard spapr tree`: the device tree that a guest would boot with."""

from __future__ import annotations

from pathlib import Path

import click

from baseboard.cli.flags import JSON, PATH
from baseboard.cli.output import print_json
from baseboard.cli.spapr_commands.flags import STATE, partition
from baseboard.errors import ConfigError
from baseboard.spapr.tree import Node, show_value


@click.command
@STATE
@click.argument("path", default="/")
@click.option("--dtb", metavar="FILE", type=PATH, help="Write a device-tree blob.")
@JSON
def tree(state: Path, path: str, dtb: Path | None, as_json: bool) -> None:
    """Show the device tree from PATH on (/)."""
    from baseboard.fleet.partition.methods import data_node
    from baseboard.spapr import fdt

    with partition(state) as caller:
        data = caller.call("tree", path=path)
    if dtb is not None:
        try:
            dtb.write_bytes(fdt.build(data_node(data)))
        except OSError as error:
            raise ConfigError(f"{dtb}: {error.strerror}") from None
    elif as_json:
        print_json(data)
    else:
        _show(data_node(data), "")


def _show(node: Node, indent: str) -> None:
    print(f"{indent}{node.name or '/'} {{")
    for name, value in node.properties.items():
        print(f"{indent}    {name} = {show_value(value)}" if value else f"{indent}    {name}")
    for child in node.children:
        _show(child, f"{indent}    ")
    print(f"{indent}}}")
