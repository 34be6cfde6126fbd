"""The controller with the quirks of QEMU's."""

from __future__ import annotations

from dataclasses import replace

from baseboard.interface.bus.i801.controller import Controller, ControllerState, Phase
from baseboard.interface.bus.i801.open_bus import OpenBus
from baseboard.interface.bus.i801.quirks import Quirk
from baseboard.interface.bus.i801.registers import (
    DEV_ERR,
    DS,
    E32B,
    HOST_BUSY,
    INTR,
    INTREN,
    KILL,
    LAST_BYTE,
    PEC_EN,
    At,
    Kind,
)
from baseboard.interface.bus.i801.transfers import Bus, Transfers
from baseboard.interface.bus.smbus import LONGEST_BLOCK, SmBus

_THERE = frozenset(
    (At.HST_STS, At.HST_CNT, At.HST_CMD, At.XMIT_SLVA, At.HST_D0, At.HST_D1, At.HOST_BLOCK_DB, At.AUX_CTL)
)


class QuirkyTransfers(Transfers):
    """Transfers with quirks."""

    def __init__(self, bus: Bus, registers: bytearray, block: bytearray, quirks: Quirk) -> None:
        super().__init__(bus, registers, block)
        self._quirks = quirks

    def is_length(self, count: int) -> bool:
        return Quirk.ANY_COUNT in self._quirks or super().is_length(count)

    @property
    def _has_code(self) -> bool:
        return Quirk.NO_PACKET_ERROR_CODES not in self._quirks and super()._has_code

    def _overlong(self) -> bytes | None:
        return b"\0" if Quirk.OVERLONG_EMPTY in self._quirks else super()._overlong()


