"""PPC64 code: instruction words with their assembler text beside them; hypercalls answered by a partition.

Words are those of GNU as 2.40 (`powerpc64-linux-gnu-as -mpower8`).
"""

from __future__ import annotations

import contextlib
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import ConfigError
from baseboard.machine import Elf, GuestFault, Ppc64Machine, Stop
from baseboard.machine.ppc64 import PROGRAM, RAM
from baseboard.spapr.call_log import CallLog
from baseboard.spapr.guest_memory import BadAddress, read_cells, write_cells
from baseboard.spapr.hcalls import Hypervisor
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.replaying import replay
from baseboard.spapr.rtas import TOKENS
from baseboard.spapr.saved import export, restore
from baseboard.spapr.tpm import TpmError

CORE = 0x1000_0001
BLOCK, AREA, COMMAND, RESPONSE = 0x8_0000, 0x8_1000, 0x8_2000, 0x8_3000
H_RTAS, H_CEDE, H_TPM_COMM, H_PUT_TERM_CHAR = 0xF000, 0xE0, 0xEF10, 0x58
BLR = "4e800020"

CALL = "44000022" + BLR  # sc 1; blr

CONFIGURE = """
    7c7f1b78    mr      r31, r3     the argument block
    3bc00000    li      r30, 0
    38600000 1: li      r3, 0
    6063f000    ori     r3, r3, H_RTAS
    7fe4fb78    mr      r4, r31
    44000022    sc      1
    3bde0001    addi    r30, r30, 1
    e87f0016    lwa     r3, 20(r31) the status
    2c230000    cmpdi   r3, 0
    4181ffe4    bgt     1b
    4c820020    bnelr
    7fc3f378    mr      r3, r30     how many calls it took
    4e800020    blr
"""

GET_RANDOM = bytes.fromhex("8001 0000000c 0000017b 0004")
RANDOM = bytes.fromhex("8001 00000010 00000000 0004 11223344")


