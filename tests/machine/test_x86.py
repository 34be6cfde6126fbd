"""A processor before our buses: hand-assembled code, so that nothing has to be built."""

from __future__ import annotations

import contextlib
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interface.conversation import echo

from baseboard.errors import ConfigError, DecodeError
from baseboard.interface import HandlerSeam
from baseboard.interface.bus import IsaBus, Line, MemoryBus
from baseboard.interface.kcs import Kcs
from baseboard.machine import Elf, GuestFault, Stop, X86Machine
from baseboard.machine.x86 import PROGRAM

HLT = "f4"


def kcs_machine() -> tuple[X86Machine, Kcs]:
    kcs = Kcs()
    HandlerSeam(kcs.engine, echo)
    bus = IsaBus()
    bus.attach(kcs, base=0xCA2, irq=5)
    return X86Machine(bus), kcs


def load(machine: X86Machine, code: str, address: int = PROGRAM) -> None:
    machine.load(bytes.fromhex(code), address)


# fmt: off
PORTS = [
    # mov al, 61h; mov dx, ca3h; out dx, al; in; and as one with the byte before it, for Data_In
    pytest.param("b061 66baa30c ee",       "ec",     0x88, id="bytes"),
    pytest.param("66b80061 66baa20c 66ef", "66ed",   0x8800, id="words"),
    pytest.param("66b80061 66baa20c 66ef", "ed",     0xFFFF8800, id="double words"),
]
# fmt: on


@pytest.mark.parametrize(("out", "in_", "value"), PORTS)
def test_ports(out: str, in_: str, value: int) -> None:
    """Each width; the byte that the engine writes after WRITE_START is read with Data_Out."""
    machine, kcs = kcs_machine()
    load(machine, "31c0" + out + "31c0" + in_ + HLT)
    assert machine.run() is Stop.IDLE
    read = machine.register("eax")
    assert read & ~0x0101 == value & ~0x0101
    assert kcs.latch.status & 0xC0 == 0x80


def test_repeated_input() -> None:
    """rep insb reads the port as often as ECX says, and rep outsb writes it."""
    machine, kcs = kcs_machine()
    machine.write_memory(0x2_0000, b"\x18\x01")
    # WRITE_START; cld; mov esi, 20000h; mov ecx, 2; mov dx, ca2h; rep outsb;
    # mov edi, 20010h; mov ecx, 3; rep insb
    load(
        machine,
        "b061 66baa30c ee fc be00000200 b902000000 66baa20c f36e bf10000200 b903000000 f36c" + HLT,
    )
    assert machine.run() is Stop.IDLE
    assert kcs.engine.export().request == b"\x18\x01"
    assert machine.read_memory(0x2_0010, 4) == bytes(4), "what the latch has: the dummy byte, three times"
    assert machine.register("edi") == 0x2_0013


def test_memory_reaches_the_bus() -> None:
    bus = MemoryBus()
    for base in (0xFED4_0FF0, 0xFED4_2010):
        kcs = Kcs()
        HandlerSeam(kcs.engine, echo)
        bus.attach(kcs, base=base, spacing=16)
    machine = X86Machine(memory=bus)
    # mov byte [fed41000], 61h; mov eax, [fed41000]; mov ebx, [fed42020]
    load(machine, "c6050010d4fe61 a10010d4fe 8b1d2020d4fe" + HLT)
    assert machine.run() is Stop.IDLE
    assert machine.register("eax") == 0x0000_0089
    assert machine.register("ebx") == 0x0000_00C0


# Interrupts

# at 10100h: mov dx, ca2h; in al, dx; inc ebx; iret
HANDLER = "66baa20c ec 43 cf"


def test_an_interrupt_wakes() -> None:
    """The handler reads Data_Out, which lowers the line; IRET goes on behind HLT."""
    machine, kcs = kcs_machine()
    kcs.engine.set_interrupt(True)
    load(machine, HANDLER, 0x1_0100)
    machine.set_vector(5, 0x1_0100)
    # xor ebx, ebx; sti; mov al, 61h; mov dx, ca3h; out; jmp to the next; hlt; mov ecx, 7; hlt
    load(machine, "31db fb b061 66baa30c ee eb00 f4 b907000000" + HLT)
    assert machine.run() is Stop.IDLE
    assert (machine.register("ebx"), machine.register("ecx")) == (1, 0), "taken before HLT, which waits on"
    kcs.registers[0].write(0x18)
    assert machine.run() is Stop.IDLE
    assert (machine.register("ebx"), machine.register("ecx")) == (2, 7)
    assert machine.register("esp") == 0x10_0000


