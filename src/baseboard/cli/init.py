"""`baseboard init`: a commented configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from baseboard.errors import ConfigError

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def init(
    file: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="Where to write it; - is standard output.")
    ] = Path("baseboard.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write a configuration file with every setting, its meaning and its default."""
    from baseboard.store.template import template

    text = template()
    if str(file) == "-":
        typer.echo(text, nl=False)
        return
    try:
        with file.open("w" if force else "x", encoding="utf-8") as output:
            output.write(text)
    except FileExistsError:
        raise ConfigError(f"{file} exists already: name another file, or replace it with --force") from None
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    typer.echo(f"{file} written; use it with: baseboard run --config {file}")
