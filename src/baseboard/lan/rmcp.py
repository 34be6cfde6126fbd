"""RMCP's header, ASF's presence ping, and the frames of both session formats.  [ASF 3.2; IPMI 13.1-13.6]

RMCP and ASF are big-endian, what IPMI put behind them is little-endian.

    RMCP         version 06h, reserved, sequence, class
    ASF          enterprise number 4, message type, tag, reserved, length, data
    IPMI 1.5     authentication type, session sequence 4, session id 4, [code 16], length 1, message, [pad]
    RMCP+        06h, payload type, session id 4, session sequence 4, length 2, payload,
                 [FFh..., pad length, 07h, authentication code]
"""

from __future__ import annotations

from struct import Struct

VERSION = 0x06
NO_ACK = 0xFF
CLASS_ASF = 0x06
CLASS_IPMI = 0x07
ACK = 0x80

IPMI = bytes((VERSION, 0x00, NO_ACK, CLASS_IPMI))
"""RMCP header of every IPMI packet."""

FORMAT_RMCP_PLUS = 0x06
"""Where IPMI 1.5 has its authentication type."""

# ---------------------------------------------------------------------------------------------- ASF

ASF_ENTERPRISE = 4542
DCMI_ENTERPRISE = 36465
PRESENCE_PONG = 0x40
PRESENCE_PING = 0x80
ONE_WAY_TAG = 0xFF

ASF_HEADER = Struct(">4sIBBBB")  # RMCP header, enterprise number, type, tag, reserved, data length
PONG_DATA = Struct(">IIBB6x")  # enterprise number, OEM-defined, entities, interactions
IPMI_SUPPORTED_ASF_1_0 = 0x81


def answer_ping(data: bytes, enterprise: int = ASF_ENTERPRISE) -> bytes | None:
    """The Presence Pong to a Presence Ping; None to everything else of class ASF.  [ASF 3.2.4]"""
    if len(data) < ASF_HEADER.size:
        return None
    _, number, kind, tag, _, _ = ASF_HEADER.unpack_from(data)
    if number != ASF_ENTERPRISE or kind != PRESENCE_PING or tag == ONE_WAY_TAG:
        return None
    pong = PONG_DATA.pack(enterprise, 0, IPMI_SUPPORTED_ASF_1_0, 0)
    header = bytes((VERSION, 0x00, NO_ACK, CLASS_ASF))
    return ASF_HEADER.pack(header, ASF_ENTERPRISE, PRESENCE_PONG, tag, 0, len(pong)) + pong


def acknowledge(data: bytes) -> bytes | None:
    """The RMCP ACK that a class ASF packet with a sequence number asks for.  [ASF 3.2.3.3]"""
    if data[2] == NO_ACK:
        return None
    return bytes((data[0], data[1], data[2], data[3] | ACK))


# ----------------------------------------------------------------------------------------- IPMI 1.5

HEADER_15 = Struct("<4sBII")  # RMCP header, authentication type, session sequence number, session id
CODE_LENGTH_15 = 16
MOST_MESSAGE_15 = 255


def frame_15(kind: int, sequence: int, session_id: int, code: bytes, message: bytes) -> bytes:
    """An IPMI 1.5 packet; `code` is empty for authentication type none.

    The "legacy pad" byte is left out: it was for old LAN controllers that lost datagrams of some lengths,
    and ipmitool and python-ipmi take it for a byte of the message.  [IPMI 13.6]
    """
    return HEADER_15.pack(IPMI, kind, sequence, session_id) + code + bytes((len(message),)) + message


# -------------------------------------------------------------------------------------------- RMCP+

HEADER_PLUS = Struct("<4sBBIIH")  # RMCP header, 06h, payload type, session id, sequence, payload length
HEADER_PLUS_TAIL = Struct("<IH")  # of the same: session sequence number, payload length
ENCRYPTED = 0x80
AUTHENTICATED = 0x40
PAYLOAD_TYPE = 0x3F
NEXT_HEADER = 0x07

PAYLOAD_IPMI = 0x00
PAYLOAD_SOL = 0x01
PAYLOAD_OEM_EXPLICIT = 0x02
OPEN_SESSION_REQUEST = 0x10
OPEN_SESSION_RESPONSE = 0x11
RAKP_1 = 0x12
RAKP_2 = 0x13
RAKP_3 = 0x14
RAKP_4 = 0x15

# Integrity pad, pad length and next header that make 12 + payload + trailer a multiple of 4.
TRAILERS = tuple(b"\xff" * (-(n + 2) % 4) + bytes((-(n + 2) % 4, NEXT_HEADER)) for n in range(4))


def frame_plus(payload_type: int, payload: bytes, session_id: int = 0, sequence: int = 0) -> bytes:
    """An RMCP+ packet without session trailer."""
    return (
        HEADER_PLUS.pack(IPMI, FORMAT_RMCP_PLUS, payload_type, session_id, sequence, len(payload)) + payload
    )
