"""`baseboard spapr event`: event logs to words, and requests to event logs."""

from __future__ import annotations

from dataclasses import asdict
from typing import IO, Any

import click

from baseboard.cli.flags import JSON
from baseboard.cli.output import print_json, print_pairs
from baseboard.errors import ConfigError

MOST = 1 << 20
"""Bytes of a file that are read."""

RESOURCE_NUMBERS = {"cpu": 1, "memory": 2, "slot": 3, "phb": 4, "pci": 5, "pmem": 6}
ACTION_NUMBERS = {"add": 1, "remove": 2}


def number(text: str) -> int:
    """32 bits, in decimal or with 0x."""
    try:
        value = int(text, 0)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no number; write 4 or 0x80000004") from None
    if not 0 <= value <= 0xFFFF_FFFF:
        raise click.BadParameter(f"{text} does not fit in 32 bits")
    return value


@click.group(no_args_is_help=True)
def event() -> None:
    """Event logs of RTAS: hot-plug requests, power warnings, and any other."""


@event.command
@click.argument("file", type=click.File("rb"), default="-")
@JSON
def decode(file: IO[bytes], as_json: bool) -> None:
    """Explain the logs in FILE, or on standard input.

    Hex digits, a kernel's messages with lines `RTAS 0: ...`, or the bytes themselves.
    """
    from baseboard.errors import DecodeError
    from baseboard.spapr.events import HotplugEvent
    from baseboard.spapr.events import decode as decode_log
    from baseboard.spapr.events.explain import explain, read_logs

    try:
        logs = [decode_log(log) for log in read_logs(file.read(MOST))]
    except DecodeError as error:
        name = getattr(file, "name", "standard input").replace("<stdin>", "standard input")
        raise ConfigError(f"{name}: {error}") from error
    if as_json:
        rows = []
        for log in logs:
            sections = [one._asdict() | {"body": one.body.hex()} for one in log.sections]
            row = log._asdict() | {"sections": sections}
            if isinstance(log.event, HotplugEvent):
                row["event"] = {"hotplug": asdict(log.event)}
            elif log.event is not None:
                row["event"] = {"epow": log.event._asdict() | {"reason": log.event.reason.hex()}}
            rows.append(row)
        print_json(rows)
        return
    for number, log in enumerate(logs):
        if number:
            print()
        print_pairs(explain(log))


@event.group(no_args_is_help=True)
def encode() -> None:
    """Write an event log in hex."""


LINES = click.option("--lines", is_flag=True, help="As a kernel's `RTAS n:` lines.")
LOG_ID = click.option("--log-id", metavar="N", type=number, default="0", help="The log's identifier (0).")


@encode.command
@click.argument("resource", type=click.Choice(list(RESOURCE_NUMBERS)))
@click.argument("action", type=click.Choice(list(ACTION_NUMBERS)))
@click.option("--index", metavar="N", type=number, help="A connector's index; with --count, the first's.")
@click.option("--count", metavar="N", type=number, help="How many connectors.")
@click.option("--name", metavar="NAME", help="A connector's name, such as C24.")
@click.option("--token", metavar="N", type=number, help="A token for the answer.")
@click.option("--non-transactional", is_flag=True, help="Do as much of --count as can be done.")
@LOG_ID
@LINES
def hotplug(
    resource: str,
    action: str,
    index: int | None,
    count: int | None,
    name: str | None,
    token: int | None,
    non_transactional: bool,
    log_id: int,
    lines: bool,
) -> None:
    """A request to add or remove what --index, --count, both, or --name say."""
    from baseboard.spapr.events import HotplugEvent

    if name is None and index is None and count is None:
        raise click.UsageError("say what: --index, --count, both, or --name")
    if name is not None and (index is not None or count is not None):
        raise click.UsageError("--name stands alone")
    request = HotplugEvent(
        RESOURCE_NUMBERS[resource],
        ACTION_NUMBERS[action],
        index,
        count,
        name,
        token,
        transactional=not non_transactional,
    )
    _print(request, log_id, lines)


@encode.command
@LOG_ID
@LINES
def epow(log_id: int, lines: bool) -> None:
    """A warning that asks for a normal shutdown of the partition."""
    from baseboard.spapr.events import EpowEvent

    _print(EpowEvent(), log_id, lines)


def _print(what: Any, log_id: int, lines: bool) -> None:
    from time import time

    from baseboard.errors import LocalProtocolError
    from baseboard.spapr.events import encode as encode_log
    from baseboard.spapr.events.explain import kernel_lines

    try:
        log = encode_log(what, log_id, time())
    except LocalProtocolError as error:
        raise click.UsageError(str(error)) from error
    print(kernel_lines(log) if lines else log.hex(), end="" if lines else "\n")
