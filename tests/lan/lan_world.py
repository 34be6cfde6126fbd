"""Who may log in, by a table; a handler with a few commands; a console for each kind of session."""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.privilege import Privilege
from baseboard.lan.authority import Account, ChannelPolicy, LoginStatus
from baseboard.lan.server import LanServer
from baseboard.lan.settings import LanSettings

GUID = bytes(range(16))
CONSOLE = ("192.0.2.7", 40000)
DEVICE_ID = bytes.fromhex("00 20 81 01 00 02 bf 571900 0100")
ALL_SUITES = (17, 3, 16, 15, 12, 11, 8, 7, 6, 2, 1, 0)

ADMIN = Account(2, b"admin", b"Passw0rd-1234567", Privilege.ADMINISTRATOR)
OPERATOR = Account(3, b"operator", b"oper-secret-19bytes", Privilege.OPERATOR, fits_ipmi15=False)
MONITOR = Account(4, b"monitor", b"mon", Privilege.USER)
ANONYMOUS = Account(1, b"", b"anonpw", Privilege.ADMINISTRATOR)


RULES = ChannelPolicy(
    enabled=True,
    limit=Privilege.ADMINISTRATOR,
    per_message_authentication=True,
    user_level_authentication=True,
    authentication_types=(0x15, 0x15, 0x15, 0x15, 0x15),
)


@dataclass
class TableAuthority:
    """Answers from plain values."""

    accounts: tuple[Account, ...] = (ADMIN, OPERATOR, MONITOR)
    guid: bytes = GUID
    channel_key: bytes = b""
    suites: dict[int, Privilege] = field(default_factory=lambda: dict.fromkeys(ALL_SUITES, Privilege.OEM))
    rules: ChannelPolicy = RULES
    session_limit: int = 0

    def policy(self, channel: int) -> ChannelPolicy:
        return self.rules

    def cipher_suite_limit(self, channel: int, suite: int) -> Privilege:
        return self.suites.get(suite, Privilege.NO_ACCESS)

    def cipher_suites(self, channel: int) -> tuple[int, ...]:
        return tuple(self.suites)

    def account(self, channel: int, name: bytes, privilege: Privilege | None) -> Account | None:
        for account in self.accounts:
            limit = min(account.limit, self.rules.limit)
            if account.name == name and privilege in (None, limit):
                return replace(account, limit=limit)
        return None

    def session_limit_reached(self, user_id: int, channel: int, open_sessions: int) -> bool:
        return 0 < self.session_limit <= open_sessions

    def login_status(self, channel: int) -> LoginStatus:
        return LoginStatus(anonymous=False, null_names=False, other_names=True)


class Toy:
    """Device ID and GUID, privilege level and Close Session, Add SEL Entry, Read FRU Data."""

    def __init__(self) -> None:
        self.server: LanServer
        self.seen: list[tuple[Message, int]] = []
        self.records = 0

    def __call__(self, message: Message, context: Context) -> bytes:
        self.seen.append((message, context.privilege))
        command = message.netfn, message.command
        if command == (0x06, 0x37):
            return b"\0" + GUID
        if context.privilege < Privilege.USER:
            return b"\xd4"
        assert context.session is not None
        if command == (0x06, 0x01):
            return DEVICE_ID
        if command == (0x06, 0x3B):
            level = message.data[0]
            if level > context.session.maximum_privilege:
                return b"\x81"
            context.session.privilege = Privilege(level) if level else context.session.privilege
            return bytes((0, context.session.privilege))
        if command == (0x06, 0x3C):
            return b"\0" if self.server.close_session(int.from_bytes(message.data, "little")) else b"\x87"
        if command == (0x0A, 0x44):
            self.records += 1
            return b"\0" + self.records.to_bytes(2, "little")
        if command == (0x0A, 0x11):
            return b"\0" + bytes(message.data[0])
        return b"\xc1"


def make_server(
    authority: TableAuthority | None = None,
    settings: LanSettings | None = None,
    random: Callable[[int], bytes] = os.urandom,
    loopback: bool = True,
) -> LanServer:
    toy = Toy()
    server = LanServer(authority or TableAuthority(), toy, random, settings, loopback=loopback)
    toy.server = server
    return server


