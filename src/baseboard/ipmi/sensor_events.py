"""Messages about events and their receiver.  [IPMI 29.1 to 29.3]"""

from __future__ import annotations

from baseboard.ipmi.codec import Request, Response, bit, bits, tail, u8


class SetEventReceiverRequest(Request):
    """[IPMI 29.1, Table 29-2]"""

    slave_address: int = u8(1)  # FFh: events are not sent at all
    lun: int = bits(2, 1, 0)


class GetEventReceiverResponse(Response):
    """[IPMI 29.2, Table 29-3]"""

    slave_address: int = u8(2)
    lun: int = bits(3, 1, 0)


class PlatformEventRequest(Request):
    """Event message; its form depends on the interface that it came in by.  [IPMI 29.3, Table 29-4]"""

    message: bytes = tail(1)


class EventMessage(Request):
    """As it comes from IPMB and LAN: the sender's address says who it is.  [IPMI 29.3, Figure 29-2]"""

    # fmt: off
    revision:      int   = u8(1)           # EvM Rev
    sensor_type:   int   = u8(2)
    sensor_number: int   = u8(3)
    deassertion:   bool  = bit(4, 7)
    event_type:    int   = bits(4, 6, 0)
    event_data:    bytes = tail(5)         # one to three bytes
    # fmt: on


class SystemEventMessage(Request):
    """As it comes by the system interface: a generator id in front.  [IPMI 29.3, Figure 29-2]"""

    # fmt: off
    generator_id:  int   = u8(1)
    revision:      int   = u8(2)
    sensor_type:   int   = u8(3)
    sensor_number: int   = u8(4)
    deassertion:   bool  = bit(5, 7)
    event_type:    int   = bits(5, 6, 0)
    event_data:    bytes = tail(6)
    # fmt: on
