"""The four KCS channels of Aspeed's LPC block, as firmware sees them.

Each channel is the latch of `interface.kcs`; here are the addresses, the enables and the interrupts. Where
facts are silent: a disabled channel is not decoded for the host (reads FFh), the host's SerIRQ follows OBF
while IRQXE is set, and IRQXE stays set, but for OBF4_AUTO_CLR.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from baseboard.interface.bus.line import Line
from baseboard.interface.driver import Registers
from baseboard.interface.kcs import Latch
from baseboard.interface.kcs.latch import LatchState
from baseboard.interface.kcs.registers import IBF, OBF
from baseboard.interface.state import Exported
from baseboard.responder.aspeed_registers import (
    AST2600,
    BANKED,
    CHANNEL,
    CHANNELS,
    CHIPS,
    IRQXE4,
    LPC,
    MAILBOX_REGISTERS,
    OBF4_AUTO_CLEAR,
    OFFSET,
    SECOND_BANK,
    SIZE,
    STATUS_DISTANCE,
    Bit,
    Chip,
)
from baseboard.responder.quirks import Quirk
from baseboard.responder.window import Row, Window

NOT_DECODED = 0xFF
_LOW = 0xFF


@dataclass(frozen=True, slots=True)
class AspeedKcsState(Exported):
    """Everything that the block keeps."""

    chip: str
    values: tuple[int, ...]
    banks: tuple[int, int, int, int]
    latches: tuple[LatchState, ...]
    levels: tuple[bool, ...]
    quirks: int
    version: int = 1


class AspeedKcs:
    """Four channels, numbered from 1 as in the documents."""

    def __init__(self, chip: Chip = AST2600, *, quirks: Quirk = Quirk.NONE) -> None:
        self.chip = chip
        self.quirks = quirks
        self.latches = tuple(_QemuLatch(quirks) if quirks else Latch() for _ in range(CHANNELS))
        self.lines = {number: Line() for number in sorted(set(chip.kcs_interrupts))}
        """Interrupt lines by their number at the interrupt controller."""
        self._moves = tuple(self.lines[number].move for number in chip.kcs_interrupts)
        self._levels = [False] * CHANNELS
        self._banks = [0, 0, 0, 0]
        """LADR12H and L of channel 1, then of channel 2."""
        self._window = Window(_rows(chip, quirks), word=4)
        self._edge = Quirk.EDGE_INTERRUPT in quirks
        self._on = [False] * CHANNELS
        """Whether a channel is enabled; and, below, whether its IBF interrupts."""
        self._interrupting = [False] * CHANNELS
        self._data = 0xFFFFFFFF if Quirk.PLAIN_DATA in quirks else _LOW
        """The bits of IDR and ODR."""
        whole = Quirk.NARROW_IS_WHOLE in quirks
        self.read = self._read_whole if whole else self._window.read
        """Firmware reads: offset, size."""
        self.write = self._write_whole if whole else self._window.write
        """Firmware writes: offset, size, value."""
        self._connect()

    # The firmware's face.

    def _read_whole(self, offset: int, size: int) -> int:
        return self._window.read(offset & ~3, 4) & (1 << 8 * size) - 1

    def _write_whole(self, offset: int, size: int, value: int) -> None:
        self._window.write(offset & ~3, 4, value & (1 << 8 * size) - 1)

    def reset(self) -> None:
        """The BMC was reset."""
        self._window.forget()
        self._banks = [0, 0, 0, 0]
        for latch in self.latches:
            latch.status = latch.input = latch.output = 0
        self._update()

    # The host's face.

    def host(self, channel: int) -> Registers:
        """Data and status of a channel, as the host reaches them."""
        return _HostFace(self, channel)

    def enabled(self, channel: int) -> bool:
        """Whether firmware has enabled the channel."""
        return self._on[channel - 1]

    def host_addresses(self, channel: int) -> tuple[int, int]:
        """The I/O addresses of data and status that firmware has chosen; QEMU's 1 and 2 share the latest."""
        values = self._window.values
        if channel == 3:
            data = (values[OFFSET["LADR3H"]] & _LOW) << 8 | values[OFFSET["LADR3L"]] & _LOW
            return data, data + 1
        if channel == 4:
            addresses = values[OFFSET["LADR4"]]
            return addresses & 0xFFFF, addresses >> 16
        if Quirk.PLAIN_REGISTERS in self.quirks:
            high, low = (values[offset] & _LOW for offset in BANKED)
        else:
            high, low = self._banks[2 * channel - 2 : 2 * channel]
        data = high << 8 | low
        if self._bit(Bit("HICRB", 0x10 << channel - 1)):
            return data, values[OFFSET["LSADR12"]] >> 16 * (channel - 1) & 0xFFFF
        return data, data + STATUS_DISTANCE

    def host_interrupt(self, channel: int) -> int | None:
        """The SerIRQ that a channel's OBF raises, if any; its level is the latch's `irq`."""
        for enable, register, place in CHANNEL[channel - 1].host_interrupts:
            if self._bit(enable):
                return self._window.values[OFFSET[register]] >> place & 0xF if register else place
        return None

    # Within.

    def _connect(self) -> None:
        for number, (row, latch) in enumerate(zip(CHANNEL, self.latches, strict=True)):
            act = self._window.act
            act(OFFSET[row.input], partial(self._read_input, number), partial(self._write_input, number))
            act(OFFSET[row.output], partial(getattr, latch, "output"), partial(self._write_output, latch))
            act(OFFSET[row.status], partial(getattr, latch, "status"), latch.write_status)
            latch.host_wrote = partial(self._host_wrote, number)
            latch.host_read = partial(self._host_read, number)
        for name in ("HICR0", "HICR2", "HICR4", "HICR5", "HICRB", "HICRC", "SIRQCR0"):
            self._window.act(OFFSET[name], None, self._controlled)
        if Quirk.PLAIN_REGISTERS not in self.quirks:
            for i, offset in enumerate(BANKED):
                self._window.act(offset, partial(self._read_bank, i), partial(self._write_bank, i))

    def _bit(self, bit: Bit) -> bool:
        return bool(self._window.values[OFFSET[bit.register]] & bit.mask)

    def _read_input(self, number: int) -> int:
        latch = self.latches[number]
        pending = latch.status & IBF
        value = latch.take_input() & self._data
        if pending:
            self._pull(number, False)
        return value

    def _write_input(self, number: int, value: int) -> None:
        if Quirk.PLAIN_DATA in self.quirks:
            self.latches[number].input = value

    def _write_output(self, latch: Latch, value: int) -> None:
        latch.put_output(value & self._data)

    def _host_wrote(self, number: int) -> None:
        if self._interrupting[number]:
            self._pull(number, True)

    def _host_read(self, number: int) -> None:
        values, hicrc = self._window.values, OFFSET["HICRC"]
        automatic = number == CHANNELS - 1 and values[hicrc] & OBF4_AUTO_CLEAR
        if automatic and Quirk.NO_HOST_INTERRUPT not in self.quirks:
            values[hicrc] &= ~IRQXE4
            self._update()

    def _controlled(self, value: int) -> None:
        self._update()

    def _update(self) -> None:
        """Both ends' interrupts as the registers have them; QEMU's stay as they are."""
        for number, (row, latch) in enumerate(zip(CHANNEL, self.latches, strict=True)):
            self._on[number] = on = all(self._bit(bit) for bit in row.enabled)
            self._interrupting[number] = interrupting = on and self._bit(row.input_interrupt)
            if not self._edge:
                self._pull(number, interrupting and bool(latch.status & IBF))
            latch.set_interrupt(on and self.host_interrupt(number + 1) is not None)

    def _pull(self, number: int, level: bool) -> None:
        if level != self._levels[number]:
            self._levels[number] = level
            self._moves[number](level)

    def _read_bank(self, i: int) -> int:
        return self._banks[self._bank() + i]

    def _write_bank(self, i: int, value: int) -> None:
        self._banks[self._bank() + i] = value & _LOW

    def _bank(self) -> int:
        return 2 if self._window.values[OFFSET["HICR4"]] & SECOND_BANK else 0

    # What the store keeps.

    def export(self) -> AspeedKcsState:
        """The present state."""
        one_h, one_l, two_h, two_l = self._banks
        return AspeedKcsState(
            chip=self.chip.name,
            values=self._window.kept_values(),
            banks=(one_h, one_l, two_h, two_l),
            latches=tuple(latch.export() for latch in self.latches),
            levels=tuple(self._levels),
            quirks=self.quirks.value,
        )

    @classmethod
    def from_state(cls, state: AspeedKcsState) -> AspeedKcs:
        """A block that goes on where the exported one was; its lines have their levels."""
        block = cls(CHIPS[state.chip], quirks=Quirk(state.quirks))
        block._window.keep_values(state.values)
        block._banks = list(state.banks)
        for latch, kept in zip(block.latches, state.latches, strict=True):
            latch.restore(kept)
        block._update()
        for number, level in enumerate(state.levels):
            block._pull(number, level)
        return block


