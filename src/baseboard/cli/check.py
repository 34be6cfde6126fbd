"""`baseboard check`: is this configuration file right?"""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated

import typer

from baseboard.cli.flags import Json
from baseboard.errors import ConfigError

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration file.")],
    json: Json = False,
) -> None:
    """Check a configuration file as `baseboard run --config FILE` would, and start nothing."""
    from baseboard.fleet.configured import configured
    from baseboard.fleet.options import Options

    try:
        configured(Options(state=Path()), file)
    except ConfigError as error:
        if json:
            typer.echo(json_.dumps({"file": str(file), "mistakes": str(error).splitlines()}))
            raise typer.Exit(2) from None
        raise
    typer.echo(json_.dumps({"file": str(file), "mistakes": []}) if json else f"{file} is right")
