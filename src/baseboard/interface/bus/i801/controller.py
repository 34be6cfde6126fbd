"""The machine behind the registers: the host's end of an SMBus.  [ICH9 5.20, 21.2]

Theory of operation
-------------------
The host fills address, command and data, and writes START. The transfer is made at once and the status says
how it went, so that HOST_BUSY is seen only while a block goes byte by byte: then each byte waits for the
host to clear DS. In that mode, too, the transfer on the bus is one; what is waited for is the host, not the
target. With the 32-byte buffer (E32B) the host moves a block at a time; reading HST_CNT puts the buffer's
index to 0, and behind the buffer's end it begins again.

Packet error codes: with AAC the controller makes and checks them; with PEC_EN alone the host gives the
code of a write in PEC and finds that of a read there.

What the document leaves open: START while busy does nothing; a block of 0 or more than 32 bytes is an
illegal command; KILL sets FAILED also when nothing is under way. Process calls, I2C reads and block
process calls are illegal commands: no interface of ours has a use for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, auto

from baseboard.interface.bus.i801.registers import (
    AUX_CTL,
    AUX_STS,
    BYTES,
    HOST,
    HST_CNT,
    HST_STS,
    SIZE,
    SLV_CMD,
    At,
    Kind,
)
from baseboard.interface.bus.smbus import LONGEST_BLOCK, SmBus, packet_error_code
from baseboard.interface.registers import Register, ignore_level, masks

_STATUS, _CONTROL, _SLAVE_COMMAND = masks(HST_STS), masks(HST_CNT), masks(SLV_CMD)
_AUXILIARY_STATUS, _AUXILIARY_CONTROL = masks(AUX_STS), masks(AUX_CTL)
DS, INUSE, ALERT = _STATUS["DS"], _STATUS["INUSE_STS"], _STATUS["SMBALERT_STS"]
FAILED, DEV_ERR, INTR, HOST_BUSY = (_STATUS[name] for name in ("FAILED", "DEV_ERR", "INTR", "HOST_BUSY"))
PEC_EN, START, LAST_BYTE, KILL, INTREN = (
    _CONTROL[name] for name in ("PEC_EN", "START", "LAST_BYTE", "KILL", "INTREN")
)
E32B, AAC, CRCE = _AUXILIARY_CONTROL["E32B"], _AUXILIARY_CONTROL["AAC"], _AUXILIARY_STATUS["CRCE"]
SMBALERT_DIS = _SLAVE_COMMAND["SMBALERT_DIS"]
_INTERRUPTS = 0xFF & ~(HOST_BUSY | INUSE)


class Phase(IntEnum):
    """What is under way."""

    IDLE = 0
    WRITING = auto()
    """A block is collected, byte by byte."""
    READING = auto()
    """A block is handed out, byte by byte."""


@dataclass(frozen=True, slots=True)
class ControllerState:
    """Everything that a controller keeps."""

    registers: bytes
    block: bytes
    index: int
    block_data: int
    phase: int
    version: int = 1


class Controller:
    """The host's end of `bus`, alert line included, as registers by their offsets."""

    def __init__(self, bus: SmBus) -> None:
        self.bus = bus
        bus.alert.changed = self._alert_changed
        self.irq = False
        self.irq_changed = ignore_level
        """Called with the level of the interrupt when it changes."""
        self._registers = bytearray(SIZE)
        self._block = bytearray(LONGEST_BLOCK)
        self.registers: dict[int, Register] = {
            At.HST_STS: Register(self._read_status, self._write_status),
            At.HST_CNT: Register(self._read_control, self._write_control),
            At.HOST_BLOCK_DB: Register(self._read_block_data, self._write_block_data),
            At.AUX_STS: self._fields(At.AUX_STS),
            At.AUX_CTL: self._fields(At.AUX_CTL),
            At.SLV_CMD: self._fields(At.SLV_CMD),
        }
        for row in BYTES:
            self.registers[row.offset] = self._byte(row.offset, row.writable)
        self.reset()

    def reset(self) -> None:
        """As after power-on; what the targets are doing is their business."""
        self._registers[:] = bytes(SIZE)
        for row in BYTES:
            self._registers[row.offset] = row.at_reset
        self._block[:] = bytes(LONGEST_BLOCK)
        self._index = self._block_data = 0
        self._phase = Phase.IDLE
        self._update_interrupt()

    # Registers.

    def _byte(self, offset: int, writable: int) -> Register:
        registers = self._registers

        def write(value: int) -> None:
            registers[offset] = registers[offset] & ~writable | value & writable

        return Register(lambda: registers[offset], write)

    def _fields(self, offset: At) -> Register:
        registers, side = self._registers, HOST[offset]

        def write(value: int) -> None:
            registers[offset] = side.write(registers[offset], value) & side.readable

        return Register(lambda: registers[offset], write)

    def _read_status(self) -> int:
        status = self._registers[At.HST_STS]
        self._registers[At.HST_STS] = status | INUSE
        return status

    def _write_status(self, value: int) -> None:
        before = self._registers[At.HST_STS]
        status = HOST[At.HST_STS].write(before, value)
        if value & INUSE:
            status &= ~INUSE
        self._registers[At.HST_STS] = status
        if before & ~status & DS and self._phase != Phase.IDLE:
            self._byte_taken()
        self._update_interrupt()

    def _read_control(self) -> int:
        self._index = 0
        return self._registers[At.HST_CNT]

    def _write_control(self, value: int) -> None:
        side = HOST[At.HST_CNT]
        self._registers[At.HST_CNT] = side.write(self._registers[At.HST_CNT], value) & side.readable
        if value & KILL:
            self._done(FAILED)
        elif value & START and self._phase == Phase.IDLE:
            self._start()
        self._update_interrupt()

    def _read_block_data(self) -> int:
        if not self._registers[At.AUX_CTL] & E32B:
            return self._block_data
        value = self._block[self._index]
        self._index = (self._index + 1) % LONGEST_BLOCK
        return value

    def _write_block_data(self, value: int) -> None:
        if not self._registers[At.AUX_CTL] & E32B:
            self._block_data = value
            return
        self._block[self._index] = value
        self._index = (self._index + 1) % LONGEST_BLOCK

    # Transfers.

    def _start(self) -> None:
        read = self._registers[At.XMIT_SLVA] & 1
        kind = Kind(self._registers[At.HST_CNT] >> 2 & 7)
        transfer = TRANSFERS.get((kind, bool(read)))
        if transfer is None:
            self._done(DEV_ERR)
        else:
            transfer(self)

    def _done(self, flag: int) -> None:
        self._phase = Phase.IDLE
        self._registers[At.HST_STS] = self._registers[At.HST_STS] & ~HOST_BUSY | flag

    @property
    def _address(self) -> int:
        return self._registers[At.XMIT_SLVA] >> 1

    @property
    def _has_code(self) -> bool:
        return bool(self._registers[At.HST_CNT] & PEC_EN or self._registers[At.AUX_CTL] & AAC)

    def _write(self, data: bytes) -> None:
        """All bytes of a write, the packet error code behind them."""
        if self._has_code:
            if self._registers[At.AUX_CTL] & AAC:
                self._registers[At.PEC] = packet_error_code(bytes((self._address << 1,)) + data)
            data += self._registers[At.PEC : At.PEC + 1]
        self._done(INTR if self.bus.write(self._address, data) == len(data) else DEV_ERR)

    def _read(self, length: int, *, block: bool = False) -> bytes | None:
        """The bytes of a read, without the packet error code behind them; None when it has failed."""
        command = self._registers[At.HST_CMD]
        extra = int(self._has_code)
        answer = self.bus.write_read(self._address, bytes((command,)), length + extra, block=block)
        if answer is None or (block and answer[0] > LONGEST_BLOCK):
            self._done(DEV_ERR)
            return None
        if not extra:
            return answer
        data, code = answer[:-1], answer[-1]
        self._registers[At.PEC] = code
        head = bytes((self._address << 1, command, self._address << 1 | 1))
        if self._registers[At.AUX_CTL] & AAC and packet_error_code(head + data) != code:
            self._registers[At.AUX_STS] |= CRCE
            self._done(DEV_ERR)
            return None
        return data

    def _quick_write(self) -> None:
        self._done(DEV_ERR if self.bus.write(self._address, b"") < 0 else INTR)

    def _quick_read(self) -> None:
        self._done(DEV_ERR if self.bus.read(self._address, 0) is None else INTR)

    def _send_byte(self) -> None:
        self._write(bytes((self._registers[At.HST_CMD],)))

    def _receive_byte(self) -> None:
        """From a target, or who pulls SMBALERT# from the alert response address; without a code."""
        answer = self.bus.read(self._address, 1)
        if answer is not None:
            self._registers[At.HST_D0] = answer[0]
        self._done(DEV_ERR if answer is None else INTR)

    def _write_byte(self) -> None:
        self._write(bytes((self._registers[At.HST_CMD], self._registers[At.HST_D0])))

    def _read_byte(self) -> None:
        answer = self._read(1)
        if answer is not None:
            self._registers[At.HST_D0] = answer[0]
            self._done(INTR)

    def _write_word(self) -> None:
        self._write(
            bytes(self._registers[At.HST_CMD : At.HST_CMD + 1] + self._registers[At.HST_D0 : At.HST_D1 + 1])
        )

    def _read_word(self) -> None:
        answer = self._read(2)
        if answer is not None:
            self._registers[At.HST_D0 : At.HST_D1 + 1] = answer
            self._done(INTR)

    def _write_block(self) -> None:
        count = self._registers[At.HST_D0]
        if not 1 <= count <= LONGEST_BLOCK:
            self._done(DEV_ERR)
        elif self._registers[At.AUX_CTL] & E32B:
            self._write(bytes((self._registers[At.HST_CMD], count)) + self._block[:count])
        else:
            self._block[0] = self._block_data
            self._wait_for_host(Phase.WRITING)

    def _read_block(self) -> None:
        answer = self._read(0, block=True)
        if answer is None:
            return
        count = answer[0]
        self._registers[At.HST_D0] = count
        self._block[:count] = answer[1:]
        if self._registers[At.AUX_CTL] & E32B or not count:
            self._done(INTR)
        else:
            self._block_data = self._block[0]
            self._wait_for_host(Phase.READING)

    def _wait_for_host(self, phase: Phase) -> None:
        self._phase = phase
        self._index = 0
        self._registers[At.HST_STS] |= HOST_BUSY | DS

    def _byte_taken(self) -> None:
        """The host has cleared DS: it has given the next byte, or has taken one."""
        self._index += 1
        count = min(self._registers[At.HST_D0], LONGEST_BLOCK)
        if self._index < count and not (self._phase == Phase.READING and self._last_byte):
            self._registers[At.HST_STS] |= DS
            if self._phase == Phase.WRITING:
                self._block[self._index] = self._block_data
            else:
                self._block_data = self._block[self._index]
        elif self._phase == Phase.READING:
            self._done(INTR)
        else:
            self._write(bytes((self._registers[At.HST_CMD], self._index)) + self._block[: self._index])
        self._index %= LONGEST_BLOCK

    @property
    def _last_byte(self) -> bool:
        return bool(self._registers[At.HST_CNT] & LAST_BYTE)

    # Interrupts.

    def _alert_changed(self, level: bool) -> None:
        """SMBALERT# was pulled or let go; its fall is latched."""
        if level and not self._registers[At.SLV_CMD] & SMBALERT_DIS:
            self._registers[At.HST_STS] |= ALERT
            self._update_interrupt()

    def _update_interrupt(self) -> None:
        enabled = self._registers[At.HST_CNT] & INTREN
        level = bool(enabled and self._registers[At.HST_STS] & _INTERRUPTS)
        if level != self.irq:
            self.irq = level
            self.irq_changed(level)

    # What the store keeps.

    def export(self) -> ControllerState:
        """The present state; the targets export their own."""
        return ControllerState(
            bytes(self._registers), bytes(self._block), self._index, self._block_data, self._phase
        )

    def restore(self, state: ControllerState) -> None:
        """Become what was exported, with the bus and its targets restored before."""
        self._registers[:] = state.registers
        self._block[:] = state.block
        self._index, self._block_data = state.index, state.block_data
        self._phase = Phase(state.phase)
        self._update_interrupt()


# fmt: off
TRANSFERS: Mapping[tuple[Kind, bool], Callable[[Controller], None]] = {
    # the kind          read
    (Kind.QUICK,        False): Controller._quick_write,
    (Kind.QUICK,        True):  Controller._quick_read,
    (Kind.BYTE,         False): Controller._send_byte,
    (Kind.BYTE,         True):  Controller._receive_byte,
    (Kind.BYTE_DATA,    False): Controller._write_byte,
    (Kind.BYTE_DATA,    True):  Controller._read_byte,
    (Kind.WORD_DATA,    False): Controller._write_word,
    (Kind.WORD_DATA,    True):  Controller._read_word,
    (Kind.BLOCK,        False): Controller._write_block,
    (Kind.BLOCK,        True):  Controller._read_block,
}
# fmt: on
