"""The work area's protocol."""

from __future__ import annotations

import struct

import pytest
from tests.spapr.guest import AREA, MIB, Guest, make_machine
from tests.spapr.guest import BLOCK as ARGUMENTS

from baseboard.spapr.choices import Choice
from baseboard.spapr.configure_connector import Piece, pieces
from baseboard.spapr.tree import Node

CORE, CARD, BLOCK = 0x1000_0001, 0x4000_0040, 0x8000_0004


@pytest.fixture
def guest() -> Guest:
    machine = make_machine()
    machine.plug_core("c1", 1)
    machine.plug_dimm("d1", 512 * MIB)
    machine.plug_pci("p1", "virtio-rng-pci", 8)
    guest = Guest(machine)
    for index in (CORE, CARD, BLOCK, BLOCK + 1):
        guest.take(index)
    return guest


def test_lengths_are_those_of_qemu(guest: Guest) -> None:
    """[QEMU 7.2]: 32 calls for a core, 17 for virtio-rng, 5 for a block of memory."""
    assert [len(guest.configure(index)) for index in (CORE, CARD, BLOCK)] == [32, 17, 5]


def test_memory_block_in_bytes(guest: Guest) -> None:
    guest.machine.memory.write(AREA, b"\xaa" * 4096)
    assert guest.configure_once(BLOCK) == 2
    page = guest.machine.memory.read(AREA, 4096)
    assert page[:12] == bytes.fromhex("80000004 00000000 00000014")
    assert page[12:20] == b"\xaa" * 8  # only properties have a value
    assert page[20:].startswith(b"memory@40000000\0\xaa")
    assert guest.configure_once(BLOCK) == 3
    page = guest.machine.memory.read(AREA, 4096)
    assert page[:20] == bytes.fromhex("80000004 00000000 00000014 00000014 00000026")
    assert page[20:].startswith(b"ibm,associativity\0" + bytes.fromhex("00000004" + "00" * 16))


def test_wrong_names_as_in_qemu() -> None:
    machine = make_machine(choices=Choice.WRONG_LMB_NAMES)
    machine.plug_dimm("d1", 256 * MIB)
    guest = Guest(machine)
    guest.take(BLOCK)
    assert guest.configure(BLOCK)[0] == (2, "memory@800000040000000")


def test_several_connectors_interleave(guest: Guest) -> None:
    indexes = (CORE, CARD, BLOCK, BLOCK + 1)
    alone = {index: guest.configure(index) for index in indexes}
    together: dict[int, list[int]] = {index: [] for index in indexes}
    while any(not statuses or statuses[-1] > 0 for statuses in together.values()):
        for number, (index, statuses) in enumerate(together.items()):
            if not statuses or statuses[-1] > 0:
                statuses.append(guest.configure_once(index, AREA + 0x1000 * (number % 2)))
    assert together == {index: [status for status, _ in pieces] for index, pieces in alone.items()}


def test_after_the_end_it_starts_again_and_isolation_starts_anew(guest: Guest) -> None:
    assert guest.configure(CORE) == guest.configure(CORE)
    guest.configure_once(CORE)
    guest.configure_once(CORE)
    assert guest.set(9001, CORE, 0) == 0
    assert guest.configure_once(CORE) == -9003
    assert guest.set(9001, CORE, 1) == 0
    assert guest.configure_once(CORE) == 2


def test_work_areas_that_overlap(guest: Guest) -> None:
    """Each other, and the argument block of their own calls: statuses are as ever."""
    core, block = [2, *[3] * 30, 0], [2, *[3] * 3, 0]
    answers: dict[int, list[int]] = {CORE: [], BLOCK: []}
    for index in [CORE, BLOCK] * 5 + [CORE] * 27:
        answers[index].append(guest.configure_once(index, area=AREA if index == CORE else AREA + 12))
    assert answers == {CORE: core, BLOCK: block}
    assert [guest.configure_once(CORE, area=ARGUMENTS - 0x20) for _ in core] == core


@pytest.mark.parametrize("area", [MIB - 4092, MIB - 4, MIB, 0xFFFF_FFFC])
def test_work_area_outside_memory_changes_nothing(guest: Guest, area: int) -> None:
    assert guest.configure_once(CORE) == 2
    assert guest.call("ibm,configure-connector", area, 0) == (-3,)
    assert guest.configure_once(CORE) == 3


