"""Our Aspeed LPC block beside QEMU's, access by access, from both sides.

With all quirks on, for any sequence: each read, and all interrupt levels after each access, are equal.
Without quirks: for what proper firmware and a proper host do. And each quirk for the sequence that shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from baseboard.responder import AST2400, AST2500, AST2600, AspeedKcs, Chip, Quirk
from tests.interop.standing_bmc import StandingBmc

BASE = 0x1E789000
LPC = "/machine/soc/lpc"
# fmt: off
MACHINES = [  # machine, chip, the device whose inputs the interrupts are
    pytest.param(("ast2600-evb",  AST2600, "/machine/soc/a7mpcore"), id="ast2600-evb"),
    pytest.param(("romulus-bmc",  AST2500, "/machine/soc/vic"),      id="romulus-bmc"),
    pytest.param(("palmetto-bmc", AST2400, "/machine/soc/vic"),      id="palmetto-bmc"),
]
# fmt: on
CHANNEL = {1: (0x24, 0x30, 0x3C), 2: (0x28, 0x34, 0x40), 3: (0x2C, 0x38, 0x44), 4: (0x114, 0x118, 0x11C)}
WORDS = range(0, 0x260, 4)

Access = tuple[Any, ...]
"""("r", offset, size), ("w", offset, size, value) by firmware; ("out", channel, value, command), ("in",
channel), ("status", channel) by the host."""


class Theirs:
    """QEMU's."""

    def __init__(self, machine: StandingBmc, chip: Chip, interrupts: str) -> None:
        self.qmp, self.qtest = machine.qmp, machine.qtest
        self.qtest.irq_intercept_in(interrupts)
        self._numbers = sorted(set(chip.kcs_interrupts))
        self._up: set[int] = set()

    def to_reset(self) -> None:
        """As after power-on; the lines, too, which a reset of the machine leaves."""
        for input_, _, status in CHANNEL.values():
            self.qtest.writel(BASE + status, 0x02)
            self.qtest.readl(BASE + input_)
        for offset in WORDS:
            self.qtest.writel(BASE + offset, 0)

    def read(self, offset: int, size: int) -> int:
        reads = {1: self.qtest.readb, 2: self.qtest.readw, 4: self.qtest.readl}
        return reads[size](BASE + offset)

    def write(self, offset: int, size: int, value: int) -> None:
        writes = {1: self.qtest.writeb, 2: self.qtest.writew, 4: self.qtest.writel}
        writes[size](BASE + offset, value)

    def host_write(self, channel: int, value: int, command: bool) -> None:
        self.qmp.set(LPC, f"idr{channel}", value)

    def host_read(self, channel: int) -> int:
        return int(self.qmp.get(LPC, f"odr{channel}"))

    def host_status(self, channel: int) -> int:
        return int(self.qmp.get(LPC, f"str{channel}"))

    def levels(self) -> list[bool]:
        self.qtest.readl(BASE)  # whatever QMP did to the lines has been told before this is answered
        while (change := self.qtest.next_change()) is not None:
            (self._up.add if change.level else self._up.discard)(change.number)
        return [number in self._up for number in self._numbers]


class Ours:
    """The same over our block."""

    def __init__(self, chip: Chip, quirks: Quirk) -> None:
        self.block = AspeedKcs(chip, quirks=quirks)
        self.read, self.write = self.block.read, self.block.write

    def host_write(self, channel: int, value: int, command: bool) -> None:
        self.block.host(channel).write(int(command), value)

    def host_read(self, channel: int) -> int:
        return self.block.host(channel).read(0)

    def host_status(self, channel: int) -> int:
        return self.block.host(channel).read(1)

    def levels(self) -> list[bool]:
        return [line.level for line in self.block.lines.values()]


def seen(side: Theirs | Ours, access: Access) -> tuple[int | None, list[bool]]:
    kind, *rest = access
    does: dict[str, Callable[..., int | None]] = {
        "r": side.read, "w": side.write,
        "out": side.host_write, "in": side.host_read, "status": side.host_status,
    }  # fmt: skip
    return does[kind](*rest), side.levels()


def differences(accesses: list[Access], theirs: Theirs, ours: Ours) -> Iterator[tuple[object, ...]]:
    for access in accesses:
        their, our = seen(theirs, access), seen(ours, access)
        if their != our:
            yield access, "QEMU", their, "ours", our


@pytest.fixture(scope="module", params=MACHINES)
def qemu(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Theirs, Chip]]:
    machine, chip, interrupts = request.param
    with StandingBmc(tmp_path_factory.mktemp("lpc"), machine) as running:
        yield Theirs(running, chip, interrupts), chip


def _aligned(offset: int, size: int) -> int:
    return offset - offset % size


