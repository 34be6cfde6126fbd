"""`baseboard spapr log` and `replay`: everything that was asked of a partition, and asking it again."""

from __future__ import annotations

import json
from pathlib import Path

import click

from baseboard.cli.client import Client, RequestFailed
from baseboard.cli.flags import PATH
from baseboard.cli.spapr_commands.flags import STATE, partition
from baseboard.errors import ConfigError


@click.command
@STATE
@click.argument("action", type=click.Choice(("start", "stop", "show")), default="show")
def log(state: Path, action: str) -> None:
    """Start or stop the call log of a running partition, or write it, one JSON object a line.

    The first line has the partition's state at the start.
    """
    with partition(state) as caller:
        if not isinstance(caller, Client):
            raise RequestFailed(f"{state}: a log is kept while `baseboard spapr serve` runs, and it does not")
        if action != "show":
            caller.call(f"log.{action}")
            return
        after = 0
        while True:
            page = caller.call("log.get", after=after)
            if not after:
                print(json.dumps({"begin": page["begin"], "dropped": page["dropped"]}))
            for entry in page["entries"]:
                print(json.dumps(entry))
            after += len(page["entries"])
            if not page["more"]:
                return


@click.command("replay")
@STATE
@click.argument("file", type=PATH)
def replay_log(state: Path, file: Path) -> None:
    """Ask a partition like that of which FILE is the log, as it was when the log began, what FILE has.

    A FILE without such a beginning is asked of one like that in the state directory at its first start. The
    partition itself is not changed. Exit status 1 at the first answer that is not as in the log.
    """
    from baseboard.fleet.partition.partition import reborn
    from baseboard.spapr.replaying import replay
    from baseboard.spapr.saved import restore

    try:
        entries = [json.loads(line) for line in file.read_text().splitlines()]
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: not a call log: {error}") from None
    if not entries:
        raise ConfigError(f"{file}: not a call log: it is empty")
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or not ("do" in entry or (number == 1 and "begin" in entry)):
            raise ConfigError(f"{file}: not a call log: line {number} is no call")
    if "begin" in entries[0]:
        head = entries.pop(0)
        if head.get("dropped"):
            raise ConfigError(f"{file}: the first {head['dropped']} entries of the log are lost")
        try:
            machine = restore(head["begin"])
        except ConfigError as error:
            raise ConfigError(f"{file}: {error}") from error
    else:
        machine = reborn(state)
    try:
        difference = replay(machine, entries)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error
    if difference is not None:
        raise RequestFailed(difference)
    print(f"{len(entries)} calls, all answered as in {file}")
