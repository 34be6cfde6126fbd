"""A target that is 256 bytes, as an EEPROM is."""

from __future__ import annotations

from collections.abc import Callable

from baseboard.interface.registers import ignore_level


class Memory:
    """The first byte of a write says where; what follows is kept there, and read from there on."""

    alert = False

    def __init__(self, content: bytes = bytes(range(256))) -> None:
        self.content = bytearray(content)
        self.position = 0
        self.first = True
        self.alert_changed: Callable[[bool], None] = ignore_level
        self.quick: list[bool] = []

    def start(self, read: bool) -> bool:
        self.first = True
        self.quick.append(read)
        return True

    def write(self, byte: int) -> bool:
        if self.first:
            self.position = byte
        else:
            self.content[self.position] = byte
            self.position = self.position + 1 & 0xFF
        self.first = False
        return True

    def read(self) -> int:
        value = self.content[self.position]
        self.position = self.position + 1 & 0xFF
        return value

    def stop(self) -> None:
        pass

    def alert_acknowledged(self) -> None:
        pass
