"""Argument blocks, counts, and any cells at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.spapr.guest import BLOCK, LOG, MIB, Guest, make_machine

from baseboard.spapr.choices import Choice
from baseboard.spapr.guest_memory import read_cells, write_cells
from baseboard.spapr.rtas import TOKENS

ALL = 0xFFFF_FFFF
CELL = st.one_of(
    st.integers(0, ALL),
    st.sampled_from([0, 1, 2, 100, 9001, 9002, 9003, ALL, MIB - 4, 0x1000_0000, 0x4000_0040, 0x8000_0004]),
)


@pytest.fixture
def guest() -> Guest:
    return Guest(make_machine())


def test_tokens() -> None:
    """The numbers of QEMU 7.2's `/rtas` node."""
    assert TOKENS == {
        "display-character": 0x2000,
        "get-time-of-day": 0x2001,
        "set-time-of-day": 0x2002,
        "power-off": 0x2003,
        "system-reboot": 0x2004,
        "query-cpu-stopped-state": 0x2005,
        "start-cpu": 0x2006,
        "stop-self": 0x2007,
        "ibm,get-system-parameter": 0x2008,
        "ibm,set-system-parameter": 0x2009,
        "check-exception": 0x200E,
        "event-scan": 0x200F,
        "set-indicator": 0x201A,
        "set-power-level": 0x201B,
        "get-power-level": 0x201C,
        "get-sensor-state": 0x201D,
        "ibm,configure-connector": 0x201E,
        "ibm,os-term": 0x201F,
    }


def test_block_in_bytes(guest: Guest) -> None:
    """get-sensor-state of dr-entity-sense: core 0 is present."""
    memory = guest.machine.memory
    memory.write(
        BLOCK, bytes.fromhex("0000201d 00000002 00000002 0000232b 10000000 eeeeeeee eeeeeeee eeeeeeee")
    )
    assert guest.machine.rtas.call_block(BLOCK) == 0
    assert memory.read(BLOCK + 20, 12) == bytes.fromhex("00000000 00000001 eeeeeeee")


def test_unknown_token(guest: Guest) -> None:
    memory = guest.machine.memory
    memory.write(BLOCK, bytes.fromhex("00002fff 00000001 00000002 00000005 eeeeeeee eeeeeeee"))
    assert guest.machine.rtas.call_block(BLOCK) == -4
    assert memory.read(BLOCK + 16, 8) == bytes.fromhex("fffffffd eeeeeeee")


def test_wrong_counts_touch_no_other_cell(guest: Guest) -> None:
    assert guest.call("set-power-level", 1, results=2) == (-3, -0x11111112)
    assert guest.call("set-indicator", 9001, 0x1000_0000, 1, results=2) == (-3, -0x11111112)
    assert guest.call("get-sensor-state", 9003, 0x1000_0000, 0, results=2) == (-3, 0)
    assert guest.call("get-sensor-state", 9003, 0x1000_0000, results=1) == (-3,)


@pytest.mark.parametrize("address", [MIB, MIB - 8, MIB - 12, MIB - 24, 1 << 40])
def test_block_that_leaves_memory_changes_nothing(guest: Guest, address: int) -> None:
    """The last of them has the arguments but not the result: nothing was isolated."""
    memory = guest.machine.memory
    data = bytes.fromhex("0000201a 00000003 00000001 00002329 10000000 00000000")
    if address < MIB:
        memory.write(address, data[: MIB - address])
    assert guest.machine.rtas.call_block(address) == -4
    assert guest.machine.connectors[0x1000_0000].state == 4


def test_second_token_of_display_character(guest: Guest) -> None:
    shown: list[int] = []
    write_cells(guest.machine.memory, BLOCK, 0xA, 1, 1, 65, 99)
    guest.machine.rtas.call_block(BLOCK)
    assert read_cells(guest.machine.memory, BLOCK + 16, 1) == (ALL,)  # -1: no console
    guest.machine.on_character = shown.append
    guest.machine.rtas.call_block(BLOCK)
    assert (shown, read_cells(guest.machine.memory, BLOCK + 16, 1)) == ([65], (0,))


def test_clock(guest: Guest) -> None:
    guest.machine.clock = lambda: datetime(2022, 1, 18, 12, 56, 30, tzinfo=UTC).timestamp() + 0.25
    assert guest.call("get-time-of-day", results=8) == (0, 2022, 1, 18, 12, 56, 30, 250_000_000)
    assert guest.call("set-time-of-day", 2020, 2, 30, 25, 61, 61, 7) == (0,)
    assert guest.call("get-time-of-day", results=8)[:7] == (0, 2020, 3, 2, 2, 2, 1)  # as QEMU 7.2
    assert guest.call("set-time-of-day", 0, 0, 0, 0, 0, 0, 0) == (-3,)
    assert guest.call("set-time-of-day", 2020, 2, 29, 23, 59, 58) == (-3,)
    assert guest.call("get-time-of-day", results=8)[1] == 2020


@pytest.mark.parametrize(("set_to", "passed"), [((9999, 12, 31, 23, 59, 59), 1), ((1, 1, 1, 0, 0, 0), -1)])
def test_a_clock_that_goes_on_beyond_its_years(guest: Guest, set_to: tuple[int, ...], passed: int) -> None:
    assert guest.call("set-time-of-day", *set_to, 0) == (0,)
    assert guest.call("get-time-of-day", results=8)[:7] == (0, *set_to)
    guest.machine.clock = lambda: passed
    assert guest.call("get-time-of-day", results=8)[0] == -1
    guest.machine.power_down()  # whose log has no date then
    assert guest.call("set-time-of-day", 2026, 11, 21, 12, 0, 0, 0) == (0,)
    assert guest.call("get-time-of-day", results=8)[1] == 2026


