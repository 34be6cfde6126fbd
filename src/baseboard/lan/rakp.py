"""The messages that open an RMCP+ session, and the codes and keys in them.  [IPMI 13.17-13.24; 13.31-13.33]

"Console" is the remote console (M in the specification), "managed" the managed system, which is us (C).
"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.codec import Record, bits, group, raw, tail, u8, u32
from baseboard.lan.ciphers import RAKP_4_LENGTHS, Authentication, keyed_digest

NAME_ONLY_LOOKUP = 0x10
ROLE = 0x0F
MOST_NAME = 16
ALGORITHM_PAYLOAD_LENGTH = 8
NULL_PAYLOAD_LENGTH = 0


class Status(IntEnum):
    """RMCP+ and RAKP message status codes.  [IPMI 13.24, Table 13-15]"""

    OK = 0x00
    INSUFFICIENT_RESOURCES = 0x01
    INVALID_SESSION_ID = 0x02
    INVALID_PAYLOAD_TYPE = 0x03
    INVALID_AUTHENTICATION_ALGORITHM = 0x04
    INVALID_INTEGRITY_ALGORITHM = 0x05
    NO_MATCHING_AUTHENTICATION = 0x06
    NO_MATCHING_INTEGRITY = 0x07
    INACTIVE_SESSION_ID = 0x08
    INVALID_ROLE = 0x09
    UNAUTHORIZED_ROLE = 0x0A
    INSUFFICIENT_RESOURCES_AT_ROLE = 0x0B
    INVALID_NAME_LENGTH = 0x0C
    UNAUTHORIZED_NAME = 0x0D
    UNAUTHORIZED_GUID = 0x0E
    INVALID_INTEGRITY_CHECK_VALUE = 0x0F
    INVALID_CONFIDENTIALITY_ALGORITHM = 0x10
    NO_CIPHER_SUITE_MATCH = 0x11
    ILLEGAL_PARAMETER = 0x12


class AlgorithmPayload(Record):
    """One of the three proposals or choices: 0 authentication, 1 integrity, 2 confidentiality."""

    # fmt: off
    kind:      int   = u8(1)
    length:    int   = u8(4)          # 8; 0: the BMC chooses
    algorithm: int   = bits(5, 5, 0)
    reserved:  bytes = raw(6, 3)
    # fmt: on


class OpenSessionRequest(Record):
    """What the console wants of the session.  [IPMI 13.17, Table 13-9]"""

    # fmt: off
    tag:                int = u8(1)
    privilege:          int = bits(2, 3, 0)   # 0: the highest that fits
    console_session_id: int = u32(5)
    algorithms: tuple[AlgorithmPayload, ...] = group(9, AlgorithmPayload, 3)
    # fmt: on


class OpenSessionResponse(Record):
    """What it gets.  [IPMI 13.18, Table 13-10]"""

    # fmt: off
    tag:                int = u8(1)
    status:             int = u8(2)
    privilege:          int = bits(3, 3, 0)   # real limit: FreeIPMI refuses 0 and what is too low
    console_session_id: int = u32(5)
    managed_session_id: int = u32(9)
    algorithms: tuple[AlgorithmPayload, ...] = group(13, AlgorithmPayload, 3)
    # fmt: on


class Refusal(Record):
    """The short form of a response with a status other than 00h, of whichever type.

    All clients understand it, for Open Session, RAKP 2 and RAKP 4.
    """

    # fmt: off
    tag:                int = u8(1)
    status:             int = u8(2)
    console_session_id: int = u32(5)
    # fmt: on


class Rakp1(Record):
    """RAKP Message 1.  [IPMI 13.20, Table 13-11]"""

    # fmt: off
    tag:                int   = u8(1)
    managed_session_id: int   = u32(5)
    random:             bytes = raw(9, 16)
    role:               int   = u8(25)        # whole: it enters the codes with its look-up bit
    name_length:        int   = u8(28)
    name:               bytes = tail(29)
    # fmt: on


class Rakp2(Record):
    """RAKP Message 2.  [IPMI 13.21, Table 13-12]"""

    # fmt: off
    tag:                int   = u8(1)
    status:             int   = u8(2)
    console_session_id: int   = u32(5)
    random:             bytes = raw(9, 16)
    guid:               bytes = raw(25, 16)
    code:               bytes = tail(41)
    # fmt: on


class Rakp3(Record):
    """RAKP Message 3.  [IPMI 13.22, Table 13-13]"""

    # fmt: off
    tag:                int   = u8(1)
    status:             int   = u8(2)
    managed_session_id: int   = u32(5)
    code:               bytes = tail(9)
    # fmt: on


class Rakp4(Record):
    """RAKP Message 4.  [IPMI 13.23, Table 13-14]"""

    # fmt: off
    tag:                int   = u8(1)
    status:             int   = u8(2)
    console_session_id: int   = u32(5)
    code:               bytes = tail(9)
    # fmt: on


def _id(session_id: int) -> bytes:
    return session_id.to_bytes(4, "little")


def _role_and_name(role: int, name: bytes) -> bytes:
    return bytes((role, len(name))) + name


def rakp2_code(
    authentication: Authentication,
    kuid: bytes,
    sid_m: int,
    sid_c: int,
    r_m: bytes,
    r_c: bytes,
    guid_c: bytes,
    role_m: int,
    name_m: bytes,
) -> bytes:
    """Key exchange authentication code of RAKP Message 2.  [IPMI 13.31]

    HMAC keyed with Kuid over SIDM, SIDC, RM, RC, GUIDC, RoleM, ULengthM, UNameM.
    """
    data = _id(sid_m) + _id(sid_c) + r_m + r_c + guid_c + _role_and_name(role_m, name_m)
    return keyed_digest(authentication, kuid, data)


def rakp3_code(
    authentication: Authentication, kuid: bytes, r_c: bytes, sid_m: int, role_m: int, name_m: bytes
) -> bytes:
    """Key exchange authentication code of RAKP Message 3: over RC, SIDM, RoleM, ULengthM, UNameM.

    [IPMI 13.31]
    """
    return keyed_digest(authentication, kuid, r_c + _id(sid_m) + _role_and_name(role_m, name_m))


def session_integrity_key(
    authentication: Authentication, kg: bytes, r_m: bytes, r_c: bytes, role_m: int, name_m: bytes
) -> bytes:
    """SIK: over RM, RC, RoleM, ULengthM, UNameM, keyed with KG, or Kuid where KG is not set.  [IPMI 13.31]"""
    return keyed_digest(authentication, kg, r_m + r_c + _role_and_name(role_m, name_m))


def rakp4_code(authentication: Authentication, sik: bytes, r_m: bytes, sid_c: int, guid_c: bytes) -> bytes:
    """Integrity check value of RAKP Message 4: over RM, SIDC, GUIDC, keyed with SIK.  [IPMI 13.31]"""
    code = keyed_digest(authentication, sik, r_m + _id(sid_c) + guid_c)
    return code[: RAKP_4_LENGTHS[authentication]]


def additional_key(authentication: Authentication, sik: bytes, number: int) -> bytes:
    """K1 (integrity), K2 (confidentiality): over 20 bytes of their number, for every HMAC.  [IPMI 13.32]"""
    return keyed_digest(authentication, sik, bytes((number,)) * 20)


def algorithm_payloads(*algorithms: int) -> tuple[AlgorithmPayload, ...]:
    """The three choices as Open Session Response shows them."""
    return tuple(
        AlgorithmPayload(kind=kind, length=ALGORITHM_PAYLOAD_LENGTH, algorithm=algorithm, reserved=bytes(3))
        for kind, algorithm in enumerate(algorithms)
    )
