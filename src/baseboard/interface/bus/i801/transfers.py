"""What each kind of transfer puts on the bus, and what of its outcome the registers get.  [ICH9 5.20]

Packet error codes: with AAC the controller makes and checks them; with PEC_EN alone the host gives the
code of a write in PEC and finds that of a read there.

Process calls, I2C reads and block process calls are illegal commands: no interface of ours has a use for
them. So is a block of 0 or more than 32 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from baseboard.interface.bus.i801.registers import AAC, CRCE, DEV_ERR, INTR, PEC_EN, At, Kind
from baseboard.interface.bus.smbus import LONGEST_BLOCK, packet_error_code


class Bus(Protocol):
    """What is asked of an `SmBus`."""

    def write(self, address: int, data: bytes) -> int: ...
    def read(self, address: int, length: int) -> bytes | None: ...
    def write_read(self, address: int, data: bytes, length: int, *, block: bool = False) -> bytes | None: ...


class Transfers:
    """The host's end of `bus`, over a controller's registers and block; each answers INTR or DEV_ERR."""

    def __init__(self, bus: Bus, registers: bytearray, block: bytearray) -> None:
        self._bus = bus
        self._registers = registers
        self._block = block

    def make(self, kind: Kind, read: bool) -> int:
        """One whole transfer; a block goes from and to the 32 bytes."""
        transfer = TRANSFERS.get((kind, read))
        return DEV_ERR if transfer is None else transfer(self)

    def is_length(self, count: int) -> bool:
        """Whether a block may have this many bytes."""
        return 1 <= count <= LONGEST_BLOCK

    def write_block(self, count: int) -> int:
        """As many of the 32 bytes, whatever HST_D0 says."""
        count = min(count, LONGEST_BLOCK)
        return self._write(bytes((self._registers[At.HST_CMD], count)) + self._block[:count])

    @property
    def _address(self) -> int:
        return self._registers[At.XMIT_SLVA] >> 1

    @property
    def _has_code(self) -> bool:
        return bool(self._registers[At.HST_CNT] & PEC_EN or self._registers[At.AUX_CTL] & AAC)

    def _write(self, data: bytes) -> int:
        """All bytes of a write, the packet error code behind them."""
        if self._has_code:
            if self._registers[At.AUX_CTL] & AAC:
                self._registers[At.PEC] = packet_error_code(bytes((self._address << 1,)) + data)
            data += self._registers[At.PEC : At.PEC + 1]
        return INTR if self._bus.write(self._address, data) == len(data) else DEV_ERR

    def _read(self, length: int, *, block: bool = False) -> bytes | None:
        """The bytes of a read, without the packet error code behind them; None when it has failed."""
        command = self._registers[At.HST_CMD]
        extra = int(self._has_code)
        answer = self._bus.write_read(self._address, bytes((command,)), length + extra, block=block)
        if answer is None or (block and answer[0] > LONGEST_BLOCK):
            return None if answer is None else self._overlong()
        if not extra:
            return answer
        data, code = answer[:-1], answer[-1]
        self._registers[At.PEC] = code
        head = bytes((self._address << 1, command, self._address << 1 | 1))
        if self._registers[At.AUX_CTL] & AAC and packet_error_code(head + data) != code:
            self._registers[At.AUX_STS] |= CRCE
            return None
        return data

    def _overlong(self) -> bytes | None:
        """A target gave a count of more than 32."""
        return None

    def _quick_write(self) -> int:
        return DEV_ERR if self._bus.write(self._address, b"") < 0 else INTR

    def _quick_read(self) -> int:
        return DEV_ERR if self._bus.read(self._address, 0) is None else INTR

    def _send_byte(self) -> int:
        return self._write(bytes((self._registers[At.HST_CMD],)))

    def _receive_byte(self) -> int:
        """From a target, or who pulls SMBALERT# from the alert response address; without a code."""
        return self._keep(self._bus.read(self._address, 1))

    def _write_byte(self) -> int:
        return self._write(bytes((self._registers[At.HST_CMD], self._registers[At.HST_D0])))

    def _read_byte(self) -> int:
        return self._keep(self._read(1))

    def _write_word(self) -> int:
        command, first, second = (self._registers[at] for at in (At.HST_CMD, At.HST_D0, At.HST_D1))
        return self._write(bytes((command, first, second)))

    def _read_word(self) -> int:
        return self._keep(self._read(2))

    def _keep(self, answer: bytes | None) -> int:
        """One byte or two go to the data registers."""
        if answer is None:
            return DEV_ERR
        self._registers[At.HST_D0 : At.HST_D0 + len(answer)] = answer
        return INTR

    def _write_block(self) -> int:
        count = self._registers[At.HST_D0]
        return self.write_block(count) if self.is_length(count) else DEV_ERR

    def _read_block(self) -> int:
        answer = self._read(0, block=True)
        if answer is None:
            return DEV_ERR
        count = answer[0]
        self._registers[At.HST_D0] = count
        self._block[:count] = answer[1:]
        return INTR


# fmt: off
TRANSFERS: Mapping[tuple[Kind, bool], Callable[[Transfers], int]] = {
    # the kind          read
    (Kind.QUICK,        False): Transfers._quick_write,
    (Kind.QUICK,        True):  Transfers._quick_read,
    (Kind.BYTE,         False): Transfers._send_byte,
    (Kind.BYTE,         True):  Transfers._receive_byte,
    (Kind.BYTE_DATA,    False): Transfers._write_byte,
    (Kind.BYTE_DATA,    True):  Transfers._read_byte,
    (Kind.WORD_DATA,    False): Transfers._write_word,
    (Kind.WORD_DATA,    True):  Transfers._read_word,
    (Kind.BLOCK,        False): Transfers._write_block,
    (Kind.BLOCK,        True):  Transfers._read_block,
}
# fmt: on
