"""A PCI function with an IPMI interface: configuration space, one BAR, INTx or MSI.  [PCI 3.0, IPMI C3]

Theory of operation
-------------------
The function knows no bus. Whoever has one (a VMM, a vfio-user server, a test) gives it configuration accesses
and accesses to the BAR, by offset, and gets interrupts: `intx` is a level, `msi` a message. Whether the BAR
is reached at all is in `decodes`, which the owner asks or, with `bar_changed`, is told.

The interrupt of the device goes out as INTA# until MSI is enabled, and then as one message for each rise.
The Interrupt Disable bit keeps INTA# low; Interrupt Status shows the device's level all the same.

Every byte of configuration space is a row of `LAYOUT`: what it is at reset, and which bits software writes.
Everything else reads 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, NamedTuple

from baseboard.errors import ConfigError
from baseboard.interface.bus.isa import Device
from baseboard.interface.bus.window import place, read_wide, write_wide
from baseboard.interface.registers import ignore_level

SIZE = 256
"""Bytes of configuration space."""
GAP = 0x00
"""Bytes of the BAR that are no register: drivers find the spacing in this way."""
IO, MEMORY = "io", "memory"
_CAPABILITIES = 0x40
_MSI_CAPABILITY = 0x05
_IO_ENABLE, _MEMORY_ENABLE, _INTX_DISABLE = 0x0001, 0x0002, 0x0400
_INTERRUPT_STATUS, _CAPABILITY_LIST = 0x08, 0x10
_MSI_ENABLE = 0x01


class Interface(IntEnum):
    """The programming interface byte of class 0C07h."""

    SMIC = 0x00
    KCS = 0x01
    BT = 0x02


class Row(NamedTuple):
    """One register of configuration space."""

    offset: int
    name: str
    size: int
    value: int
    """At reset."""
    writable: int
    """Bits that software writes."""


def layout(identity: Identity, interface: Interface, bar: int, bar_writable: int) -> tuple[Row, ...]:
    """Configuration space as a table.  [PCI 3.0, Figure 6-1]"""
    # fmt: off
    return (
        #   offset  name                   size  at reset                    writable
        Row(0x00,   "Vendor ID",           2,    identity.vendor,            0),
        Row(0x02,   "Device ID",           2,    identity.device,            0),
        Row(0x04,   "Command",             2,    0x0000,                     _IO_ENABLE | _MEMORY_ENABLE
                                                                             | 0x0004 | _INTX_DISABLE),
        Row(0x06,   "Status",              2,    _CAPABILITY_LIST,           0),
        Row(0x08,   "Revision ID",         1,    identity.revision,          0),
        Row(0x09,   "Class Code",          3,    0x0C0700 | interface,       0),
        Row(0x0C,   "Cache Line Size",     1,    0x00,                       0xFF),
        Row(0x0E,   "Header Type",         1,    0x00,                       0),
        Row(0x10,   "BAR 0",               4,    bar,                        bar_writable),
        Row(0x2C,   "Subsystem Vendor ID", 2,    identity.subsystem_vendor,  0),
        Row(0x2E,   "Subsystem ID",        2,    identity.subsystem,         0),
        Row(0x34,   "Capabilities",        1,    _CAPABILITIES,              0),
        Row(0x3C,   "Interrupt Line",      1,    0x00,                       0xFF),
        Row(0x3D,   "Interrupt Pin",       1,    0x01,                       0),
        Row(0x40,   "MSI capability",      1,    _MSI_CAPABILITY,            0),
        Row(0x41,   "next capability",     1,    0x00,                       0),
        Row(0x42,   "MSI control",         2,    0x0080,                     0x0001),  # 64 bits, one vector
        Row(0x44,   "MSI address",         4,    0x00000000,                 0xFFFFFFFC),
        Row(0x48,   "MSI upper address",   4,    0x00000000,                 0xFFFFFFFF),
        Row(0x4C,   "MSI data",            2,    0x0000,                     0xFFFF),
    )
    # fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the function says it is; by default as QEMU's."""

    vendor: int = 0x1234
    device: int = 0x1112
    subsystem_vendor: int = 0x1AF4
    subsystem: int = 0x1100
    revision: int = 0x00


