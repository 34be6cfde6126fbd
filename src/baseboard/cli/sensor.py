"""`baseboard sensor`: what the sensors show, and holding one at a value of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from baseboard.cli.client import call
from baseboard.cli.flags import JSON, STATE
from baseboard.cli.output import print_json, print_pairs, print_table
from baseboard.errors import ConfigError

SENSOR = click.argument("sensor", metavar="SENSOR")


@click.group(no_args_is_help=True)
def sensor() -> None:
    """Show and hold sensors: each by its name or number, a satellite's as 82h/NAME."""


@sensor.command("list")
@STATE
@JSON
def list_(state: Path, as_json: bool) -> None:
    """Show every sensor."""
    sensors = call(state, "sensor.list")
    if as_json:
        return print_json(sensors)
    rows = ((s["number"], s["key"], *_reading(s), s["status"], "held" if s["held"] else "") for s in sensors)
    print_table(("number", "name", "reading", "unit", "status", ""), rows)
    return None


@sensor.command()
@STATE
@SENSOR
@JSON
def get(state: Path, sensor: str, as_json: bool) -> None:
    """Show one sensor, with its thresholds or possible states."""
    _show(call(state, "sensor.get", sensor=_key(sensor)), as_json)


@sensor.command("set", context_settings={"ignore_unknown_options": True})  # a reading may be negative
@STATE
@SENSOR
@click.argument("value", metavar="VALUE...", nargs=-1, required=True)
@JSON
def set_(state: Path, sensor: str, value: tuple[str, ...], as_json: bool) -> None:
    """Hold a sensor at a reading or at states, until it is released.

    VALUE is a reading in the sensor's unit; states by name or number; or none: no reading.
    """
    key = _key(sensor)
    discrete = "states" in call(state, "sensor.get", sensor=key)
    _show(call(state, "sensor.set", sensor=key, value=_value(value, discrete)), as_json)


@sensor.command()
@STATE
@SENSOR
@JSON
def release(state: Path, sensor: str, as_json: bool) -> None:
    """Let a sensor follow the simulated server again."""
    _show(call(state, "sensor.release", sensor=_key(sensor)), as_json)


def _key(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() else text


def _value(words: tuple[str, ...], discrete: bool) -> float | list[int | str] | None:
    if words == ("none",):
        return [] if discrete else None
    if discrete:
        return [_key(word) for word in words]
    try:
        (word,) = words
        return float(word)
    except ValueError:
        raise ConfigError(f"{' '.join(words)!r} is not a number (or none)") from None


def _show(sensor: dict[str, Any], as_json: bool) -> None:
    if as_json:
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
