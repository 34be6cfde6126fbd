"""The two registers of KCS.  [IPMI 9.1-9.5]

offset  host reads  host writes
0       Data_Out    Data_In
1       Status      Command
"""

from __future__ import annotations

from enum import IntEnum

from baseboard.interface.registers import Access, Field, Side, masks

# fmt: off
STATUS = (  # [IPMI 9.2, Table 9-1]
    #     bits   name       host        BMC         meaning
    Field(7, 6,  "STATE",   Access.RO,  Access.RW,  "S1, S0: idle, read, write, error"),
    Field(5, 5,  "OEM2",    Access.RO,  Access.RW,  "defined by the BMC's maker"),
    Field(4, 4,  "OEM1",    Access.RO,  Access.RW,  "defined by the BMC's maker"),
    Field(3, 3,  "C/D#",    Access.RO,  Access.RO,  "hardware: the last write was to Command"),
    Field(2, 2,  "SMS_ATN", Access.RO,  Access.RW,  "something waits for system software"),
    Field(1, 1,  "IBF",     Access.RO,  Access.RO,  "hardware: the host wrote, the BMC has not read"),
    Field(0, 0,  "OBF",     Access.RO,  Access.RO,  "hardware: the BMC wrote, the host has not read"),
)
# fmt: on
HOST, BMC = Side(STATUS, "host"), Side(STATUS, "bmc")
_MASKS = masks(STATUS)
STATE, OEM2, OEM1 = _MASKS["STATE"], _MASKS["OEM2"], _MASKS["OEM1"]
COMMAND, SMS_ATN, IBF, OBF = _MASKS["C/D#"], _MASKS["SMS_ATN"], _MASKS["IBF"], _MASKS["OBF"]


class State(IntEnum):
    """S1 and S0, in place.  [IPMI 9.2, Table 9-2]"""

    IDLE = 0x00
    READ = 0x40
    WRITE = 0x80
    ERROR = 0xC0


class Control(IntEnum):
    """What the host writes: all to Command, except READ.  [IPMI 9.10, Table 9-3]"""

    GET_STATUS_ABORT = 0x60
    WRITE_START = 0x61
    WRITE_END = 0x62
    READ = 0x68


class StatusCode(IntEnum):
    """What GET_STATUS/ABORT brings.  [IPMI 9.11, Table 9-4]"""

    NO_ERROR = 0x00
    ABORTED = 0x01
    ILLEGAL_CONTROL = 0x02
    LENGTH = 0x06
    UNSPECIFIED = 0xFF
