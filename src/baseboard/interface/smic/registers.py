"""The three registers of SMIC.  [IPMI 10.1-10.7]

offset  host reads      host writes
0       Data            Data
1       Status          Control
2       Flags           Flags
"""

from __future__ import annotations

from enum import IntEnum

from baseboard.interface.registers import Access, Field, Side, masks

# fmt: off
FLAGS = (  # [IPMI 10.3, Table 10-1]
    #     bits   name           host         BMC          meaning
    Field(7, 7,  "RX_DATA_RDY", Access.RO,   Access.RW,   "a byte or the status RDY is there for the host"),
    Field(6, 6,  "TX_DATA_RDY", Access.RO,   Access.RW,   "the BMC takes a byte"),
    Field(5, 5,  "reserved",    Access.NONE, Access.NONE, ""),
    Field(4, 4,  "SMI",         Access.RO,   Access.RW,   "the BMC has caused an SMI"),
    Field(3, 3,  "EVT_ATN",     Access.RO,   Access.RW,   "the event message buffer has an event"),
    Field(2, 2,  "SMS_ATN",     Access.RO,   Access.RW,   "something waits for system software"),
    Field(1, 1,  "reserved",    Access.NONE, Access.NONE, ""),
    Field(0, 0,  "BUSY",        Access.W1S,  Access.W1C,  "the host started a transaction"),
)
# fmt: on
HOST, BMC = Side(FLAGS, "host"), Side(FLAGS, "bmc")
_MASKS = masks(FLAGS)
RX_DATA_RDY, TX_DATA_RDY, SMI = _MASKS["RX_DATA_RDY"], _MASKS["TX_DATA_RDY"], _MASKS["SMI"]
EVT_ATN, SMS_ATN, BUSY = _MASKS["EVT_ATN"], _MASKS["SMS_ATN"], _MASKS["BUSY"]


class Control(IntEnum):
    """What the host asks for; 60h-7Fh are the stream of system management mode.  [IPMI Table 10-2]"""

    GET_STATUS = 0x40
    WR_START = 0x41
    WR_NEXT = 0x42
    WR_END = 0x43
    RD_START = 0x44
    RD_NEXT = 0x45
    RD_END = 0x46


class Status(IntEnum):
    """What the BMC answers.  [IPMI Table 10-3]"""

    RDY = 0xC0
    WR_START = 0xC1
    WR_NEXT = 0xC2
    WR_END = 0xC3
    RD_START = 0xC4
    RD_NEXT = 0xC5
    RD_END = 0xC6


class ErrorCode(IntEnum):
    """In Data, with RDY.  [IPMI Table 10-4]"""

    NO_ERROR = 0x00
    ABORTED = 0x01
    ILLEGAL_CONTROL = 0x02
    NO_RESPONSE = 0x03
    ILLEGAL_COMMAND = 0x04
    BUFFER_FULL = 0x05
