"""`baseboard sel`: the system event log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from baseboard.cli.client import Client
from baseboard.cli.flags import JSON, STATE
from baseboard.cli.output import print_json, print_table
from baseboard.errors import ConfigError


@click.group(no_args_is_help=True)
def sel() -> None:
    """Show, add to and clear the system event log."""


@sel.command("list")
@STATE
@JSON
def list_(state: Path, as_json: bool) -> None:
    """Show every record, oldest first."""
    records: list[dict[str, Any]] = []
    with Client(state) as client:
        answer = client.call("sel.list")
        records += answer["records"]
        while answer["more"] and answer["records"]:
            answer = client.call("sel.list", after=records[-1]["id"])
            records += answer["records"]
    if as_json:
        return print_json(records)
    note = f"{answer['entries']} of {answer['capacity']} records" + (
        ", overflow" if answer["overflow"] else ""
    )
    print_table(("id", "time", "sensor", "event", "", "data"), map(_row, records), note=note)
    return None


@sel.command()
@STATE
@click.argument("sensor", metavar="SENSOR")
@click.argument("event", metavar="EVENT")
@click.option("--deassertion", is_flag=True, help="The event is over.")
@JSON
def add(state: Path, sensor: str, event: str, deassertion: bool, as_json: bool) -> None:
    """Add an event of a sensor, or a record of 16 bytes.

    SENSOR is a name or a number, EVENT the event in words or its offset ("CPU1 Temp" "upper critical going
    high"); for a record, SENSOR is - and EVENT its 32 hexadecimal digits.
    """
    with Client(state) as client:
        if sensor == "-":
            if deassertion:
                raise ConfigError(
                    "a raw record has its own deassertion bit: --deassertion does not go with it"
                )
            record = client.call("sel.add", record=event)
        else:
            parameters = {"sensor": _key(sensor), "event": _key(event), "deassertion": deassertion}
            record = client.call("sel.add-event", **parameters)
    if as_json:
        print_json(record)
    else:
        print(f"added as record {record['id']}")


@sel.command()
@STATE
@JSON
def clear(state: Path, as_json: bool) -> None:
    """Remove every record."""
    with Client(state) as client:
        answer = client.call("sel.clear")
    if as_json:
        print_json(answer)
    else:
        print("cleared")


def _key(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() else text


def _row(record: dict[str, Any]) -> tuple[Any, ...]:
    if "event" not in record:
        return (
            record["id"],
            record["time"] or "",
            "",
            f"record of type {record['type']:02X}h",
            "",
            record["record"],
        )
    sensor = record["sensor"] or f"{record['sensor_type']} {record['sensor_number']:02X}h"
    direction = "asserted" if record["asserted"] else "deasserted"
    return record["id"], record["time"], sensor, record["event"], direction, record["data"]
