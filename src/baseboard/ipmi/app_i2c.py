"""Master Write-Read: App command 52h.  [IPMI 22.11]"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.codec import Request, Response, bit, bits, tail, u8


class BusFault(IntEnum):
    """Completion codes of the command's own.  [IPMI 22.11, Table 22-14]"""

    LOST_ARBITRATION = 0x81
    BUS_ERROR = 0x82
    NOT_ACKNOWLEDGED = 0x83
    """On write: nobody has this address."""
    TRUNCATED_READ = 0x84


class MasterWriteReadRequest(Request):
    """Write to an I2C device, then read from it.  [IPMI 22.11, Table 22-14]"""

    # fmt: off
    channel: int   = bits(1, 7, 4)   # of a public bus
    bus:     int   = bits(1, 3, 1)
    private: bool  = bit(1, 0)
    address: int   = bits(2, 7, 1)   # seven bits
    count:   int   = u8(3)           # bytes to read
    data:    bytes = tail(4)         # bytes to write
    # fmt: on


class MasterWriteReadResponse(Response):
    """[IPMI 22.11, Table 22-14]"""

    data: bytes = tail(2)