def test_a_line_from_elsewhere() -> None:
    """A device in memory, whose line is connected by hand."""
    kcs, line, bus = Kcs(), Line(), MemoryBus()
    kcs.engine.set_interrupt(True)
    bus.attach(kcs, base=0xFED4_0000, line=line)
    machine = X86Machine(memory=bus)
    line.changed = machine.line(9)
    load(machine, "a00000d4fe 43 cf", 0x1_0100)  # mov al, [fed40000]; inc ebx; iret
    machine.set_vector(9, 0x1_0100)
    # xor ebx, ebx; mov byte [fed40001], 61h; sti; hlt; mov ecx, 7; cli; hlt
    load(machine, "31db c6050100d4fe61 fb f4 b907000000 fa" + HLT)
    assert machine.run() is Stop.IDLE
    assert (machine.register("ebx"), machine.register("ecx")) == (1, 7)


def test_sti_and_hlt_do_not_part() -> None:
    """What is up already comes after HLT has begun to wait: sti; hlt loses no wake-up."""
    machine, kcs = kcs_machine()
    kcs.engine.set_interrupt(True)
    load(machine, HANDLER, 0x1_0100)
    machine.set_vector(5, 0x1_0100)
    # xor ebx, ebx; cli; WRITE_START; sti; hlt; mov ecx, 7; cli; hlt
    load(machine, "31db fa b061 66baa30c ee fb f4 b907000000 fa" + HLT)
    assert machine.run() is Stop.IDLE
    assert (machine.register("ebx"), machine.register("ecx")) == (1, 7)


def test_an_interrupt_at_the_beginning_of_ram() -> None:
    """Whether an STI stands before is not to be seen where nothing stands before."""
    machine, kcs = kcs_machine()
    kcs.engine.set_interrupt(True)
    machine.add_ram(0x20_0000, 0x1000)
    load(machine, "43 fa" + HLT, 0x1_0100)  # inc ebx; cli; hlt
    machine.set_vector(5, 0x1_0100)
    load(machine, "b061 66baa30c ee ebf7", 0x20_0000)  # WRITE_START; and again
    load(machine, "31db fb 90 e9 f7ff1e00")  # xor ebx, ebx; sti; nop; jmp there
    assert machine.run() is Stop.IDLE
    assert machine.register("ebx") == 1


def test_without_the_interrupt_flag_nothing_wakes() -> None:
    machine, kcs = kcs_machine()
    kcs.engine.set_interrupt(True)
    load(machine, "b061 66baa30c ee" + HLT)
    assert machine.run() is Stop.IDLE
    assert machine.lines == 1 << 5
    assert machine.run() is Stop.IDLE, "it stays halted"


def test_a_line_that_stays_up_is_taken_again_and_again() -> None:
    machine, kcs = kcs_machine()
    kcs.engine.set_interrupt(True)
    load(machine, "43 cf", 0x1_0100)  # inc ebx; iret
    machine.set_vector(5, 0x1_0100)
    load(machine, "31db fb b061 66baa30c ee" + HLT)
    assert machine.run(1000) is Stop.LIMIT
    assert machine.register("ebx") > 100


def test_a_line_that_was_up_before() -> None:
    kcs = Kcs()
    kcs.engine.set_interrupt(True)
    kcs.registers[1].write(0x61)
    bus = IsaBus()
    bus.attach(kcs, base=0xCA2, irq=5)
    seen: list[bool] = []
    bus.lines[5].changed = seen.append
    machine = X86Machine(bus)
    assert machine.lines == 1 << 5
    kcs.registers[0].read()
    assert (machine.lines, seen) == (0, [False]), "who listened before listens on"


