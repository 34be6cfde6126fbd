"""`baseboard sensor`: what the sensors show, and holding one at a value of one's own."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from baseboard.cli.client import call
from baseboard.cli.flags import Json, State
from baseboard.cli.output import print_json, print_pairs, print_table
from baseboard.errors import ConfigError

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help="Show and hold sensors."
)

Name = Annotated[str, typer.Argument(metavar="SENSOR", help="Its name, or its number.")]


@app.command("list")
def list_(state: State, json: Json = False) -> None:
    """Show every sensor."""
    sensors = call(state, "sensor.list")
    if json:
        return print_json(sensors)
    rows = ((s["number"], s["name"], *_reading(s), s["status"], "held" if s["held"] else "") for s in sensors)
    print_table(("number", "name", "reading", "unit", "status", ""), rows)
    return None


@app.command()
def get(state: State, sensor: Name, json: Json = False) -> None:
    """Show one sensor, with its thresholds or possible states."""
    _show(call(state, "sensor.get", sensor=_key(sensor)), json)


@app.command("set", context_settings={"ignore_unknown_options": True})
def set_(
    state: State,
    sensor: Name,
    value: Annotated[
        list[str],
        typer.Argument(
            metavar="VALUE...",
            help="A reading in the sensor's unit; states by name or number; or none: no reading.",
        ),
    ],
    json: Json = False,
) -> None:
    """Hold a sensor at a reading or at states, until it is released."""
    key = _key(sensor)
    discrete = "states" in call(state, "sensor.get", sensor=key)
    _show(call(state, "sensor.set", sensor=key, value=_value(value, discrete)), json)


@app.command()
def release(state: State, sensor: Name, json: Json = False) -> None:
    """Let a sensor follow the simulated server again."""
    _show(call(state, "sensor.release", sensor=_key(sensor)), json)


def _key(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() else text


def _value(words: list[str], discrete: bool) -> float | list[int | str] | None:
    if words == ["none"]:
        return [] if discrete else None
    if discrete:
        return [_key(word) for word in words]
    try:
        (word,) = words
        return float(word)
    except ValueError:
        raise ConfigError(f"{' '.join(words)!r} is not a number (or none)") from None


def _show(sensor: dict[str, Any], json: bool) -> None:
    if json:
        return print_json(sensor)
    reading, unit = _reading(sensor)
    print_pairs(
        [
            ("number", sensor["number"]),
            ("name", sensor["name"]),
            ("type", sensor["type"]),
            ("reading", f"{reading:g} {unit}" if isinstance(reading, float) else reading),
            ("status", sensor["status"]),
            ("held", sensor["held"]),
            *(("possible", state) for state in sensor.get("possible", ())),
            *sensor.get("thresholds", {}).items(),
        ]
    )
    return None


def _reading(sensor: dict[str, Any]) -> tuple[Any, str]:
    if "states" in sensor:
        return ", ".join(sensor["states"]) or None, ""
    value = sensor["value"]
    return (None if value is None else float(value)), sensor["unit"]
