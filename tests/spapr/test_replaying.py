"""A log is asked again, of the same machine and of another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.spapr.guest import AREA, BLOCK, LOG, MIB, Guest, make_machine

from baseboard.errors import ConfigError
from baseboard.spapr.call_log import CallLog
from baseboard.spapr.choices import Choice
from baseboard.spapr.guest_memory import ByteMemory, write_cells
from baseboard.spapr.hcalls import Hypervisor
from baseboard.spapr.refusal import Refusal
from baseboard.spapr.replaying import replay
from baseboard.spapr.rtas import TOKENS
from baseboard.spapr.saved import export, restore
from baseboard.spapr.tpm import TpmError
from baseboard.spapr.vector5 import DRC_INFO, DYNAMIC_MEMORY, HOTPLUG_EVENTS, vector

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


class Tpm:
    """Says each of these once; then it is gone."""

    def __init__(self, *responses: bytes) -> None:
        self.responses = list(responses)
        self.closed = 0

    def open(self) -> None:
        pass

    def exchange(self, command: bytes) -> bytes:
        if not self.responses:
            raise TpmError("gone")
        return self.responses.pop(0)

    def close(self) -> None:
        self.closed += 1


COMMAND = bytes.fromhex("8001 0000000c 0000017b 0004")


def recorded_hypercalls() -> tuple[dict[str, Any], list[Any]]:
    """RTAS, characters, CAS with an offer, a TPM that answers twice, and a fault."""
    machine = make_machine(choices=Choice.DRC_INFO)
    machine.plug_tpm_proxy("tpm")
    start = export(machine)
    console = bytearray()
    machine.on_character = console.append
    tpm = Tpm(bytes(16), bytes(12))
    hypervisor = Hypervisor(machine, tpm=tpm)
    machine.log = CallLog(begin=start)
    write_cells(machine.memory, BLOCK, TOKENS["get-power-level"], 1, 2, -1)
    assert hypervisor.call(0xF000, BLOCK)[0] == 0
    assert hypervisor.call(0x58, 0, 2, 0x6F6B << 48)[0] == 0
    five = vector((DYNAMIC_MEMORY, HOTPLUG_EVENTS, DRC_INFO))
    processors = bytes.fromhex("ffffffff 0f000005 00000000 ffffffff")
    machine.memory.write(AREA, processors + b"\4" + 4 * b"\0\0" + bytes([len(five) - 1]) + five)
    assert hypervisor.call(0xF002, AREA, LOG, 0x20000)[0] == 0
    assert machine.hotplug_events
    machine.memory.write(AREA, COMMAND)
    answers = [hypervisor.call(0xEF10, 1, AREA, len(COMMAND), LOG, 4096) for _ in range(3)]
    assert answers == [(0, 16), (0, 12), (-16, 1)]
    machine.plan_fault({"service": "H_TPM_COMM", "answers": [1]})
    assert hypervisor.call(0xEF10, 1) == (1, 1)
    with pytest.raises(ConfigError):
        machine.plan_fault({"service": "H_TPM_COMM"})
    machine.plan_fault({"service": "H_RTAS", "answers": [1]})
    machine.clear_faults()
    assert hypervisor.call(0xF000, BLOCK)[0] == 0
    assert console == b"ok"
    assert tpm.closed == 1, "what failed is closed"
    return start, json.loads(json.dumps(list(machine.log.entries)))


def test_hypercalls_are_in_the_log_and_answered_without_the_tpm() -> None:
    start, entries = recorded_hypercalls()
    faults = ["plan_fault", "hcall", "plan_fault", "clear_faults", "hcall"]
    assert [entry["do"] for entry in entries] == ["hcall"] * 6 + faults
    again = restore(start)
    assert replay(again, entries) is None
    assert again.on_character is None
    assert again.vector5 == vector((DYNAMIC_MEMORY, HOTPLUG_EVENTS, DRC_INFO))


@pytest.mark.parametrize(
    ("number", "key", "value", "difference"),
    [
        (1, "console", "6f6f", "entry 1, hcall [88, [0, 2, 8028510760718041088, 0, 0], 0]: console '6f6b'"),
        (3, "tpm", [["8001", "00" * 16]], f"entry 3, hcall [61200, [1, {AREA}, 12, {LOG}, 4096], 0]: tpm"),
        (5, "tpm", [[COMMAND.hex(), "00" * 10]], "entry 5, hcall"),
        (4, "tpm", None, "entry 4, hcall"),
    ],
)
def test_what_went_elsewhere_is_compared(number: int, key: str, value: Any, difference: str) -> None:
    start, entries = recorded_hypercalls()
    entries[number][key] = value
    if value is None:
        del entries[number][key]
    assert str(replay(restore(start), entries)).startswith(difference)


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
        {"do": "hcall", "arguments": [0], "named": {}, "now": 0, "reads": [], "writes": []},
        {"do": "hcall", "arguments": [0, ["x"], 0], "named": {}, "now": 0, "reads": [], "writes": []},
        {"do": "hcall", "arguments": [0, [], 0], "named": {}, "now": 0, "reads": [], "writes": [], "tpm": 5},
        {"do": "hcall", "arguments": [0, [], 0], "named": {}, "now": 0, "reads": [], "writes": [], "tpm": 0},
        {"do": "plan_fault", "arguments": [{}], "named": {}, "now": 0, "reads": [], "writes": []},
        {"do": "plan_fault", "arguments": [1], "named": {}, "now": 0, "reads": [], "writes": []},
        {"do": "unplug", "arguments": ["x"], "named": {}, "now": 10**400, "reads": [], "writes": []},
        {"do": "plug_dimm", "arguments": ["x", 2.0**28], "named": {}, "now": 0, "reads": [], "writes": []},
        {"do": "plug_nvdimm", "arguments": ["x", 1 << 28], "named": {"label_size": 1, "uuid": 5},
         "now": 0, "reads": [], "writes": []},
        {"do": "rtas", "arguments": ["ibm,configure-connector", [0, 0]], "named": {}, "now": 0,
         "reads": [[0, 4096, "00"], [0, 4, "10000000"]], "writes": [{}]},
        {"do": "rtas", "arguments": ["ibm,configure-connector", [0, 0]], "named": {}, "now": 0,
         "reads": [[0, 4096, "00"], [0, 4, "10000000"]], "writes": [[8, "", False]]},
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


def test_a_log_of_much_memory_is_bounded_too() -> None:
    """Each call reads 4 KiB and is 8 Ki digits and some; only the last fit."""
    machine = make_machine()
    machine.log = log = CallLog(most_characters=20_000)
    for count in range(1, 6):
        machine.rtas.call("ibm,configure-connector", [0x1000, 0])
        assert (len(log.entries), log.dropped) == (min(count, 2), max(count - 2, 0))
    machine.rtas.call("get-power-level", [0], 2)
    assert len(log.entries) == 3


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
