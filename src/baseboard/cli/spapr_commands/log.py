"""`baseboard spapr log` and `replay`: everything that was asked of a partition, and asking it again."""

from __future__ import annotations

import json
from pathlib import Path

import click

from baseboard.cli.client import RequestFailed
from baseboard.cli.flags import PATH
from baseboard.cli.spapr_commands.flags import STATE, partition
from baseboard.errors import ConfigError


@click.command
@STATE
@click.argument("action", type=click.Choice(("start", "stop", "show")), default="show")
def log(state: Path, action: str) -> None:
    """Start or stop the call log of a running partition, or write it, one JSON object a line."""
    with partition(state) as caller:
        if action != "show":
            caller.call(f"log.{action}")
            return
        after = 0
        while True:
            page = caller.call("log.get", after=after)
            for entry in page["entries"]:
                print(json.dumps(entry))
            after += len(page["entries"])
            if not page["more"]:
                return


@click.command("replay")
@STATE
@click.argument("file", type=PATH)
def replay_log(state: Path, file: Path) -> None:
    """Ask a fresh partition, like that in the state directory at its first start, what FILE has.

    The partition itself is not changed. Exit status 1 at the first answer that is not as in the log.
    """
    from baseboard.fleet.partition.partition import reborn
    from baseboard.spapr.replaying import replay

    try:
        entries = [json.loads(line) for line in file.read_text().splitlines()]
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: not a call log: {error}") from None
    difference = replay(reborn(state), entries)
    if difference is not None:
        raise RequestFailed(difference)
    print(f"{len(entries)} calls, all answered as in {file}")