def test_idle_makes_something_happen() -> None:
    machine, kcs = kcs_machine()
    kcs.engine.set_interrupt(True)
    load(machine, HANDLER, 0x1_0100)
    machine.set_vector(5, 0x1_0100)
    load(machine, "31db fb f4 b907000000 fa" + HLT)
    calls = 0

    def idle() -> bool:
        nonlocal calls
        calls += 1
        if calls == 3:
            kcs.registers[1].write(0x61)
        return calls < 5

    machine.idle = idle
    assert machine.run() is Stop.IDLE
    assert (machine.register("ebx"), machine.register("ecx"), calls) == (1, 7, 5)
    machine.idle = lambda: True
    assert machine.run(1000) is Stop.LIMIT


# What guest code does wrong

# fmt: off
FAULTS = [
    pytest.param("0f0b",           "Invalid instruction",              id="ud2"),
    pytest.param("31c0 f7f0",      "exception 0",                      id="division by zero"),
    pytest.param("cd80",           "exception 128",                    id="software interrupt"),
    pytest.param("cc",             "exception 3",                      id="breakpoint"),
    pytest.param("a100000000",     "Invalid memory read (UC_ERR_READ_UNMAPPED) at 0x0;", id="null pointer"),
    pytest.param("a300000090", "Invalid memory write (UC_ERR_WRITE_UNMAPPED) at 0x90000000", id="nowhere"),
    pytest.param("6a00 c3",        "Invalid memory fetch (UC_ERR_FETCH_UNMAPPED) at 0x0;", id="to null"),
    pytest.param("fb 31e4 b061 66baa30c ee f4", "no stack for an interrupt", id="no stack"),
    pytest.param("fb b061 66baa30c ee f4", "interrupt line 5 is up and vector 25h has no", id="no handler"),
]
# fmt: on


@pytest.mark.parametrize(("code", "reason"), FAULTS)
def test_faults(code: str, reason: str) -> None:
    machine, kcs = kcs_machine()
    kcs.engine.set_interrupt(True)
    if "stack" in reason:
        machine.set_vector(5, PROGRAM)
    load(machine, code + HLT)
    with pytest.raises(GuestFault) as fault:
        machine.run()
    assert str(fault.value).startswith(f"x86: {reason}")
    assert "eax=0x" in str(fault.value)


def test_a_loop_without_end_ends() -> None:
    machine = X86Machine()
    load(machine, "ebfe")
    assert machine.run(5000) is Stop.LIMIT
    assert machine.run(5000) is Stop.LIMIT


def test_a_handler_in_python_that_fails_is_heard() -> None:
    machine, kcs = kcs_machine()

    def broken(*_: object) -> bytes:
        raise RuntimeError("broken")

    HandlerSeam(kcs.engine, broken)
    load(machine, "66baa30c b061 ee 66baa20c b018 ee 66baa30c b062 ee 66baa20c b001 ee" + HLT)
    with pytest.raises(RuntimeError, match="broken"):
        machine.run()


@given(st.binary(min_size=1, max_size=64))
def test_any_code(code: bytes) -> None:
    """It halts, reaches the limit or is a fault."""
    machine, kcs = kcs_machine()
    kcs.engine.set_interrupt(True)
    machine.load(code, PROGRAM)
    with contextlib.suppress(GuestFault):
        machine.run(200)


# Functions and programs


def test_call() -> None:
    machine = X86Machine()
    load(machine, "8b442404 2b442408 c3")  # mov eax, [esp+4]; sub eax, [esp+8]; ret
    assert machine.call(PROGRAM, 44, 2) == 42
    assert machine.call(PROGRAM, 2, 44) == -42
    load(machine, "ebfe", 0x1_0100)
    with pytest.raises(GuestFault, match="the function did not return: the limit of blocks is reached"):
        machine.call(0x1_0100, blocks=100)
    load(machine, HLT, 0x1_0200)
    with pytest.raises(GuestFault, match="did not return: halted, and nothing is left to wake it"):
        machine.call(0x1_0200)
    assert machine.call(PROGRAM, 44, 2) == 42


