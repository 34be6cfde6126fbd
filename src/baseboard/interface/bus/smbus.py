"""The SMBus: targets that see every byte, and the protocols that a host makes of bytes.

    write block   S addr W A  command A  count A  byte A ...  [PEC A]  P
    read block    S addr W A  command A  S addr R A  count  byte ...  [PEC]  P

A byte that the target does not acknowledge ends the transfer. The packet error code is a CRC-8 over all
bytes of the transfer, addresses included.  [SMBus 2.0, 5.4, 5.5.7]
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from baseboard.errors import ConfigError
from baseboard.interface.bus.line import Line

FIRST_ADDRESS, LAST_ADDRESS = 0x08, 0x77
"""7-bit addresses that are not reserved."""
ALERT_RESPONSE = 0x0C
LONGEST_BLOCK = 32


def _table() -> bytes:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value << 1) ^ (0x07 if value & 0x80 else 0)
        table.append(value & 0xFF)
    return bytes(table)


_CRC8 = _table()


def packet_error_code(data: bytes, code: int = 0) -> int:
    """CRC-8 with the polynomial x^8 + x^2 + x + 1; `code` goes on from an earlier part."""
    for byte in data:
        code = _CRC8[code ^ byte]
    return code


class Failure(Enum):
    """Why a transfer brought nothing."""

    NOT_ACKNOWLEDGED = auto()
    PACKET_ERROR = auto()
    """The packet error code is wrong, or the count."""


class Target(Protocol):
    """What stands at an address."""

    alert: bool
    """Whether it pulls SMBALERT#."""
    alert_changed: Callable[[bool], None]

    def start(self, read: bool) -> bool:
        """Its address came after a start or repeated start; whether it acknowledges."""

    def write(self, byte: int) -> bool:
        """The host wrote a byte; whether it is acknowledged."""

    def read(self) -> int:
        """The host reads a byte."""

    def stop(self) -> None:
        """The transfer is over."""

    def alert_acknowledged(self) -> None:
        """The host has read our address from the alert response address."""


class SmBus:
    """One bus with its targets and their alert line (up: somebody pulls it)."""

    def __init__(self, alert_changed: Callable[[bool], None] | None = None) -> None:
        self._targets: dict[int, Target] = {}
        self.alert = Line()
        if alert_changed is not None:
            self.alert.changed = alert_changed

    def attach(self, target: Target, *, address: int) -> None:
        """Put a target at a 7-bit address.  Raises ConfigError."""
        if not FIRST_ADDRESS <= address <= LAST_ADDRESS or address == ALERT_RESPONSE:
            raise ConfigError(
                f"SMBus address {address:#x}: 7-bit addresses are {FIRST_ADDRESS:#x} to {LAST_ADDRESS:#x}"
                f" without {ALERT_RESPONSE:#x}"
            )
        if address in self._targets:
            raise ConfigError(f"SMBus address {address:#x} belongs to another device")
        self._targets[address] = target
        target.alert_changed = self.alert.source(target.alert)

    def target(self, address: int) -> Target | None:
        """Who stands at an address."""
        return self._targets.get(address)

    def write(self, address: int, data: bytes) -> int:
        """Write bytes and stop; how many were acknowledged, -1 when the address was not."""
        target = self._targets.get(address)
        if target is None or not target.start(read=False):
            return -1
        acknowledged = 0
        for byte in data:
            if not target.write(byte):
                break
            acknowledged += 1
        target.stop()
        return acknowledged

    def read(self, address: int, length: int) -> bytes | None:
        """Read without a command; None when not acknowledged. At `ALERT_RESPONSE` answers who pulls."""
        if address == ALERT_RESPONSE:
            alerting = self.alert_response()
            return None if alerting is None else bytes((alerting << 1,)).ljust(length, b"\xff")
        target = self._targets.get(address)
        if target is None:
            return None
        answer = bytes(target.read() for _ in range(length)) if target.start(read=True) else None
        target.stop()
        return answer

    def write_read(self, address: int, data: bytes, length: int, *, block: bool = False) -> bytes | None:
        """Write bytes, start again and read `length` bytes; None when not acknowledged.

        With `block` the first byte read is a count, and those come between it and the `length` bytes; of a
        block that is too long there is the count alone.
        """
        target = self._targets.get(address)
        if target is None or not target.start(read=False):
            return None
        answer = None
        if all(target.write(byte) for byte in data) and target.start(read=True):
            head = b""
            if block:
                head = bytes((target.read(),))
                length = head[0] + length if head[0] <= LONGEST_BLOCK else 0
            answer = head + bytes(target.read() for _ in range(length))
        target.stop()
        return answer

    def write_block(self, address: int, command: int, data: bytes, *, pec: bool = False) -> bool:
        """Block write; whether all of it was acknowledged."""
        payload = bytes((command, len(data))) + data
        if pec:
            payload += bytes((packet_error_code(bytes((address << 1,)) + payload),))
        return self.write(address, payload) == len(payload)

    def read_block(
        self, address: int, command: int, *, parameters: bytes = b"", pec: bool = False
    ) -> bytes | Failure:
        """Block read; with `parameters` between command and repeated start."""
        written = bytes((command,)) + parameters
        raw = self.write_read(address, written, int(pec), block=True)
        if raw is None:
            return Failure.NOT_ACKNOWLEDGED
        count = raw[0]
        if count > LONGEST_BLOCK:
            return Failure.PACKET_ERROR
        if pec:
            covered = bytes((address << 1,)) + written + bytes((address << 1 | 1,)) + raw[: 1 + count]
            if packet_error_code(covered) != raw[1 + count]:
                return Failure.PACKET_ERROR
        return raw[1 : 1 + count]

    def alert_response(self) -> int | None:
        """Read the alert response address: the lowest 7-bit address that pulls; None when none does."""
        for address in sorted(self._targets):
            target = self._targets[address]
            if target.alert:
                target.alert_acknowledged()
                return address
        return None
