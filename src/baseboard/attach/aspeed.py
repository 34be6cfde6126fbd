"""KCS of Aspeed's BMC chips as a stock QEMU has it, from the host's side.  [QEMU 7.2 to 11.1]

Theory of operation
-------------------
QEMU's model of the LPC block keeps the registers of four KCS channels. The host's end is properties of the
object `/machine/soc/lpc`: setting `idrN` sets IBF and interrupts the BMC, getting `odrN` clears OBF. What the
properties lack is the bit that tells commands from data (C/D#, STR bit 3), without which firmware takes
WRITE_START for data. qtest can write STR as memory. There are two ways, and each is a `Port` for `KcsDriver`:

    MIXED        STR by qtest; data by the properties. IBF and OBF change together with what they belong to.
                 STR is written four times in a transaction, when C/D# has to change.
    QTEST_ONLY   everything by qtest, the interrupt line too: twice as fast. STR is read and written back for
                 each byte. If the firmware changes SMS_ATN just between, that is lost.

MIXED is the default for that reason: an alert that is lost now and then is worse than 20 ms. The same race is
left at the four writes. In either, firmware that reads STR, and writes it back after the host has written,
loses an IBF (hardware would keep it): the transfer times out and is begun again.

Reading IDR from this side would take the firmware's byte from it, so nothing here does.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from baseboard.attach.errors import NotAttachable
from baseboard.attach.qmp import Qmp
from baseboard.attach.qtest import Qtest
from baseboard.interface.kcs.registers import COMMAND, IBF, OBF
from baseboard.power.qmp import MonitorError
from baseboard.responder.aspeed_registers import BASE, CHANNEL, OFFSET, SECOND_BANK, Bit, ChannelRow

SOC = "/machine/soc"
LPC = f"{SOC}/lpc"


class Generation(NamedTuple):
    """What differs between the chips."""

    name: str
    interrupts: str
    """The device whose inputs the channels' interrupts are."""
    first_interrupt: int
    """Its input for channel 1."""


# fmt: off
GENERATIONS: Mapping[str, Generation] = {
    # type of the chip begins with    name       interrupts          of channel 1
    "ast2400":             Generation("AST2400", LPC,                0),  # the block combines them
    "ast2500":             Generation("AST2500", LPC,                0),
    "ast2600":             Generation("AST2600", f"{SOC}/a7mpcore",  138),
}
# fmt: on
CONFIGURATION = (
    *("HICR0", "HICR2", "HICR4", "HICR5", "HICRB", "HICRC"),
    *("LADR3H", "LADR3L", "LADR12H", "LADR12L", "LADR4"),
)
USUAL_ADDRESS = 0xCA2
"""Where hosts look for KCS first.  [IPMI 9.8]"""


class PortKind(StrEnum):
    """How bytes are moved."""

    MIXED = "mixed"
    QTEST_ONLY = "qtest-only"


class ChannelState(NamedTuple):
    """What the firmware has made of a channel."""

    number: int
    enabled: bool
    address: int | None
    """Where the host finds it in its I/O space; None: not set, or not to be seen from here."""
    host_interrupt: int | None
    """The number of the host's interrupt line; None: it has none."""

    def __str__(self) -> str:
        at = f" at {self.address:X}h" if self.address is not None else ""
        line = f", interrupt {self.host_interrupt}" if self.host_interrupt is not None else ""
        return f"KCS channel {self.number}{at}{line}"


class Bmc(NamedTuple):
    """A machine with such a chip."""

    machine: str
    generation: Generation


def find_bmc(qmp: Qmp) -> Bmc:
    """What is behind this monitor.  Raises NotAttachable, with what was found instead."""
    machine = str(qmp.get("/machine", "type")).removesuffix("-machine")
    try:
        chip = str(qmp.get(SOC, "type"))
        parts = {child["name"] for child in qmp.rows("qom-list", "name", path=SOC)}
    except MonitorError:
        raise NotAttachable(
            f"{qmp.path}: the machine {machine} has no {SOC}: "
            "it is no BMC with a chip of Aspeed's, nor with an NPCM7xx"
        ) from None
    generation = next((row for prefix, row in GENERATIONS.items() if chip.startswith(prefix)), None)
    if generation is None or "lpc" not in parts:
        known = ", ".join(row.name for row in GENERATIONS.values())
        raise NotAttachable(
            f"{qmp.path}: the machine {machine} has the chip {chip}: "
            f"KCS can be reached on {known}, in QEMU 7.0 or newer"
        )
    return Bmc(machine, generation)