class Tpm:
    """Answers one command; is gone when told so."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.gone = False

    def open(self) -> None:
        self.done.append("open")

    def exchange(self, command: bytes) -> bytes:
        assert command == GET_RANDOM
        if self.gone:
            raise TpmError("gone")
        return RANDOM

    def close(self) -> None:
        self.done.append("close")


def words(listing: str) -> bytes:
    """The first column of a listing, or words one after the other."""
    if "\n" in listing:
        listing = "".join(line.split()[0] for line in listing.strip().splitlines())
    return bytes.fromhex(listing)


def make(listing: str = CALL, *, tpm: Tpm | None = None, **settings: Any) -> Ppc64Machine:
    """A machine with this program, in a partition of one core of four."""
    partition = PseriesMachine(**({"cores": 1, "max_cores": 4} | settings))
    machine = Ppc64Machine(Hypervisor(partition, tpm=tpm))
    machine.load(words(listing), PROGRAM)
    return machine


def partition_of(machine: Ppc64Machine) -> PseriesMachine:
    return machine.hypervisor.machine


def rtas(machine: Ppc64Machine, service: str, *arguments: int, results: int = 1) -> tuple[int, ...]:
    """By an argument block and a real `sc 1`."""
    memory = partition_of(machine).memory
    write_cells(memory, BLOCK, TOKENS[service], len(arguments), results, *arguments)
    assert machine.call(PROGRAM, H_RTAS, BLOCK) == 0
    return read_cells(memory, BLOCK + 12 + 4 * len(arguments), results)


def test_rtas() -> None:
    machine = make()
    partition_of(machine).plug_core("c1", 1)
    assert rtas(machine, "get-sensor-state", 9003, CORE, results=2) == (0, 2)
    assert rtas(machine, "set-indicator", 9003, CORE, 1) == (0,)
    assert rtas(machine, "set-indicator", 9001, CORE, 1) == (0,)
    assert rtas(machine, "get-sensor-state", 9003, CORE, results=2) == (0, 1)


def test_configure_connector_in_a_loop() -> None:
    """A core's tree takes 32 calls, as QEMU 7.2's."""
    machine = make()
    partition_of(machine).plug_core("c1", 1)
    for indicator in (9003, 9001):
        rtas(machine, "set-indicator", indicator, CORE, 1)
    machine.load(words(CONFIGURE), PROGRAM)
    memory = partition_of(machine).memory
    write_cells(memory, BLOCK, TOKENS["ibm,configure-connector"], 2, 1, AREA, 0, 0)
    write_cells(memory, AREA, CORE, 0)
    assert machine.call(PROGRAM, BLOCK) == 32
    assert partition_of(machine).connectors[CORE].state == 4
    write_cells(memory, AREA, 0x1000_0007, 0)
    assert machine.call(PROGRAM, BLOCK) == -3


def test_tpm() -> None:
    tpm = Tpm()
    machine = make(tpm=tpm)
    arguments = (H_TPM_COMM, 1, COMMAND, len(GET_RANDOM), RESPONSE, 4096)
    assert machine.call(PROGRAM, *arguments) == -2
    partition_of(machine).plug_tpm_proxy("tpm")
    machine.write_memory(COMMAND, GET_RANDOM)
    assert machine.call(PROGRAM, *arguments) == 0
    assert machine.register("r4") == len(RANDOM)
    assert machine.read_memory(RESPONSE, len(RANDOM)) == RANDOM
    assert machine.call(PROGRAM, H_TPM_COMM, 1, RAM - 4, len(GET_RANDOM), RESPONSE, 4096) == -55
    assert machine.call(PROGRAM, H_TPM_COMM, 1, COMMAND, len(GET_RANDOM), RAM - 4095, 4096) == -57
    assert machine.call(PROGRAM, H_TPM_COMM, 2) == 0
    assert tpm.done == ["open", "close"]
    tpm.gone = True
    assert machine.call(PROGRAM, *arguments) == -16
    assert machine.register("r4") == 1


def test_registers_are_the_hypervisors_to_answer() -> None:
    """r3 signed, r4 as it was when the call has none to give; unknown numbers are H_FUNCTION, all 64 bits."""
    machine = make()
    assert machine.call(PROGRAM, 1 << 32 | H_RTAS, 7) == -2
    assert machine.register("r4") == 7
    assert machine.register("r3") == (1 << 64) - 2


def test_console() -> None:
    machine = make()
    assert machine.call(PROGRAM, H_PUT_TERM_CHAR, 0, 5, 0x68656C6C_6F000000, 0) == 0
    assert machine.console == b"hello"
    seen = bytearray()
    partition = PseriesMachine()
    partition.on_character = seen.append
    machine = Ppc64Machine(Hypervisor(partition))
    machine.load(words(CALL), PROGRAM)
    assert machine.call(PROGRAM, H_PUT_TERM_CHAR, 0, 1, 0x68 << 56, 0) == 0
    assert (bytes(seen), bytes(machine.console)) == (b"h", b""), "who listened before listens on"


def test_faults_and_the_log_see_real_calls() -> None:
    machine = make()
    partition = partition_of(machine)
    start = export(partition)
    partition.log = log = CallLog()
    partition.plan_fault({"service": "H_RTAS", "answers": [1, 9900]})
    assert [machine.call(PROGRAM, H_RTAS, BLOCK) for _ in range(2)] == [1, 9900]
    assert rtas(machine, "get-power-level", 0xFFFF_FFFF, results=2) == (0, 100)
    entries = json.loads(json.dumps(list(log.entries)))
    assert [entry["do"] for entry in entries] == ["plan_fault", "hcall", "hcall", "hcall"]
    assert replay(restore(start), entries) is None


# H_CEDE

WAIT_AND_COUNT = """
    3be00000    li      r31, 0
    386000e0 1: li      r3, H_CEDE
    44000022    sc      1
    3bff0001    addi    r31, r31, 1
    4bfffff4    b       1b
