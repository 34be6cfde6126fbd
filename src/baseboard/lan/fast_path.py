"""The one packet that matters for speed: a command in an RMCP+ session with HMAC and AES.

`exchange` does in one function, without an object or a cipher of its own making, what `Session20.open`,
`LanServer._respond` and `Session20.seal` do for every packet. Those alone would still be right: a packet
that comes here and a packet that does not get the same answer, and the tests send everything both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from hmac import compare_digest
from struct import Struct

from baseboard.ipmi.message import Handler, Message
from baseboard.lan.ciphers import AES_TRAILERS, FastKeys
from baseboard.lan.repeats import NOT_REPEATABLE
from baseboard.lan.rmcp import (
    AUTHENTICATED,
    ENCRYPTED,
    FORMAT_RMCP_PLUS,
    HEADER_PLUS,
    HEADER_PLUS_TAIL,
    IPMI,
    PAYLOAD_IPMI,
)
from baseboard.lan.session import LanSession
from baseboard.lan.window import MASK

HEADER = Struct("<5xBIIH")  # payload type, session id, sequence number, payload length
START = IPMI + bytes((FORMAT_RMCP_PLUS,))
KIND = ENCRYPTED | AUTHENTICATED | PAYLOAD_IPMI
LEAST = HEADER_PLUS.size + 32 + 2 + 12  # vector and one block, pad length and next header, code

_BYTES = tuple(bytes((number,)) for number in range(256))
_TRAILER = b"\xff\xff\x02\x07"  # behind a payload whose length is a multiple of 4


def exchange(
    session: LanSession,
    keys: FastKeys,
    handler: Handler,
    random: Callable[[int], bytes],
    data: bytes,
    sequence: int,
    length: int,
    address: Hashable,
    now: float,
) -> bytes | None:
    """Authenticate, decrypt, check, handle, encrypt and seal; None for a packet that is to be dropped."""
    # Integrity [IPMI 13.28.4]
    code_at = len(data) - keys.code_length
    end = 16 + length
    if code_at < end + 2 or data[code_at - 1] != 7 or end + data[code_at - 2] + 2 != code_at:
        return None
    inner = keys.inner.copy()
    inner.update(data[4:code_at])
    outer = keys.outer.copy()
    outer.update(inner.digest())
    if not compare_digest(outer.digest()[: keys.code_length], data[code_at:]):
        return None
    # Confidentiality [IPMI 13.29]
    if length & 15 or length < 32:
        return None
    text = keys.decrypt_blocks(data[16:end])
    pad = text[-1]
    if pad > 15 or not text.endswith(AES_TRAILERS[pad]):
        return None
    # Sequence number [IPMI 6.12.13]
    window = session.window
    if sequence == window.highest + 1:
        window.highest = sequence
        window.seen = (window.seen << 1 | 1) & 0x1FFFF
    elif not window.accept(sequence):
        return None
    session.last_used = now
    session.address = address
    # The message [IPMI 13.8]
    message = text[16 : -1 - pad]
    if len(message) < 7 or sum(message) & 0xFF:
        return None
    responder, netfn_lun, check, requester, sequence_lun, command = message[:6]
    if responder != 0x20 or responder + netfn_lun + check & 0xFF or netfn_lun & 4:
        return None
    context = session.context
    context.now = now
    context.privilege = session.privilege
    request = tuple.__new__(Message, (netfn_lun >> 2, netfn_lun & 3, command, message[6:-1]))
    if netfn_lun << 8 | command in NOT_REPEATABLE:
        repeated = session.repeats.find(message, sequence, now)
        answer = handler(request, context) if repeated is None else repeated
        if repeated is None:
            session.repeats.keep(message, answer, sequence, now)
    else:
        answer = handler(request, context)
    # The response
    netfn_lun_out = netfn_lun & 0xFC | 4 | sequence_lun & 3
    sequence_lun = sequence_lun & 0xFC | netfn_lun & 3
    check = -(requester + netfn_lun_out) & 0xFF
    message = bytes((requester, netfn_lun_out, check, 0x20, sequence_lun, command)) + answer
    payload = keys.encrypt_blocks(
        random(16)
        + message
        + _BYTES[-(0x20 + sequence_lun + command + sum(answer)) & 0xFF]
        + AES_TRAILERS[~(len(message) + 1) & 15]
    )
    sequence = session.sequence = session.sequence + 1 if session.sequence < MASK else 1
    packet = keys.head + HEADER_PLUS_TAIL.pack(sequence, len(payload)) + payload + _TRAILER
    inner = keys.inner.copy()
    inner.update(packet)
    outer = keys.outer.copy()
    outer.update(inner.digest())
    return IPMI + packet + outer.digest()[: keys.code_length]