def test_another_program_in_the_same_place() -> None:
    """What was translated of the first is not run again, and HLT is over."""
    machine = X86Machine()
    for value in (7, 9):
        load(machine, f"b8{value:02x}000000" + HLT)
        assert machine.run() is Stop.IDLE
        assert machine.register("eax") == value
        assert machine.run() is Stop.IDLE


@pytest.mark.parametrize(
    ("address", "size"), [(0, 4), (0xFFE, 4), (0xF_FFFE, 4), (1 << 40, 1), (-1, 1), (0x2000, 1 << 40)]
)
def test_what_is_no_ram(address: int, size: int) -> None:
    machine = X86Machine()
    with pytest.raises(ConfigError, match="are not RAM, which is 0x1000 to 0xfffff"):
        machine.read_memory(address, size)
    with pytest.raises(ConfigError, match="are not RAM"):
        machine.load(bytes(4), address if size < 5 else 0xF_FFFE)


def test_wrong_machines() -> None:
    with pytest.raises(ConfigError, match="there must be 0x20000 at least"):
        X86Machine(ram=PROGRAM)
    with pytest.raises(ConfigError, match="whole pages"):
        X86Machine(ram=0x2_0001)
    bus = MemoryBus()
    bus.attach(Kcs(), base=0x2_0000)
    with pytest.raises(ConfigError, match="addresses 0x20000 to 0x20fff"):
        X86Machine(memory=bus)
    with pytest.raises(ConfigError, match="interrupt line 224: there are 0 to 223"):
        X86Machine().set_vector(224, PROGRAM)
    with pytest.raises(ConfigError, match="the program has no 'main'"):
        X86Machine().call("main")


def test_without_unicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "unicorn", None)
    with pytest.raises(ConfigError, match=r"pip install 'baseboard\[machine\]'"):
        X86Machine()


def program(*, segment: bytes = b"\xf4", machine: int = 3, address: int = PROGRAM, extra: int = 4) -> bytes:
    """An ELF program of 32 bits with one segment and one symbol, as System V ABI 4 lays it out."""
    strings = b"\0start\0"
    symbols = bytes(16) + struct.pack("<IIIBBH", 1, address, 0, 0x12, 0, 1)
    at = 52 + 32
    tables = at + len(segment)
    header = struct.pack(
        "<4sBBB9xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 2, machine, 1, address, 52, tables + 23 + 16, 0,
        52, 32, 1, 40, 3, 0,
    )  # fmt: skip
    load = struct.pack("<IIIIIIII", 1, at, address, address, len(segment), len(segment) + extra, 7, 1)
    sections = bytes(40)
    sections += struct.pack("<IIIIIIIIII", 0, 2, 0, 0, tables, len(symbols), 2, 0, 4, 16)
    sections += struct.pack("<IIIIIIIIII", 0, 3, 0, 0, tables + len(symbols), len(strings), 0, 0, 1, 0)
    return header + load + segment + symbols + strings + sections


def test_an_elf_program() -> None:
    machine = X86Machine()
    machine.load(Elf.decode(program(segment=bytes.fromhex("b807000000 c3"))))
    assert machine.symbols == {"start": PROGRAM}
    assert machine.register("eip") == PROGRAM
    assert machine.call("start") == 7


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (program(machine=40), "a program for ARM of 32 bits: this machine is x86 of 32 bits$"),
        (program(machine=62), "a program for x86-64: "),
        (program(machine=7), "a program for ELF machine 7: "),
        (program(address=0x20_0000), "are not RAM"),
        (program(extra=0x100_0000), "are not RAM"),
    ],
)
def test_a_program_that_does_not_fit(data: bytes, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        X86Machine().load(Elf.decode(data))


def test_an_object_file() -> None:
    """e_type 1 is one that is not linked yet."""
    data = bytearray(program())
    data[16] = 1
    with pytest.raises(DecodeError, match=r"link it to a program first$"):
        Elf.decode(bytes(data))


@given(st.data())
def test_any_bytes_are_an_elf_program_or_a_decode_error(data: st.DataObject) -> None:
    raw = bytearray(program())
    for _ in range(data.draw(st.integers(0, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    try:
        Elf.decode(cut)
    except DecodeError:
        pass