def test_system_parameters(guest: Guest) -> None:
    memory = guest.machine.memory
    assert guest.call("ibm,get-system-parameter", 20, LOG, 200) == (0,)
    length = int.from_bytes(memory.read(LOG, 2), "big")
    assert memory.read(LOG + 2, length) == b"MaxEntCap=4,DesMem=1024,DesProcs=1,MaxPlatProcs=4,HostThrs=4\0"
    memory.write(LOG, b"\xaa" * 8)
    assert guest.call("ibm,get-system-parameter", 20, LOG, 6) == (0,)
    assert memory.read(LOG, 8) == bytes([0, length]) + b"MaxE\xaa\xaa"
    assert guest.call("ibm,get-system-parameter", 48, LOG, 18) == (0,)
    assert memory.read(LOG, 2) == b"\0\0"  # no uuid
    assert guest.call("ibm,get-system-parameter", 42, MIB, 8) == (-3,)


def test_uuid() -> None:
    guest = Guest(make_machine(uuid="11223344-5566-7788-99aa-bbccddeeff00"))
    guest.call("ibm,get-system-parameter", 48, LOG, 18)
    assert guest.machine.memory.read(LOG, 18).hex() == "0010112233445566778899aabbccddeeff00"


def test_event_stays_when_its_buffer_is_no_memory(guest: Guest) -> None:
    guest.machine.plug_core("c1", 1)
    assert guest.call("check-exception", 0x500, 0, ALL, 0, MIB, 2048) == (-3,)
    guest.machine.memory.write(LOG, b"\xaa" * 120)
    assert guest.call("check-exception", 0x500, 0, ALL, 0, LOG, 8) == (0,)
    assert guest.machine.memory.read(LOG, 10) == bytes.fromhex("063460e5 0000006c aaaa")
    assert guest.call("check-exception", 0x500, 0, ALL, 0, LOG, 2048) == (1,)


def test_a_log_keeps_its_main_sections_by_choice() -> None:
    guest = Guest(make_machine(choices=Choice.WHOLE_SECTIONS))
    guest.machine.plug_core("c1", 1)
    guest.machine.memory.write(LOG, b"\xaa" * 120)
    assert guest.call("check-exception", 0x500, 0, ALL, 0, LOG, 100) == (0,)
    assert guest.machine.memory.read(LOG, 8) == bytes.fromhex("063460e5 00000058")
    assert guest.machine.memory.read(LOG + 95, 3) == bytes.fromhex("00 aaaa")


def test_processors() -> None:
    guest = Guest(make_machine(cores=2, max_cores=4, threads=4))
    started: list[tuple[int, int, int]] = []
    guest.machine.on_start_processor = lambda *what: started.append(what)
    assert [guest.call("query-cpu-stopped-state", n, results=2) for n in (0, 7)] == [(0, 2), (0, 0)]
    assert guest.call("query-cpu-stopped-state", 8, results=2)[0] == -3
    assert guest.call("start-cpu", 7, 0x100, 5) == (0,)
    assert (started, guest.call("start-cpu", 7, 0x100, 5)) == ([(7, 0x100, 5)], (-1,))
    guest.machine.rtas.call("stop-self", cpu=7)
    assert guest.call("query-cpu-stopped-state", 7, results=2) == (0, 0)
    guest.machine.plug_core("c2", 8)
    assert guest.call("query-cpu-stopped-state", 11, results=2) == (0, 0)


def test_ends(guest: Guest) -> None:
    told: list[object] = []
    guest.machine.on_event = lambda name, data: told.append((name, data.get("reason") or data.get("message")))
    guest.machine.memory.write(LOG, b"last words\0")
    assert (
        guest.call("power-off", 0, 0) == guest.call("system-reboot") == guest.call("ibm,os-term", LOG) == (0,)
    )
    assert guest.call("ibm,os-term", MIB - 4) == (0,)
    assert told == [
        ("SHUTDOWN", "guest-shutdown"),
        ("RESET", "guest-reset"),
        ("GUEST_PANICKED", "last words"),
        ("GUEST_PANICKED", ""),
    ]


@given(
    service=st.sampled_from(sorted(TOKENS)),
    arguments=st.lists(CELL, max_size=9),
    results=st.integers(0, 9),
    plugged=st.booleans(),
)
def test_any_cells(service: str, arguments: list[int], results: int, plugged: bool) -> None:
    machine = make_machine(max_cores=2, phb_slots=2)
    if plugged:
        machine.plug_dimm("d1", 256 * MIB)
    write_cells(machine.memory, BLOCK, TOKENS[service], len(arguments), results, *arguments)
    assert machine.rtas.call_block(BLOCK) in (0, -4)


@given(data=st.binary(max_size=64), address=st.one_of(st.integers(0, 1 << 64), st.integers(MIB - 80, MIB)))
def test_any_block(data: bytes, address: int) -> None:
    machine = make_machine(max_cores=1, phb_slots=1)
    if address + len(data) <= MIB:
        machine.memory.write(address, data)
    assert machine.rtas.call_block(address) in (0, -4)
