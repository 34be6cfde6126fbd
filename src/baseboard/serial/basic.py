"""Packets of Basic Mode, which Direct Mode shares.  [IPMI 14.4]

    A0h   start       A5h   stop       A6h   the controller takes the next packet       AAh   escape

A packet carries one message as the LAN has it: responder, netFn/LUN, checksum, requester, sequence/LUN,
command, data, checksum. Inside it, these four and 1Bh, the escape of terminals, stand as AAh and another
character.
"""

from __future__ import annotations

from collections.abc import Iterator

START, STOP, HANDSHAKE, ESCAPE = 0xA0, 0xA5, 0xA6, 0xAA
LONGEST = 255
"""Bytes of a message; a longer packet is dropped."""

# fmt: off
ESCAPED = {
    # byte     stands as
    START:     0xB0,
    STOP:      0xB5,
    HANDSHAKE: 0xB6,
    ESCAPE:    0xBA,
    0x1B:      0x3B,
}
# fmt: on
_MEANT = {stands: byte for byte, stands in ESCAPED.items()}


def packet(message: bytes) -> bytes:
    """A message between start and stop."""
    message = message.replace(b"\xaa", b"\xaa\xba")  # first, as the others bring escapes with them
    for byte, stands in ESCAPED.items():
        if byte != ESCAPE:
            message = message.replace(bytes((byte,)), bytes((ESCAPE, stands)))
    return bytes((START,)) + message + bytes((STOP,))


class PacketReader:
    """Takes the characters of a port, from a start on."""

    def __init__(self) -> None:
        self._message: bytearray | None = None
        self._escaped = False
        self.faults = 0
        """Packets with an escape that is none, or too long."""

    @property
    def inside(self) -> bool:
        """A packet has begun and not ended: the next character belongs to it."""
        return self._message is not None

    def take(self, character: int) -> bytes | None:
        """The message that this character completes."""
        if character == START:
            self._message, self._escaped = bytearray(), False
            return None
        message = self._message
        if message is None:
            return None
        if self._escaped:
            self._escaped = False
            meant = _MEANT.get(character)
            if meant is None:
                self._drop()
                return None
            message.append(meant)
        elif character == ESCAPE:
            self._escaped = True
        elif character == STOP:
            self._message = None
            return bytes(message)
        elif character == HANDSHAKE:
            self._drop()
        else:
            message.append(character)
        if len(message) > LONGEST:
            self._drop()
        return None

    def _drop(self) -> None:
        self._message = None
        self.faults += 1


def messages(data: bytes, reader: PacketReader) -> Iterator[bytes]:
    """Every message that `data` completes."""
    for character in data:
        message = reader.take(character)
        if message is not None:
            yield message