class _HostFace:
    """What the host reaches at a channel's addresses."""

    def __init__(self, block: AspeedKcs, channel: int) -> None:
        self._on = [True] * CHANNELS if Quirk.ALWAYS_DECODED in block.quirks else block._on
        self._number = channel - 1
        self._reads, self._writes = zip(*block.latches[channel - 1].registers, strict=True)

    def read(self, register: int) -> int:
        """Read the register with this number, from 0."""
        return self._reads[register]() if self._on[self._number] else NOT_DECODED

    def write(self, register: int, value: int) -> None:
        """Write it."""
        if self._on[self._number]:
            self._writes[register](value)


class _QemuLatch(Latch):
    """The latch where QEMU keeps it in plain words."""

    def __init__(self, quirks: Quirk) -> None:
        super().__init__()
        self._quirks = quirks

    def write_data(self, value: int) -> None:
        if Quirk.NO_COMMAND_BIT in self._quirks:
            self.input = value
            self.status |= IBF
            self.host_wrote()
        else:
            super().write_data(value)

    def write_command(self, value: int) -> None:
        if Quirk.NO_COMMAND_BIT in self._quirks:
            self.write_data(value)
        else:
            super().write_command(value)

    def write_status(self, value: int) -> None:
        if Quirk.PLAIN_STATUS in self._quirks:
            self.status = value
        else:
            super().write_status(value)

    def put_output(self, value: int) -> None:
        if Quirk.NO_HOST_INTERRUPT in self._quirks:
            self.output = value
            self.status |= OBF
        else:
            super().put_output(value)

    def set_interrupt(self, enabled: bool) -> None:
        super().set_interrupt(enabled and Quirk.NO_HOST_INTERRUPT not in self._quirks)


def _rows(chip: Chip, quirks: Quirk) -> tuple[Row, ...]:
    if Quirk.PLAIN_REGISTERS not in quirks:
        mailbox = (Row(chip.mailbox + 4 * i, f"MBXDAT{i:X}", 0, _LOW, "") for i in range(MAILBOX_REGISTERS))
        return (*LPC, *mailbox)
    acting = {name for row in CHANNEL for name in (row.input, row.output, row.status)}
    names = {row.offset: row.name for row in LPC}
    return tuple(
        Row(at, names.get(at, ""), 0, 0 if names.get(at) in acting else 0xFFFFFFFF, "")
        for at in range(0, SIZE, 4)
    )
