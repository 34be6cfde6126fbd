"""Payloads: App commands 48h-50h and 55h.  [IPMI 24.1-24.10]"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.codec import Request, Response, bit, bits, raw, u8, u16, u24


class PayloadType(IntEnum):
    """Payload types that go inside a session.  [IPMI 13.27.3, Table 13-16]"""

    IPMI = 0x00
    SOL = 0x01
    OEM_EXPLICIT = 0x02


class EncryptionOperation(IntEnum):
    """What Suspend/Resume Payload Encryption is to do.  [IPMI 24.3]"""

    SUSPEND = 0
    RESUME = 1
    REGENERATE_INITIALIZATION_VECTOR = 2


class ActivatePayloadRequest(Request):
    """Auxiliary data as SOL has it.  [IPMI 24.1, Table 24-2]"""

    # fmt: off
    payload_type:      int   = bits(1, 5, 0)
    instance:          int   = bits(2, 3, 0)
    encrypt:           bool  = bit(3, 7)
    authenticate:      bool  = bit(3, 6)
    test_mode:         bool  = bit(3, 5)
    alert_behavior:    int   = bits(3, 3, 2)  # of alerts over a shared serial port
    startup_handshake: bool  = bit(3, 1)      # 1: CTS and DCD/DSR deasserted until the console's first packet
    reserved:          bytes = raw(4, 3)
    # fmt: on


class ActivatePayloadResponse(Response):
    """[IPMI 24.1, Table 24-2]"""

    # fmt: off
    auxiliary:     bytes = raw(2, 4)
    inbound_size:  int   = u16(6)   # payload to the BMC, SOL's header included
    outbound_size: int   = u16(8)   # payload from the BMC
    udp_port:      int   = u16(10)
    vlan:          int   = u16(12)  # FFFFh: none
    # fmt: on


class DeactivatePayloadRequest(Request):
    """[IPMI 24.2, Table 24-3]"""

    # fmt: off
    payload_type: int   = bits(1, 5, 0)
    instance:     int   = bits(2, 3, 0)
    auxiliary:    bytes = raw(3, 4)
    # fmt: on


class GetPayloadActivationStatusRequest(Request):
    """[IPMI 24.4, Table 24-5]"""

    payload_type: int = u8(1)


class GetPayloadActivationStatusResponse(Response):
    """[IPMI 24.4, Table 24-5]"""

    # fmt: off
    capacity: int = bits(2, 3, 0)  # instances that can be active at once
    active:   int = u16(3)         # bit 0: instance 1
    # fmt: on


class GetPayloadInstanceInfoRequest(Request):
    """[IPMI 24.5, Table 24-6]"""

    # fmt: off
    payload_type: int = u8(1)
    instance:     int = u8(2)
    # fmt: on


class GetPayloadInstanceInfoResponse(Response):
    """[IPMI 24.5, Table 24-6]"""

    # fmt: off
    session_id:  bytes = raw(2, 4)  # the managed system's; 0: not active
    port:        int   = u8(6)      # SOL: number of the serial port, 0: unspecified
    information: bytes = raw(7, 7)
    # fmt: on


class SetUserPayloadAccessRequest(Request):
    """[IPMI 24.6, Table 24-7]"""

    # fmt: off
    channel:    int   = bits(1, 3, 0)
    operation:  int   = bits(2, 7, 6)  # 0 enable, 1 disable what the masks name
    user_id:    int   = bits(2, 5, 0)
    standard_1: int   = u8(3)          # bit 1: SOL
    standard_2: int   = u8(4)
    oem_1:      int   = u8(5)          # bit 0: OEM payload 20h
    oem_2:      int   = u8(6)
    # fmt: on


class GetUserPayloadAccessRequest(Request):
    """[IPMI 24.7, Table 24-8]"""

    # fmt: off
    channel: int = bits(1, 3, 0)
    user_id: int = bits(2, 5, 0)
    # fmt: on


class GetUserPayloadAccessResponse(Response):
    """[IPMI 24.7, Table 24-8]"""

    # fmt: off
    standard_1: int = u8(2)
    standard_2: int = u8(3)
    oem_1:      int = u8(4)
    oem_2:      int = u8(5)
    # fmt: on


class GetChannelPayloadSupportRequest(Request):
    """[IPMI 24.8, Table 24-9]"""

    channel: int = bits(1, 3, 0)


class GetChannelPayloadSupportResponse(Response):
    """Masks of payload types.  [IPMI 24.8, Table 24-9]"""

    # fmt: off
    standard:      int = u16(2)  # bit 0: type 00h
    session_setup: int = u16(4)  # bit 0: type 10h
    oem:           int = u16(6)  # bit 0: type 20h
    reserved:      int = u16(8)
    # fmt: on


class GetChannelPayloadVersionRequest(Request):
    """[IPMI 24.9, Table 24-10]"""

    # fmt: off
    channel:      int = bits(1, 3, 0)
    payload_type: int = u8(2)
    # fmt: on


class GetChannelPayloadVersionResponse(Response):
    """[IPMI 24.9, Table 24-10]"""

    # fmt: off
    major: int = bits(2, 7, 4)
    minor: int = bits(2, 3, 0)
    # fmt: on


class GetChannelOemPayloadInfoRequest(Request):
    """[IPMI 24.10, Table 24-11]"""

    # fmt: off
    channel:        int = bits(1, 3, 0)
    payload_type:   int = u8(2)
    oem_iana:       int = u24(3)
    oem_payload_id: int = u16(6)
    # fmt: on


class SuspendResumePayloadEncryptionRequest(Request):
    """[IPMI 24.3, Table 24-4]"""

    # fmt: off
    payload_type: int = bits(1, 5, 0)
    instance:     int = bits(2, 3, 0)
    operation:    int = bits(3, 1, 0)
    # fmt: on
