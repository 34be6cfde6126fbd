"""App commands 2Eh-36h and 57h: between system software and the controller.  [IPMI 22.1-22.10]"""

from __future__ import annotations

from enum import IntEnum, IntFlag

from baseboard.ipmi.codec import Request, Response, bits, raw, tail, u8


class GlobalEnable(IntFlag):
    """Bits of Set and Get BMC Global Enables.  [IPMI 22.1]"""

    RECEIVE_QUEUE_INTERRUPT = 0x01
    """Also enables the interrupts of the interface itself (KCS)."""
    EVENT_BUFFER_INTERRUPT = 0x02
    EVENT_BUFFER = 0x04
    EVENT_LOGGING = 0x08


class MessageFlag(IntFlag):
    """Bits of Get and Clear Message Flags.  [IPMI 22.3, 22.4]"""

    RECEIVE_QUEUE = 0x01
    EVENT_BUFFER = 0x02
    WATCHDOG_PRETIMEOUT = 0x08
    OEM_0 = 0x20
    OEM_1 = 0x40
    OEM_2 = 0x80


class Reception(IntEnum):
    """What Enable Message Channel Receive does.  [IPMI 22.5]"""

    DISABLE = 0
    ENABLE = 1
    READ = 2


class Tracking(IntEnum):
    """Bits 7:6 of Send Message's channel byte.  [IPMI 22.7]"""

    NONE = 0
    TRACK = 1
    RAW = 2


class SystemInterfaceType(IntEnum):
    """[IPMI 22.9]"""

    SSIF = 0
    KCS = 1
    SMIC = 2


# fmt: off
class SetGlobalEnablesRequest(Request):
    """[IPMI 22.1, Table 22-2]"""

    enables: int = u8(1)  # `GlobalEnable`


class GetGlobalEnablesResponse(Response):
    """[IPMI 22.2, Table 22-3]"""

    enables: int = u8(2)


class ClearMessageFlagsRequest(Request):
    """[IPMI 22.3, Table 22-4]"""

    flags: int = u8(1)  # `MessageFlag`; 1 clears


class GetMessageFlagsResponse(Response):
    """[IPMI 22.4, Table 22-5]"""

    flags: int = u8(2)


class EnableMessageChannelReceiveRequest(Request):
    """[IPMI 22.5, Table 22-6]"""

    channel:   int = bits(1, 3, 0)
    reception: int = bits(2, 1, 0)  # `Reception`


class EnableMessageChannelReceiveResponse(Response):
    """[IPMI 22.5, Table 22-6]"""

    channel: int = bits(2, 3, 0)
    enabled: int = bits(3, 0, 0)


class GetMessageResponse(Response):
    """[IPMI 22.6, Table 22-7]"""

    channel:            int   = bits(2, 3, 0)
    inferred_privilege: int   = bits(2, 7, 4)
    message:            bytes = tail(3)


class SendMessageRequest(Request):
    """[IPMI 22.7, Table 22-9]"""

    channel:        int   = bits(1, 3, 0)
    authentication: int   = bits(1, 4, 4)
    encryption:     int   = bits(1, 5, 5)
    tracking:       int   = bits(1, 7, 6)  # `Tracking`
    message:        bytes = tail(2)


class ReadEventMessageBufferResponse(Response):
    """[IPMI 22.8, Table 22-11]"""

    record: bytes = raw(2, 16)


class GetBtInterfaceCapabilitiesResponse(Response):
    """[IPMI 22.10, Table 22-13]"""

    outstanding_requests: int = u8(2)
    input_size:           int = u8(3)  # largest value of the length byte
    output_size:          int = u8(4)
    response_time:        int = u8(5)  # seconds
    recommended_retries:  int = u8(6)


class GetSystemInterfaceCapabilitiesRequest(Request):
    """[IPMI 22.9, Table 22-12]"""

    interface: int = bits(1, 3, 0)  # `SystemInterfaceType`


class SsifCapabilitiesResponse(Response):
    """[IPMI 22.9, Table 22-12]"""

    version:             int = bits(3, 2, 0)
    packet_error_code:   int = bits(3, 3, 3)
    transaction_support: int = bits(3, 7, 6)  # 0 single part, 1 start and end, 2 also middle parts
    input_size:          int = u8(4)
    output_size:         int = u8(5)


class KcsCapabilitiesResponse(Response):
    """KCS and SMIC.  [IPMI 22.9, Table 22-12]"""

    version:    int = bits(3, 2, 0)
    input_size: int = u8(4)
# fmt: on
