"""Network functions.  [IPMI 5.1, Table 5-1]"""

from __future__ import annotations

from enum import IntEnum


class NetFn(IntEnum):
    """Network function codes of requests; the response has the next (odd) number."""

    CHASSIS = 0x00
    BRIDGE = 0x02
    SENSOR_EVENT = 0x04
    APP = 0x06
    FIRMWARE = 0x08
    STORAGE = 0x0A
    TRANSPORT = 0x0C
    GROUP_EXTENSION = 0x2C
    OEM_GROUP = 0x2E
