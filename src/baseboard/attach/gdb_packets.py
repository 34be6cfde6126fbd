"""The frames of GDB's remote serial protocol, without a socket.  [GDB Remote, "Overview"]

Theory of operation. A packet is `$payload#cc`, where cc is the sum of the payload's bytes modulo 256. Each
is answered by `+`, or by `-` when it is to be sent again, until both ends have agreed on no acknowledgements.
In a payload `}` announces a byte with bit 5 inverted, and `X*n` stands for X and (n - 29) more of it; only a
stub sends the latter. `%...#cc` are notifications, which nobody asked for and nobody answers.
"""

from __future__ import annotations

import re
from collections import deque

from baseboard.errors import DecodeError

LONGEST = 1 << 20
"""Bytes of a payload, as it is sent and as it is meant."""
REPEATS = 3
"""Times that one packet is sent again because the peer did not get it."""

_ESCAPED = re.compile(rb"[#$}*]")
_STARTS = re.compile(rb"[$%+-]")


def frame(payload: bytes) -> bytes:
    """The packet that carries this payload."""
    coded = _ESCAPED.sub(lambda found: b"}" + bytes((found[0][0] ^ 0x20,)), payload)
    return b"$%s#%02x" % (coded, sum(coded) & 0xFF)


def expand(coded: bytes) -> bytes:
    """The payload that a packet's bytes stand for.  Raises DecodeError."""
    if b"*" not in coded and b"}" not in coded:  # fast path
        return coded
    payload = bytearray()
    position = 0
    while position < len(coded):
        byte = coded[position]
        position += 1
        if byte == ord("*"):
            if not payload or position == len(coded) or not 0 < coded[position] - 29 < 98:
                raise DecodeError("a repetition of nothing, or without a count")
            payload += payload[-1:] * (coded[position] - 29)
            position += 1
        elif byte == ord("}"):
            if position == len(coded):
                raise DecodeError("an escape at the end of a packet")
            payload.append(coded[position] ^ 0x20)
            position += 1
        else:
            payload.append(byte)
        if len(payload) > LONGEST:
            raise DecodeError(f"a packet of more than {LONGEST} bytes")
    return bytes(payload)


class Packets:
    """Bytes in, payloads out; and the other way."""

    def __init__(self) -> None:
        self.acknowledging = True
        self._received = b""
        self._payloads: deque[bytes] = deque()
        self._to_send = bytearray()
        self._last = b""
        self._repeats = 0

    def send(self, payload: bytes) -> None:
        """Put a packet into what is to be sent."""
        self._last = frame(payload)
        self._repeats = 0
        self._to_send += self._last

    def send_interrupt(self) -> None:
        """Ask a running target to stop."""
        self._to_send.append(3)

    def data_to_send(self) -> bytes:
        """What has to leave now."""
        data = bytes(self._to_send)
        self._to_send.clear()
        return data

    def next_event(self) -> bytes | None:
        """The next payload that came."""
        return self._payloads.popleft() if self._payloads else None

    def receive_data(self, data: bytes) -> None:
        """Take what came.  Raises DecodeError when the peer cannot be understood any more."""
        self._received += data
        while (start := _STARTS.search(self._received)) is not None:
            self._received = self._received[start.start() :]
            if start[0] in b"+-":
                self._received = self._received[1:]
                if start[0] == b"-":
                    self._repeat()
                continue
            end = self._received.find(b"#")
            if end < 0 or len(self._received) < end + 3:
                if len(self._received) > LONGEST:
                    raise DecodeError(f"a packet of more than {LONGEST} bytes")
                return
            coded, digits = self._received[1:end], self._received[end + 1 : end + 3]
            self._received = self._received[end + 3 :]
            if start[0] == b"$":
                self._packet(coded, digits)
        self._received = b""

    def _packet(self, coded: bytes, digits: bytes) -> None:
        if self.acknowledging:
            if digits.lower() != b"%02x" % (sum(coded) & 0xFF):
                self._to_send += b"-"
                return
            self._to_send += b"+"
        self._payloads.append(expand(coded))

    def _repeat(self) -> None:
        self._repeats += 1
        if self._repeats > REPEATS:
            raise DecodeError("every packet is answered with a demand to send it again")
        self._to_send += self._last
