"""The hardware between host and BMC: two byte latches and a status byte.

Both ends see one object. The host's end is `registers`; the BMC's end is an engine of ours, or a register
window that firmware drives. `input` keeps a ninth bit, which says that the byte went to Command.

The interrupt follows OBF while it is enabled.  [IPMI 9.12]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from baseboard.interface.kcs.quirks import Quirk
from baseboard.interface.kcs.registers import BMC, COMMAND, IBF, OBF, SMS_ATN
from baseboard.interface.registers import Register, ignore, ignore_level
from baseboard.interface.state import Exported

TO_COMMAND = 0x100
"""Ninth bit of `Latch.input`."""
_NOT_COMMAND, _NOT_IBF, _NOT_OBF, _NOT_ATTENTION = 0xFF - COMMAND, 0xFF - IBF, 0xFF - OBF, 0xFF - SMS_ATN


@dataclass(frozen=True, slots=True)
class LatchState(Exported):
    """Everything that a latch keeps."""

    status: int
    input: int
    output: int
    interrupt_enabled: bool
    irq: bool
    obf_interrupt: bool
    attention_interrupt: bool
    version: int = 1


class Latch:
    """Data_In, Data_Out, Status."""

    def __init__(self) -> None:
        self.status = 0
        self.input = 0
        self.output = 0
        self.interrupt_enabled = False
        self.irq = False
        self.host_wrote = ignore
        """Called when IBF was set: the BMC's input interrupt."""
        self.host_read = ignore
        """Called when OBF was cleared: the BMC's output interrupt."""
        self.irq_changed: Callable[[bool], None] = ignore_level
        """Called with the level of the host's interrupt line when it changes."""

    # What the host does.

    @property
    def registers(self) -> tuple[Register, ...]:
        """The registers in order of their offsets."""
        return (
            Register(self.read_data, self.write_data),
            Register(self.read_status, self.write_command),
        )

    def read_data(self) -> int:
        """Data_Out; clears OBF."""
        if self.status & OBF:
            self.status &= _NOT_OBF
            if self.irq:
                self._set_irq(False)
            self.host_read()
        return self.output

    def read_status(self) -> int:
        """Status."""
        return self.status

    def write_data(self, value: int) -> None:
        """Data_In. What the BMC had not read yet is overwritten."""
        self.input = value
        self.status = self.status & _NOT_COMMAND | IBF
        self.host_wrote()

    def write_command(self, value: int) -> None:
        """Command."""
        self.input = value | TO_COMMAND
        self.status |= IBF | COMMAND
        self.host_wrote()

    # What the BMC does.

    def take_input(self) -> int:
        """What the host wrote, with the ninth bit; clears IBF."""
        self.status &= _NOT_IBF
        return self.input

    def put_output(self, value: int) -> None:
        """Write Data_Out; sets OBF."""
        self.output = value
        self.status |= OBF
        if self.interrupt_enabled and not self.irq:
            self._set_irq(True)

    def write_status(self, value: int) -> None:
        """Write the bits of Status that are the BMC's."""
        self.status = BMC.write(self.status, value)

    def set_attention(self, attention: bool, interrupt: bool) -> None:
        """SMS_ATN. It has no interrupt of its own: the BMC writes a dummy byte for that."""
        self.status = self.status & _NOT_ATTENTION | (SMS_ATN if attention else 0)

    def set_interrupt(self, enabled: bool) -> None:
        """Whether OBF interrupts."""
        self.interrupt_enabled = enabled
        level = enabled and bool(self.status & OBF)
        if level != self.irq:
            self._set_irq(level)

    def _set_irq(self, level: bool) -> None:
        self.irq = level
        self.irq_changed(level)

    # What the store keeps.

    def export(self) -> LatchState:
        """The present state."""
        return LatchState(
            self.status, self.input, self.output, self.interrupt_enabled, self.irq, False, False
        )

    def restore(self, state: LatchState) -> None:
        """Become what was exported; an interrupt line that is connected later is told by its owner."""
        self.status = state.status
        self.input = state.input
        self.output = state.output
        self.interrupt_enabled = state.interrupt_enabled
        self.irq = state.irq


class QuirkyLatch(Latch):
    """The latch of QEMU 5.1 to 11.1, as far as `quirks` says so."""

    UNUSED = 0x200  # as in `phases`
    OFFSETS = 8
    """Bytes of QEMU's PCI window."""

    def __init__(self, quirks: Quirk) -> None:
        super().__init__()
        self._quirks = quirks
        self._command_bit = 0 if Quirk.NO_COMMAND_BIT in quirks else COMMAND
        self._drops = Quirk.BUSY_DROPS_WRITES in quirks
        self._latched = Quirk.LATCHED_INTERRUPTS in quirks
        self._obf_interrupt = False
        self._attention_interrupt = False

    @property
    def registers(self) -> tuple[Register, ...]:
        """With UNUSED_OFFSETS_ACT, also those that are none."""
        registers = super().registers
        if Quirk.UNUSED_OFFSETS_ACT in self._quirks:
            registers += (Register(lambda: 0xFF, self._write_unused),) * (self.OFFSETS - len(registers))
        return registers

    def read_data(self) -> int:
        if self._latched:
            self.status &= _NOT_OBF
            self._obf_interrupt = False
            self._lower()
            return self.output
        return super().read_data()

    def read_status(self) -> int:
        status = self.status
        if self._attention_interrupt:
            self._attention_interrupt = False
            self._lower()
        return status

    def write_data(self, value: int) -> None:
        self._write(value, 0)

    def write_command(self, value: int) -> None:
        self._write(value | TO_COMMAND, self._command_bit)

    def _write_unused(self, value: int) -> None:
        self._write(self.UNUSED, 0)

    def _write(self, value: int, command_bit: int) -> None:
        if self._drops and self.status & IBF:
            return
        self.input = value
        self.status = self.status & _NOT_COMMAND | IBF | command_bit
        self.host_wrote()

    def put_output(self, value: int) -> None:
        if not self._latched:
            super().put_output(value)
            return
        self.output = value
        self.status |= OBF
        if not self._obf_interrupt:
            self._obf_interrupt = True
            if not self._attention_interrupt:
                self._raise()

    def set_attention(self, attention: bool, interrupt: bool) -> None:
        super().set_attention(attention, interrupt)
        if not self._latched:
            return
        if not attention:
            if self._attention_interrupt:
                self._attention_interrupt = False
                self._lower()
        elif interrupt and not self._attention_interrupt:
            self._attention_interrupt = True
            if not self._obf_interrupt:
                self._raise()

    def set_interrupt(self, enabled: bool) -> None:
        if self._latched:
            self.interrupt_enabled = enabled
        else:
            super().set_interrupt(enabled)

    def _raise(self) -> None:
        if self.interrupt_enabled and not self.irq:
            self._set_irq(True)

    def _lower(self) -> None:
        if self.irq and not self._obf_interrupt and not self._attention_interrupt:
            self._set_irq(False)

    def export(self) -> LatchState:
        return LatchState(
            self.status, self.input, self.output, self.interrupt_enabled, self.irq,
            self._obf_interrupt, self._attention_interrupt,
        )  # fmt: skip

    def restore(self, state: LatchState) -> None:
        super().restore(state)
        self._obf_interrupt = state.obf_interrupt
        self._attention_interrupt = state.attention_interrupt
