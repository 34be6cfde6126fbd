"""`baseboard check`: is this configuration file right?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from baseboard.cli.flags import JSON, PATH
from baseboard.errors import ConfigError


@click.command
@click.argument("file", metavar="FILE", type=PATH)
@JSON
@click.pass_context
def check(context: click.Context, file: Path, as_json: bool) -> None:
    """Check a configuration file, and start nothing.

    It is read as `baseboard run --config FILE` would read it.
    """
    from baseboard.fleet.configured import configured  # here and not above: pydantic costs 40 ms
    from baseboard.fleet.options import Options

    try:
        configured(Options(state=Path()), file)
    except ConfigError as error:
        if as_json:
            click.echo(json.dumps({"file": str(file), "mistakes": str(error).splitlines()}))
            context.exit(2)
        raise
    click.echo(json.dumps({"file": str(file), "mistakes": []}) if as_json else f"{file} is right")
