"""A PCI function as whoever has a bus sees it, and what all of ours have in common.  [PCI 3.0, chapter 6]

Theory of operation
-------------------
A function knows no bus. Whoever has one (a VMM, a server of `interface.remote`, a test) gives it accesses to
configuration space and to its BAR, by offset, and gets interrupts: `intx` is a level, `msi` a message.
`Function` is all that it may ask for, and any object that has it can be attached to a machine. `Endpoint` is
the usual way to have it: configuration space as a table of rows, one BAR full of registers, and an interrupt.

Whether the BAR is reached at all is in `decodes`, which the owner asks or, with `bar_changed`, is told.

The interrupt of the device goes out at the pin until MSI is enabled, and then as one message for each rise.
The Interrupt Disable bit keeps the pin low; Interrupt Status shows the device's level all the same.

Every byte of configuration space is in a row: what it is at reset, and which bits software writes.
Everything else reads 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from baseboard.errors import ConfigError
from baseboard.interface.bus.window import read_wide, write_wide
from baseboard.interface.registers import Register, ignore_level
from baseboard.interface.state import Exported

SIZE = 256
"""Bytes of configuration space."""
GAP = 0x00
"""Bytes of the BAR that are no register: drivers find the spacing in this way."""
IO, MEMORY = "io", "memory"
IO_ENABLE, MEMORY_ENABLE, BUS_MASTER, INTX_DISABLE = 0x0001, 0x0002, 0x0004, 0x0400
CAPABILITY_LIST = 0x10
MSI_CAPABILITY = 0x05
_INTERRUPT_STATUS = 0x08
_MSI_ENABLE = 0x01
_FIRST_BAR = 0x10

Space = Literal["io", "memory"]


class Bar(NamedTuple):
    """The base address register that a function has."""

    number: int
    """0 to 5."""
    size: int
    """Bytes; a power of two."""
    space: Space


class Function(Protocol):
    """What a machine may ask of a function."""

    intx: Callable[[bool], None]
    """Called with the level of the interrupt pin when it changes."""
    msi: Callable[[int, int], None]
    """Called with address and data for each message."""

    @property
    def bar(self) -> Bar:
        """Which one there is; accesses to others do not reach the function."""

    @property
    def pin(self) -> int:
        """1 to 4 for INTA# to INTD#; 0: it has none."""

    @property
    def has_msi(self) -> bool:
        """Whether there is an MSI capability, with one vector."""

    @property
    def level(self) -> bool:
        """Of the interrupt pin, now."""

    def read_configuration(self, offset: int, width: int = 1) -> int:
        """Any offset and width; beyond configuration space all bits are 1."""

    def write_configuration(self, offset: int, value: int, width: int = 1) -> None:
        """The same."""

    def read(self, offset: int, width: int = 1) -> int:
        """Of the BAR; any offset and width."""

    def write(self, offset: int, value: int, width: int = 1) -> None:
        """The same."""

    def reset(self) -> None:
        """Function and device become what they are after power-on."""


class Row(NamedTuple):
    """One register of configuration space."""

    offset: int
    name: str
    size: int
    value: int
    """At reset."""
    writable: int
    """Bits that software writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the function says it is; by default as QEMU's."""

    vendor: int = 0x1234
    device: int = 0x1112
    subsystem_vendor: int = 0x1AF4
    subsystem: int = 0x1100
    revision: int = 0x01


