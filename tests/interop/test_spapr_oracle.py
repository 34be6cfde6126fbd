"""Ours beside a live QEMU: the same steps, the same answers, whatever the steps are.

`BASEBOARD_WALKS=1000 pytest tests/interop/test_spapr_oracle.py` takes that many new walks, each in a QEMU of
its own; without it they are few, and in continuous integration the same each time.
"""

from __future__ import annotations

import json
import os
import pty
import threading
import tty
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baseboard.spapr.device_tree import device_tree
from baseboard.spapr.devices import Dimm
from baseboard.spapr.drc import CPU, LMB, PCI, PHB, Connector, State, pci_identifier
from baseboard.spapr.management import memory
from baseboard.spapr.rtas import TOKENS
from baseboard.spapr.vector5 import HOTPLUG_EVENTS, PLATFORM, RADIX, TABLE_RESIZING, Option, vector
from tests.interop.spapr_oracle import Oracle
from tests.interop.spapr_recorder import recorded
from tests.spapr.sides import H_TPM_COMM, Ours, Step, comparable, disagreement, tree_differences
from tests.spapr.test_recorded import RECORDINGS

MIB, GIB = 1 << 20, 1 << 30
BLOCK = 256 * MIB
ALL = 0xFFFF_FFFF
UUID = "75a3cdd7-6a2f-4791-8d15-fe0a920e8e9e"
MOST_CORES = 12
"""More are not plugged in, in one life of a QEMU."""

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "room to grow": {"max_cores": MOST_CORES, "ram": GIB, "max_ram": 4 * GIB, "slots": 4},
    "numa": {
        "cores": 2,
        "max_cores": MOST_CORES,
        "ram": 2 * GIB,
        "max_ram": 4 * GIB,
        "slots": 3,
        "numa": (GIB, GIB),
        "uuid": UUID,
    },
    "bridges": {"max_cores": 2, "ram": GIB, "phbs": (0, 2), "cards": [["cold", "virtio-rng-pci", 5]]},
}
WALKS = int(os.environ.get("BASEBOARD_WALKS", 0))
walking = settings(
    max_examples=WALKS or 50,
    derandomize=not WALKS and bool(os.environ.get("CI")),
    database=None,
    suppress_health_check=list(HealthCheck),
)


def compare(configuration: dict[str, Any], steps: Iterable[Step], *options: str) -> None:
    """Both sides take the steps that QEMU survives; then, what they told and the tree after a reset."""
    ours, taken = Ours(configuration), []
    with Oracle(configuration, *options) as oracle:
        for step in (*steps, ["reset"]):
            if not survivable(ours, step):
                continue
            taken.append(step)
            if step[0] == "plug_phb":  # the last one of this number may not have gone yet
                oracle.told_like(ours.told())
            differences = disagreement(step, ours.ask(step), oracle.ask(step))
            if step == ["reset"]:
                differences = tree_differences(device_tree(ours.machine), oracle.boot_tree())
            assert not differences, f"{differences}\n\n{json.dumps(taken)}"
        told = oracle.told_like(ours.told())
        assert told == ours.told(), f"{told}\n{ours.told()}\n\n{json.dumps(taken)}"


# Steps that QEMU survives.


def survivable(ours: Ours, step: Step) -> bool:
    """What ends QEMU is said in `spapr_oracle`.

    Memory that goes in one reset with a host bridge it never frees, so that it never tells.
    """
    match step:
        case ["unplug", name]:
            device = ours.machine.names.get(name)
            if isinstance(device, Dimm):
                return all(block.device is device for block in memory.blocks(ours.machine, device))
            return not any(core.device is device and core.state == State.UNUSABLE for core in _cores(ours))
        case ["rtas", "set-indicator", [9003, index, 0], 1] | ["give_back", index]:
            return not any(core.index == index and core.unplug_requested for core in _cores(ours))
        case ["reset"] | ["cas", _]:
            leaving = {one.kind for one in ours.machine.connectors.values() if one.unplug_requested}
            return CPU not in leaving and not {LMB, PHB} <= leaving
        case ["plug_pci", _, _, slot, function, phb, chassis, _]:
            connector = ours.machine.connector(PCI, pci_identifier(phb, chassis, slot, function))
            return connector is not None and (function == 0 or connector.device is None)
    return True


def _cores(ours: Ours) -> Iterator[Connector]:
    return (connector for connector in ours.machine.connectors.values() if connector.kind is CPU)


# Walks.

