"""As much telnet as a serial port needs: QEMU's `telnet=on`, which alone carries a break.  [RFC 854]

A plain socket has only characters. QEMU (7.2 to 11.1) opens a chardev with `telnet=on` by an offer, IAC WILL
ECHO; who is greeted so may send IAC BREAK, and the guest's UART sees a break. QEMU does not double the FFh of
its own output, so that an FFh is a command only before a byte that is one.
"""

from __future__ import annotations

from typing import Final

IAC: Final = 0xFF
BREAK: Final = b"\xff\xf3"
GREETING: Final = b"\xff\xfb\x01"
"""IAC WILL ECHO."""
_FIRST_COMMAND, _FIRST_NEGOTIATION = 0xF0, 0xFB


class Telnet:
    """One connection, seen from the client; plain until the peer greets."""

    def __init__(self) -> None:
        self.active: bool | None = None
        """Whether the peer speaks telnet; None: it has not said anything yet."""
        self._pending = b""

    def receive(self, data: bytes) -> bytes:
        """The characters in what the peer sent."""
        if self.active is False:
            return data
        data = self._pending + data
        if self.active is None:
            if len(data) < len(GREETING) and GREETING.startswith(data):
                self._pending = data
                return b""
            self.active = data.startswith(GREETING)
            if not self.active:
                self._pending = b""
                return data
        characters, self._pending = _take_commands_out(data)
        return characters

    def send(self, characters: bytes) -> bytes:
        """How to send characters."""
        return characters.replace(b"\xff", b"\xff\xff") if self.active else characters


def _take_commands_out(data: bytes) -> tuple[bytes, bytes]:
    """Characters, and the beginning of a command whose end has not come yet."""
    characters = bytearray()
    start = 0
    while (at := data.find(IAC, start)) >= 0:
        characters += data[start:at]
        if at + 1 == len(data):
            return bytes(characters), data[at:]
        command = data[at + 1]
        length = 3 if _FIRST_NEGOTIATION <= command < IAC else 2
        if at + length > len(data):
            return bytes(characters), data[at:]
        if command == IAC or command < _FIRST_COMMAND:
            characters.append(IAC)
            length = 2 if command == IAC else 1
        start = at + length
    return bytes(characters + data[start:]), b""