def lan_message(netfn: int, command: int, data: bytes = b"", sequence: int = 0, lun: int = 0) -> bytes:
    head = bytes((0x20, netfn << 2 | lun))
    body = bytes((0x81, sequence << 2, command)) + data
    return head + bytes((-sum(head) & 0xFF,)) + body + bytes((-sum(body) & 0xFF,))


def answer_of(message: bytes) -> bytes:
    """Completion code and data of a response, its checksums checked."""
    assert sum(message[:3]) & 0xFF == 0
    assert sum(message[3:]) & 0xFF == 0
    return message[6:-1]


def plus(payload_type: int, payload: bytes, session_id: int = 0, sequence: int = 0) -> bytes:
    return (
        struct.pack("<4sBBIIH", b"\x06\0\xff\x07", 6, payload_type, session_id, sequence, len(payload))
        + payload
    )


_DIGESTS = {1: "sha1", 2: "md5", 3: "sha256"}
# fmt: off
SUITES = {
    0: (0, 0, 0), 1: (1, 0, 0), 2: (1, 1, 0), 3: (1, 1, 1), 6: (2, 0, 0), 7: (2, 2, 0), 8: (2, 2, 1),
    11: (2, 3, 0), 12: (2, 3, 1), 15: (3, 0, 0), 16: (3, 4, 0), 17: (3, 4, 1),
}
# fmt: on


