"""CAS: option vectors as Debian's Linux 6.1 gives and gets them, and vectors that are none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baseboard.errors import DecodeError
from baseboard.spapr import fdt
from baseboard.spapr.cas import Architecture, read_architecture
from baseboard.spapr.guest_memory import BadAddress, ByteMemory
from baseboard.spapr.hcalls import Hypervisor
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.vector5 import DRC_INFO, HOTPLUG_EVENTS, PLATFORM, common, vector

GIB = 1 << 30
H_CAS = 0xF002
VECTORS, BUFFER = 0x1000, 0x10000

# What QEMU agreed on with Linux 6.1, of which the second affinity form, HPT resizing and XIVE are not ours.
LINUX = bytes.fromhex("00200000a005000000000000000000000000000000804040" + "0040")
AGREED = bytes.fromhex("00200000800400000000000000000000000000000080" + "00400040")
REQUEST = (
    bytes.fromhex("ffffffff 0f000006 00000000 ffffffff")  # one processor; bits outside the mask: the end
    + b"\x04"  # five vectors
    + b"\x00\x80" * 4
    + bytes([len(LINUX) - 1])
    + LINUX
)


@pytest.fixture
def hypervisor() -> Hypervisor:
    memory = ByteMemory(1 << 20)
    machine = PseriesMachine(memory=memory, ram=GIB, max_ram=2 * GIB, slots=2)
    memory.write(VECTORS, REQUEST)
    return Hypervisor(machine)


def test_vectors_are_read_to_their_end() -> None:
    memory = ByteMemory(len(REQUEST))
    memory.write(0, REQUEST)
    assert read_architecture(memory, 0) == Architecture(
        ((0xFFFF_FFFF, 0x0F00_0006), (0, 0xFFFF_FFFF)),
        {1: b"\x80", 2: b"\x80", 3: b"\x80", 4: b"\x80", 5: LINUX},
    )
    memory = ByteMemory(len(REQUEST) - 1)
    memory.write(0, REQUEST[:-1])
    with pytest.raises(BadAddress):
        read_architecture(memory, 0)


def test_options_are_those_of_both() -> None:
    assert vector((HOTPLUG_EVENTS,)) == bytes.fromhex("000000000004")
    assert HOTPLUG_EVENTS.among(LINUX)
    assert not HOTPLUG_EVENTS.among(LINUX[:5])
    assert common(LINUX, PLATFORM) == AGREED
    assert common(b"", PLATFORM) == b"\0"
    assert common(b"\xff" * 64, (*PLATFORM, DRC_INFO))[21] == 0xC0


def test_the_guest_gets_its_tree(hypervisor: Hypervisor) -> None:
    machine = hypervisor.machine
    machine.events.power_down()
    machine.events.hotplug(5, 1, index=0x4000_0018)
    assert hypervisor.call(H_CAS, VECTORS, BUFFER, 0x20000) == (0, VECTORS)
    assert machine.memory.read(BUFFER, 4) == bytes.fromhex("00000001")
    tree = fdt.parse(machine.memory.read(BUFFER + 4, 0x20000))
    chosen = tree.find("/chosen")
    assert chosen is not None
    assert chosen.properties["ibm,architecture-vec-5"] == bytes([len(AGREED) - 1]) + AGREED
    assert tree.find("/ibm,dynamic-reconfiguration-memory") is not None
    assert machine.vector5 == AGREED
    assert machine.hotplug_events
    assert len(machine.events) == 1  # the warning


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        pytest.param((VECTORS, BUFFER, 0x100), REQUEST, id="no room"),
        pytest.param((VECTORS, BUFFER, 0), REQUEST, id="none at all"),
        pytest.param((VECTORS, (1 << 20) - 8, 0x20000), REQUEST, id="answer not in memory"),
        pytest.param(((1 << 20) - 8, BUFFER, 0x20000), REQUEST, id="vectors not in memory"),
        pytest.param((1 << 63, 1 << 63, 1 << 63), REQUEST, id="nowhere"),
        pytest.param((VECTORS, BUFFER, 0x20000), REQUEST[:16] + b"\x00\x00\x80", id="vector 5 is missing"),
        pytest.param((VECTORS, BUFFER, 0x20000), b"\xff" * 0x2000, id="no end of processors"),
    ],
)
def test_nonsense_is_a_parameter_error_and_changes_nothing(
    hypervisor: Hypervisor, arguments: tuple[int, ...], request_: bytes
) -> None:
    memory = hypervisor.machine.memory
    memory.write(VECTORS, request_)
    before = memory.read(0, 1 << 20)
    assert hypervisor.call(H_CAS, *arguments) == (-4, arguments[0])
    assert memory.read(0, 1 << 20) == before
    assert hypervisor.machine.vector5 is None


@given(st.binary(max_size=100))
def test_any_bytes_are_vectors_or_a_decode_error(data: bytes) -> None:
    memory = ByteMemory(len(data))
    memory.write(0, data)
    try:
        read_architecture(memory, 0)
    except DecodeError:
        pass


@settings(max_examples=20)
@given(st.binary(max_size=60))
def test_any_vector_five_is_answered(data: bytes) -> None:
    memory = ByteMemory(1 << 18)
    memory.write(VECTORS, REQUEST[:25] + bytes([max(len(data), 1) - 1]) + (data or b"\0"))
    hypervisor = Hypervisor(PseriesMachine(memory=memory, ram=GIB))
    assert hypervisor.call(H_CAS, VECTORS, BUFFER, 0x20000)[0] in (0, -4)
