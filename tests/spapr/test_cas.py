"""CAS: option vectors as Debian's Linux 6.1 gives and gets them, and vectors that are none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baseboard.errors import DecodeError
from baseboard.spapr import fdt
from baseboard.spapr.cas import Architecture, read_architecture
from baseboard.spapr.device_tree import device_tree
from baseboard.spapr.guest_memory import BadAddress, ByteMemory
from baseboard.spapr.hcalls import Hypervisor
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.vector5 import DRC_INFO, HOTPLUG_EVENTS, PLATFORM, common, vector

GIB = 1 << 30
H_CAS = 0xF002
VECTORS, BUFFER = 0x1000, 0x10000

# What QEMU agreed on with Linux 6.1, of which HPT resizing and XIVE are not ours.
LINUX = bytes.fromhex("00200000a005000000000000000000000000000000804040" + "0040")
AGREED = bytes.fromhex("00200000a00400000000000000000000000000000080" + "00400040")
REQUEST = (
    bytes.fromhex("ffffffff 0f000005 00000000 ffffffff")  # ISA 3.0; bits outside the mask: the end
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
        ((0xFFFF_FFFF, 0x0F00_0005), (0, 0xFFFF_FFFF)),
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


# As QEMU 7.2 answered: version, features.
NO_PROCESSOR = None
FEATURES = "4200f63fc7c080f080000000000000000000800080008000000080008000800080008000c00080008000"
REST = "800080008000800080008000800080008000800080000000"
ISA_3, BEFORE_ISA_3 = f"{FEATURES} 8000 {REST}", f"{FEATURES} 0000 {REST}"
ISA_2_06, ISA_2_07 = "0600 f63fc70080c0", "1800 f63fc7c080f0 800000000000 000000008000 800080000000"


@pytest.mark.parametrize(
    ("pairs", "vector1", "seen"),
    [
        pytest.param("ffffffff 004e1200", "008080", ("004e1200", ISA_3), id="itself"),
        pytest.param("ffff0000 004e0000", "008080", ("004e1200", ISA_3), id="any revision"),
        pytest.param("ffffffff 004e1200", "00807f", ("004e1200", BEFORE_ISA_3), id="before ISA 3.0"),
        pytest.param("ffffffff 0f000005", "008080", ("0f000005", ISA_3), id="ISA 3.0"),
        pytest.param("ffffffff 0f000004", "008080", ("0f000004", ISA_2_07), id="ISA 2.07"),
        pytest.param("ffffffff 0f100003", "008080", ("0f100003", ISA_2_06), id="ISA 2.06+"),
        pytest.param("ffffffff 0f000002", "008080", ("0f000002", None), id="ISA 2.05"),
        pytest.param(
            "ffffffff 0f000004 ffffffff 0f000003", "008080", ("0f000004", ISA_2_07), id="the newest of two"
        ),
        pytest.param(
            "ffffffff 004e1200 ffffffff 0f000004", "008080", ("0f000004", ISA_2_07), id="rather than itself"
        ),
        pytest.param("ffffffff 004e1100", "008080", NO_PROCESSOR, id="another revision"),
        pytest.param("ffffffff 0f000006", "008080", NO_PROCESSOR, id="ISA 3.1"),
        pytest.param("", "008080", NO_PROCESSOR, id="none"),
    ],
)
def test_a_processor_is_agreed_on(
    hypervisor: Hypervisor, pairs: str, vector1: str, seen: tuple[str, str | None] | None
) -> None:
    memory, vector_1 = hypervisor.machine.memory, bytes.fromhex(vector1)
    end = bytes.fromhex("00000000 ffffffff")
    rest = bytes([4, len(vector_1) - 1]) + vector_1 + REQUEST[19:]
    memory.write(VECTORS, bytes.fromhex(pairs) + end + rest)
    if seen is NO_PROCESSOR:
        assert hypervisor.call(H_CAS, VECTORS, BUFFER, 0x20000)[0] == -1
        assert hypervisor.machine.vector5 is None
        return
    assert hypervisor.call(H_CAS, VECTORS, BUFFER, 0x20000)[0] == 0
    core = fdt.parse(memory.read(BUFFER + 4, 0x20000)).find("/cpus/PowerPC,POWER9@0")
    assert core is not None
    version, features = seen
    assert core.properties["cpu-version"] == bytes.fromhex(version)
    assert core.properties.get("ibm,pa-features") == (None if features is None else bytes.fromhex(features))
    hypervisor.machine.reset()
    assert hypervisor.machine.processor.version == 0x004E_1200


@pytest.mark.parametrize(
    ("vector5", "shift"),
    [
        pytest.param("0020", 24, id="it cannot resize its table, which must do for all memory"),
        pytest.param("002000000001", 23, id="it can"),
        pytest.param("00" * 23 + "40", 23, id="radix tables"),
    ],
)
def test_the_hashed_table_after_cas(hypervisor: Hypervisor, vector5: str, shift: int) -> None:
    """Of 1 GiB, which can be 2."""
    data = bytes.fromhex(vector5)
    hypervisor.machine.memory.write(VECTORS, REQUEST[:25] + bytes([len(data) - 1]) + data)
    assert hypervisor.call(H_CAS, VECTORS, BUFFER, 0x20000)[0] == 0
    core = device_tree(hypervisor.machine).find("/cpus/PowerPC,POWER9@0")
    assert core is not None
    assert core.cells("ibm,pft-size") == (0, shift)


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
