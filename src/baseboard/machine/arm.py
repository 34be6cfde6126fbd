"""Small ARM machines that run a BMC's firmware: RAM, an interrupt controller, and the block under test.

Theory of operation
-------------------
A board says where RAM and the interrupt controller are; the block (`responder`) knows its own address and the
numbers of its interrupt lines. Nothing else is there, and firmware that touches anything else is a fault. All
boards have the same core (ARMv7-A, no MMU in use), which runs code for the older ones, too.

Interrupt entry is made by hand, as Unicorn has none: the mode becomes IRQ with interrupts off, SPSR and LR
take what was, and the core goes on at the vector, low or by VBAR. WFI halts.

Firmware that waits by WFI runs until it halts (`run`); firmware that polls never does, and is given slices of
`run(blocks)` between the host's steps. `wait` is either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from baseboard.interface.bus.line import Line
from baseboard.machine.common import PAGE, Machine, unicorn
from baseboard.machine.elf import ARM, Elf
from baseboard.machine.gic import Gic

RAM = 0x10_0000
SLICE = 60
"""Blocks of firmware that polls, between two steps of the host."""
_IRQ_DISABLED, _THUMB, _MODE, _IRQ_MODE = 0x80, 0x20, 0x1F, 0x12
_AFTER_RESET = 0xD3
"""Supervisor mode, interrupts off."""
_IRQ_VECTOR = 0x18
_HIGH_VECTORS = 1 << 13
_HIGH = 0xFFFF_0000
_SCTLR, _VBAR = (15, 0, 0, 1, 0, 0, 0), (15, 0, 0, 12, 0, 0, 0)


class Board(NamedTuple):
    """Where things are."""

    ram: int
    distributor: int
    core_interface: int


# fmt: off
BOARDS: Mapping[str, Board] = {
    #                       RAM           GIC distributor  GIC core interface
    "ast2600-evb":    Board(0x8000_0000,  0x4046_1000,     0x4046_2000),
    "npcm750-evb":    Board(0x0000_0000,  0xF03F_F000,     0xF03F_E100),
    # These have an older interrupt controller, which is not here: their firmware polls.
    "romulus-bmc":    Board(0x8000_0000,  0,               0),
    "palmetto-bmc":   Board(0x4000_0000,  0,               0),
}
# fmt: on


class Part(Protocol):
    """Registers."""

    @property
    def read(self) -> Callable[[int, int], int]:
        """Firmware reads: offset, size."""

    @property
    def write(self) -> Callable[[int, int, int], None]:
        """Firmware writes: offset, size, value."""


class Block(Part, Protocol):
    """A block of `responder`."""

    BASE: int
    SIZE: int
    lines: dict[int, Line]
    """Interrupt lines by their number at the interrupt controller."""

    def reset(self) -> None:
        """The BMC was reset."""


class _Window:
    """A part at its address."""

    def __init__(self, part: Part, base: int) -> None:
        self._part = part
        self._base = base

    def read(self, address: int, width: int = 1) -> int:
        return self._part.read(address - self._base, width)

    def write(self, address: int, value: int, width: int = 1) -> None:
        self._part.write(address - self._base, width, value)


class ArmMachine(Machine):
    """One core of a board."""

    NAME = "ARM"
    ELF_MACHINE = ARM
    REGISTERS = ("pc", *(f"r{number}" for number in range(13)), "sp", "lr", "cpsr", "spsr")

    def __init__(self, board: Board, block: Block, *, ram: int = RAM) -> None:
        api = unicorn()
        super().__init__("UC_ARCH_ARM", api.UC_MODE_ARM, "arm_const", "UC_ARM_REG_")
        self._system = unicorn("unicorn.arm_const").UC_ARM_REG_CP_REG
        self.add_ram(board.ram, ram)
        self._block_under_test = block
        self.gic = Gic(self.line(0))
        if board.distributor:
            self.add_window(_Window(self.gic.distributor, board.distributor), board.distributor, PAGE)
            base = board.core_interface
            self.add_window(_Window(self.gic.core, base), base, 0x100)
        self.add_window(_Window(block, block.BASE), block.BASE, block.SIZE)
        for number, line in block.lines.items():
            line.changed = self.gic.line(number)
            line.changed(line.level)

    def reset(self, program: Elf) -> None:
        """Everything as after power-on; the program, which begins again, is in RAM.  Raises ConfigError."""
        self._block_under_test.reset()
        self.gic.reset()
        self.set_register("cpsr", _AFTER_RESET)
        self.load(program)

    def wait(self, deadline: float | None = None) -> None:
        """Let the firmware go on; the `wait` of `interface.driver.transact`."""
        self.run(SLICE)

    # Interrupts.

    def _takes_interrupts(self, block: int | None) -> bool:
        return not self.register("cpsr") & _IRQ_DISABLED

    def _enter_interrupt(self) -> None:
        status, pc = self.register("cpsr"), self.register("pc")
        self.set_register("cpsr", status & ~(_MODE | _THUMB) | _IRQ_DISABLED | _IRQ_MODE)
        self.set_register("spsr", status)
        self.set_register("lr", pc + 4)
        high = self.cpu.reg_read(self._system, _SCTLR) & _HIGH_VECTORS
        vectors = _HIGH if high else int(self.cpu.reg_read(self._system, _VBAR))
        self.set_register("pc", vectors + _IRQ_VECTOR)

    def _start_address(self) -> int:
        return self.register("pc") | bool(self.register("cpsr") & _THUMB)
