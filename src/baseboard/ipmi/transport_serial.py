"""Serial/modem configuration: Transport commands 10h-12h.  [IPMI 25.1-25.3]"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.codec import Request, Response, bit, bits, tail, u8

PARAMETER_REVISION = 0x11


class SerialParameter(IntEnum):
    """Parameter selectors.  [IPMI 25.2, Table 25-4]"""

    SET_IN_PROGRESS = 0
    AUTHENTICATION_TYPE_SUPPORT = 1
    AUTHENTICATION_TYPE_ENABLES = 2
    CONNECTION_MODE = 3
    SESSION_INACTIVITY_TIMEOUT = 4
    CHANNEL_CALLBACK_CONTROL = 5
    SESSION_TERMINATION = 6
    COMMUNICATION_SETTINGS = 7
    MUX_SWITCH_CONTROL = 8
    MODEM_RING_TIME = 9
    MODEM_INIT_STRING = 10
    MODEM_ESCAPE_SEQUENCE = 11
    MODEM_HANG_UP_SEQUENCE = 12
    MODEM_DIAL_COMMAND = 13
    PAGE_BLACKOUT_INTERVAL = 14
    COMMUNITY_STRING = 15
    NUMBER_OF_DESTINATIONS = 16
    DESTINATION_INFO = 17
    CALL_RETRY_INTERVAL = 18
    DESTINATION_COMMUNICATION_SETTINGS = 19
    NUMBER_OF_DIAL_STRINGS = 20
    DIAL_STRINGS = 21
    NUMBER_OF_DESTINATION_ADDRESSES = 22
    DESTINATION_ADDRESSES = 23
    NUMBER_OF_TAP_ACCOUNTS = 24
    TAP_ACCOUNT = 25
    TAP_PASSWORDS = 26
    TAP_PAGER_ID_STRINGS = 27
    TAP_SERVICE_SETTINGS = 28
    TERMINAL_MODE = 29
    PPP_PROTOCOL_OPTIONS = 30
    PPP_PRIMARY_RMCP_PORT = 31
    PPP_SECONDARY_RMCP_PORT = 32
    PPP_LINK_AUTHENTICATION = 33
    CHAP_NAME = 34
    PPP_ACCM = 35
    PPP_SNOOP_ACCM = 36
    NUMBER_OF_PPP_ACCOUNTS = 37
    PPP_DIAL_STRING_SELECTOR = 38
    PPP_ADDRESSES = 39
    PPP_USER_NAMES = 40
    PPP_USER_DOMAINS = 41
    PPP_USER_PASSWORDS = 42
    PPP_AUTHENTICATION = 43
    PPP_CONNECTION_HOLD_TIMES = 44
    PPP_UDP_PROXY_HEADER = 45
    PPP_TRANSMIT_BUFFER_SIZE = 46
    PPP_RECEIVE_BUFFER_SIZE = 47
    PPP_CONSOLE_ADDRESS = 48
    SYSTEM_PHONE_NUMBER = 49


class MuxOperation(IntEnum):
    """What Set Serial/Modem Mux is to do.  [IPMI 25.3, Table 25-5]"""

    READ = 0
    REQUEST_TO_SYSTEM = 1
    REQUEST_TO_BMC = 2
    FORCE_TO_SYSTEM = 3
    FORCE_TO_BMC = 4
    BLOCK_TO_SYSTEM = 5
    ALLOW_TO_SYSTEM = 6
    BLOCK_TO_BMC = 7
    ALLOW_TO_BMC = 8


class SetSerialConfigurationRequest(Request):
    """[IPMI 25.1, Table 25-2]"""

    # fmt: off
    channel:   int   = bits(1, 3, 0)
    parameter: int   = u8(2)
    data:      bytes = tail(3)
    # fmt: on


class GetSerialConfigurationRequest(Request):
    """[IPMI 25.2, Table 25-3]"""

    # fmt: off
    channel:        int  = bits(1, 3, 0)
    revision_only:  bool = bit(1, 7)
    parameter:      int  = u8(2)
    set_selector:   int  = u8(3)
    block_selector: int  = u8(4)
    # fmt: on


class GetSerialConfigurationResponse(Response):
    """[IPMI 25.2, Table 25-3]"""

    # fmt: off
    revision: int   = u8(2)
    data:     bytes = tail(3)
    # fmt: on


class SetSerialMuxRequest(Request):
    """[IPMI 25.3, Table 25-5]"""

    # fmt: off
    channel:   int = bits(1, 3, 0)
    operation: int = bits(2, 3, 0)
    # fmt: on


class SetSerialMuxResponse(Response):
    """[IPMI 25.3, Table 25-5]"""

    # fmt: off
    to_system_blocked: bool = bit(2, 7)
    to_bmc_blocked:    bool = bit(2, 6)
    alert_active:      bool = bit(2, 3)
    session_active:    bool = bit(2, 2)
    accepted:          bool = bit(2, 1)
    at_bmc:            bool = bit(2, 0)
    # fmt: on
