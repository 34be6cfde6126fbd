"""Where devices stand: I/O ports, memory, PCI and the SMBus.

A bus knows addresses, access widths and interrupt lines, and nothing of what a register means. What cannot
be built (overlapping ports, an address out of range, an interrupt that is none) is a `ConfigError`.
"""

from baseboard.interface.bus.function import Bar, Endpoint, Function, Identity, PciState
from baseboard.interface.bus.isa import IsaBus
from baseboard.interface.bus.line import Line
from baseboard.interface.bus.memory import MemoryBus
from baseboard.interface.bus.pci import Interface, PciFunction
from baseboard.interface.bus.smbus import Failure, SmBus

__all__ = [
    "Bar",
    "Endpoint",
    "Failure",
    "Function",
    "Identity",
    "Interface",
    "IsaBus",
    "Line",
    "MemoryBus",
    "PciFunction",
    "PciState",
    "SmBus",
]
