"""BT with quirks: what `Latch` and `Engine` do otherwise."""

from __future__ import annotations

from dataclasses import replace

from baseboard.interface.bt.engine import LONGEST, Engine, Open, framed, received
from baseboard.interface.bt.latch import EMPTY, Latch, LatchState
from baseboard.interface.bt.quirks import Quirk
from baseboard.interface.bt.registers import B2H_ATN, B2H_IRQ, B2H_IRQ_EN, BMC_HWRST, OEM0, SMS_ATN
from baseboard.ipmi.completion import CompletionCode

_PLAIN_MASK = B2H_IRQ | B2H_IRQ_EN
_LONGEST_ANSWER = 298
_MOST_EVENTS = 64


class QuirkyLatch(Latch):
    """A latch with quirks."""

    def __init__(self, quirks: Quirk) -> None:
        super().__init__()
        self._quirks = quirks
        self._global_enable = False

    def write_control(self, value: int) -> None:
        if Quirk.NO_OEM_BITS in self._quirks:
            value &= ~OEM0
        super().write_control(value)

    def read_buffer(self) -> int:
        if Quirk.READ_ONCE not in self._quirks:
            return super().read_buffer()
        read, buffer = self._read, self._bmc2host
        if read >= len(buffer):
            return EMPTY
        self._read = read + 1
        if self._read == len(buffer):
            self._bmc2host = b""
            self._read = 0
        return buffer[read]

    def put(self, message: bytes) -> None:
        read = self._read
        super().put(message)
        if Quirk.READ_ONCE in self._quirks:
            self._read = read

    def write_buffer(self, value: int) -> None:
        if Quirk.EXACT_LENGTH not in self._quirks:
            super().write_buffer(value)
            return
        if self._written < len(self._host2bmc):
            self._host2bmc[self._written] = value
        self._written = min(self._written + 1, len(self._host2bmc) + 1)

    @property
    def overrun(self) -> bool:
        """Whether more was written than there is room for."""
        return self._written > len(self._host2bmc)

    def repeat(self) -> None:
        """Leave the message for another time, with its network function in the place of the sequence."""
        self._host2bmc[2] = self._host2bmc[1]

    def discard(self) -> None:
        """Forget the message."""
        self._written = 0

    def write_mask(self, value: int) -> None:
        if Quirk.NO_RESET_BIT in self._quirks:
            value &= ~BMC_HWRST
        if Quirk.NO_OEM_BITS in self._quirks:
            value &= _PLAIN_MASK | BMC_HWRST
        if Quirk.ENABLE_EDGE in self._quirks:
            if value & ~self.mask & B2H_IRQ_EN and self.control & (B2H_ATN | SMS_ATN):
                self.mask |= B2H_IRQ_EN
                self._interrupt()
            elif ~value & self.mask & B2H_IRQ_EN:
                value |= B2H_IRQ
        super().write_mask(value)

    def set_attention(self, attention: bool, interrupt: bool) -> None:
        before = self.control & SMS_ATN
        if attention and Quirk.ATTENTION_MUTED in self._quirks and self.control & B2H_ATN:
            interrupt = False
        super().set_attention(attention, interrupt)
        if before and not attention and Quirk.ATTENTION_FALLS in self._quirks:
            self.control &= ~SMS_ATN
            if not self.control & B2H_ATN:
                self.mask &= ~B2H_IRQ
                self._update_irq()

    def set_interrupt(self, enabled: bool) -> None:
        self._global_enable = enabled

    def put_at_once(self, message: bytes) -> None:
        """Fill BMC2HOST and set B2H_ATN; not its edge counts, but that B2H_IRQ is not set yet."""
        self.put(message)
        self.control |= B2H_ATN
        if not self.mask & B2H_IRQ:
            self._interrupt()

    def _interrupt(self) -> None:
        if self.mask & B2H_IRQ_EN:
            self.mask |= B2H_IRQ
            if not self.irq and (self._global_enable or Quirk.GLOBAL_ENABLE not in self._quirks):
                self._set_irq(True)

    def _update_irq(self) -> None:
        if Quirk.GLOBAL_ENABLE not in self._quirks:
            super()._update_irq()
        elif self.irq and self.mask & _PLAIN_MASK != _PLAIN_MASK:
            self._set_irq(False)

    def export(self) -> LatchState:
        return replace(super().export(), global_enable=self._global_enable)

    def restore(self, state: LatchState) -> None:
        super().restore(state)
        self._global_enable = state.global_enable


class QuirkyEngine(Engine):
    """An engine with quirks, one request at a time."""

    def __init__(self, latch: QuirkyLatch, quirks: Quirk) -> None:
        self._quirks = quirks
        self._quirky = latch
        super().__init__(latch, outstanding=1)

    def _is_full(self) -> bool:
        return Quirk.NO_BUSY_CHECK not in self._quirks and super()._is_full()

    def _show_busy(self) -> None:
        if Quirk.STUCK_BUSY not in self._quirks:
            super()._show_busy()

    def _receive(self, message: bytes) -> None:
        latch = self._quirky
        if Quirk.STUCK_BUSY in self._quirks:
            latch.set_busy(True)
        wrong = len(message) > 3 and (latch.overrun or message[0] != len(message) - 1)
        if wrong and Quirk.EXACT_LENGTH in self._quirks:
            latch.discard()
            return
        super()._receive(message)

    def _execute(self, sequence: int, request: bytes) -> None:
        if Quirk.RESENT_SEQUENCE in self._quirks:
            self._quirky.repeat()
        if Quirk.NO_BUSY_CHECK not in self._quirks or not self._open:
            super()._execute(sequence, request)
            return
        id_, entry = next(iter(self._open.items()))
        entry.sequence = sequence
        if len(self._events) < _MOST_EVENTS:
            self._events.append(received(id_, request))

    def _answer(self, entry: Open, response: bytes) -> None:
        latch = self._quirky
        if Quirk.STUCK_BUSY in self._quirks:
            latch.set_busy(False)
        longest = _LONGEST_ANSWER if Quirk.LENGTH_WRAPS in self._quirks else LONGEST - 1
        if 2 + len(response) > longest:
            response = bytes((CompletionCode.CANNOT_RETURN_BYTES,))
        answer = framed(entry, response)
        if Quirk.ANSWERS_AT_ONCE in self._quirks:
            latch.put_at_once(answer)
        else:
            self._answers.append(answer)
            self._offer()