class Console:
    """An RMCP+ console, written from the specification's side and not from our modules."""

    def __init__(
        self,
        server: LanServer,
        account: Account = ADMIN,
        suite: int = 3,
        *,
        level: int = 0,
        role: int = 0x14,
        password: bytes | None = None,
        key: bytes = b"",
        address: Hashable = CONSOLE,
    ) -> None:
        self.server = server
        self.account = account
        self.suite = SUITES[suite]
        self.level = level
        self.role = role
        self.password = account.password if password is None else password
        self.key = key
        self.address = address
        self.id_m = os.urandom(3) + b"\x01"
        self.id_c = bytes(4)
        self.random_m = os.urandom(16)
        self.random_c = self.guid = b""
        self.sequence = 0
        self.request_sequence = 0
        self.now = 0.0

    def send(self, datagram: bytes) -> bytes | None:
        return self.server.receive_datagram(datagram, self.address, self.now)

    def exchange(self, payload_type: int, payload: bytes) -> bytes:
        answer = self.send(plus(payload_type, payload))
        assert answer is not None
        assert answer[:6] == b"\x06\0\xff\x07\x06" + bytes((payload_type + 1,))
        assert answer[6:14] == bytes(8)
        assert int.from_bytes(answer[14:16], "little") == len(answer) - 16
        return answer[16:]

    def hmac(self, key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, _DIGESTS[self.suite[0]]) if self.suite[0] else b""

    @property
    def role_and_name(self) -> bytes:
        return bytes((self.role, len(self.account.name))) + self.account.name

    def open_request(self, tag: int = 0) -> bytes:
        proposals = b"".join(
            bytes((kind, 0, 0, 8, number, 0, 0, 0)) for kind, number in enumerate(self.suite)
        )
        return bytes((tag, self.level, 0, 0)) + self.id_m + proposals

    def rakp1_request(self, tag: int = 1) -> bytes:
        head = bytes((tag, 0, 0, 0)) + self.id_c + self.random_m + bytes((self.role, 0, 0))
        return head + self.role_and_name[1:]

    def rakp3_request(self, tag: int = 2) -> bytes:
        code = self.hmac(self.password, self.random_c + self.id_m + self.role_and_name)
        return bytes((tag, 0, 0, 0)) + self.id_c + code

    def open(self) -> int:
        """Open Session; the status."""
        answer = self.exchange(0x10, self.open_request())
        assert answer[4:8] == self.id_m
        if not answer[1]:
            assert len(answer) == 36
            self.id_c = answer[8:12]
            self.granted = answer[2]
        return answer[1]

    def rakp1(self) -> int:
        """RAKP 1 and 2; the status."""
        answer = self.exchange(0x12, self.rakp1_request())
        if not answer[1]:
            self.random_c, self.guid, self.code = answer[8:24], answer[24:40], answer[40:]
        return answer[1]

    def is_known(self) -> bool:
        """Whether RAKP 2 proves that the BMC knows our password."""
        data = self.id_m + self.id_c + self.random_m + self.random_c + self.guid + self.role_and_name
        return self.code == self.hmac(self.password, data)

    def rakp3(self) -> int:
        """RAKP 3 and 4; the status."""
        answer = self.exchange(0x14, self.rakp3_request())
        if not answer[1]:
            sik = self.hmac(self.key or self.password, self.random_m + self.random_c + self.role_and_name)
            length = (0, 12, 16, 16)[self.suite[0]]
            assert answer[8:] == self.hmac(sik, self.random_m + self.id_c + self.guid)[:length]
            self.k1, self.k2 = self.hmac(sik, b"\x01" * 20), self.hmac(sik, b"\x02" * 20)[:16]
        return answer[1]

    def login(self) -> Console:
        assert self.open() == 0
        assert self.rakp1() == 0
        assert self.is_known()
        assert self.rakp3() == 0
        return self

    def packet_code(self, data: bytes) -> bytes:
        integrity = self.suite[1]
        if integrity == 3:
            password = self.password.ljust(20, b"\0")
            return hashlib.md5(password + data + password).digest()
        return self.hmac(self.k1, data)[: {1: 12, 2: 16, 4: 16}[integrity]]

    def seal(
        self,
        payload: bytes,
        *,
        payload_type: int = 0,
        sequence: int | None = None,
        encrypted: bool | None = None,
        authenticated: bool | None = None,
        trailer: bytes | None = None,
    ) -> bytes:
        """A datagram; `trailer` replaces the confidentiality trailer."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        encrypted = bool(self.suite[2]) if encrypted is None else encrypted
        authenticated = bool(self.suite[1]) if authenticated is None else authenticated
        if encrypted:
            pad = -(len(payload) + 1) % 16
            trailer = bytes((*range(1, pad + 1), pad)) if trailer is None else trailer
            iv = os.urandom(16)
            encryptor = Cipher(algorithms.AES(self.k2), modes.CBC(iv)).encryptor()
            payload = iv + encryptor.update(payload + trailer)
        kind = payload_type | (0x80 if encrypted else 0) | (0x40 if authenticated else 0)
        packet = plus(kind, payload, int.from_bytes(self.id_c, "little"), sequence)
        if authenticated:
            fill = -(len(packet) - 4 + 2) % 4
            packet += b"\xff" * fill + bytes((fill, 7))
            packet += self.packet_code(packet[4:])
        return packet

    def unseal(self, datagram: bytes) -> tuple[int, int, bytes]:
        """Payload type with its bits, sequence number and payload; everything checked."""
        head, version, kind, session_id, sequence, length = struct.unpack_from("<4sBBIIH", datagram)
        assert (head, version) == (b"\x06\0\xff\x07", 6)
        assert session_id.to_bytes(4, "little") == self.id_m
        payload, rest = datagram[16 : 16 + length], datagram[16 + length :]
        if kind & 0x40:
            pad = -(length + 2) % 4
            assert rest[: pad + 2] == b"\xff" * pad + bytes((pad, 7))
            covered = 16 + length + pad + 2
            assert datagram[covered:] == self.packet_code(datagram[4:covered])
        else:
            assert not rest
        if kind & 0x80:
            decryptor = Cipher(algorithms.AES(self.k2), modes.CBC(payload[:16])).decryptor()
            text = decryptor.update(payload[16:])
            assert text.endswith(bytes(range(1, text[-1] + 1)) + text[-1:])
            payload = text[: -1 - text[-1]]
        return kind, sequence, payload

    def request(self, netfn: int, command: int, data: bytes = b"") -> bytes | None:
        """A command; completion code and data, or None when nothing comes back."""
        self.request_sequence = (self.request_sequence + 1) & 0x3F
        answer = self.send(self.seal(lan_message(netfn, command, data, self.request_sequence)))
        if answer is None:
            return None
        kind, _, message = self.unseal(answer)
        assert kind == (0x80 if self.suite[2] else 0) | (0x40 if self.suite[1] else 0)
        assert message[0] == 0x81
        assert message[3:6] == bytes((0x20, self.request_sequence << 2, command))
        return answer_of(message)


class Console15:
    """An IPMI 1.5 console."""

    def __init__(
        self, server: LanServer, account: Account = ADMIN, kind: int = 2, password: bytes | None = None
    ) -> None:
        self.server = server
        self.account = account
        self.kind = self.packet_kind = kind
        self.password = (account.password if password is None else password).ljust(16, b"\0")
        self.id = 0
        self.inbound = 0
        self.outbound = 0x1000
        self.request_sequence = 0
        self.now = 0.0

    def code(self, kind: int, session_id: int, sequence: int, message: bytes) -> bytes:
        if kind == 2:
            numbers = struct.pack("<I", session_id), struct.pack("<I", sequence)
            return hashlib.md5(self.password + numbers[0] + message + numbers[1] + self.password).digest()
        return self.password if kind == 4 else b""

    def seal(self, message: bytes, kind: int, session_id: int, sequence: int) -> bytes:
        head = struct.pack("<4sBII", b"\x06\0\xff\x07", kind, sequence, session_id)
        return head + self.code(kind, session_id, sequence, message) + bytes((len(message),)) + message

    def send(self, datagram: bytes) -> bytes | None:
        return self.server.receive_datagram(datagram, CONSOLE, self.now)

    def unseal(self, datagram: bytes) -> tuple[int, int, int, bytes]:
        """Authentication type, sequence number, session id and message; the code is checked."""
        kind, sequence, session_id = struct.unpack_from("<BII", datagram, 4)
        rest = datagram[13:]
        code, rest = (rest[:16], rest[16:]) if kind else (b"", rest)
        message = rest[1 : 1 + rest[0]]
        assert code == self.code(kind, session_id, sequence, message)
        return kind, sequence, session_id, message

    def outside(self, netfn: int, command: int, data: bytes = b"") -> bytes | None:
        answer = self.send(self.seal(lan_message(netfn, command, data), 0, 0, 0))
        return None if answer is None else answer_of(self.unseal(answer)[3])

    def challenge(self) -> int:
        answer = self.outside(6, 0x39, bytes((self.kind,)) + self.account.name.ljust(16, b"\0"))
        assert answer is not None
        if not answer[0]:
            self.id, self.challenge_string = int.from_bytes(answer[1:5], "little"), answer[5:]
            assert len(self.challenge_string) == 16
        return answer[0]

    def activation(self, level: int = 4, outbound: int | None = None) -> bytes:
        outbound = self.outbound if outbound is None else outbound
        data = bytes((self.kind, level)) + self.challenge_string + struct.pack("<I", outbound)
        return self.seal(lan_message(6, 0x3A, data, 5), self.kind, self.id, 0)

    def activate(self, level: int = 4) -> int | None:
        answer = self.send(self.activation(level))
        if answer is None:
            return None
        kind, sequence, session_id, message = self.unseal(answer)
        assert (kind, sequence, session_id) == (self.kind, self.outbound, self.id)
        data = answer_of(message)
        if not data[0]:
            assert data[10] == level
            self.packet_kind = data[1]
            self.id, self.inbound = struct.unpack_from("<II", data, 2)
        return data[0]

    def login(self) -> Console15:
        assert self.challenge() == 0
        assert self.activate() == 0
        return self

    def request(self, netfn: int, command: int, data: bytes = b"", kind: int | None = None) -> bytes | None:
        kind = self.packet_kind if kind is None else kind
        self.request_sequence = (self.request_sequence + 1) & 0x3F
        message = lan_message(netfn, command, data, self.request_sequence)
        answer = self.send(self.seal(message, kind, self.id, self.inbound))
        self.inbound += 1
        if answer is None:
            return None
        answer_kind, sequence, session_id, response = self.unseal(answer)
        self.outbound += 1
        assert (answer_kind, sequence, session_id) == (kind, self.outbound, self.id)
        return answer_of(response)


def script(pieces: Iterator[bytes]) -> Callable[[int], bytes]:
    """Random numbers as a test wants them."""

    def random(size: int) -> bytes:
        piece = next(pieces)
        assert len(piece) == size
        return piece

    return random
