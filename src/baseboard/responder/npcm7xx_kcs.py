"""The host interface of NPCM7xx as firmware sees it: three KCS channels and the POST-code FIFO.

Each channel is the latch of `interface.kcs`. Where facts are silent: the host's interrupt is OBF while IE has
IRQE and HIRQE (IRQB is kept only); SCI and SMI are told once for each access that makes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from baseboard.interface.bus.line import Line
from baseboard.interface.driver import Direct, Registers
from baseboard.interface.kcs import Latch
from baseboard.interface.kcs.latch import LatchState
from baseboard.interface.kcs.registers import IBF, OBF
from baseboard.interface.registers import ignore
from baseboard.interface.state import Exported
from baseboard.responder.npcm7xx_bpc import PostCodes, PostCodesState
from baseboard.responder.npcm7xx_registers import (
    BASE,
    CHANNEL,
    CHANNELS,
    EVERY,
    FIRST,
    HIRQE,
    HSCIE,
    HSMIE,
    IBFIE,
    INTERRUPT,
    IRQE,
    OBEIE,
    SCIE,
    SIZE,
    SMIE,
    STRIDE,
)
from baseboard.responder.window import Window, rows_by_name

_OFFSET = rows_by_name(CHANNEL)
_LOW = 0xFF


@dataclass(frozen=True, slots=True)
class Npcm7xxKcsState(Exported):
    """Everything that the block keeps."""

    values: tuple[int, ...]
    latches: tuple[LatchState, ...]
    post_codes: PostCodesState
    version: int = 1


class Npcm7xxKcs:
    """Three channels, numbered from 1 as in the documents."""

    BASE, SIZE, INTERRUPT = BASE, SIZE, INTERRUPT

    def __init__(self) -> None:
        self.latches = tuple(Latch() for _ in range(CHANNELS))
        self.lines = {INTERRUPT: Line()}
        """Interrupt lines by their number at the interrupt controller."""
        self._pull = self.lines[INTERRUPT].source()
        self.sci: list[Callable[[], None]] = [ignore] * CHANNELS
        """Called, by channel, when an access raises the host's SCI."""
        self.smi: list[Callable[[], None]] = [ignore] * CHANNELS
        self._window = window = Window(EVERY, word=1)
        self.read, self.write = window.read, window.write
        self.post_codes = PostCodes(window, self._update)
        for number in range(CHANNELS):
            self._connect(number)

    def reset(self) -> None:
        """The BMC was reset."""
        self._window.forget()
        self.post_codes.reset()
        for latch in self.latches:
            latch.status = latch.input = latch.output = 0
            latch.set_interrupt(False)
        self._update()

    @property
    def irq(self) -> bool:
        """The level of the one line."""
        return self.lines[INTERRUPT].level

    def host(self, channel: int) -> Registers:
        """Data and status of a channel, as the host reaches them."""
        return Direct(self.latches[channel - 1].registers)

    # Within.

    def _connect(self, number: int) -> None:
        latch = self.latches[number]
        latch.host_wrote = latch.host_read = self._update

        def act(name: str, reader: Callable[[], int] | None, writer: Callable[[int], None] | None) -> None:
            self._window.act(self._at(number, name), reader, writer)

        act("ST", lambda: latch.status, latch.write_status)
        act("DO", lambda: latch.output, partial(self._write_output, number))
        act("DOC", None, partial(self._write_output, number, signal=(HSCIE | SCIE, self.sci)))
        act("DOM", None, partial(self._write_output, number, signal=(HSMIE | SMIE, self.smi)))
        act("DI", partial(self._read_input, number), None)
        act("DIC", partial(self._read_input, number, signal=(HSCIE | SCIE, self.sci)), None)
        act("CTL", None, self._controlled)
        act("IE", None, self._controlled)

    @staticmethod
    def _at(number: int, name: str) -> int:
        return FIRST + number * STRIDE + _OFFSET[name]

    def _read_input(self, number: int, signal: tuple[int, list[Callable[[], None]]] | None = None) -> int:
        value = self.latches[number].take_input() & _LOW
        self._signal(number, signal)
        self._update()
        return value

    def _write_output(
        self, number: int, value: int, signal: tuple[int, list[Callable[[], None]]] | None = None
    ) -> None:
        self.latches[number].put_output(value)
        self._signal(number, signal)
        self._update()

    def _signal(self, number: int, signal: tuple[int, list[Callable[[], None]]] | None) -> None:
        if signal is not None:
            enables, told = signal
            if self._window.values[self._at(number, "IE")] & enables == enables:
                told[number]()

    def _controlled(self, value: int) -> None:
        for number, latch in enumerate(self.latches):
            enables = self._window.values[self._at(number, "IE")]
            latch.set_interrupt(enables & (IRQE | HIRQE) == IRQE | HIRQE)
        self._update()

    def _update(self) -> None:
        level = self.post_codes.interrupts or any(self._interrupts(number) for number in range(CHANNELS))
        self._pull(level)

    def _interrupts(self, number: int) -> bool:
        control, status = self._window.values[self._at(number, "CTL")], self.latches[number].status
        return bool((status & IBF and control & IBFIE) or (not status & OBF and control & OBEIE))

    # What the store keeps.

    def export(self) -> Npcm7xxKcsState:
        """The present state."""
        return Npcm7xxKcsState(
            values=self._window.kept_values(),
            latches=tuple(latch.export() for latch in self.latches),
            post_codes=self.post_codes.export(),
        )

    @classmethod
    def from_state(cls, state: Npcm7xxKcsState) -> Npcm7xxKcs:
        """A block that goes on where the exported one was."""
        block = cls()
        block._window.keep_values(state.values)
        for latch, kept in zip(block.latches, state.latches, strict=True):
            latch.restore(kept)
        block.post_codes.restore(state.post_codes)
        block._update()
        return block
