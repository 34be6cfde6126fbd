"""What the machines of all processors share: memory, windows on buses, interrupt lines, running and stopping.

Theory of operation
-------------------
Code runs until the processor halts, a limit is reached, or a function that was called returns. The limit
counts basic blocks (a loop is one for each turn), so a test ends after the same instruction every time, and
a driver that hangs ends too. Interrupt lines are levels; they are looked at before each block, and not
between the instructions of one.

A halted processor wakes when a line comes up that it takes. While none is up, `idle` is asked to make
something happen (answer a request, let time pass); when it has nothing to do either, `run` returns.

What guest code does wrong (an invalid instruction, an access where nothing is, an exception) is a
`GuestFault` with the registers.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, ClassVar, Protocol

from baseboard.errors import BaseboardError, ConfigError
from baseboard.machine.elf import Elf, processor_name

PAGE = 0x1000
BLOCKS = 1_000_000
"""The limit, unless somebody sets another."""


class GuestFault(BaseboardError):
    """The code that runs in a machine did what it must not."""


class Stop(Enum):
    """Why a machine does not run any more."""

    IDLE = "halted, and nothing is left to wake it"
    LIMIT = "the limit of blocks is reached"
    RETURNED = "the function that was called has returned"


class Bus(Protocol):
    """What a window opens on."""

    def read(self, address: int, width: int = 1) -> int:
        """Read `width` bytes."""

    def write(self, address: int, value: int, width: int = 1) -> None:
        """Write them."""


def unicorn(module: str = "unicorn") -> Any:
    """Unicorn, or one of its modules.  Raises ConfigError."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            "running compiled code needs Unicorn, which is not installed: pip install 'baseboard[machine]'"
        ) from error


def _nothing_happens() -> bool:
    return False