def read_channels(qtest: Qtest) -> tuple[ChannelState, ...]:
    """All four, as the firmware has set them up by now."""
    value = {name: qtest.readl(BASE + OFFSET[name]) for name in CONFIGURATION}

    def is_set(bit: Bit) -> bool:
        return bool(value[bit.register] & bit.mask)

    def line(row: ChannelRow) -> int | None:
        """Channel 1 has none with a number of its own: keyboard and mouse interrupts only."""
        for enable, register, shift in row.host_interrupts:
            if register and is_set(enable):
                return value[register] >> shift & 0xF
        return None

    shared = (value["LADR12H"] & 0xFF) << 8 | value["LADR12L"] & 0xFF
    second = value["HICR4"] & SECOND_BANK  # whose address LADR12 is; the model keeps only the latest
    addresses = (
        None if second else shared,
        shared if second else None,
        (value["LADR3H"] & 0xFF) << 8 | value["LADR3L"] & 0xFF,
        value["LADR4"] & 0xFFFF,
    )
    return tuple(
        ChannelState(number, all(map(is_set, row.enabled)), address or None, line(row))
        for number, (row, address) in enumerate(zip(CHANNEL, addresses, strict=True), 1)
    )


def choose(channels: tuple[ChannelState, ...], wanted: int | None) -> ChannelState | None:
    """The channel to drive: the wanted one, or the first at the usual address, or the first; None: not on."""
    enabled = [channel for channel in channels if channel.enabled and wanted in (None, channel.number)]
    usual = [channel for channel in enabled if channel.address == USUAL_ADDRESS]
    return next(iter((*usual, *enabled)), None)


class Port:
    """What both ways have in common."""

    def __init__(self, qmp: Qmp, qtest: Qtest, generation: Generation) -> None:
        self._qmp = qmp
        self._qtest = qtest
        self._generation = generation
        self.select(1)

    def select(self, number: int) -> None:
        """The channel from now on."""
        self._number = number
        self._row = row = CHANNEL[number - 1]
        self._str = BASE + OFFSET[row.status]

    def enabled(self) -> bool:
        """Whether the firmware has the channel on."""
        return all(map(self._is_set, self._row.enabled))

    def nudge(self) -> None:
        """Interrupt the firmware for what it has not read.

        QEMU interrupts when a byte comes; firmware that enables its interrupt just behind one, as while it
        starts, would not hear of it. Where the line is up already this changes nothing.
        """
        if self.read_status() & IBF and self._is_set(self._row.input_interrupt):
            self._interrupt()

    def _interrupt(self) -> None:
        """Raise the channel's line; QEMU lowers it when the firmware reads IDR."""
        line = self._generation.first_interrupt + self._number - 1
        self._qtest.set_irq_in(self._generation.interrupts, "unnamed-gpio-in", line, 1)

    def _is_set(self, bit: Bit) -> bool:
        return bool(self._qtest.readl(BASE + OFFSET[bit.register]) & bit.mask)

    def read_status(self) -> int:
        """Status."""
        return self._qtest.readl(self._str) & 0xFF

    def read_data(self) -> int:
        """Data_Out."""
        raise NotImplementedError

    def write_data(self, value: int) -> None:
        """Data_In."""
        self._write(value, 0)

    def write_command(self, value: int) -> None:
        """Command."""
        self._write(value, COMMAND)

    def _write(self, value: int, command: int) -> None:
        raise NotImplementedError


class MixedPort(Port):
    """Data by the properties."""

    def read_data(self) -> int:
        return self._qmp.number(LPC, f"odr{self._number}") & 0xFF

    def _write(self, value: int, command: int) -> None:
        status = self._qtest.readl(self._str)
        if status & COMMAND != command:
            self._qtest.writel(self._str, status ^ COMMAND)
        self._qmp.set(LPC, f"idr{self._number}", value)


class QtestPort(Port):
    """Everything by qtest."""

    def read_data(self) -> int:
        value = self._qtest.readl(BASE + OFFSET[self._row.output])
        self._qtest.writel(self._str, self._qtest.readl(self._str) & ~OBF)
        return value & 0xFF

    def _write(self, value: int, command: int) -> None:
        qtest = self._qtest
        qtest.writel(BASE + OFFSET[self._row.input], value)
        interrupts = self._is_set(self._row.input_interrupt)
        qtest.writel(self._str, qtest.readl(self._str) & ~COMMAND | IBF | command)
        if interrupts:
            self._interrupt()


PORTS: Mapping[PortKind, type[Port]] = {
    PortKind.MIXED: MixedPort,
    PortKind.QTEST_ONLY: QtestPort,
}