class QuirkyController(Controller):
    """A controller with quirks."""

    def __init__(self, bus: SmBus, quirks: Quirk) -> None:
        self._quirks = quirks
        self._open_bus = OpenBus(bus)
        self._waits = False
        """A transfer was asked for, and the next read of the status makes it."""
        self._i2c = False
        super().__init__(bus)
        self._transfers = QuirkyTransfers(self._open_bus, self._registers, self._block, quirks)
        if Quirk.FEW_REGISTERS in quirks:
            self.registers = {at: register for at, register in self.registers.items() if at in _THERE}

    def reset(self) -> None:
        self._open_bus.end()
        self._waits = self._i2c = False
        super().reset()

    # Registers.

    def _read_status(self) -> int:
        status = super()._read_status()
        if Quirk.NO_SEMAPHORE in self._quirks:
            self._registers[At.HST_STS] = status
        if self._waits:
            self._waits = False
            self._registers[At.HST_STS] &= ~HOST_BUSY
            self._start()
            self._update_interrupt()
        return status

    def _read_control(self) -> int:
        index = self._index
        value = super()._read_control()
        if Quirk.INDEX_STAYS in self._quirks:
            self._index = index
        return value & ~(PEC_EN | LAST_BYTE) if Quirk.CONTROL_LOW_BITS in self._quirks else value

    def _read_block_data(self) -> int:
        if self._i2c:
            return self._block_data
        value = super()._read_block_data()
        taken = self._phase != Phase.IDLE and self._index == self._registers[At.HST_D0]
        if taken and self._registers[At.AUX_CTL] & E32B and Quirk.BUFFER_TAKEN in self._quirks:
            self._index = 0
            self._done(0)
        return value

    def _write_block_data(self, value: int) -> None:
        if self._index == LONGEST_BLOCK and Quirk.BUFFER_COUNTED in self._quirks:
            self._index = 0
        super()._write_block_data(value)

    # Transfers.

    def _asked(self) -> None:
        if self._registers[At.HST_CNT] & KILL and Quirk.START_KILLED not in self._quirks:
            return
        if self._phase != Phase.IDLE:
            if Quirk.START_AGAIN not in self._quirks and self._phase != Phase.BUFFERED:
                return
            self._phase = Phase.IDLE
            self._index = 0
            self._end_i2c()
        self._waits = bool(Quirk.ASKED_BY_STATUS in self._quirks and not self._registers[At.HST_CNT] & INTREN)
        if self._waits:
            self._registers[At.HST_STS] |= HOST_BUSY
        else:
            self._start()

    def _start(self) -> None:
        if self._registers[At.HST_STS] & DEV_ERR and Quirk.ERROR_HOLDS in self._quirks:
            return
        kind, read = self._kind, self._is_read
        if kind == Kind.I2C_READ and Quirk.I2C_READS in self._quirks:
            self._start_i2c(read)
        elif not read and self._is_buffered(kind) and self._is_miscounted():
            self._index = 0
            self._made(DEV_ERR, kind, read)
        else:
            super()._start()

    def _is_buffered(self, kind: Kind) -> bool:
        return bool(kind == Kind.BLOCK and self._registers[At.AUX_CTL] & E32B)

    def _is_miscounted(self) -> bool:
        return Quirk.BUFFER_COUNTED in self._quirks and self._index != self._registers[At.HST_D0]

    def _made(self, flag: int, kind: Kind, read: bool) -> None:
        buffered = self._is_buffered(kind)
        if buffered and (flag == INTR or not read) and Quirk.INDEX_STAYS in self._quirks:
            self._index = 0
        block_written = kind == Kind.BLOCK and not read and flag == INTR
        if Quirk.BUSY_STAYS in self._quirks and not block_written:
            self._registers[At.HST_STS] |= flag
        else:
            self._done(flag)
        if buffered and read and flag == INTR and Quirk.BUFFER_TAKEN in self._quirks:
            self._phase = Phase.BUFFERED

    def _kill(self) -> None:
        super()._kill()
        if Quirk.INDEX_STAYS in self._quirks:
            self._index = 0

    # Byte by byte.

    @property
    def _by_byte(self) -> bool:
        if Quirk.MODE_OF_THE_MOMENT in self._quirks:
            return self._phase != Phase.IDLE and (self._i2c or not self._registers[At.AUX_CTL] & E32B)
        return self._phase in (Phase.WRITING, Phase.READING)

    def _byte_taken(self) -> None:
        self._index = self._index + 1 if self._index + 1 < LONGEST_BLOCK or not self._wraps else 0
        of_the_moment = Quirk.MODE_OF_THE_MOMENT in self._quirks
        if self._i2c or (self._is_read if of_the_moment else self._phase == Phase.READING):
            self._byte_read()
        else:
            self._byte_written()

    @property
    def _wraps(self) -> bool:
        return Quirk.ANY_COUNT in self._quirks

    def _is_whole(self) -> bool:
        return self._index >= min(self._registers[At.HST_D0], LONGEST_BLOCK)

    def _byte_written(self) -> None:
        count = self._registers[At.HST_D0]
        if self._index != count if self._wraps else not self._is_whole():
            self._block[self._index] = self._block_data
            self._registers[At.HST_STS] |= DS
        elif self._kind == Kind.I2C_READ and Quirk.I2C_READS in self._quirks:
            self._made(DEV_ERR, Kind.BLOCK, False)
        else:
            self._made(self._transfers.write_block(self._index), Kind.BLOCK, False)

    def _byte_read(self) -> None:
        to_last_byte = Quirk.READ_TO_LAST_BYTE in self._quirks
        last = bool(self._registers[At.HST_CNT] & LAST_BYTE) or (not to_last_byte and self._is_whole())
        if not last or to_last_byte:
            at = self._index % LONGEST_BLOCK
            self._block_data = self._open_bus.next() if self._i2c else self._block[at]
        if last:
            self._end_i2c()
            if Quirk.INDEX_STAYS in self._quirks:
                self._index = 0
            self._done(INTR)
        else:
            self._registers[At.HST_STS] |= DS

    # I2C reads.

    def _start_i2c(self, read: bool) -> None:
        address = self._registers[At.XMIT_SLVA] >> 1
        if not self._open_bus.begin(address, self._registers[At.HST_D1]):
            self._made(DEV_ERR, Kind.I2C_READ, read)
            return
        self._i2c = True
        self._phase = Phase.READING
        self._block_data = self._open_bus.next()
        self._registers[At.HST_STS] |= HOST_BUSY | DS

    def _end_i2c(self) -> None:
        if self._i2c:
            self._i2c = False
            self._open_bus.end()

    # What the store keeps.

    def export(self) -> ControllerState:
        bus = self._open_bus
        return replace(
            super().export(), asked=self._waits, i2c=self._i2c, open=bus.open, confused=bus.confused
        )

    def restore(self, state: ControllerState) -> None:
        self._waits, self._i2c = state.asked, state.i2c
        self._open_bus.open, self._open_bus.confused = state.open, state.confused
        super().restore(state)
