"""Aspeed's BT interface, iBT, as firmware sees it.  [Linux bt-bmc.c]

The buffers and BT_CTRL are the latch of `interface.bt`; here are the enable, the interrupts and the window.
Where facts are silent: without CR0's enable the host is not decoded (reads FFh); the host's BMC_HWRST stays
set for firmware until that writes 1 to it; pointers are cleared only while CR0's bits 3:2 allow it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from baseboard.interface.bt import Latch
from baseboard.interface.bt.latch import LatchState
from baseboard.interface.bt.registers import BMC_HWRST, CLR_RD_PTR, CLR_WR_PTR, H2B_ATN
from baseboard.interface.driver import Registers
from baseboard.interface.registers import ignore_level
from baseboard.interface.state import Exported
from baseboard.responder.aspeed_registers import IBT
from baseboard.responder.window import Window, rows_by_name

_OFFSET = rows_by_name(IBT)
CR0, CR1, CR2 = _OFFSET["CR0"], _OFFSET["CR1"], _OFFSET["CR2"]
ENABLED, CLEAR_READ, CLEAR_WRITE = 0x01, 0x04, 0x08
"""Of CR0."""
HOST_ASKED, HOST_FREED = 0x01, 0x40
"""Of CR1 and CR2."""
NOT_DECODED = 0xFF
_LOW = 0xFF


@dataclass(frozen=True, slots=True)
class AspeedIbtState(Exported):
    """Everything that the block keeps."""

    values: tuple[int, ...]
    latch: LatchState
    hardware_reset: bool
    version: int = 1


class AspeedIbt:
    """The block at 140h of the LPC block."""

    def __init__(self) -> None:
        self.latch = Latch()
        self.latch.control = 0
        self.irq = False
        self.irq_changed: Callable[[bool], None] = ignore_level
        """Called with the level of the interrupt line to the BMC's processor."""
        self._hardware_reset = False
        self._window = window = Window(IBT, word=4)
        self.read, self.write = window.read, window.write
        latch = self.latch
        window.act(CR1, None, self._enables)
        window.act(CR2, None, self._acknowledge)
        window.act(_OFFSET["CTRL"], lambda: latch.control, self._write_control)
        window.act(_OFFSET["FIFO"], latch.bmc_read_buffer, lambda value: latch.bmc_write_buffer(value & _LOW))
        window.act(_OFFSET["INTMASK"], self._read_mask, self._write_mask)
        latch.host_asked = self._host_asked
        latch.host_freed = self._host_freed
        latch.host_reset = self._host_reset

    def reset(self) -> None:
        """The BMC was reset."""
        self._window.forget()
        self.latch.reset()
        self._hardware_reset = False
        self._update()

    # The host's face.

    def host(self) -> Registers:
        """BT_CTRL, buffer and BT_INTMASK, as the host reaches them."""
        return _HostFace(self)

    @property
    def enabled(self) -> bool:
        """Whether firmware has enabled the interface."""
        return bool(self._window.values[CR0] & ENABLED)

    @property
    def host_address(self) -> int:
        """The I/O address of BT_CTRL that firmware has chosen."""
        return self._window.values[CR0] >> 16

    @property
    def host_interrupt(self) -> int:
        """The SerIRQ number; its level is the latch's `irq`."""
        return self._window.values[CR0] >> 12 & 0xF

    # Within.

    def _write_control(self, value: int) -> None:
        allowed = self._window.values[CR0]
        if not allowed & CLEAR_WRITE:
            value &= ~CLR_WR_PTR
        if not allowed & CLEAR_READ:
            value &= ~CLR_RD_PTR
        self.latch.write_bmc_control(value & _LOW)

    def _read_mask(self) -> int:
        return self.latch.mask | (BMC_HWRST if self._hardware_reset else 0)

    def _write_mask(self, value: int) -> None:
        if value & BMC_HWRST:
            self._hardware_reset = False
        self.latch.write_bmc_mask(value & _LOW)

    def _host_asked(self) -> None:
        if self.latch.control & H2B_ATN:
            self._happened(HOST_ASKED)

    def _host_freed(self) -> None:
        self._happened(HOST_FREED)

    def _host_reset(self) -> None:
        self._hardware_reset = True

    def _happened(self, what: int) -> None:
        self._window.values[CR2] |= what
        self._update()

    def _acknowledge(self, value: int) -> None:
        self._window.values[CR2] &= ~value
        self._update()

    def _enables(self, value: int) -> None:
        self._update()

    def _update(self) -> None:
        values = self._window.values
        level = bool(values[CR1] & values[CR2])
        if level != self.irq:
            self.irq = level
            self.irq_changed(level)

    # What the store keeps.

    def export(self) -> AspeedIbtState:
        """The present state."""
        return AspeedIbtState(self._window.kept_values(), self.latch.export(), self._hardware_reset)

    @classmethod
    def from_state(cls, state: AspeedIbtState) -> AspeedIbt:
        """A block that goes on where the exported one was."""
        block = cls()
        block._window.keep_values(state.values)
        block.latch.restore(state.latch)
        block._hardware_reset = state.hardware_reset
        block._update()
        return block


class _HostFace:
    """What the host reaches at the interface's addresses."""

    def __init__(self, block: AspeedIbt) -> None:
        self._block = block
        self._registers = block.latch.registers

    def read(self, register: int) -> int:
        """Read the register with this number, from 0."""
        return self._registers[register].read() if self._block.enabled else NOT_DECODED

    def write(self, register: int, value: int) -> None:
        """Write it."""
        if self._block.enabled:
            self._registers[register].write(value)