"""


def test_cede_returns_once_for_what_came() -> None:
    machine = make(WAIT_AND_COUNT)
    partition = partition_of(machine)
    assert machine.run() is Stop.IDLE
    assert machine.register("r31") == 0
    partition.plug_core("c1", 1)
    assert machine.run() is Stop.IDLE
    assert machine.register("r31") == 1
    cores = iter(("c2", "c3"))

    def idle() -> bool:
        name = next(cores, None)
        if name is not None:
            partition.plug_core(name, int(name[1]))
        return name is not None

    machine.idle = idle
    assert machine.run() is Stop.IDLE
    assert machine.register("r31") == 3


def test_an_interrupt_before_cede_is_not_lost() -> None:
    told: list[int] = []
    partition = PseriesMachine(cores=1, max_cores=2)
    partition.on_interrupt = told.append
    machine = Ppc64Machine(Hypervisor(partition))
    machine.load(words(WAIT_AND_COUNT), PROGRAM)
    partition.plug_core("c1", 1)
    assert machine.run() is Stop.IDLE
    assert machine.register("r31") == 1
    assert told == [0x1000], "who listened before listens on"


def test_stop_self_ends_the_program() -> None:
    machine = make()
    machine.idle = lambda: pytest.fail("nothing can wake it")
    memory = partition_of(machine).memory
    write_cells(memory, BLOCK, TOKENS["stop-self"], 0, 1)
    with pytest.raises(GuestFault, match="did not return: halted"):
        machine.call(PROGRAM, H_RTAS, BLOCK)


# Functions and instructions


def test_arguments_and_what_is_returned() -> None:
    machine = make("7c633214 7c635214" + BLR)  # add r3, r3, r6; add r3, r3, r10; blr
    assert machine.call(PROGRAM, 40, 0, 0, 1, 0, 0, 0, 1) == 42
    assert machine.call(PROGRAM, 0, 0, 0, -1, 0, 0, 0, 0) == -1
    assert machine.call(PROGRAM, 1 << 40, 0, 0, 1 << 41, 0, 0, 0, 0) == 3 << 40
    with pytest.raises(ConfigError, match="9 arguments: at most 8"):
        machine.call(PROGRAM, *range(9))
    with pytest.raises(ConfigError, match="the program has no 'main'"):
        machine.call("main")


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("fc21102a", id="fadd f1, f1, f2"),
        pytest.param("f0631c90", id="xxmr vs3, vs3"),
        pytest.param("10631c84", id="vmr v3, v3"),
        pytest.param("7c7b03a6", id="mtsrr1 r3"),
    ],
)
def test_units_of_the_processor_are_on(word: str) -> None:
    assert make(word + "38600007" + BLR).call(PROGRAM) == 7  # li r3, 7


def test_memory_is_big_endian_and_a_call_may_have_a_frame() -> None:
    # stdu r1, -32(r1); li r3, 1; stw r3, 24(r1); ld r3, 24(r1); srdi r3, r3, 32; addi r1, r1, 32; blr
    machine = make("f821ffe1 38600001 90610018 e8610018 78630022 38210020" + BLR)
    assert machine.call(PROGRAM) == 1


# fmt: off
FAULTS = [
    pytest.param("00000000",             "an instruction that is not there",       id="no instruction"),
    pytest.param("7fe00008",             "a trap",                                 id="trap"),
    pytest.param("44000002",             "a system call of level 0",               id="sc 0"),
    pytest.param("44000042",             "a system call of level 2",               id="sc 2"),
    pytest.param("38800000 e8640000",    "Invalid memory read",                    id="null pointer"),
    pytest.param("3c808000 f8640000", "Invalid memory write (UC_ERR_WRITE_UNMAPPED) at 0xffff", id="nowhere"),
    pytest.param("38600000 7c6903a6 4e800420", "Invalid memory fetch",             id="branch to null"),
]
# fmt: on


@pytest.mark.parametrize(("code", "reason"), FAULTS)
def test_faults(code: str, reason: str) -> None:
    machine = make(code)
    with pytest.raises(GuestFault) as fault:
        machine.run()
    assert str(fault.value).startswith(f"PPC64: {reason}")
    assert "r3=0x" in str(fault.value)


def test_a_program_of_the_other_byte_order() -> None:
    """What a compiler for ppc64el makes."""
    header = struct.pack(
        "<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 2, 21, 1, PROGRAM, 64, 0, 2, 64, 0, 0, 0, 0, 0
    )
    with pytest.raises(ConfigError, match=r"^a little-endian program: this machine is big-endian$"):
        make().load(Elf.decode(header))


def test_a_loop_without_end_ends() -> None:
    assert make("48000000").run(5000) is Stop.LIMIT  # b .


def test_the_platform_reaches_ram_and_nothing_else() -> None:
    machine = make()
    memory = partition_of(machine).memory
    assert memory.read(RAM - 4, 4) == bytes(4)
    for address, length in ((0, 4), (0xFFE, 4), (RAM - 3, 4), (1 << 62, 1), (0x2000, -1), (0x2000, RAM)):
        with pytest.raises(BadAddress):
            memory.read(address, length)
    with pytest.raises(BadAddress):
        memory.write(RAM - 3, bytes(4))
    assert machine.call(PROGRAM, H_RTAS, 0) == -4
    assert machine.call(PROGRAM, H_RTAS, 1 << 63) == -4


def test_code_that_the_platform_writes_is_run() -> None:
    """What was translated of what stood there before is forgotten."""
    machine = make("38600007" + BLR)
    assert machine.call(PROGRAM) == 7
    partition_of(machine).memory.write(PROGRAM, words("38600009"))
    assert machine.call(PROGRAM) == 9


def test_too_little_ram() -> None:
    with pytest.raises(ConfigError, match="there must be 0x20000 at least"):
        Ppc64Machine(Hypervisor(PseriesMachine()), ram=PROGRAM)


@given(st.lists(st.integers(0, (1 << 32) - 1), min_size=1, max_size=8), st.lists(st.integers(), max_size=6))
def test_any_code_with_a_hypercall(code: list[int], arguments: list[int]) -> None:
    """It ends, reaches the limit or is a fault."""
    machine = make("".join(f"{word:08x}" for word in code) + CALL)
    for number, argument in enumerate(arguments, 3):
        machine.set_register(f"r{number}", argument & (1 << 64) - 1)
    with contextlib.suppress(GuestFault):
        machine.run(100)
