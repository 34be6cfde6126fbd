"""Serial over LAN: Transport commands 20h-22h.  [IPMI 26.1-26.3]"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.codec import Request, Response, bit, bits, tail, u8

PARAMETER_REVISION = 0x11
"""Oldest and present revision of the SOL parameters.  [IPMI 26.3]"""


class SolParameter(IntEnum):
    """Parameter selectors.  [IPMI 26.3, Table 26-5]"""

    SET_IN_PROGRESS = 0
    ENABLE = 1
    AUTHENTICATION = 2
    ACCUMULATE_AND_THRESHOLD = 3
    RETRY = 4
    NONVOLATILE_BIT_RATE = 5
    VOLATILE_BIT_RATE = 6
    PAYLOAD_CHANNEL = 7
    PAYLOAD_PORT = 8


BIT_RATES = {6: 9600, 7: 19200, 8: 38400, 9: 57600, 10: 115200}
"""Bit rates of parameters 5 and 6; 0 means "as the serial channel is set".  [IPMI Table 26-5]"""


class SolActivatingRequest(Request):
    """What a BMC tells system software on a serial channel that loses its port to SOL.  [IPMI 26.1]"""

    # fmt: off
    state:        int = bits(1, 3, 0)
    instance:     int = u8(2)
    format_major: int = u8(3)
    format_minor: int = u8(4)
    # fmt: on


class SetSolConfigurationParametersRequest(Request):
    """[IPMI 26.2, Table 26-3]"""

    # fmt: off
    channel:   int   = bits(1, 3, 0)
    parameter: int   = u8(2)
    data:      bytes = tail(3)
    # fmt: on


class GetSolConfigurationParametersRequest(Request):
    """[IPMI 26.3, Table 26-4]"""

    # fmt: off
    channel:        int  = bits(1, 3, 0)
    revision_only:  bool = bit(1, 7)
    parameter:      int  = u8(2)
    set_selector:   int  = u8(3)
    block_selector: int  = u8(4)
    # fmt: on


class GetSolConfigurationParametersResponse(Response):
    """[IPMI 26.3, Table 26-4]"""

    # fmt: off
    revision: int   = u8(2)
    data:     bytes = tail(3)
    # fmt: on
