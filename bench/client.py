"""Load generators that cost less than what they measure.

The LAN client opens RMCP+ sessions for real, then seals all its requests before the clock starts: while it
is measured it only sends and receives. The VM client does the same with framed messages.
"""

from __future__ import annotations

import hmac
import os
import select
import socket
import struct
import time
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

RMCP = b"\x06\x00\xff\x07"
SUITES = {3: (1, 1, 1, "sha1", 12), 17: (3, 4, 1, "sha256", 16)}
GET_DEVICE_ID = (0x06, 0x01)


class Session:
    """One open RMCP+ session with suite 3 or 17."""

    def __init__(self, address: tuple[str, int], user: bytes, password: bytes, suite: int) -> None:
        authentication, integrity, confidentiality, self.digest, self.code_length = SUITES[suite]
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.connect(address)
        self.id_m = os.urandom(3) + b"\x01"
        algorithms_ = b"".join(
            bytes((kind, 0, 0, 8, number, 0, 0, 0))
            for kind, number in enumerate((authentication, integrity, confidentiality))
        )
        answer = self._exchange(0x10, b"\x00\x04\x00\x00" + self.id_m + algorithms_)
        if answer[1]:
            raise RuntimeError(f"Open Session: status {answer[1]:02X}h")
        self.id_c = answer[8:12]
        random_m, role = os.urandom(16), bytes((0x14,))
        name = bytes((len(user),)) + user
        answer = self._exchange(0x12, b"\x01\0\0\0" + self.id_c + random_m + role + b"\0\0" + name)
        if answer[1]:
            raise RuntimeError(f"RAKP 2: status {answer[1]:02X}h")
        random_c, guid = answer[8:24], answer[24:40]
        code = self._hmac(password, random_c + self.id_m + role + name)
        sik = self._hmac(password, random_m + random_c + role + name)
        answer = self._exchange(0x14, b"\x02\0\0\0" + self.id_c + code)
        if answer[1]:
            raise RuntimeError(f"RAKP 4: status {answer[1]:02X}h")
        assert answer[8:] == self._hmac(sik, random_m + self.id_c + guid)[: self.code_length]
        self.k1, self.k2 = self._hmac(sik, b"\x01" * 20), self._hmac(sik, b"\x02" * 20)[:16]
        self.sequence = 0
        raised = self.request(0x06, 0x3B, b"\x04")
        assert raised[0] == 0, f"Set Session Privilege Level: {raised.hex()}"

    def _hmac(self, key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, self.digest)

    def _exchange(self, payload_type: int, payload: bytes) -> bytes:
        header = struct.pack("<BBIIH", 6, payload_type, 0, 0, len(payload))
        self.socket.send(RMCP + header + payload)
        return self.socket.recv(1024)[16:]

    def seal(self, netfn: int, command: int, data: bytes = b"") -> bytes:
        """One authenticated, encrypted request datagram with the next sequence number."""
        self.sequence += 1
        head = bytes((0x20, netfn << 2))
        body = bytes((0x81, (self.sequence & 0x3F) << 2, command)) + data
        message = head + bytes((-sum(head) & 0xFF,)) + body + bytes((-sum(body) & 0xFF,))
        pad = -(len(message) + 1) % 16
        iv = os.urandom(16)
        encryptor = Cipher(algorithms.AES(self.k2), modes.CBC(iv)).encryptor()
        payload = iv + encryptor.update(message + bytes(range(1, pad + 1)) + bytes((pad,)))
        packet = struct.pack("<BB4sIH", 6, 0xC0, self.id_c, self.sequence, len(payload)) + payload
        fill = -(len(packet) + 2) % 4
        packet += b"\xff" * fill + bytes((fill, 7))
        return RMCP + packet + self._hmac(self.k1, packet)[: self.code_length]

    def open(self, datagram: bytes) -> bytes:
        """Completion code and data of a response datagram."""
        length = struct.unpack_from("<H", datagram, 14)[0]
        payload = datagram[16 : 16 + length]
        decryptor = Cipher(algorithms.AES(self.k2), modes.CBC(payload[:16])).decryptor()
        plain = decryptor.update(payload[16:])
        return plain[6 : len(plain) - plain[-1] - 2]

    def request(self, netfn: int, command: int, data: bytes = b"") -> bytes:
        """One request and its answer."""
        self.socket.send(self.seal(netfn, command, data))
        return self.open(self.socket.recv(1024))


