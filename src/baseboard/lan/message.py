"""The IPMI message as LAN packets carry it.  [IPMI 13.8, Table 13-8]

request     rsAddr, netFn/rsLUN, checksum, rqAddr, rqSeq/rqLUN, cmd, data, checksum
response    rqAddr, netFn/rqLUN, checksum, rsAddr, rqSeq/rsLUN, cmd, completion code, data, checksum
"""

from __future__ import annotations

from typing import NamedTuple

from baseboard.errors import DecodeError

BMC_ADDRESS = 0x20
LEAST_LENGTH = 7


class LanRequest(NamedTuple):
    """A request that one console addressed to us."""

    netfn: int
    lun: int
    requester: int
    """Software id or slave address of who asks."""
    requester_lun: int
    sequence: int
    """rqSeq, 0-63."""
    command: int
    data: bytes


def decode_request(message: bytes) -> LanRequest:
    """Read a request, both checksums checked.  Raises DecodeError."""
    if len(message) < LEAST_LENGTH:
        raise DecodeError(f"a LAN message has {LEAST_LENGTH} bytes at least, not {len(message)}")
    if sum(message[:3]) & 0xFF or sum(message) & 0xFF:
        raise DecodeError("a checksum of the LAN message is wrong")
    responder, netfn_lun, _, requester, sequence_lun, command = message[:6]
    if responder != BMC_ADDRESS:
        raise DecodeError(f"the LAN message is for {responder:02X}h")
    if netfn_lun & 0x04:
        raise DecodeError("the LAN message is a response")
    return LanRequest(
        netfn=netfn_lun >> 2,
        lun=netfn_lun & 3,
        requester=requester,
        requester_lun=sequence_lun & 3,
        sequence=sequence_lun >> 2,
        command=command,
        data=message[6:-1],
    )


def encode_response(request: LanRequest, answer: bytes) -> bytes:
    """The response to `request`; `answer` is completion code and data."""
    netfn_lun = (request.netfn | 1) << 2 | request.requester_lun
    body = bytes((BMC_ADDRESS, request.sequence << 2 | request.lun, request.command)) + answer
    head = bytes((request.requester, netfn_lun, -(request.requester + netfn_lun) & 0xFF))
    return head + body + bytes((-sum(body) & 0xFF,))
