"""A log is asked again, of the same machine and of another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.spapr.guest import LOG, MIB, Guest, make_machine

from baseboard.errors import ConfigError
from baseboard.spapr.call_log import CallLog
from baseboard.spapr.choices import Choice
from baseboard.spapr.guest_memory import ByteMemory
from baseboard.spapr.refusal import Refusal
from baseboard.spapr.replaying import replay
from baseboard.spapr.saved import export, restore

CORE = 0x1000_0001


def recorded(**settings: Any) -> tuple[dict[str, Any], list[Any]]:
    """A machine's state at the start, and a log in JSON."""
    machine = make_machine(**settings)
    start = export(machine)
    machine.log = CallLog()
    seconds = iter(range(10_000_000))
    machine.clock = lambda: next(seconds) / 3
    guest = Guest(machine)
    machine.plug_core("c1", 1)
    with pytest.raises(Refusal):
        machine.plug_core("c1", 1)
    machine.plug_dimm("d1", 256 * MIB)
    guest.take(CORE)
    guest.configure(CORE)
    guest.call("check-exception", 0x500, 0, 0xFFFF_FFFF, 0, LOG, 2048)
    guest.call("check-exception", 0x500, 0, 0xFFFF_FFFF, 0, MIB, 2048)
    machine.rtas.call_block(MIB)
    guest.call("get-time-of-day", results=8)
    machine.rtas.call("get-sensor-state", [9003, CORE], 2)
    machine.unplug("c1")
    guest.give_back(CORE)
    machine.negotiated(b"\x20", hotplug_events=True)
    machine.power_down()
    machine.reset()
    assert not machine.log.dropped
    return start, json.loads(json.dumps(list(machine.log.entries), default=bytes.hex))


def test_the_same_machine_answers_the_same() -> None:
    start, entries = recorded()
    assert len(entries) > 40
    again = restore(start)
    assert replay(again, entries) is None
    assert again.log is None


def test_first_difference_is_named() -> None:
    start, entries = recorded(choices=Choice.PHANDLES)
    start["settings"]["choices"] = []
    difference = replay(restore(start), entries)
    assert difference is not None
    assert difference.startswith("entry 36, h_rtas [4096, 0]: writes ")


def test_changed_answer() -> None:
    start, entries = recorded()
    number = next(n for n, entry in enumerate(entries) if entry["do"] == "rtas")
    entries[number]["result"] = [0, 7]
    difference = replay(restore(start), entries)
    assert difference == (
        f"entry {number}, rtas ['get-sensor-state', [9003, 268435457], 2, 0]: result [0, 1], logged [0, 7]"
    )


def test_events_and_refusals_are_compared() -> None:
    start, entries = recorded()
    entries[1]["refused"] = "no"
    assert "refused" in str(replay(restore(start), entries))
    start, entries = recorded()
    entries[-1]["told"] = [["RESET", {}]]
    assert "told [], logged" in str(replay(restore(start), entries))


@pytest.mark.parametrize(
    "entry",
    [
        None, 3, {}, {"do": "dance"}, {"do": "rtas"},
        {"do": "rtas", "arguments": [], "named": {}, "now": 0, "reads": [], "writes": []},
        {"do": "rtas", "arguments": 5, "named": {}, "now": 0, "reads": [], "writes": []},
        {"do": "plug_core", "arguments": [], "named": {"x": 1}, "now": 0, "reads": [], "writes": []},
        {"do": "rtas", "arguments": ["set-indicator", 5], "named": {}, "now": 0, "reads": [], "writes": []},
        {"do": "rtas", "arguments": ["stop-self", ["x"]], "named": {}, "now": 0, "reads": [], "writes": []},
        {"do": "h_rtas", "arguments": [0], "named": {}, "now": 0, "reads": [[0, 12, "zz"]], "writes": []},
        {"do": "h_rtas", "arguments": [0], "named": {}, "now": 0, "reads": [[0, 12, "00"]], "writes": []},
        {"do": "h_rtas", "arguments": [0], "named": {}, "now": 0, "reads": [5], "writes": []},
    ],
)  # fmt: skip
def test_entries_that_are_none(entry: Any) -> None:
    with pytest.raises(ConfigError, match="entry 0"):
        replay(make_machine(), [entry])


def test_log_is_bounded() -> None:
    machine = make_machine()
    machine.log = CallLog(most=10)
    for _ in range(15):
        machine.rtas.call("get-power-level", [0], 2)
    assert (len(machine.log.entries), machine.log.dropped) == (10, 5)


def test_logging_leaves_the_machine_as_it_was() -> None:
    machine = make_machine()
    machine.log = log = CallLog()
    memory, clock = machine.memory, machine.clock
    with pytest.raises(Refusal):
        machine.unplug("nobody")
    assert machine.log is log
    assert machine.memory is memory
    assert machine.clock is clock
    assert isinstance(memory, ByteMemory)
