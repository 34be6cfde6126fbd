"""Where a system interface is: all that its SMBIOS structure and ACPI tables are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from baseboard.errors import ConfigError


class Kind(IntEnum):
    """System interfaces; the value is that of SMBIOS and of ACPI's _IFT.  [IPMI Table C1-1]"""

    KCS = 1
    SMIC = 2
    BT = 3
    SSIF = 4


class Space(StrEnum):
    """What an address is an address in."""

    IO = "io"
    MEMORY = "memory"


class Trigger(StrEnum):
    """What asserts an interrupt line."""

    EDGE_HIGH = "edge-high"
    """A rising edge, as on ISA."""
    LEVEL_LOW = "level-low"
    """A low level, shared, as on PCI."""


# fmt: off
DEFAULT_BASE = {
    Kind.KCS:   0xCA2,
    Kind.SMIC:  0xCA9,
    Kind.BT:    0x0E4,
    Kind.SSIF:  0x020,  # 8-bit address on the SMBus
}
REGISTERS = {
    Kind.KCS:   2,
    Kind.SMIC:  3,
    Kind.BT:    3,
    Kind.SSIF:  0,
}
LAST_ADDRESS = {
    Space.IO:      0xFFFF,
    Space.MEMORY:  0xFFFF_FFFF_FFFF_FFFF,
}
# fmt: on

SPACINGS = (1, 4, 16)
LAST_IRQ = 1023
"""The last interrupt of an ARM GIC without extensions; PCs end far below."""

_ACPI_PATH = re.compile(r"\\?\^*[A-Z_][A-Z0-9_]{0,3}(\.[A-Z_][A-Z0-9_]{0,3})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One system interface.  Raises ConfigError when there can be none like it."""

    kind: Kind
    base: int
    """Address of the first register; for SSIF the controller's 8-bit address on the SMBus, even."""
    space: Space = Space.IO
    spacing: int = 1
    """Bytes from one register to the next: 1, 4 or 16."""
    irq: int | None = None
    """Number of the interrupt line as the operating system counts them (GSI); None: there is none."""
    trigger: Trigger = Trigger.EDGE_HIGH
    slave_address: int = 0x20
    """The controller's own 8-bit address on the IPMB."""
    uid: int = 0
    """Tells several interfaces apart: _UID, and a part of names and handles."""
    smbus: str = r"\_SB.PCI0.SFB"
    """ACPI path of the SMBus controller that SSIF is reached by; this one is that of QEMU's q35."""

    def __post_init__(self) -> None:
        if self.kind is Kind.SSIF:
            _check(self.base, 0x10, 0xEE, "SMBus address", even=True)
            if not _ACPI_PATH.fullmatch(self.smbus):
                raise ConfigError(f"SMBus controller {self.smbus!r} is not an ACPI path like \\_SB.PCI0.SFB")
        else:
            if self.spacing not in SPACINGS:
                raise ConfigError(f"spacing {self.spacing} is not one of 1, 4, 16")
            last = LAST_ADDRESS[self.space] - (REGISTERS[self.kind] - 1) * self.spacing
            _check(self.base, 1, last, "I/O port" if self.space is Space.IO else "address")
        if self.irq is not None:
            _check(self.irq, 1, LAST_IRQ, "interrupt", hexadecimal=False)
        _check(self.slave_address, 0x02, 0xEE, "slave address", even=True)
        _check(self.uid, 0, 0xFF, "uid", hexadecimal=False)

    @property
    def registers(self) -> tuple[int, ...]:
        """The address of each register; none for SSIF."""
        return tuple(self.base + n * self.spacing for n in range(REGISTERS[self.kind]))


def _check(
    value: int, low: int, high: int, what: str, *, even: bool = False, hexadecimal: bool = True
) -> None:
    if low <= value <= high and not (even and value & 1):
        return
    form = "{:#x}" if hexadecimal else "{}"
    kind = "an even number" if even else "a number"
    raise ConfigError(
        f"{what} {form.format(value)} is not {kind} from {form.format(low)} to {form.format(high)}"
    )
