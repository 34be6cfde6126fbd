"""A bus on which a read is left open, from one byte to the next; an I2C read of a controller with quirks."""

from __future__ import annotations

from baseboard.interface.bus.smbus import SmBus

_NOTHING = 0xFF


class OpenBus:
    """The bus, and one target of which a read is under way.

    It stands in the way of whatever comes next on the bus, whomever that is for: the target takes it for
    its own and is confused by it, which means that it acknowledges everything, that FFh is read of it, and
    that it forgets all at the end of that transfer.
    """

    def __init__(self, bus: SmBus) -> None:
        self._bus = bus
        self.open: int | None = None
        """The address of that target."""
        self.confused = False

    def write(self, address: int, data: bytes) -> int:
        if self.open is None:
            return self._bus.write(address, data)
        self.end()
        return len(data)

    def read(self, address: int, length: int) -> bytes | None:
        if self.open is None:
            return self._bus.read(address, length)
        self.end()
        return bytes((_NOTHING,)) * length

    def write_read(self, address: int, data: bytes, length: int, *, block: bool = False) -> bytes | None:
        if self.open is None:
            return self._bus.write_read(address, data, length, block=block)
        self.end()
        return bytes((_NOTHING,)) * (1 if block else length)  # as a count, that is too long a block

    def begin(self, address: int, command: int) -> bool:
        """Write one byte and start again, to read; whether that was acknowledged."""
        if self.open is not None:
            self.confused = True
            return True
        target = self._bus.target(address)
        if target is None or not target.start(read=False):
            return False
        if not target.write(command) or not target.start(read=True):
            target.stop()
            return False
        self.open = address
        return True

    def next(self) -> int:
        """Read a byte."""
        target = None if self.open is None else self._bus.target(self.open)
        return _NOTHING if target is None or self.confused else target.read()

    def end(self) -> None:
        """Stop."""
        target = None if self.open is None else self._bus.target(self.open)
        if target is not None:
            target.stop()
        self.open, self.confused = None, False
