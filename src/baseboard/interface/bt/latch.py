"""The hardware between host and BMC: a buffer each way, and two registers of flags.

Both ends see one object. The host's end is `registers`; the BMC's end is an engine of ours, or a register
window that firmware drives.

The interrupt is B2H_IRQ while B2H_IRQ_EN is set; a rising B2H_ATN or SMS_ATN sets B2H_IRQ.  [IPMI 11.6.3]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from baseboard.interface.bt.registers import (
    B2H_ATN,
    B2H_IRQ,
    B2H_IRQ_EN,
    B_BUSY,
    BMC,
    BMC_HWRST,
    BMC_MASK,
    CLR_RD_PTR,
    CLR_WR_PTR,
    H2B_ATN,
    H_BUSY,
    HOST,
    HOST_MASK,
    SMS_ATN,
)
from baseboard.interface.registers import Register, ignore, ignore_level
from baseboard.interface.state import Exported

CAPACITY = 256
"""Bytes of each buffer: the length byte and as many as it can say."""
EMPTY = 0xFF
"""What a buffer reads behind its end."""


@dataclass(frozen=True, slots=True)
class LatchState(Exported):
    """Everything that a latch keeps."""

    control: int
    mask: int
    host2bmc: bytes
    written: int
    bmc2host: bytes
    read: int
    irq: bool
    global_enable: bool
    bmc_read: int = 0
    version: int = 1


class Latch:
    """BT_CTRL, the two buffers, BT_INTMASK."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.control = B_BUSY
        self.mask = 0
        self.irq = False
        self._host2bmc = bytearray(capacity)
        self._written = 0
        self._bmc2host = b""
        self._read = 0
        self._bmc_read = 0
        """How far firmware has read HOST2BMC; an engine takes `message` at once."""
        self.host_asked = ignore
        """Called when the host set H2B_ATN."""
        self.host_took = ignore
        """Called when the host cleared B2H_ATN or H_BUSY."""
        self.host_freed = ignore
        """Called, before that, when it was H_BUSY."""
        self.host_reset = ignore
        """Called when the host wrote BMC_HWRST."""
        self.irq_changed: Callable[[bool], None] = ignore_level
        """Called with the level of the host's interrupt line when it changes."""

    # What the host does.

    @property
    def registers(self) -> tuple[Register, ...]:
        """The registers in order of their offsets."""
        return (
            Register(self.read_control, self.write_control),
            Register(self.read_buffer, self.write_buffer),
            Register(self.read_mask, self.write_mask),
        )

    def read_control(self) -> int:
        """BT_CTRL."""
        return self.control

    def write_control(self, value: int) -> None:
        """BT_CTRL; its H2B_ATN acts last."""
        if value & CLR_WR_PTR:
            self._written = 0
        if value & CLR_RD_PTR:
            self._read = 0
        before = self.control
        self.control = control = HOST.write(before, value)
        cleared = before & ~control
        if cleared & (B2H_ATN | H_BUSY):
            if cleared & H_BUSY:
                self.host_freed()
            self.host_took()
        if value & H2B_ATN:
            self.host_asked()

    def read_buffer(self) -> int:
        """The next byte of BMC2HOST."""
        read = self._read
        buffer = self._bmc2host
        if read < len(buffer):
            self._read = read + 1
            return buffer[read]
        return EMPTY

    def write_buffer(self, value: int) -> None:
        """The next byte of HOST2BMC; what does not fit is lost."""
        written = self._written
        if written < len(self._host2bmc):
            self._host2bmc[written] = value
            self._written = written + 1

    def read_mask(self) -> int:
        """BT_INTMASK."""
        return self.mask

    def write_mask(self, value: int) -> None:
        """BT_INTMASK."""
        self.mask = HOST_MASK.write(self.mask, value) & HOST_MASK.readable
        self._update_irq()
        if value & BMC_HWRST:
            self.host_reset()

    # What the BMC does.

    @property
    def message(self) -> bytes:
        """What the host has written since CLR_WR_PTR."""
        return bytes(self._host2bmc[: self._written])

    def put(self, message: bytes) -> None:
        """Fill BMC2HOST and read it from its start."""
        self._bmc2host = message
        self._read = 0

    def bmc_read_buffer(self) -> int:
        """The next byte of HOST2BMC."""
        read = self._bmc_read
        if read < self._written:
            self._bmc_read = read + 1
            return self._host2bmc[read]
        return EMPTY

    def bmc_write_buffer(self, value: int) -> None:
        """The next byte of BMC2HOST; what does not fit is lost."""
        if len(self._bmc2host) < self.capacity:
            self._bmc2host += bytes((value,))

    def write_bmc_mask(self, value: int) -> None:
        """The BMC writes BT_INTMASK."""
        self.mask = BMC_MASK.write(self.mask, value)
        self._update_irq()

    def write_bmc_control(self, value: int) -> None:
        """The BMC writes BT_CTRL. Its CLR_WR_PTR empties BMC2HOST."""
        if value & CLR_WR_PTR:
            self._bmc2host = b""
        if value & CLR_RD_PTR:
            self._bmc_read = 0
        before = self.control
        self.control = BMC.write(before, value)
        if self.control & ~before & (B2H_ATN | SMS_ATN):
            self._interrupt()

    def set_attention(self, attention: bool, interrupt: bool) -> None:
        """SMS_ATN: the BMC sets it, only the host clears it.  [IPMI Table 11-2]"""
        if attention:
            rises = not self.control & SMS_ATN
            self.control |= SMS_ATN
            if rises and interrupt:
                self._interrupt()

    def set_busy(self, busy: bool) -> None:
        """B_BUSY."""
        self.control = self.control & ~B_BUSY | (B_BUSY if busy else 0)

    def set_interrupt(self, enabled: bool) -> None:
        """Global Enables: they do not count here, B2H_IRQ_EN does."""

    def reset(self) -> None:
        """As after power-on, and the BMC's end is ready at once."""
        self.control = 0
        self.mask = 0
        self._written = self._bmc_read = 0
        self._bmc2host = b""
        self._read = 0
        self._update_irq()

    def _interrupt(self) -> None:
        if self.mask & B2H_IRQ_EN:
            self.mask |= B2H_IRQ
            self._update_irq()

    def _update_irq(self) -> None:
        level = self.mask & (B2H_IRQ | B2H_IRQ_EN) == B2H_IRQ | B2H_IRQ_EN
        if level != self.irq:
            self._set_irq(level)

    def _set_irq(self, level: bool) -> None:
        self.irq = level
        self.irq_changed(level)

    # What the store keeps.

    def export(self) -> LatchState:
        """The present state."""
        return LatchState(
            control=self.control,
            mask=self.mask,
            host2bmc=bytes(self._host2bmc),
            written=self._written,
            bmc2host=self._bmc2host,
            read=self._read,
            irq=self.irq,
            global_enable=False,
            bmc_read=self._bmc_read,
        )

    def restore(self, state: LatchState) -> None:
        """Become what was exported; an interrupt line that is connected later is told by its owner."""
        self.control = state.control
        self.mask = state.mask
        self._host2bmc[:] = state.host2bmc
        self._written = state.written
        self._bmc2host = state.bmc2host
        self._read = state.read
        self._bmc_read = state.bmc_read
        self.irq = state.irq
