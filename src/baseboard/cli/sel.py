"""`baseboard sel`: the system event log."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from baseboard.cli.client import Client
from baseboard.cli.flags import Json, State
from baseboard.cli.output import print_json, print_table
from baseboard.errors import ConfigError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Show, add to and clear the system event log.",
)


@app.command("list")
def list_(state: State, json: Json = False) -> None:
    """Show every record, oldest first."""
    records: list[dict[str, Any]] = []
    with Client(state) as client:
        answer = client.call("sel.list")
        records += answer["records"]
        while answer["more"] and answer["records"]:
            answer = client.call("sel.list", after=records[-1]["id"])
            records += answer["records"]
    if json:
        return print_json(records)
    note = f"{answer['entries']} of {answer['capacity']} records" + (
        ", overflow" if answer["overflow"] else ""
    )
    print_table(("id", "time", "sensor", "event", "", "data"), map(_row, records), note=note)
    return None


@app.command()
def add(
    state: State,
    sensor: Annotated[str, typer.Argument(metavar="SENSOR", help="Name or number; or - for a raw record.")],
    event: Annotated[
        str,
        typer.Argument(metavar="EVENT", help="The event in words or its offset; or 32 hexadecimal digits."),
    ],
    deassertion: Annotated[bool, typer.Option("--deassertion", help="The event is over.")] = False,
    json: Json = False,
) -> None:
    """Add an event of a sensor ("CPU1 Temp" "upper critical going high"), or a record of 16 bytes."""
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
    if json:
        print_json(record)
    else:
        print(f"added as record {record['id']}")


@app.command()
def clear(state: State, json: Json = False) -> None:
    """Remove every record."""
    with Client(state) as client:
        answer = client.call("sel.clear")
    if json:
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
