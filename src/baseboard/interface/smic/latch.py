"""The hardware between host and BMC: data, control and status, flags.

Both ends see one object. The host writes Data and Control and then sets BUSY, which is when the BMC looks;
when it has answered it clears BUSY.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from baseboard.interface.registers import Register, ignore, ignore_level
from baseboard.interface.smic.registers import BMC, BUSY, HOST, SMS_ATN, Status
from baseboard.interface.state import Exported


@dataclass(frozen=True, slots=True)
class LatchState(Exported):
    """Everything that a latch keeps."""

    data: int
    control: int
    status: int
    flags: int
    irq: bool
    interrupt_enabled: bool
    attention_interrupt: bool
    version: int = 1


class Latch:
    """Data, Control, Status, Flags."""

    def __init__(self) -> None:
        self.data = 0
        self.control = 0
        self.status = int(Status.RDY)
        self.flags = 0
        self.irq = False
        self.interrupt_enabled = False
        self._attention_interrupt = False
        self.host_asked = ignore
        """Called when BUSY was set."""
        self.irq_changed: Callable[[bool], None] = ignore_level
        """Called with the level of the host's interrupt line when it changes."""

    @property
    def registers(self) -> tuple[Register, ...]:
        """The registers in order of their offsets."""
        return (
            Register(lambda: self.data, self.write_data),
            Register(lambda: self.status, self.write_control),
            Register(lambda: self.flags, self.write_flags),
        )

    # What the host does.

    def write_data(self, value: int) -> None:
        """Data."""
        self.data = value

    def write_control(self, value: int) -> None:
        """Control."""
        self.control = value

    def write_flags(self, value: int) -> None:
        """Flags: only BUSY is the host's, and only to set."""
        before = self.flags
        self.flags = HOST.write(before, value)
        if self.flags & ~before & BUSY:
            self.host_asked()

    # What the BMC does.

    def write_bmc_flags(self, value: int) -> None:
        """The bits of Flags that are the BMC's; a 1 in BUSY clears it."""
        self.flags = BMC.write(self.flags, value)

    def set_flags(self, mask: int, value: bool) -> None:
        """Some bits of Flags, leaving BUSY as it is."""
        flags = self.flags & ~BUSY
        self.write_bmc_flags(flags | mask if value else flags & ~mask)

    def set_attention(self, attention: bool, interrupt: bool) -> None:
        """SMS_ATN, and whether it interrupts."""
        self.set_flags(SMS_ATN, attention)
        self._attention_interrupt = attention and interrupt
        self._update_irq()

    def set_interrupt(self, enabled: bool) -> None:
        """Whether the interface interrupts."""
        self.interrupt_enabled = enabled
        self._update_irq()

    def _update_irq(self) -> None:
        level = self.interrupt_enabled and self._attention_interrupt
        if level != self.irq:
            self.irq = level
            self.irq_changed(level)

    # What the store keeps.

    def export(self) -> LatchState:
        """The present state."""
        return LatchState(
            self.data, self.control, self.status, self.flags,
            self.irq, self.interrupt_enabled, self._attention_interrupt,
        )  # fmt: skip

    def restore(self, state: LatchState) -> None:
        """Become what was exported; an interrupt line that is connected later is told by its owner."""
        self.data, self.control, self.status = state.data, state.control, state.status
        self.flags = state.flags
        self.irq = state.irq
        self.interrupt_enabled = state.interrupt_enabled
        self._attention_interrupt = state.attention_interrupt