INDEXES = st.sampled_from(
    (
        *(0x10000000, 0x10000001, 0x10000002),  # cores
        *(0x80000004, 0x80000005, 0x80000006, 0x80000008, 0x80000009),  # blocks of memory
        *(0x40000010, 0x40000011, 0x40000018, 0x40000028, 0x40000310, 0x40010010),  # cards
        *(0x20000000, 0x20000001),  # host bridges
        *(0x90000000, 0x90000001),  # persistent memory
        *(0x30000001, 0xFFFFFFFF),  # nothing
    )
)
INDICATORS = st.sampled_from(
    (
        *((9001, 0), (9001, 1), (9001, 1), (9003, 0), (9003, 1), (9003, 1)),
        *((9002, 2), (9002, 4), (9001, 2), (9004, 0)),
    )
)
MASKS = st.sampled_from([ALL, ALL, ALL, 0x40000000, 0x10000000, 0x08000000])
MODELS = st.sampled_from(["virtio-rng-pci", "virtio-rng-pci", "e1000", "ich9-ahci"])
"""None of USB: QEMU never tells that one of those is gone."""
OPTIONS = (*PLATFORM, TABLE_RESIZING, Option(1, 3), Option(6, 0), Option(22, 7), Option(30, 0))
"""Ours, one that changes the page table, and some that nobody knows."""


def request(five: bytes, one: bytes = b"\0\x80\x80", processors: str = "ffffffff004e1200") -> str:
    """What H_CAS reads: a guest of ISA 3.0."""
    head = bytes.fromhex(processors + "00000000ffffffff")
    return (head + b"\4" + b"".join(bytes([len(v) - 1]) + v for v in (one, *[b"\x80"] * 3, five))).hex()


def _step(name: str, *strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), *strategies).map(list)


PLACES = st.fixed_dictionaries(
    {}, optional={"slot": st.integers(0, 4), "address": st.sampled_from([4 * BLOCK, 6 * BLOCK, 9 * BLOCK])}
)
CAS = st.sets(st.sampled_from(OPTIONS)).map(lambda options: ["cas", request(vector(tuple(sorted(options))))])
TELLS: st.SearchStrategy[Step] = st.builds(
    lambda indicator, index: ["rtas", "set-indicator", [indicator[0], index, indicator[1]], 1],
    INDICATORS,
    INDEXES,
)
GUEST = (
    TELLS,
    _step("take", INDEXES),
    _step("take", INDEXES),
    _step("give_back", INDEXES),
    _step("pieces", st.integers(0, 1), INDEXES, st.integers(1, 8)),
    _step("sense", INDEXES),
    _step("fetch", MASKS),
    _step("parameter", st.sampled_from([20, 42, 48, 49]), st.sampled_from([0, 1, 2, 3, 17, 200])),
    CAS,
)
ADMINISTRATOR = (
    _step("plug_core", st.integers(0, MOST_CORES)),
    _step("plug_at", st.sampled_from([BLOCK, 2 * BLOCK, 3 * BLOCK, MIB]), PLACES),
    _step("plug_at", st.just(2 * BLOCK), st.just({})),
    _step("plug_nvdimm", st.just(BLOCK), st.just(128 << 10), st.just(UUID)),
    _step(
        "plug_pci", MODELS, st.sampled_from([2, 3]), st.sampled_from([0, 0, 1, 5]), st.integers(0, 1),
        st.sampled_from([0, 0, 3]), st.just(0),
    ),
    _step("plug_pci", st.just("pci-bridge"), st.just(6), st.just(0), st.just(0), st.just(0), st.just(3)),
    _step("plug_phb", st.sampled_from([1, 1, 3, 31])),
    _step("unplug", st.integers(0, 7)),
    _step("unplug", st.integers(0, 7)),
    _step("power_down"),
    _step("reset"),
)  # fmt: skip
WALK = st.lists(st.one_of(*GUEST, *GUEST, *ADMINISTRATOR), min_size=5, max_size=40)


def named(walk: list[Step]) -> list[Step]:
    """What is plugged in gets names in turn; what is unplugged is one of them."""
    steps: list[Step] = []
    names: list[str] = []
    cores = 0
    for what, *rest in walk:
        if what == "unplug":
            rest = [names[rest[0] % len(names)] if names else "nothing"]
        elif what.startswith("plug"):
            cores += what == "plug_core"
            if cores == MOST_CORES:
                continue
            names.append(f"d{len(names)}")
            rest = [names[-1], *rest]
        steps.append([what, *rest])
    return steps


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_walks(configuration: dict[str, Any]) -> None:
    @walking
    @given(WALK)
    def take(walk: list[Step]) -> None:
        compare(configuration, named(walk))

    take()