class Machine(ABC):
    """A processor with RAM and windows on buses."""

    NAME: ClassVar[str]
    ELF_MACHINE: ClassVar[int]
    """As ELF numbers the processor."""
    BYTE_ORDER: ClassVar[str] = "little"
    REGISTERS: ClassVar[tuple[str, ...]]
    """Names of the registers that a fault shows, the program counter first."""

    def __init__(self, architecture: str, mode: int, constants: str, prefix: str) -> None:
        api = unicorn()
        numbers = unicorn(f"unicorn.{constants}")
        self.cpu = api.Uc(getattr(api, architecture), mode)
        """Unicorn's processor, for what this class has no name for."""
        self.symbols: Mapping[str, int] = {}
        """Addresses by name, of the program that was loaded."""
        self.idle: Callable[[], bool] = _nothing_happens
        """Asked while halted: do something, and say whether there was anything to do."""
        self.lines = 0
        """Interrupt lines that are up, a bit each."""
        self._numbers = {name: int(getattr(numbers, prefix + self._called(name))) for name in self.REGISTERS}
        self._ram: list[tuple[int, int]] = []
        self._error = api.UcError
        self._halted = False
        self._left = 0
        self._return: int | None = None
        self._why: Stop | None = None
        self._interrupted = False
        self._fault: str | None = None
        self._nowhere: int | None = None
        self.cpu.hook_add(api.UC_HOOK_BLOCK, self._block)
        self.cpu.hook_add(api.UC_HOOK_INTR, self._exception)
        self.cpu.hook_add(api.UC_HOOK_MEM_INVALID, self._invalid)

    @staticmethod
    def _called(register: str) -> str:
        """Unicorn's name of a register."""
        return register.upper()

    # Memory.

    def add_ram(self, address: int, size: int) -> None:
        """RAM, in whole pages.  Raises ConfigError."""
        if size <= 0 or address < 0 or (address | size) % PAGE:
            raise ConfigError(f"RAM of {size:#x} bytes at {address:#x}: it must be whole pages of {PAGE:#x}")
        self._map(lambda: self.cpu.mem_map(address, size), address, size)
        self._ram.append((address, address + size))

    def add_window(self, bus: Bus, address: int, size: int) -> None:
        """The pages of these addresses are the bus's, at the same addresses.  Raises ConfigError."""
        base = address & -PAGE
        size = (address + size - base + PAGE - 1) & -PAGE

        def read(cpu: Any, offset: int, width: int, data: object) -> int:
            return bus.read(base + offset, width)

        def write(cpu: Any, offset: int, width: int, value: int, data: object) -> None:
            bus.write(base + offset, value, width)

        self._map(lambda: self.cpu.mmio_map(base, size, read, None, write, None), base, size)

    def _map(self, do: Callable[[], None], address: int, size: int) -> None:
        try:
            do()
        except self._error as error:
            raise ConfigError(f"addresses {address:#x} to {address + size - 1:#x}: {error}") from error

    def read_memory(self, address: int, size: int) -> bytes:
        """Bytes of RAM.  Raises ConfigError."""
        self._must_be_ram(address, size)
        return bytes(self.cpu.mem_read(address, size))

    def write_memory(self, address: int, data: bytes) -> None:
        """Write to RAM; code that was there is forgotten.  Raises ConfigError."""
        self._must_be_ram(address, len(data))
        if data:
            self.cpu.mem_write(address, data)
            self.cpu.ctl_remove_cache(address, address + len(data))

    def _must_be_ram(self, address: int, size: int) -> None:
        if not any(start <= address and address + size <= end for start, end in self._ram):
            here = ", ".join(f"{start:#x} to {end - 1:#x}" for start, end in self._ram)
            raise ConfigError(f"{size} bytes at {address:#x} are not RAM, which is {here or 'nowhere'}")

    def load(self, program: Elf | bytes, address: int = 0) -> None:
        """A program, as ELF or flat at an address; it runs from its beginning.  Raises ConfigError."""
        self._halted = False
        if isinstance(program, Elf):
            if program.machine != self.ELF_MACHINE:
                here = processor_name(self.ELF_MACHINE)
                raise ConfigError(f"a program for {processor_name(program.machine)}: this machine is {here}")
            if program.byte_order != self.BYTE_ORDER:
                raise ConfigError(
                    f"a {program.byte_order}-endian program: this machine is {self.BYTE_ORDER}-endian"
                )
            for segment in program.segments:
                self._must_be_ram(segment.address, segment.size)
                self.write_memory(segment.address, segment.data)
            self.symbols = program.symbols
            self.set_register(self.REGISTERS[0], program.entry)
        else:
            self.write_memory(address, program)
            self.set_register(self.REGISTERS[0], address)

    def _address(self, place: int | str) -> int:
        """An address, or that of a symbol.  Raises ConfigError."""
        if isinstance(place, int):
            return place
        if place not in self.symbols:
            raise ConfigError(f"the program has no {place!r}")
        return self.symbols[place]

    # Registers.

    def register(self, name: str) -> int:
        """A register of `REGISTERS`."""
        return int(self.cpu.reg_read(self._numbers[name]))

    def set_register(self, name: str, value: int) -> None:
        """Write it."""
        self.cpu.reg_write(self._numbers[name], value)

    # Interrupts.

    def set_line(self, number: int, level: bool) -> None:
        """An interrupt line comes up or goes down."""
        if level:
            self.lines |= 1 << number
        else:
            self.lines &= ~(1 << number)

    def line(self, number: int) -> Callable[[bool], None]:
        """A line, for whoever calls something with its level."""
        return lambda level: self.set_line(number, level)

    @abstractmethod
    def _takes_interrupts(self, block: int | None) -> bool:
        """Whether the processor takes an interrupt before this block; None: while it is halted."""

    @abstractmethod
    def _enter_interrupt(self) -> None:
        """Let the processor begin the handler of a line that is up."""

    # Running.

    def run(self, blocks: int = BLOCKS) -> Stop:
        """Go on until nothing is left to do.  Raises GuestFault."""
        self._left = blocks
        while True:
            if not self._halted:
                stop = self._run_until_stopped()
                if stop is not None:
                    return stop
            elif self.lines and self._takes_interrupts(None):
                self._halted = False
                self._enter_interrupt()
            elif not self.idle():
                return Stop.IDLE
            elif self._out_of_blocks():
                return Stop.LIMIT

    def _run_until_stopped(self) -> Stop | None:
        self._why = None
        self._interrupted = False
        self._fault = None
        self._nowhere = None
        try:
            self.cpu.emu_start(self._start_address(), 0xFFFF_FFFF)
        except self._error as error:
            where = "" if self._nowhere is None else f" at {self._nowhere:#x}"
            raise self.fault(f"{error}{where}") from None
        if self._fault is not None:
            raise self.fault(self._fault)
        if self._interrupted:
            self._enter_interrupt()
        elif self._why is None:
            self._halted = True
        return self._why

    def _start_address(self) -> int:
        """Where to go on; some processors say more by an address than where."""
        return self.register(self.REGISTERS[0])

    def _run_until_returned(self, address: int, blocks: int) -> None:
        """As `run`, until the code at `address` is reached.  Raises GuestFault."""
        self._return = address
        self._halted = False
        try:
            stop = self.run(blocks)
        finally:
            self._return = None
        if stop is not Stop.RETURNED:
            raise self.fault(f"the function did not return: {stop.value}")

    def fault(self, reason: str) -> GuestFault:
        """What went wrong, and with which registers."""
        registers = " ".join(f"{name}={self.register(name):#x}" for name in self.REGISTERS)
        return GuestFault(f"{self.NAME}: {reason}; {registers}")

    def _out_of_blocks(self) -> bool:
        self._left -= 1
        return self._left < 0

    def _block(self, cpu: Any, address: int, size: int, data: object) -> None:
        if address == self._return:
            self._why = Stop.RETURNED
        elif self._out_of_blocks():
            self._why = Stop.LIMIT
        elif self.lines and self._takes_interrupts(address):
            self._interrupted = True
        else:
            return
        cpu.emu_stop()

    def _invalid(self, cpu: Any, kind: int, address: int, size: int, value: int, data: object) -> bool:
        self._nowhere = address
        return False

    def _exception(self, cpu: Any, number: int, data: object) -> None:
        self._fault = f"exception {number}"
        cpu.emu_stop()
