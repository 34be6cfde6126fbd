"""`baseboard init`: a commented configuration file."""

from __future__ import annotations

from pathlib import Path

import click

from baseboard.cli.flags import PATH
from baseboard.errors import ConfigError


@click.command
@click.argument("file", metavar="[FILE]", type=PATH, default="baseboard.toml")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def init(file: Path, force: bool) -> None:
    """Write a commented configuration file.

    It has every setting, its meaning and its default. FILE is baseboard.toml if it is not given; - is
    standard output.
    """
    from baseboard.store.template import template  # here and not above: pydantic costs 40 ms

    text = template()
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    try:
        with file.open("w" if force else "x", encoding="utf-8") as output:
            output.write(text)
    except FileExistsError:
        raise ConfigError(f"{file} exists already: name another file, or replace it with --force") from None
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    click.echo(f"{file} written; use it with: baseboard run --config {file}")