VALUES = st.one_of(st.integers(0, 0xFF), st.integers(0, 0xFFFFFFFF), st.sampled_from([0xFF, 0xFFFFFFFF]))
SIZES = st.sampled_from([4, 4, 4, 1, 2])
BUSY = st.sampled_from(
    [offset for row in CHANNEL.values() for offset in row] + [0x00, 0x08, 0x10, 0x100, 0x104, 0x80]
)
OFFSETS = st.one_of(BUSY, BUSY, BUSY, st.integers(0, 0x25F))
READ = st.builds(lambda offset, size: ("r", _aligned(offset, size), size), OFFSETS, SIZES)
WRITE = st.builds(
    lambda offset, size, value: ("w", _aligned(offset, size), size, value & (1 << 8 * size) - 1),
    OFFSETS, SIZES, VALUES,
)  # fmt: skip
CHANNELS = st.integers(1, 4)
OUT = st.tuples(st.just("out"), CHANNELS, VALUES, st.booleans())
ENABLE = st.sampled_from([("w", 0x00, 4, 0xE0), ("w", 0x08, 4, 0x0E), ("w", 0x10, 4, 4), ("w", 0x100, 4, 3)])
ANY = st.one_of(
    READ, WRITE, OUT, ENABLE, st.tuples(st.just("in"), CHANNELS), st.tuples(st.just("status"), CHANNELS)
)


@settings(
    derandomize=True,
    max_examples=120,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
@given(accesses=st.lists(ANY, max_size=40))
def test_any_accesses(qemu: tuple[Theirs, Chip], accesses: list[Access]) -> None:
    """With all quirks: equal to the last bit, whatever either side does."""
    theirs, chip = qemu
    theirs.to_reset()
    assert not list(differences(accesses, theirs, Ours(chip, Quirk.QEMU)))


def proper(channel: int) -> list[Access]:
    """What firmware and host do in a transfer, without commands, which QEMU's host cannot give."""
    input_, output, status = CHANNEL[channel]
    return [
        ("w", 0x10, 4, 0x04), ("w", 0x00, 4, 0xE0), ("w", 0x08, 4, 0x0E), ("w", 0x100, 4, 0x03),
        ("r", 0x00, 4), ("r", 0x08, 4), ("w", status, 4, 0x40), ("r", status, 4),
        ("out", channel, 0x18, False), ("status", channel), ("r", status, 4),
        ("r", input_, 4), ("r", status, 4),
        ("w", output, 4, 0x5A), ("status", channel), ("in", channel), ("status", channel), ("r", output, 4),
        ("out", channel, 0x68, False), ("w", output, 4, 0x00), ("r", input_, 4), ("status", channel),
        ("in", channel), ("w", 0x08, 4, 0x00), ("out", channel, 0x01, False), ("r", input_, 4),
    ]  # fmt: skip


@pytest.mark.parametrize("channel", CHANNEL)
@pytest.mark.parametrize("quirks", [Quirk.NONE, Quirk.QEMU], ids=["hardware", "qemu"])
def test_a_transfer_is_the_same(qemu: tuple[Theirs, Chip], channel: int, quirks: Quirk) -> None:
    theirs, chip = qemu
    theirs.to_reset()
    assert not list(differences(proper(channel), theirs, Ours(chip, quirks)))


_ON: list[Access] = [("w", 0x10, 4, 0x04), ("w", 0x00, 4, 0x80), ("w", 0x08, 4, 0x08)]
# fmt: off
QUIRKS: list[tuple[Quirk, list[Access]]] = [
    (Quirk.PLAIN_STATUS,    [("w", 0x44, 4, 0x0B), ("r", 0x44, 4)]),
    (Quirk.NO_COMMAND_BIT,  [*_ON, ("out", 3, 0x61, True), ("r", 0x44, 4)]),
    (Quirk.PLAIN_DATA,      [*_ON, ("w", 0x38, 4, 0x123), ("in", 3)]),
    (Quirk.PLAIN_REGISTERS, [("w", 0x1FC, 4, 0x1234), ("r", 0x1FC, 4)]),
    (Quirk.NARROW_IS_WHOLE, [("w", 0x80, 4, 0x1234), ("w", 0x81, 1, 0x56), ("r", 0x80, 4)]),
    (Quirk.EDGE_INTERRUPT,  [*_ON[:2], ("out", 3, 0x61, False), ("w", 0x08, 4, 0x08)]),
    (Quirk.ALWAYS_DECODED,  [("out", 3, 0x61, False), ("r", 0x44, 4)]),
    (Quirk.NO_HOST_INTERRUPT, [("w", 0x100, 4, 1), ("w", 0x104, 4, 3), ("w", 0x118, 4, 1), ("in", 4),
                               ("r", 0x104, 4)]),
]
# fmt: on


@pytest.mark.parametrize(("quirk", "accesses"), QUIRKS, ids=lambda value: getattr(value, "name", ""))
def test_quirk(qemu: tuple[Theirs, Chip], quirk: Quirk, accesses: list[Access]) -> None:
    """QEMU has it: with it we are equal, without it we are not."""
    theirs, chip = qemu
    for quirks, equal in ((Quirk.QEMU, True), (Quirk.QEMU & ~quirk, False)):
        theirs.to_reset()
        assert equal is (not list(differences(accesses, theirs, Ours(chip, quirks)))), (quirks, equal)
