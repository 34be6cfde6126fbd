"""A small x86 machine: 32 bits, flat, protected mode, our ISA bus and memory bus, no interrupt controller.

Theory of operation
-------------------
RAM begins at 0, but its first page is not there, so that a null pointer is a fault. A descriptor table with
one code and one data segment over all 4 GiB and an interrupt table are made and in force, and the stack is at
the end of RAM; code may load tables of its own. Programs belong at `PROGRAM` or above.

IN and OUT of 1, 2 and 4 bytes, also repeated, reach the ISA bus; the pages in which the memory bus has
devices reach that. Interrupt line n is vector 20h + n, a level that needs no acknowledging: it is taken
while the interrupt flag is set and the line is up, but not directly after STI. HLT waits for it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from baseboard.errors import ConfigError
from baseboard.interface.bus.isa import IsaBus
from baseboard.interface.bus.memory import MemoryBus
from baseboard.machine.common import BLOCKS, PAGE, Machine, unicorn
from baseboard.machine.elf import I386

RAM = 0x10_0000
DESCRIPTORS = 0x1000
RETURN = 0x1100
"""Where a called function returns to."""
VECTORS = 0x1800
PROGRAM = 0x1_0000
"""The first address that is a program's."""
FIRST_VECTOR = 0x20
LINES = 0x100 - FIRST_VECTOR
_CODE, _DATA = 0x08, 0x10
_INTERRUPT_GATE, _TRAP_GATE, _PRESENT = 0x0E, 0x0F, 0x80
_IF, _TF = 0x200, 0x100
_STI, _HLT = 0xFB, 0xF4


def _segment(access: int) -> bytes:
    """A descriptor of a flat 32-bit segment: base 0, limit 4 GiB."""
    return struct.pack("<HHBBBB", 0xFFFF, 0, 0, access, 0xCF, 0)


class X86Machine(Machine):
    """One processor. Devices are on their buses before the machine is made."""

    NAME = "x86"
    ELF_MACHINE = I386
    # fmt: off
    REGISTERS = (
        "eip", "eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp", "eflags",
        "cs", "ds", "es", "fs", "gs", "ss",
    )
    # fmt: on

    def __init__(
        self, ports: IsaBus | None = None, memory: MemoryBus | None = None, *, ram: int = RAM
    ) -> None:
        api = unicorn()
        super().__init__("UC_ARCH_X86", api.UC_MODE_32, "x86_const", "UC_X86_REG_")
        constants = unicorn("unicorn.x86_const")
        self._idtr = constants.UC_X86_REG_IDTR
        if ram < 2 * PROGRAM:
            raise ConfigError(f"{ram:#x} bytes of RAM: there must be {2 * PROGRAM:#x} at least")
        self.add_ram(PAGE, ram - PAGE)
        self.ports = ports or IsaBus()
        for number, line in enumerate(self.ports.lines):
            self.set_line(number, line.level)
            line.changed = _both(line.changed, self.line(number))
        if memory is not None:
            self._add_pages(memory)
        hook, instruction = self.cpu.hook_add, api.UC_HOOK_INSN
        hook(instruction, self._in, None, 1, 0, constants.UC_X86_INS_IN)
        hook(instruction, self._out, None, 1, 0, constants.UC_X86_INS_OUT)
        descriptors = bytes(8) + _segment(0x9A) + _segment(0x92)
        self.write_memory(DESCRIPTORS, descriptors)
        self.write_memory(RETURN, bytes((_HLT,)))
        self.cpu.reg_write(constants.UC_X86_REG_GDTR, (0, DESCRIPTORS, len(descriptors) - 1, 0))
        self.cpu.reg_write(self._idtr, (0, VECTORS, 0x7FF, 0))
        self.set_register("cs", _CODE)
        for name in ("ds", "es", "fs", "gs", "ss"):
            self.set_register(name, _DATA)
        self._stack = ram
        self.set_register("esp", ram)

    def _add_pages(self, memory: MemoryBus) -> None:
        """Each page in which a device stands, once."""
        pages = {page for start, end in memory.windows for page in range(start & -PAGE, end, PAGE)}
        for page in sorted(pages):
            self.add_window(memory, page, PAGE)

    # Ports.

    def _in(self, cpu: Any, port: int, width: int, data: object) -> int:
        return self.ports.read(port, width)

    def _out(self, cpu: Any, port: int, width: int, value: int, data: object) -> None:
        self.ports.write(port, value, width)

    # Interrupts.

    def set_vector(self, number: int, handler: int | str) -> None:
        """A line's handler: it ends in IRET and is entered with interrupts off.  Raises ConfigError."""
        if not 0 <= number < LINES:
            raise ConfigError(f"interrupt line {number}: there are 0 to {LINES - 1}")
        address = self._address(handler)
        gate = struct.pack(
            "<HHBBH", address & 0xFFFF, _CODE, 0, _PRESENT | _INTERRUPT_GATE, address >> 16 & 0xFFFF
        )
        self.write_memory(VECTORS + 8 * (FIRST_VECTOR + number), gate)

    def _takes_interrupts(self, block: int | None) -> bool:
        if not self.register("eflags") & _IF:
            return False
        return block is None or not self._is_sti(block - 1 & 0xFFFF_FFFF)

    def _is_sti(self, address: int) -> bool:
        try:
            return bytes(self.cpu.mem_read(address, 1)) == bytes((_STI,))
        except self._error:  # nothing is there
            return False

    def _enter_interrupt(self) -> None:
        line = (self.lines & -self.lines).bit_length() - 1
        vector = FIRST_VECTOR + line
        _, table, limit, _ = self.cpu.reg_read(self._idtr)
        try:
            gate = bytes(self.cpu.mem_read(table + 8 * vector, 8)) if 8 * vector + 7 <= limit else bytes(8)
        except self._error:
            gate = bytes(8)
        low, selector, _, kind, high = struct.unpack("<HHBBH", gate)
        if kind & ~0x60 not in (_PRESENT | _INTERRUPT_GATE, _PRESENT | _TRAP_GATE):
            raise self.fault(f"interrupt line {line} is up and vector {vector:02X}h has no handler")
        flags = self.register("eflags")
        for value in (flags, self.register("cs"), self.register("eip")):
            self._push(value)
        self.set_register("eflags", flags & ~(_TF | (_IF if kind & 1 == 0 else 0)))
        self.set_register("cs", selector)
        self.set_register("eip", high << 16 | low)

    def _push(self, value: int) -> None:
        stack = self.register("esp") - 4 & 0xFFFF_FFFF
        try:
            self.cpu.mem_write(stack, struct.pack("<I", value))
        except self._error as error:
            raise self.fault(f"no stack for an interrupt: {error}") from None
        self.set_register("esp", stack)

    # Functions.

    def call(self, function: int | str, *arguments: int, blocks: int = BLOCKS) -> int:
        """Call a C function; what it returns, as a signed number.  Raises GuestFault, ConfigError."""
        self.set_register("eip", self._address(function))
        self.set_register("esp", self._stack)
        for argument in reversed(arguments):
            self._push(argument & 0xFFFF_FFFF)
        self._push(RETURN)
        self._run_until_returned(RETURN, blocks)
        value = self.register("eax")
        return value - (1 << 32) if value & 1 << 31 else value


def _both(first: Callable[[bool], None], second: Callable[[bool], None]) -> Callable[[bool], None]:
    def changed(level: bool) -> None:
        first(level)
        second(level)

    return changed
