"""An open RMCP+ session: packets sealed and opened as its cipher suite says.  [IPMI 13.6; 13.28]"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from baseboard.ipmi.privilege import Privilege
from baseboard.lan.ciphers import (
    Aes,
    CipherSuite,
    Confidentiality,
    FastKeys,
    KeyedHash,
    is_equal,
    packet_code,
)
from baseboard.lan.rmcp import (
    AUTHENTICATED,
    ENCRYPTED,
    FORMAT_RMCP_PLUS,
    HEADER_PLUS,
    IPMI,
    NEXT_HEADER,
    PAYLOAD_IPMI,
    PAYLOAD_TYPE,
    TRAILERS,
)
from baseboard.lan.session import LanSession
from baseboard.lan.window import next_sequence, window_plus


class Session20(LanSession):
    """A session with its keys.

    Authenticated and unauthenticated packets have a sequence number space each.  [IPMI 6.12.13]
    """

    __slots__ = (
        "_protection",
        "_random",
        "aes",
        "console_id",
        "packet_code",
        "plain_sequence",
        "plain_window",
        "suite",
    )

    def __init__(
        self,
        session_id: int,
        console_id: int,
        suite: CipherSuite,
        k1: bytes,
        k2: bytes,
        password: bytes,
        user_id: int,
        maximum_privilege: Privilege,
        channel: int,
        address: Hashable,
        random: Callable[[int], bytes],
        now: float,
    ) -> None:
        super().__init__(session_id, user_id, maximum_privilege, channel, address, now)
        self.rmcp_plus = True
        self.console_id = console_id
        self.suite = suite
        self._random = random
        self.packet_code = packet_code(suite.integrity, k1, password)
        self.aes = Aes(k2) if suite.confidentiality is Confidentiality.AES_CBC_128 else None
        self.authenticated = self.packet_code is not None
        self.encrypted = self.aes is not None
        self.window = window_plus()
        self.plain_window = window_plus()
        self.plain_sequence = 0
        self._protection: dict[int, bool] = {}
        if isinstance(self.packet_code, KeyedHash) and self.aes is not None:
            kind = ENCRYPTED | AUTHENTICATED | PAYLOAD_IPMI
            head = HEADER_PLUS.pack(IPMI, FORMAT_RMCP_PLUS, kind, console_id, 0, 0)[4:10]
            self.fast = FastKeys(self.packet_code, self.aes, head)

    def protect_payload(self, payload_type: int, *, authenticated: bool) -> None:
        """Say that a payload was activated with or without authentication; without is the exception."""
        self._protection[payload_type] = authenticated

    def open(self, data: bytes) -> tuple[int, bytes] | None:
        """Payload type and payload of a datagram for this session; None when it is not to be trusted.

        IPMI messages must have exactly the protection of the cipher suite. Other payloads must be
        authenticated (unless they were activated otherwise) and may be encrypted or not, as the console
        was told when it activated them.
        """
        _, _, kind, _, sequence, length = HEADER_PLUS.unpack_from(data)
        payload_type = kind & PAYLOAD_TYPE
        is_authenticated, is_encrypted = bool(kind & AUTHENTICATED), bool(kind & ENCRYPTED)
        if is_authenticated != self._protection.get(payload_type, self.authenticated):
            return None
        if is_encrypted != self.encrypted and (is_encrypted or payload_type == PAYLOAD_IPMI):
            return None
        end = HEADER_PLUS.size + length
        if end > len(data):
            return None
        if is_authenticated and not self._is_authentic(data, end):
            return None
        payload: bytes | None = data[HEADER_PLUS.size : end]
        if is_encrypted and self.aes is not None and payload is not None:
            payload = self.aes.decrypt(payload)
        window = self.window if is_authenticated else self.plain_window
        if payload is None or not window.accept(sequence):
            return None
        return payload_type, payload

    def _is_authentic(self, data: bytes, end: int) -> bool:
        """Whether integrity trailer and code behind the payload are right.  [IPMI Table 13-8]"""
        if self.packet_code is None:
            return False
        trailer_end = len(data) - self.packet_code.length
        if trailer_end < end + 2 or data[trailer_end - 1] != NEXT_HEADER:
            return False
        if end + data[trailer_end - 2] + 2 != trailer_end:
            return False
        return is_equal(self.packet_code.code(data[4:trailer_end]), data[trailer_end:])

    def seal(
        self, payload_type: int, payload: bytes, *, encrypted: bool = True, authenticated: bool = True
    ) -> bytes:
        """The next datagram to the console, protected as asked and as far as the cipher suite can."""
        code = self.packet_code if authenticated else None
        kind = payload_type
        if encrypted and self.aes is not None:
            kind |= ENCRYPTED
            payload = self.aes.encrypt(payload, self._random(16))
        if code is not None:
            kind |= AUTHENTICATED
            sequence = self.sequence = next_sequence(self.sequence)
        else:
            sequence = self.plain_sequence = next_sequence(self.plain_sequence)
        packet = HEADER_PLUS.pack(IPMI, FORMAT_RMCP_PLUS, kind, self.console_id, sequence, len(payload))
        packet += payload
        if code is None:
            return packet
        packet += TRAILERS[len(payload) & 3]
        return packet + code.code(packet[4:])
