"""The controller's 32 I/O registers.  [ICH9 21.2]"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from baseboard.interface.registers import Access, Field, Side, masks

# fmt: off
HST_STS = (
    #     bits    name             host          controller    meaning
    Field(7, 7,  "DS",             Access.W1C,   Access.RW,   "a byte of a block is done; no 32-byte buffer"),
    Field(6, 6,  "INUSE_STS",      Access.RO,    Access.RW,   "semaphore: set by a read, freed by writing 1"),
    Field(5, 5,  "SMBALERT_STS",   Access.W1C,   Access.RW,   "SMBALERT# was pulled"),
    Field(4, 4,  "FAILED",         Access.W1C,   Access.RW,   "the transfer was killed"),
    Field(3, 3,  "BUS_ERR",        Access.W1C,   Access.RW,   "collision: never, we are the only host"),
    Field(2, 2,  "DEV_ERR",        Access.W1C,   Access.RW,   "illegal command, no acknowledge, bad code"),
    Field(1, 1,  "INTR",           Access.W1C,   Access.RW,   "the transfer is done"),
    Field(0, 0,  "HOST_BUSY",      Access.RO,    Access.RW,   "a transfer is under way"),
)
HST_CNT = (
    Field(7, 7,  "PEC_EN",         Access.RW,    Access.RO,   "the transfer ends with a packet error code"),
    Field(6, 6,  "START",          Access.PULSE, Access.RO,   "start the transfer"),
    Field(5, 5,  "LAST_BYTE",      Access.RW,    Access.RO,   "the byte being read is the last one wanted"),
    Field(4, 2,  "SMB_CMD",        Access.RW,    Access.RO,   "the kind of transfer"),
    Field(1, 1,  "KILL",           Access.RW,    Access.RO,   "stop the transfer; none starts meanwhile"),
    Field(0, 0,  "INTREN",         Access.RW,    Access.RO,   "status bits interrupt"),
)
AUX_STS = (
    Field(7, 2,  "reserved",       Access.NONE,  Access.NONE, ""),
    Field(1, 1,  "STCO",           Access.RO,    Access.NONE, "TCO mode: never"),
    Field(0, 0,  "CRCE",           Access.W1C,   Access.RW,   "a packet error code was wrong"),
)
AUX_CTL = (
    Field(7, 2,  "reserved",       Access.NONE,  Access.NONE, ""),
    Field(1, 1,  "E32B",           Access.RW,    Access.RO,   "blocks go through the 32-byte buffer"),
    Field(0, 0,  "AAC",            Access.RW,    Access.RO,   "packet error codes are made and checked"),
)
SLV_CMD = (
    Field(7, 3,  "reserved",       Access.NONE,  Access.NONE, ""),
    Field(2, 2,  "SMBALERT_DIS",   Access.RW,    Access.RO,   "SMBALERT# is not looked at"),
    Field(1, 1,  "HST_NOTIFY_WKEN", Access.RW,   Access.NONE, "nobody notifies this host"),
    Field(0, 0,  "HST_NOTIFY_INTREN", Access.RW, Access.NONE, "nobody notifies this host"),
)
# fmt: on


class Byte(NamedTuple):
    """A register whose bits are not told apart here."""

    offset: int
    name: str
    at_reset: int
    writable: int


class At(IntEnum):
    """Offsets of the registers that do something."""

    HST_STS = 0x00
    HST_CNT = 0x02
    HST_CMD = 0x03
    XMIT_SLVA = 0x04
    HST_D0 = 0x05
    HST_D1 = 0x06
    HOST_BLOCK_DB = 0x07
    PEC = 0x08
    AUX_STS = 0x0C
    AUX_CTL = 0x0D
    SLV_CMD = 0x11


# fmt: off
BYTES = (
    #    offset             name              reset  writable
    Byte(At.HST_CMD,        "HST_CMD",         0x00, 0xFF),  # the command byte of the transfer
    Byte(At.XMIT_SLVA,      "XMIT_SLVA",       0x00, 0xFF),  # [7:1] address, [0] 1: read
    Byte(At.HST_D0,         "HST_D0",          0x00, 0xFF),  # first byte, or a block's count
    Byte(At.HST_D1,         "HST_D1",          0x00, 0xFF),  # second byte
    Byte(At.PEC,            "PEC",             0x00, 0xFF),  # packet error code, sent or received
    Byte(0x09,              "RCV_SLVA",        0x44, 0x7F),  # the controller as a target: nobody addresses it
    Byte(0x0A,              "SLV_DATA0",       0x00, 0x00),
    Byte(0x0B,              "SLV_DATA1",       0x00, 0x00),
    Byte(0x0E,              "SMLINK_PIN_CTL",  0x07, 0x04),  # lines are high
    Byte(0x0F,              "SMBUS_PIN_CTL",   0x07, 0x04),
    Byte(0x10,              "SLV_STS",         0x00, 0x00),
    Byte(0x14,              "NOTIFY_DADDR",    0x00, 0x00),
    Byte(0x16,              "NOTIFY_DLOW",     0x00, 0x00),
    Byte(0x17,              "NOTIFY_DHIGH",    0x00, 0x00),
)
FIELDS = {
    At.HST_STS: HST_STS,
    At.HST_CNT: HST_CNT,
    At.AUX_STS: AUX_STS,
    At.AUX_CTL: AUX_CTL,
    At.SLV_CMD: SLV_CMD,
}
# fmt: on
HOST = {offset: Side(fields, "host") for offset, fields in FIELDS.items()}
SIZE = 32

_STATUS, _CONTROL, _SLAVE_COMMAND = masks(HST_STS), masks(HST_CNT), masks(SLV_CMD)
_AUXILIARY_STATUS, _AUXILIARY_CONTROL = masks(AUX_STS), masks(AUX_CTL)
DS, INUSE, ALERT = _STATUS["DS"], _STATUS["INUSE_STS"], _STATUS["SMBALERT_STS"]
FAILED, DEV_ERR, INTR, HOST_BUSY = (_STATUS[name] for name in ("FAILED", "DEV_ERR", "INTR", "HOST_BUSY"))
PEC_EN, START, LAST_BYTE, KILL, INTREN = (
    _CONTROL[name] for name in ("PEC_EN", "START", "LAST_BYTE", "KILL", "INTREN")
)
E32B, AAC, CRCE = _AUXILIARY_CONTROL["E32B"], _AUXILIARY_CONTROL["AAC"], _AUXILIARY_STATUS["CRCE"]
SMBALERT_DIS = _SLAVE_COMMAND["SMBALERT_DIS"]


class Kind(IntEnum):
    """SMB_CMD: the kind of transfer."""

    QUICK = 0
    BYTE = 1
    BYTE_DATA = 2
    WORD_DATA = 3
    PROCESS_CALL = 4
    BLOCK = 5
    I2C_READ = 6
    BLOCK_PROCESS = 7
