"""`baseboard spapr fault`: answers that a healthy platform never gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from baseboard.cli.flags import JSON
from baseboard.cli.output import print_json, print_table
from baseboard.cli.spapr_commands.flags import STATE, partition
from baseboard.errors import ConfigError


@click.group(no_args_is_help=True)
def fault() -> None:
    """Answers that a service or a hypercall is to give instead of acting: busy, delays, errors."""


@fault.command(context_settings={"ignore_unknown_options": True})
@STATE
@click.argument("service")
@click.argument("answers", nargs=-1, required=True)
@click.option(
    "--index",
    metavar="INDEX",
    help="Of which connector, such as 0x10000001; of a hypercall, its first argument (any).",
)
@click.option("--sensor", metavar="N", type=int, help="Of which indicator or sensor, such as 9001 (any).")
def add(state: Path, service: str, answers: tuple[str, ...], index: str | None, sensor: int | None) -> None:
    """Let SERVICE (set-indicator, H_TPM_COMM, ...) answer with each of ANSWERS once.

    They are statuses (-2, 9902, ...), of a hypercall also names (H_BUSY, ...), or pass. Put `--` before a
    negative one.
    """
    row: dict[str, Any] = {"service": service, "answers": [_number(answer) for answer in answers]}
    if index is not None:
        row["index"] = _index(index)
    if sensor is not None:
        row["sensor"] = sensor
    with partition(state) as caller:
        caller.call("fault.add", fault=row)
    print(f"{service}: {len(answers)} answers wait")


@fault.command("list")
@STATE
@JSON
def list_faults(state: Path, as_json: bool) -> None:
    """Show what is still to be answered."""
    with partition(state) as caller:
        faults = caller.call("fault.list")["faults"]
    if as_json:
        return print_json(faults)
    columns = ("service", "index", "sensor", "answers")
    return print_table(columns, ([fault.get(column) for column in columns] for fault in faults))


@fault.command
@STATE
def clear(state: Path) -> None:
    """Forget them all."""
    with partition(state) as caller:
        caller.call("fault.clear")
    print("no faults")


def _index(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise ConfigError(f"--index: {text!r} is not a number; `baseboard spapr ls` shows them") from None


def _number(text: str) -> int | str:
    from baseboard.spapr.hcalls.codes import CODES

    if text == "pass":
        return text
    if text in CODES:
        return CODES[text]
    try:
        return int(text, 0)
    except ValueError:
        names = ", ".join(CODES)
        raise ConfigError(f"{text!r} is neither a number, nor pass, nor one of {names}") from None
