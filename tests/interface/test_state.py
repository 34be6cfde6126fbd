"""States as plain values, and what is refused. Devices go through their text where tests move them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from baseboard.errors import DecodeError
from baseboard.interface.bus.function import PciState
from baseboard.interface.kcs import Kcs
from baseboard.interface.kcs.device import KcsState
from baseboard.interface.state import from_plain, to_plain


def in_a_transfer() -> KcsState:
    """The host has written WRITE_START and one byte."""
    device = Kcs()
    device.latch.write_command(0x61)
    device.latch.read_data()
    device.latch.write_data(0x18)
    return device.export()


def test_text() -> None:
    plain = to_plain(in_a_transfer())
    assert json.loads(json.dumps(plain)) == plain
    assert plain["engine"]["length"] == 1
    assert plain["engine"]["request"].startswith("18")
    assert plain["engine"]["undelivered"] == []
    assert plain["latch"]["status"] == 0x81  # write state, OBF
    assert plain["version"] == plain["latch"]["version"] == 1
    assert from_plain(KcsState, plain) == in_a_transfer()


def test_another_version_is_refused_wherever_one_is_made() -> None:
    text = "PciState of version 2; version 1 is known here"
    with pytest.raises(DecodeError, match=text):
        PciState(bytes(256), irq=False, version=2)
    with pytest.raises(DecodeError, match=text):
        replace(PciState(bytes(256), irq=False), version=2)
    with pytest.raises(DecodeError, match="LatchState of version 0; version 1 is known here"):
        from_plain(KcsState, changed("latch", "version", value=0))


def changed(*way: str, value: Any) -> Any:
    """A state with one value in it that is another."""
    plain = to_plain(in_a_transfer())
    inner = plain
    for name in way[:-1]:
        inner = inner[name]
    inner[way[-1]] = value
    return plain


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (None, "KcsState: found None; allowed: a mapping"),
        ([], r"KcsState: found \[\]; allowed: a mapping"),
        (changed("latch", value=7), r"KcsState\.latch: found 7; allowed: a mapping"),
        (changed("latch", "status", value="1"), r"KcsState\.latch\.status: found '1'; allowed: int"),
        (changed("latch", "status", value=True), r"KcsState\.latch\.status: found True; allowed: int"),
        (changed("latch", "irq", value=1), r"KcsState\.latch\.irq: found 1; allowed: bool"),
        (
            changed("engine", "request", value="1"),
            r"KcsState\.engine\.request: found '1'; allowed: bytes",
        ),
        (changed("engine", "request", value=[1]), r"KcsState\.engine\.request: found \[1\]; allowed: bytes"),
        (
            changed("engine", "undelivered", value=3),
            r"engine\.undelivered: found 3; allowed: a list",
        ),
        (changed("engine", "undelivered", value=[None, "x"]), r"undelivered\[1\]: found 'x'; allowed: int"),
        (changed("engine", "colour", value=3), r"KcsState\.engine: missing or unknown: colour"),
        ({"latch": {}}, "KcsState: missing or unknown: capacity, engine, quirks, version"),
    ],
)
def test_what_is_refused(data: Any, error: str) -> None:
    with pytest.raises(DecodeError, match=error):
        from_plain(KcsState, data)