def header(identity: Identity, class_code: int, bar: Bar, pin: int, capabilities: int) -> tuple[Row, ...]:
    """The first 64 bytes.  [PCI 3.0, Figure 6-1]  Raises ConfigError.

    `class_code` has class, subclass and programming interface; `capabilities` is where the list begins, 0
    when there is none.
    """
    for name in Identity.__slots__:
        value, limit = getattr(identity, name), 0xFF if name == "revision" else 0xFFFF
        if not 0 <= value <= limit:
            raise ConfigError(f"PCI {name} {value:#x}: it must be 0x0 to {limit:#x}")
    if not 0 <= pin <= 4:
        raise ConfigError(f"PCI interrupt pin {pin}: it must be 1 to 4 for INTA# to INTD#, or 0 for none")
    if bar.space not in (IO, MEMORY):
        raise ConfigError(f"BAR in {bar.space!r} space: it must be 'io' or 'memory'")
    command = IO_ENABLE | MEMORY_ENABLE | BUS_MASTER | INTX_DISABLE
    status = CAPABILITY_LIST if capabilities else 0
    kind = 0x1 if bar.space == IO else 0x0
    at = _FIRST_BAR + 4 * bar.number
    # fmt: off
    return (
        #   offset  name                   size  at reset                    writable
        Row(0x00,   "Vendor ID",           2,    identity.vendor,            0),
        Row(0x02,   "Device ID",           2,    identity.device,            0),
        Row(0x04,   "Command",             2,    0x0000,                     command),
        Row(0x06,   "Status",              2,    status,                     0),
        Row(0x08,   "Revision ID",         1,    identity.revision,          0),
        Row(0x09,   "Class Code",          3,    class_code,                 0),
        Row(0x0C,   "Cache Line Size",     1,    0x00,                       0xFF),
        Row(0x0E,   "Header Type",         1,    0x00,                       0),
        Row(at,     "BAR",                 4,    kind,                       0xFFFFFFFF & -bar.size),
        Row(0x2C,   "Subsystem Vendor ID", 2,    identity.subsystem_vendor,  0),
        Row(0x2E,   "Subsystem ID",        2,    identity.subsystem,         0),
        Row(0x34,   "Capabilities",        1,    capabilities,               0),
        Row(0x3C,   "Interrupt Line",      1,    0x00,                       0xFF),
        Row(0x3D,   "Interrupt Pin",       1,    pin,                        0),
    )
    # fmt: on


def msi_capability(at: int) -> tuple[Row, ...]:
    """Message signalled interrupts: 64 bits, one vector; the last of the list.  [PCI 3.0, 6.8.1]"""
    # fmt: off
    return (
        #   offset      name                   size  at reset         writable
        Row(at + 0x00,  "MSI capability",      1,    MSI_CAPABILITY,  0),
        Row(at + 0x01,  "next capability",     1,    0x00,            0),
        Row(at + 0x02,  "MSI control",         2,    0x0080,          _MSI_ENABLE),
        Row(at + 0x04,  "MSI address",         4,    0x00000000,      0xFFFFFFFC),
        Row(at + 0x08,  "MSI upper address",   4,    0x00000000,      0xFFFFFFFF),
        Row(at + 0x0C,  "MSI data",            2,    0x0000,          0xFFFF),
    )
    # fmt: on


@dataclass(frozen=True, slots=True)
class PciState(Exported):
    """Everything that a function keeps, beside its device."""

    configuration: bytes
    irq: bool
    version: int = 1


def _no_message(address: int, data: int) -> None:
    pass