def test_unknown_and_empty_connectors(guest: Guest) -> None:
    assert guest.configure_once(0x7000_0000) == -3
    assert guest.configure_once(0x1000_0002) == -9003
    guest.machine.choices = Choice.ISOLATED_IS_COMPLETE
    assert guest.configure_once(0x1000_0002) == 0


def test_upper_half_of_the_address_only_by_choice(guest: Guest) -> None:
    assert guest.configure_once(CORE, extent=1) == 2
    guest.machine.choices = Choice.WIDE_WORK_AREA
    assert guest.configure_once(CORE, extent=1) == -3
    assert guest.configure_once(CORE) == 3


def big_bridge(choices: Choice) -> Guest:
    """A host bridge whose `ibm,drc-names` do not fit: names of 256 functions are cut by hand here."""
    machine = make_machine(choices=choices)
    machine.plug_core("c1", 1)
    guest = Guest(machine)
    guest.take(CORE)
    connector = machine.connectors[CORE]
    connector.stream = (Piece(3, "big", bytes(range(250)) * 20), Piece(0))
    connector.position = 0
    return guest


def test_value_is_cut_where_the_page_ends() -> None:
    guest = big_bridge(Choice.STALE_TREES)
    guest.machine.memory.write(AREA + 4096, b"\xaa" * 16)
    assert guest.configure_once(CORE) == 3
    page = guest.machine.memory.read(AREA, 4096 + 16)
    assert struct.unpack(">III", page[8:20]) == (20, 5000, 24)
    assert page[24:4096] == (bytes(range(250)) * 20)[:4072]
    assert page[4096:] == b"\xaa" * 16


def test_extension_page_is_asked_for() -> None:
    guest = big_bridge(Choice.STALE_TREES | Choice.EXTENSION_PAGE)
    assert guest.configure_once(CORE) == 5
    assert guest.configure_once(CORE) == 5
    assert guest.configure_once(CORE, extent=MIB) == -3
    extent = AREA + 0x8000
    assert guest.configure_once(CORE, extent=extent) == 3
    value = guest.machine.memory.read(AREA + 24, 4072) + guest.machine.memory.read(extent, 928)
    assert value == bytes(range(250)) * 20
    assert guest.configure_once(CORE, extent=extent) == 0


def test_an_extension_page_that_is_the_work_area() -> None:
    guest = big_bridge(Choice.STALE_TREES | Choice.EXTENSION_PAGE)
    assert guest.configure_once(CORE, extent=AREA) == 3
    assert guest.machine.memory.read(AREA + 24, 4072) == (bytes(range(250)) * 20)[:4072]


TREE = Node("a", {"p": b"1"}, [Node("b", {"q": b"2"}, [Node("c")]), Node("d")])


def test_order_as_qemu() -> None:
    answers = [(piece.status, piece.name) for piece in pieces(TREE)]
    expected = "2a 3p 2b 3q 2c 4 4 2d 4 0"
    assert " ".join(f"{status}{name}" for status, name in answers) == expected


def test_order_as_the_standard() -> None:
    """[LoPAR 13.5.3.5]: a sibling follows without going back first."""
    answers = [(piece.status, piece.name) for piece in pieces(TREE, siblings=True)]
    assert " ".join(f"{status}{name}" for status, name in answers) == "2a 3p 2b 3q 2c 4 1d 4 0"


def test_phandles_by_choice(guest: Guest) -> None:
    guest.machine.choices = Choice.PHANDLES
    assert guest.configure(CORE)[-2] == (3, "ibm,phandle")
    assert guest.machine.memory.read(AREA + 20 + 12, 4) == CORE.to_bytes(4, "big")
    assert guest.configure(BLOCK)[-2] == (3, "ibm,phandle")


def test_fetching_memory_that_was_to_go_takes_the_request_back(guest: Guest) -> None:
    guest.configure(BLOCK)
    guest.configure(BLOCK + 1)
    guest.machine.unplug("d1")
    guest.configure_once(BLOCK)
    assert guest.told == [("MEM_UNPLUG_ERROR", "d1"), ("DEVICE_UNPLUG_GUEST_ERROR", "d1")]
    assert guest.set(9001, BLOCK + 1, 0) == -1