@dataclass(frozen=True, slots=True)
class PciState:
    """Everything that a function keeps, beside its device."""

    configuration: bytes
    irq: bool
    version: int = 1


def _no_message(address: int, data: int) -> None:
    pass


class PciFunction:
    """One function around one device."""

    def __init__(
        self,
        device: Device,
        interface: Interface,
        *,
        identity: Identity | None = None,
        space: Literal["io", "memory"] = "io",
        spacing: int = 1,
    ) -> None:
        registers = place(device.registers, 0, spacing)
        if space not in (IO, MEMORY):
            raise ConfigError(f"BAR in {space!r} space: it must be 'io' or 'memory'")
        for name, value in _fields(identity or Identity()):
            limit = 0xFF if name == "revision" else 0xFFFF
            if not 0 <= value <= limit:
                raise ConfigError(f"PCI {name} {value:#x}: it must be 0x0 to {limit:#x}")
        self.space = space
        self.size = _power_of_two(max(registers) + spacing, 8 if space == IO else 16)
        """Bytes of the BAR."""
        self._readers = {offset: register.read for offset, register in registers.items()}
        self._writers = {offset: register.write for offset, register in registers.items()}
        low = 0x1 if space == IO else 0x0
        self._configuration = bytearray(SIZE)
        self._writable = bytearray(SIZE)
        for row in layout(identity or Identity(), interface, low, 0xFFFFFFFF & -self.size):
            end = row.offset + row.size
            self._configuration[row.offset : end] = row.value.to_bytes(row.size, "little")
            self._writable[row.offset : end] = row.writable.to_bytes(row.size, "little")
        self._at_reset = bytes(self._configuration)
        self._irq = device.latch.irq
        self._device = device
        self._pin = False
        self.intx: Callable[[bool], None] = ignore_level
        """Called with the level of INTA# when it changes."""
        self.msi: Callable[[int, int], None] = _no_message
        """Called with address and data for each message."""
        self.bar_changed: Callable[[bool, int], None] = lambda decodes, address: None
        """Called with `decodes` and `address` when either changes."""
        device.latch.irq_changed = self._irq_changed

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
        return bool(self._configuration[0x04] & (_IO_ENABLE if self.space == IO else _MEMORY_ENABLE))

    @property
    def address(self) -> int:
        """Where the BAR is."""
        return int.from_bytes(self._configuration[0x10:0x14], "little") & -self.size

    def reset(self) -> None:
        """Conventional reset: configuration space as after power-on. The device is reset by its owner."""
        before = self.decodes, self.address
        self._configuration[:] = self._at_reset
        self._update_pin()
        if before != (self.decodes, self.address):
            self.bar_changed(self.decodes, self.address)

    # The BAR.

    def read(self, offset: int, width: int = 1) -> int:
        """Read 1, 2, 4 or 8 bytes of the BAR."""
        if width == 1 and offset in self._readers:
            return self._readers[offset]()
        return read_wide(self._readers, offset, width, GAP)

    def write(self, offset: int, value: int, width: int = 1) -> None:
        """Write 1, 2, 4 or 8 bytes of the BAR."""
        write_wide(self._writers, offset, value, width)

    # Interrupts.

    @property
    def msi_enabled(self) -> bool:
        """Whether interrupts are messages."""
        return bool(self._configuration[0x42] & _MSI_ENABLE)

    def _irq_changed(self, level: bool) -> None:
        self._irq = level
        self._update_pin()
        if level and self.msi_enabled and self._configuration[0x04] & 0x04:  # Bus Master
            configuration = self._configuration
            address = int.from_bytes(configuration[0x44:0x4C], "little")
            self.msi(address, int.from_bytes(configuration[0x4C:0x4E], "little"))

    def _update_pin(self) -> None:
        disabled = self.msi_enabled or self._configuration[0x05] & _INTX_DISABLE >> 8
        level = self._irq and not disabled
        if level != self._pin:
            self._pin = level
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


def _fields(identity: Identity) -> tuple[tuple[str, int], ...]:
    return tuple((name, getattr(identity, name)) for name in Identity.__slots__)


def _power_of_two(size: int, least: int) -> int:
    while least < size:
        least *= 2
    return least
