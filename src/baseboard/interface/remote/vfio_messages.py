"""The messages of vfio-user as tables.  [vfio-user 0.9.2]

    header   id u16, command u16, size of the whole message u32, flags u32, error number u32

Numbers are in the byte order of the machine on which both ends are.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from struct import Struct

HEADER = Struct("=HHIII")

MAJOR, MINOR = 0, 0


class Command(IntEnum):
    """What a client orders; what is missing here (DMA_READ, DMA_WRITE) only servers send."""

    VERSION = 1
    DMA_MAP = 2
    DMA_UNMAP = 3
    DEVICE_GET_INFO = 4
    DEVICE_GET_REGION_INFO = 5
    DEVICE_GET_REGION_IO_FDS = 6
    DEVICE_GET_IRQ_INFO = 7
    DEVICE_SET_IRQS = 8
    REGION_READ = 9
    REGION_WRITE = 10
    DEVICE_RESET = 13
    REGION_WRITE_MULTI = 15


# Bits of the header's flags.
TYPE = 0x0F
COMMAND, REPLY = 0x0, 0x1
NO_REPLY = 0x10
ERROR = 0x20

# fmt: off
NOTHING =       Struct("=")
ARGSZ =         Struct("=I")         # bytes that the client has room for
VERSION =       Struct("=HH")        # major, minor; then JSON and NUL
DMA_MAP =       Struct("=IIQQQ")     # argsz, flags, offset, address, size
DMA_UNMAP =     Struct("=IIQQ")      # argsz, flags, address, size
DEVICE_INFO =   Struct("=IIII")      # argsz, flags, regions, irqs
REGION_INFO =   Struct("=IIIIQQ")    # argsz, flags, index, capability offset, size, offset
REGION_IO_FDS = Struct("=IIII")      # argsz, flags, index, count
IRQ_INFO =      Struct("=IIII")      # argsz, flags, index, count
SET_IRQS =      Struct("=IIIII")     # argsz, flags, index, start, count; then booleans
REGION_ACCESS = Struct("=QII")       # offset, region, count; then data
WRITE_COUNT =   Struct("=Q")         # writes; then so many of these:
WRITE_ONE =     Struct("=QII8s")     # offset, region, count, data
ACCESS =        Struct(HEADER.format + "QII")   # a whole REGION_READ
BYTE =          Struct(HEADER.format + "QIIB")  # the whole answer to one of a byte
# fmt: on

UNMAP_GET_DIRTY_PAGES = 0x01


class DeviceFlag(IntFlag):
    """DEVICE_GET_INFO."""

    RESET = 0x01
    PCI = 0x02


class Region(IntEnum):
    """Regions of a PCI device; 0 to 5 are its BARs."""

    ROM = 6
    CONFIGURATION = 7
    VGA = 8


REGIONS = len((*range(6), *Region))


class RegionFlag(IntFlag):
    """DEVICE_GET_REGION_INFO."""

    READ = 0x01
    WRITE = 0x02


class Irq(IntEnum):
    """Interrupts of a PCI device."""

    INTX = 0
    MSI = 1
    MSIX = 2
    ERR = 3
    REQ = 4


class IrqFlag(IntFlag):
    """DEVICE_GET_IRQ_INFO."""

    EVENTFD = 0x01
    MASKABLE = 0x02
    AUTOMASKED = 0x04
    NORESIZE = 0x08


class SetIrqs(IntFlag):
    """DEVICE_SET_IRQS: one kind of data and one action."""

    DATA_NONE = 0x01
    DATA_BOOL = 0x02
    DATA_EVENTFD = 0x04
    ACTION_MASK = 0x08
    ACTION_UNMASK = 0x10
    ACTION_TRIGGER = 0x20


DATA = SetIrqs.DATA_NONE | SetIrqs.DATA_BOOL | SetIrqs.DATA_EVENTFD