def test_two_connectors_are_configured_at_once() -> None:
    """Pieces of a core, of two blocks of memory and of a card, through two areas in turn, to their ends."""
    indexes = (0x10000001, 0x80000004, 0x80000005, 0x40000018)
    steps: list[Step] = [
        ["plug_core", "c", 1],
        ["plug_dimm", "d", 2 * BLOCK],
        ["plug_pci", "p", "virtio-rng-pci", 3, 0, 0, 0, 0],
    ]
    for index in indexes:
        steps += [["rtas", "set-indicator", [way, index, 1], 1] for way in (9003, 9001)]
    steps += [["pieces", turn % 2, index, 3] for turn in range(12) for index in indexes]
    compare(CONFIGURATIONS["room to grow"], steps)


@pytest.mark.parametrize("events", [True, False], ids=["hot-plug events", "none of their own"])
def test_events_before_and_after_cas(events: bool) -> None:
    """Logs wait over CAS, and are of another class then; a reset in the middle drops all."""
    options = (Option(2, 2), HOTPLUG_EVENTS) if events else (Option(2, 2),)
    classes: list[Step] = [["fetch", mask] for mask in (0x08000000, 0x10000000, 0x40000000)]
    plugs: list[Step] = [["plug_dimm", "d", 2 * BLOCK], ["plug_pci", "p", "virtio-rng-pci", 3, 0, 0, 0, 0]]
    more: list[Step] = [["plug_core", "c", 1], ["power_down"], ["plug_dimm", "e", BLOCK], ["unplug", "e"]]
    leaving: list[Step] = [["unplug", "p"], ["unplug", "d"], ["power_down"]]
    steps = [*plugs, ["power_down"], ["cas", request(vector(options))], *classes, *more, *classes]
    compare(CONFIGURATIONS["room to grow"], [*steps, *leaving, ["reset"], *classes, *leaving, *classes])


def test_an_event_log_is_as_long_as_it_is() -> None:
    """QEMU does not look at the length of the buffer."""
    steps: list[Step] = [["plug_core", "c", 1], *[["power_down"]] * 3]
    steps += [["fetch_into", room] for room in (2048, 116, 8, 0, 0)]
    compare(CONFIGURATIONS["room to grow"], steps)


# What guests say of themselves.

ITSELF, ISA_3, ISA_2_07, ISA_2_06 = (
    f"ffffffff{version}" for version in ("004e1200", "0f000005", "0f000004", "0f000003")
)
PROCESSORS = (
    ITSELF, ISA_3, ISA_2_07, ISA_2_06, ISA_2_07 + ISA_2_06, ISA_2_06 + ISA_2_07, ITSELF + ISA_2_06,
    "ffffffff0f100003", "ffffffff0f000002", "ffff0000004e0000", "ffffffff004e1100", "ffffffff0f000006",
    "ffff000000450000", "",
)  # fmt: skip


def test_processors_and_page_tables() -> None:
    """Without a reset: QEMU goes on hiding radix tables from the next guest after one before ISA 3.0."""
    ours, ones = Ours(CONFIGURATIONS["numa"]), (b"\0\x80\x80", b"\0\x80\x7f", b"\x80")
    tables = ((), (RADIX,), (TABLE_RESIZING,), (Option(2, 2), Option(22, 0)))
    requests = [request(b"\0\x20", one, processors) for processors, one in product(PROCESSORS, ones)]
    requests += [request(vector(options)) for options in tables]
    with Oracle(CONFIGURATIONS["numa"]) as oracle:
        for step in (["cas", request] for request in requests):
            assert disagreement(step, ours.ask(step), oracle.ask(step)) == [], step


def test_vectors_that_are_missing() -> None:
    """A guest that runs on nothing we have is told so first."""
    head = "00000000ffffffff"
    requests = [processors + head + vectors for processors in (ITSELF, "ffffffff004e1100")
                for vectors in ("000080", "030080008000800080", "00")]  # fmt: skip
    compare(CONFIGURATIONS["room to grow"], [["cas", request] for request in requests])


# Calls that are none.

FATAL = {"power-off", "system-reboot", "ibm,os-term", "stop-self", "start-cpu", "get-time-of-day"}
"""Not asked of a QEMU with counts that may be right: it would end, or tell another time."""


def test_wrong_counts_write_what_qemu_writes() -> None:
    """Of each service but those: -3 and no other cell, whatever the counts."""
    counts = list(product((0, 1, 2, 3, 5, 8), (0, 1, 2, 4)))
    services = sorted(TOKENS.keys() - FATAL)
    compare(
        CONFIGURATIONS["room to grow"],
        [
            ["rtas", service, [0x7000] * arguments, results]
            for service in services
            for arguments, results in counts
        ],
    )


