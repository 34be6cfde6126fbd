"""The machine behind the registers: what the host writes and sees.  [ICH9 5.20, 21.2]

Theory of operation
-------------------
The host fills address, command and data, and writes START. The transfer is made at once and the status says
how it went, so that HOST_BUSY is seen only while a block goes byte by byte: then each byte waits for the
host to clear DS. In that mode, too, the transfer on the bus is one; what is waited for is the host, not the
target. With the 32-byte buffer (E32B) the host moves a block at a time; reading HST_CNT puts the buffer's
index to 0, and behind the buffer's end it begins again.

What the document leaves open: START while busy does nothing; KILL sets FAILED also when nothing is under way.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto

from baseboard.interface.bus.i801.registers import (
    ALERT,
    BYTES,
    DEV_ERR,
    DS,
    E32B,
    FAILED,
    HOST,
    HOST_BUSY,
    INTR,
    INTREN,
    INUSE,
    KILL,
    LAST_BYTE,
    SIZE,
    SMBALERT_DIS,
    START,
    At,
    Kind,
)
from baseboard.interface.bus.i801.transfers import Transfers
from baseboard.interface.bus.smbus import LONGEST_BLOCK, SmBus
from baseboard.interface.registers import Register, ignore_level
from baseboard.interface.state import Exported

_INTERRUPTS = 0xFF & ~(HOST_BUSY | INUSE)


class Phase(IntEnum):
    """What is under way."""

    IDLE = 0
    WRITING = auto()
    """A block is collected, byte by byte."""
    READING = auto()
    """A block is handed out, byte by byte."""
    BUFFERED = auto()
    """A block waits in the buffer to be taken: with quirks alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerState(Exported):
    """Everything that a controller keeps."""

    registers: bytes
    block: bytes
    index: int
    block_data: int
    phase: int
    asked: bool = False
    """This and the rest with quirks alone: a transfer was asked for and not made yet."""
    i2c: bool = False
    """An I2C read is under way."""
    open: int | None = None
    """The address of the target that it has on the bus."""
    confused: bool = False
    """That target was addressed in the middle."""
    version: int = 2


class Controller:
    """The host's end of `bus`, alert line included, as registers by their offsets."""

    def __init__(self, bus: SmBus) -> None:
        bus.alert.changed = self._alert_changed
        self.irq = False
        self.irq_changed = ignore_level
        """Called with the level of the interrupt when it changes."""
        self._registers = bytearray(SIZE)
        self._block = bytearray(LONGEST_BLOCK)
        self._transfers = Transfers(bus, self._registers, self._block)
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

    def forget(self) -> None:
        """What is under way, and the status; other registers stay."""
        self._registers[At.HST_STS] = 0
        self._index = 0
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
        if before & ~status & DS and self._by_byte:
            self._byte_taken()
        self._update_interrupt()

    def _read_control(self) -> int:
        self._index = 0
        return self._registers[At.HST_CNT]

    def _write_control(self, value: int) -> None:
        side = HOST[At.HST_CNT]
        self._registers[At.HST_CNT] = side.write(self._registers[At.HST_CNT], value) & side.readable
        if value & START:
            self._asked()
        if value & KILL:
            self._kill()
        self._update_interrupt()

    def _read_block_data(self) -> int:
        if not self._registers[At.AUX_CTL] & E32B:
            return self._block_data
        at = self._index % LONGEST_BLOCK
        self._index = at + 1
        return self._block[at]

    def _write_block_data(self, value: int) -> None:
        if not self._registers[At.AUX_CTL] & E32B:
            self._block_data = value
            return
        at = self._index % LONGEST_BLOCK
        self._index = at + 1
        self._block[at] = value

    # Transfers.

    @property
    def _kind(self) -> Kind:
        return Kind(self._registers[At.HST_CNT] >> 2 & 7)

    @property
    def _is_read(self) -> bool:
        return bool(self._registers[At.XMIT_SLVA] & 1)

    def _asked(self) -> None:
        """START was written."""
        if self._phase == Phase.IDLE and not self._registers[At.HST_CNT] & KILL:
            self._start()

    def _start(self) -> None:
        kind, read = self._kind, self._is_read
        if kind == Kind.BLOCK and not self._registers[At.AUX_CTL] & E32B:
            self._start_by_byte(read)
        else:
            self._made(self._transfers.make(kind, read), kind, read)

    def _start_by_byte(self, read: bool) -> None:
        """What is read comes from the bus now; what is written goes there with its last byte."""
        flag = self._transfers.make(Kind.BLOCK, True) if read else INTR
        if flag == INTR and self._transfers.is_length(self._registers[At.HST_D0]):
            if read:
                self._block_data = self._block[0]
            else:
                self._block[0] = self._block_data
            self._index = 0
            self._phase = Phase.READING if read else Phase.WRITING
            self._registers[At.HST_STS] |= HOST_BUSY | DS
        else:
            self._made(flag if read else DEV_ERR, Kind.BLOCK, read)

    def _made(self, flag: int, kind: Kind, read: bool) -> None:
        """A transfer was on the bus."""
        self._done(flag)

    def _done(self, flag: int) -> None:
        self._phase = Phase.IDLE
        self._registers[At.HST_STS] = self._registers[At.HST_STS] & ~HOST_BUSY | flag

    def _kill(self) -> None:
        self._done(FAILED)

    # A block byte by byte.

    @property
    def _by_byte(self) -> bool:
        """Whether the host's clearing DS means that it goes on."""
        return self._phase != Phase.IDLE

    def _byte_taken(self) -> None:
        """The host has cleared DS: it has given the next byte, or has taken one."""
        self._index += 1
        reading = self._phase == Phase.READING
        last = self._index >= min(self._registers[At.HST_D0], LONGEST_BLOCK)
        if reading and (last or self._registers[At.HST_CNT] & LAST_BYTE):
            self._done(INTR)
        elif last:
            self._made(self._transfers.write_block(self._index), Kind.BLOCK, False)
        else:
            self._registers[At.HST_STS] |= DS
            if reading:
                self._block_data = self._block[self._index]
            else:
                self._block[self._index] = self._block_data

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
            registers=bytes(self._registers),
            block=bytes(self._block),
            index=self._index,
            block_data=self._block_data,
            phase=self._phase,
        )

    def restore(self, state: ControllerState) -> None:
        """Become what was exported, with the bus and its targets restored before."""
        self._registers[:] = state.registers
        self._block[:] = state.block
        self._index, self._block_data = state.index, state.block_data
        self._phase = Phase(state.phase)
        self._update_interrupt()