@dataclass
class Result:
    """Requests per second, and the time of one in microseconds at two quantiles."""

    rate: float
    p50: float
    p99: float


def run_lan(
    address: tuple[str, int], user: bytes, password: bytes, suite: int, sessions: int, requests: int
) -> Result:
    """Get Device ID `requests` times, one outstanding in each session."""
    opened = [Session(address, user, password, suite) for _ in range(sessions)]
    each = requests // sessions
    queues = [[s.seal(*GET_DEVICE_ID) for _ in range(each)] for s in opened]
    for queue in queues:
        queue.reverse()
    times: list[float] = []
    poll = select.epoll()
    by_descriptor: dict[int, list[Any]] = {}
    clock = time.perf_counter
    for session, queue in zip(opened, queues, strict=True):
        poll.register(session.socket.fileno(), select.EPOLLIN)
        by_descriptor[session.socket.fileno()] = [session, queue, 0.0]
    start = clock()
    for entry in by_descriptor.values():
        entry[2] = clock()
        entry[0].socket.send(entry[1].pop())
    open_ = sessions
    last = b""
    if sessions == 1:
        (session, queue, sent) = next(iter(by_descriptor.values()))
        sock = session.socket
        while True:
            last = sock.recv(1024)
            now = clock()
            times.append(now - sent)
            if not queue:
                break
            sent = now
            sock.send(queue.pop())
    else:
        while open_:
            ready = poll.poll(5)
            if not ready:
                raise RuntimeError("a request was not answered in 5 s")
            for descriptor, _ in ready:
                entry = by_descriptor[descriptor]
                last = entry[0].socket.recv(1024)
                now = clock()
                times.append(now - entry[2])
                if entry[1]:
                    entry[2] = now
                    entry[0].socket.send(entry[1].pop())
                else:
                    open_ -= 1
    elapsed = clock() - start
    assert last
    for session in opened:
        assert session.request(*GET_DEVICE_ID)[0] == 0
        session.request(0x06, 0x3C, session.id_c)
        session.socket.close()
    times.sort()
    return Result(len(times) / elapsed, times[len(times) // 2] * 1e6, times[len(times) * 99 // 100] * 1e6)


def run_vm(connection: socket.socket, requests: int) -> Result:
    """Get Device ID `requests` times over a connected VM wire, one outstanding as QEMU has it."""

    def frame(sequence: int) -> bytes:
        body = bytes((sequence, 0x18, 0x01))
        body += bytes((-sum(body) & 0xFF,))
        return (
            b"".join(bytes((0xAA, b | 0x10)) if b in (0xA0, 0xA1, 0xAA) else bytes((b,)) for b in body)
            + b"\xa0"
        )

    frames = [frame(i % 0xA0) for i in range(requests)]
    connection.settimeout(5)
    connection.sendall(bytes.fromhex("ff01a1083fa1"))
    times, clock = [], time.perf_counter
    for _ in range(5):
        connection.sendall(frames[0])
        while not connection.recv(4096).endswith(b"\xa0"):
            pass
    start = clock()
    for data in frames:
        sent = clock()
        connection.send(data)
        while not connection.recv(4096).endswith(b"\xa0"):
            pass
        times.append(clock() - sent)
    elapsed = clock() - start
    times.sort()
    return Result(requests / elapsed, times[len(times) // 2] * 1e6, times[len(times) * 99 // 100] * 1e6)


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