def test_unknown_tokens_and_hypercalls() -> None:
    tokens = [0, 1, 9, 0x1FFF, 0x2FFF, 0xFFFFFFFF]
    ours = Ours({})
    with Oracle({}) as oracle:
        for token, results in product(tokens, (0, 1, 3)):
            step = ["rtas", token, [1, 2], results]
            assert disagreement(step, ours.ask(step), oracle.ask(step)) == [], step
        for number in (0xF00F, 0xEF14, 0x9999, 1 << 40):
            assert ours.call(number, 7, 8) == oracle.call(number, 7, 8) == (-2, 7), hex(number)


@pytest.mark.parametrize(
    "time",
    [
        pytest.param((2024, 2, 29, 23, 59, 10), id="a leap day"),
        pytest.param((2023, 2, 30, 25, 61, 61), id="what is too much is carried"),
        pytest.param((2024, 13, 1, 0, 0, 10), id="months too"),
        pytest.param((1900, 1, 1, 0, 0, 10), id="before 1970"),
    ],
)
def test_the_clock(time: tuple[int, ...]) -> None:
    """To the minute."""
    step = ["clock", *time]
    with Oracle({}) as oracle:
        assert Ours({}).ask(step) == oracle.ask(step)


class FakeTpm:
    """Behind QEMU's proxy: the slave of a terminal, whose other end answers every command alike."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while (command := os.read(self._master, 4096)) != STOP:
            os.write(self._master, RESPONSE if command == COMMAND else b"?")

    def close(self) -> None:
        os.write(self._slave, STOP)
        self._thread.join(10)
        os.close(self._slave)
        os.close(self._master)


class FakeLink:
    """The same behind ours."""

    def open(self) -> None: ...

    def exchange(self, command: bytes) -> bytes:
        return RESPONSE if command == COMMAND else b"?"

    def close(self) -> None: ...


COMMAND = bytes.fromhex("8001 0000000c 0000017b 0004")
RESPONSE = bytes.fromhex("8001 00000010 00000000 0004 01020304")
STOP = b"stop"
SIZES = (0, 12, 4095, 4096, 4097, 1 << 32, 1 << 63)


def test_tpm_comm() -> None:
    """Every check in its order, before a session, in it and after; and what is written."""
    refused = [
        (operation, 0x8000, size, 0x9000, room)
        for operation, size, room in product((0, 1, 2, 3, (1 << 32) + 1, (1 << 64) - 1), SIZES, SIZES)
        if operation != 1 or size > 4096 or room < 4096
    ]
    execute = (1, 0x8000, len(COMMAND), 0x9000, 4096)
    tpm = FakeTpm()
    try:
        proxy = ("-device", f"spapr-tpm-proxy,id=tpm,host-path={tpm.path}")
        ours = Ours({}, tpm=FakeLink())
        ours.machine.plug_tpm_proxy("tpm")
        with Oracle({}, *proxy) as oracle:
            for arguments in (*refused, execute, *refused, (2, *execute[1:]), execute, execute):
                answers = []
                for side in (ours, oracle):
                    side.memory.write(0x8000, COMMAND + bytes(64))
                    side.memory.write(0x9000, b"\xaa" * 64)
                    answers.append((side.call(H_TPM_COMM, *arguments), side.memory.read(0x9000, 64)))
                assert answers[0] == answers[1], arguments
            assert answers[0][0] == (0, len(RESPONSE))
            for side in (ours, oracle):
                assert side.unplug("tpm") is None
                assert side.call(H_TPM_COMM, *execute) == (-2, 1)
    finally:
        tpm.close()


def test_a_tpm_that_cannot_be_opened() -> None:
    with Oracle({}, "-device", "spapr-tpm-proxy,id=tpm,host-path=/nowhere/tpm0") as oracle:
        ours = Ours({})
        ours.machine.plug_tpm_proxy("tpm")
        for side in (ours, oracle):
            side.memory.write(0x8000, COMMAND)
            assert side.call(H_TPM_COMM, 1, 0x8000, len(COMMAND), 0x9000, 4096) == (-16, 1)


@pytest.mark.parametrize("recording", RECORDINGS, ids=[path.stem for path in RECORDINGS])
def test_recorded_answers_are_still_those_of_qemu(recording: Path) -> None:
    """And `scripts/record-spapr` would write them again."""
    data = json.loads(recording.read_text())
    again = recorded(data)
    for number, ((step, before), (_, now)) in enumerate(zip(data["steps"], again["steps"], strict=True)):
        assert comparable(step, now) == comparable(step, before), f"step {number}: {step}"
    assert again["told"] == data["told"]
