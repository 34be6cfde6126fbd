"""A small POWER machine that runs a partition's code: 64 bits, big-endian, real mode, one processor.

Theory of operation
-------------------
RAM begins at 0, but its first page is not there, so that a null pointer is a fault; the stack is at its end.
The guest's memory, as the platform sees it, is this RAM. `sc 1` is a hypercall: number in r3, arguments from
r4 on, and r3 and r4 come back; the hypervisor answers it before the next instruction. Nothing delivers
interrupts. A guest that has nothing to do says so by H_CEDE, which returns when an event log has come since
the last one did, or else halts: then `idle` is asked to make something happen. stop-self ends the program.

Functions are called as the ELFv2 ABI has it (`-mabi=elfv2`). What Unicorn 2.1 wants: no model of a processor
(its list is that of the 32-bit ones, and then no 64-bit instruction is known), its own TLB instead of the
processor's, and floating point, AltiVec and VSX switched on; `sc` of any level is exception 8.
"""

from __future__ import annotations

from typing import Any

from baseboard.errors import ConfigError
from baseboard.machine.common import BLOCKS, PAGE, Machine, Stop, unicorn
from baseboard.machine.elf import PPC64
from baseboard.spapr.guest_memory import BadAddress
from baseboard.spapr.hcalls import Hypervisor

RAM = 0x10_0000
RETURN = 0x1000
"""Where a called function returns to."""
PROGRAM = 0x1_0000
"""The first address that is a program's."""
H_CEDE = 0xE0
_HYPERCALL = bytes.fromhex("44000022")
"""sc 1"""
_FRAME = 0x100
"""Above the stack pointer: the parameter save area and link register of a caller.  [ELFv2 2.2.2.1]"""
_MSR = 1 << 63 | 1 << 25 | 1 << 23 | 1 << 13
"""64 bits; AltiVec, VSX and floating point are there."""
_EXCEPTIONS = {6: "a trap", 8: "a system call", 96: "an instruction that is not there"}
_ARGUMENTS = 8
"""r3 to r10."""
_LINE = 0


class _RealMemory:
    """The machine's RAM, as the platform reaches it."""

    def __init__(self, machine: Ppc64Machine) -> None:
        self._machine = machine

    def read(self, address: int, length: int) -> bytes:
        self._check(address, length)
        return self._machine.read_memory(address, length)

    def write(self, address: int, data: bytes) -> None:
        self._check(address, len(data))
        self._machine.write_memory(address, data)

    def _check(self, address: int, length: int) -> None:
        if address < PAGE or length < 0 or address + length > self._machine.ram:
            raise BadAddress(address, length)


class Ppc64Machine(Machine):
    """One processor of a partition; `hypervisor` answers it, and has this machine's memory from now on."""

    NAME = "PPC64"
    BYTE_ORDER = "big"
    ELF_MACHINE = PPC64
    REGISTERS = ("pc", *(f"r{number}" for number in range(32)), "lr", "ctr", "cr", "xer", "msr")

    def __init__(self, hypervisor: Hypervisor, *, ram: int = RAM) -> None:
        api = unicorn()
        mode = api.UC_MODE_PPC64 | api.UC_MODE_BIG_ENDIAN
        super().__init__("UC_ARCH_PPC", mode, "ppc_const", "UC_PPC_REG_")
        self.cpu.ctl_set_tlb_mode(api.UC_TLB_VIRTUAL)
        if ram < 2 * PROGRAM:
            raise ConfigError(f"{ram:#x} bytes of RAM: there must be {2 * PROGRAM:#x} at least")
        self.ram = ram
        """The first address behind it."""
        self.add_ram(PAGE, ram - PAGE)
        self.set_register("msr", _MSR)
        self.set_register("r1", ram - _FRAME)
        self.hypervisor = hypervisor
        self.console = bytearray()
        """What the guest wrote, when nobody else has its characters (`on_character`)."""
        self._stopped = False
        platform = hypervisor.machine
        platform.memory = _RealMemory(self)
        if platform.on_character is None:
            platform.on_character = self.console.append
        told = platform.on_interrupt

        def interrupt(number: int) -> None:
            self.set_line(_LINE, True)
            told(number)

        platform.on_interrupt = interrupt
        platform.on_stop_processor = self._stop

    @staticmethod
    def _called(register: str) -> str:
        return register[1:] if register[1:].isdecimal() else register.upper()

    # Hypercalls.

    def _exception(self, cpu: Any, number: int, data: object) -> None:
        behind = self.register("pc")
        instruction = bytes(cpu.mem_read(behind - 4, 4))
        if number == 8 and instruction == _HYPERCALL:
            self._hypercall()
            return
        what = _EXCEPTIONS.get(number, f"exception {number}")
        if number == 8:
            what += f" of level {int.from_bytes(instruction, 'big') >> 5 & 0x7F}"
        self._fault = what
        cpu.emu_stop()

    def _hypercall(self) -> None:
        number, *arguments = (self.register(f"r{register}") for register in range(3, 9))
        if number == H_CEDE:
            self.set_register("r3", 0)
            if not self.lines:
                self.cpu.emu_stop()
            self.lines = 0
            return
        self._stopped = False
        status, value = self.hypervisor.call(number, *arguments)
        self.set_register("r3", status & (1 << 64) - 1)
        self.set_register("r4", value)
        if self._stopped:
            self._halted, self._why = True, Stop.IDLE
            self.cpu.emu_stop()

    def _stop(self, number: int) -> None:
        self._stopped = True

    # Interrupts: they end H_CEDE, and nothing else.

    def _takes_interrupts(self, block: int | None) -> bool:
        return block is None

    def _enter_interrupt(self) -> None:
        self.lines = 0

    # Functions.

    def call(self, function: int | str, *arguments: int, blocks: int = BLOCKS) -> int:
        """Call a C function; what it returns, as a signed number.  Raises GuestFault, ConfigError."""
        if len(arguments) > _ARGUMENTS:
            raise ConfigError(f"{len(arguments)} arguments: at most {_ARGUMENTS} go in registers")
        address = self._address(function)
        for number, argument in enumerate(arguments, 3):
            self.set_register(f"r{number}", argument & (1 << 64) - 1)
        self.set_register("r1", self.ram - _FRAME)
        self.set_register("r12", address)  # from which a function knows where its data is  [ELFv2 2.2.1]
        self.set_register("lr", RETURN)
        self.set_register("pc", address)
        self._run_until_returned(RETURN, blocks)
        value = self.register("r3")
        return value - (1 << 64) if value >> 63 else value