class Endpoint:
    """One function: rows, the registers of its BAR by offset, and where its MSI capability is, if it has one.

    Its device tells `interrupt` the level of its interrupt. Where rows overlap, the later one counts.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        bar: Bar,
        registers: Mapping[int, Register],
        *,
        msi: int | None = None,
        gap: int = GAP,
    ) -> None:
        self.bar = bar
        self._gap = gap
        self._readers = {offset: register.read for offset, register in registers.items()}
        self._writers = {offset: register.write for offset, register in registers.items()}
        self._configuration = bytearray(SIZE)
        self._writable = bytearray(SIZE)
        for row in rows:
            end = row.offset + row.size
            self._configuration[row.offset : end] = row.value.to_bytes(row.size, "little")
            self._writable[row.offset : end] = row.writable.to_bytes(row.size, "little")
        self._at_reset = bytes(self._configuration)
        self._address_at = _FIRST_BAR + 4 * bar.number
        self._decode_enable = IO_ENABLE if bar.space == IO else MEMORY_ENABLE
        self.pin = self._configuration[0x3D]
        self._msi_at = msi
        self._irq = False
        self.level = False
        self.intx: Callable[[bool], None] = ignore_level
        """Called with the level of the interrupt pin when it changes."""
        self.msi: Callable[[int, int], None] = _no_message
        """Called with address and data for each message."""
        self.bar_changed: Callable[[bool, int], None] = lambda decodes, address: None
        """Called with `decodes` and `address` when either changes."""

    # Configuration space.

    def read_configuration(self, offset: int, width: int = 1) -> int:
        """Read 1, 2 or 4 bytes; beyond configuration space all bits are 1."""
        value = 0
        for i in range(width):
            at = offset + i
            byte = self._configuration[at] if 0 <= at < SIZE else 0xFF
            if at == 0x06 and self._irq:
                byte |= _INTERRUPT_STATUS
            value |= byte << 8 * i
        return value

    def write_configuration(self, offset: int, value: int, width: int = 1) -> None:
        """Write 1, 2 or 4 bytes."""
        before = self.decodes, self.address
        configuration, writable = self._configuration, self._writable
        for i in range(width):
            at = offset + i
            if 0 <= at < SIZE:
                mask = writable[at]
                configuration[at] = configuration[at] & ~mask | value >> 8 * i & mask
        self._update_pin()
        if before != (self.decodes, self.address):
            self.bar_changed(self.decodes, self.address)

    @property
    def decodes(self) -> bool:
        """Whether the BAR is reached."""
        return bool(self._configuration[0x04] & self._decode_enable)

    @property
    def address(self) -> int:
        """Where the BAR is."""
        at = self._address_at
        return int.from_bytes(self._configuration[at : at + 4], "little") & -self.bar.size

    def reset(self) -> None:
        """Conventional reset: configuration space as after power-on."""
        before = self.decodes, self.address
        self._configuration[:] = self._at_reset
        self._update_pin()
        if before != (self.decodes, self.address):
            self.bar_changed(self.decodes, self.address)

    # The BAR.

    def read(self, offset: int, width: int = 1) -> int:
        """Read 1, 2, 4 or 8 bytes of the BAR."""
        if width == 1 and offset in self._readers:  # what drivers do: no loop
            return self._readers[offset]()
        return read_wide(self._readers, offset, width, self._gap)

    def write(self, offset: int, value: int, width: int = 1) -> None:
        """Write 1, 2, 4 or 8 bytes of the BAR."""
        if width == 1 and offset in self._writers:
            self._writers[offset](value & 0xFF)
        else:
            write_wide(self._writers, offset, value, width)

    # Interrupts.

    @property
    def has_msi(self) -> bool:
        """Whether there is an MSI capability, with one vector."""
        return self._msi_at is not None

    @property
    def msi_enabled(self) -> bool:
        """Whether interrupts are messages."""
        return self._msi_at is not None and bool(self._configuration[self._msi_at + 2] & _MSI_ENABLE)

    def interrupt(self, level: bool) -> None:
        """The device's interrupt is now this."""
        self._irq = level
        self._update_pin()
        if level and self.msi_enabled and self._configuration[0x04] & BUS_MASTER:
            at = self._msi_at or 0
            address = int.from_bytes(self._configuration[at + 0x04 : at + 0x0C], "little")
            self.msi(address, int.from_bytes(self._configuration[at + 0x0C : at + 0x0E], "little"))

    def _update_pin(self) -> None:
        disabled = not self.pin or self.msi_enabled or self._configuration[0x05] & INTX_DISABLE >> 8
        level = self._irq and not disabled
        if level != self.level:
            self.level = level
            self.intx(level)

    # What the store keeps.

    def export(self) -> PciState:
        """The present state; the device exports its own."""
        return PciState(bytes(self._configuration), self._irq)

    def restore(self, state: PciState) -> None:
        """Become what was exported. The device is restored before; outlets are told what is up."""
        self._configuration[:] = state.configuration
        self._irq = state.irq
        self._update_pin()
        self.bar_changed(self.decodes, self.address)
