"""System info parameters: App commands 58h and 59h.  [IPMI 22.14a, 22.14b]"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.codec import Request, Response, bit, tail, u8

PARAMETER_REVISION = 0x11


class SystemInfoParameter(IntEnum):
    """Parameter selectors.  [IPMI 22.14b, Table 22-16c]"""

    SET_IN_PROGRESS = 0
    SYSTEM_FIRMWARE_VERSION = 1
    SYSTEM_NAME = 2
    PRIMARY_OPERATING_SYSTEM_NAME = 3
    OPERATING_SYSTEM_NAME = 4
    PRESENT_OS_VERSION = 5
    BMC_URL = 6
    HYPERVISOR_URL = 7


class StringEncoding(IntEnum):
    """Of the strings, in byte 1 of set 0.  [IPMI 22.14b, Table 22-16c]"""

    ASCII_LATIN_1 = 0
    UTF_8 = 1
    UNICODE = 2


class SetSystemInfoParametersRequest(Request):
    """[IPMI 22.14a, Table 22-16a]"""

    # fmt: off
    parameter: int   = u8(1)
    data:      bytes = tail(2)
    # fmt: on


class GetSystemInfoParametersRequest(Request):
    """[IPMI 22.14b, Table 22-16b]"""

    # fmt: off
    revision_only:  bool = bit(1, 7)
    parameter:      int  = u8(2)
    set_selector:   int  = u8(3)
    block_selector: int  = u8(4)
    # fmt: on


class GetSystemInfoParametersResponse(Response):
    """[IPMI 22.14b, Table 22-16b]"""

    # fmt: off
    revision: int   = u8(2)
    data:     bytes = tail(3)
    # fmt: on
