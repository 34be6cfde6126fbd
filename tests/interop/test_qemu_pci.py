"""Our PCI functions beside QEMU's pci-ipmi-kcs and -bt: configuration space, BAR, interrupt pin.

With all quirks, whatever is read is the same, and the pin's level after each access; each quirk left out
makes a difference. The BAR is moved, sized and switched off in between; its registers are compared while
they are where the test looks.

QEMU 11.1 lets no misaligned wide access through to any device; 7.2 splits it, and so do we.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baseboard.interface import HandlerSeam
from baseboard.interface.bt import Bt
from baseboard.interface.bt import Quirk as BtQuirk
from baseboard.interface.bus.pci import Interface, PciFunction, Quirk
from baseboard.interface.kcs import Kcs
from baseboard.interface.kcs import Quirk as KcsQuirk
from tests.interop.newer import newer_qemu
from tests.interop.side_by_side import PCI_BASE, SIMULATOR, Access, Qemu, Simulator
from tests.interop.test_qemu_registers import BT_PIECES, KCS_PIECES, KCS_TO_IDLE, SLOWEST, bt_to_normal

KINDS: dict[str, Any] = {
    "pci-ipmi-kcs": (lambda: Kcs(quirks=KcsQuirk.QEMU), Interface.KCS),
    "pci-ipmi-bt": (lambda: Bt(quirks=BtQuirk.QEMU), Interface.BT),
}


class OurFunction:
    """One of our functions, with the simulator behind it."""

    def __init__(self, kind: str, quirks: Quirk = Quirk.QEMU) -> None:
        make, interface = KINDS[kind]
        self.device = make()
        simulator = Simulator()
        simulator.seam = HandlerSeam(self.device.engine, simulator.handle)
        self.function = PciFunction(self.device, interface, msi=False, quirks=quirks)
        self.read, self.write = self.function.read, self.function.write
        self.read_configuration = self.function.read_configuration
        self.write_configuration = self.function.write_configuration

    @property
    def irq(self) -> bool:
        return self.function.level

    @property
    def here(self) -> bool:
        return self.function.decodes and self.function.address == PCI_BASE


def do(access: Access, side: Qemu | OurFunction, *, here: bool) -> tuple[int | None, bool]:
    """One access to one side; "cr" and "cw" are to configuration space."""
    what, *rest = access
    read: int | None = None
    if what == "cr":
        read = side.read_configuration(*rest)
    elif what == "cw":
        side.write_configuration(*rest)
    elif here and what == "r":
        read = side.read(*rest)
    elif here:
        side.write(*rest)
    return read, side.irq


def differences(accesses: list[Access], qemu: Qemu, ours: OurFunction) -> Iterator[str]:
    """What is not the same, access by access."""
    for number, access in enumerate(accesses):
        here = ours.here
        theirs, mine = do(access, qemu, here=here), do(access, ours, here=here)
        if theirs != mine:
            yield f"access {number} {access}: QEMU {theirs}, ours {mine}"


NORMAL: list[Access] = [
    ("cw", 0x04, 0x0001, 2),
    ("cw", 0x0C, 0x00, 1),
    ("cw", 0x10, PCI_BASE, 4),
    ("cw", 0x3C, 0x00, 1),
    *(("cw", offset, 0, 4) for offset in range(0x40, 0x100, 4)),
]
EVERYTHING: list[Access] = [("cr", offset, 4) for offset in range(0, 0x100, 4)]


@pytest.fixture(scope="module", params=itertools.product(KINDS, ("installed", "newer")), ids="-".join)
def qemu(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qemu]:
    """The QEMU that the system has, and the newest that Debian has."""
    kind, which = request.param
    program = newer_qemu() if which == "newer" else None
    path = tmp_path_factory.mktemp("pci")
    qemu = Qemu(path, f"{kind},addr=5", SIMULATOR, PCI_BASE, program=program)
    yield qemu
    qemu.close()


def to_normal(qemu: Qemu, ours: OurFunction) -> None:
    """Both as after power-on with the BAR where the test looks."""
    list(differences(NORMAL, qemu, ours))
    if qemu.kind == "pci-ipmi-bt":
        bt_to_normal(qemu, ours)
    else:
        list(differences(KCS_TO_IDLE * 2, qemu, ours))


BARS = (0xFFFF_FFFF, 0, PCI_BASE, PCI_BASE | 7, PCI_BASE + 0x100, 0x1_0000, 0x8000_0000)
# fmt: off
CONFIGURATION = st.one_of(
    st.tuples(st.just("cr"), st.integers(0, 255), st.sampled_from((1, 2, 4))),
    st.tuples(st.just("cw"), st.just(0x10), st.sampled_from(BARS), st.just(4)),
    st.tuples(st.just("cw"), st.just(0x04), st.sampled_from((0, 1, 3, 0x401, 0x105, 0xFFFF)), st.just(2)),
    st.tuples(st.just("cw"), st.sampled_from((*range(0x04), *range(0x06, 0x10), *range(0x14, 0x100))),
              st.integers(0, 255), st.just(1)),
).filter(lambda access: access[1] % 4 + access[-1] <= 4).map(lambda access: [access])
UNUSED = st.tuples(st.just("r"), st.integers(0, 7), st.sampled_from((1, 2, 4))).filter(
    lambda access: access[1] + access[-1] <= 8
).map(lambda access: [access])
BACK = st.just([("cw", 0x10, PCI_BASE, 4), ("cw", 0x04, 1, 2)])
# fmt: on


@settings(SLOWEST, max_examples=80)
@given(data=st.data())
def test_any_accesses(qemu: Qemu, data: st.DataObject) -> None:
    """Configuration space and registers in any order, the pin with them."""
    pieces = BT_PIECES if qemu.kind == "pci-ipmi-bt" else KCS_PIECES
    drawn = data.draw(st.lists(st.one_of(pieces, CONFIGURATION, UNUSED, BACK), max_size=25))
    ours = OurFunction(qemu.kind)
    to_normal(qemu, ours)
    accesses = [access for piece in drawn for access in piece]
    if qemu.refuses_misaligned:
        accesses = [access for access in accesses if access[1] % access[-1] == 0]
    assert not list(differences([*accesses, *EVERYTHING], qemu, ours))


def test_all_of_configuration_space_and_what_can_be_written(qemu: Qemu) -> None:
    ours = OurFunction(qemu.kind)
    to_normal(qemu, ours)
    ones: list[Access] = [("cw", offset, 0xFFFF_FFFF, 4) for offset in range(0, 0x100, 4)]
    zeros: list[Access] = [("cw", offset, 0, 4) for offset in range(0, 0x100, 4)]
    accesses = [*EVERYTHING, *ones, *EVERYTHING, *zeros, *EVERYTHING]
    assert not list(differences(accesses, qemu, ours))


def test_the_pin(qemu: Qemu) -> None:
    """The level, kept low by Interrupt Disable and seen in Interrupt Status all the same."""
    ours = OurFunction(qemu.kind)
    to_normal(qemu, ours)
    if qemu.kind == "pci-ipmi-bt":
        up: list[Access] = [("w", 2, 1, 1), ("w", 0, 1, 1)]
        up += [("w", 1, byte, 1) for byte in (0x04, 0x18, 0x05, 0x2E, 0x01)]
        up += [("w", 0, 4, 1), ("w", 2, 3, 1), ("w", 0, 8, 1), ("w", 0, 4, 1)]
    else:
        up = [("w", 1, 0x61, 1), ("w", 0, 0x18, 1), ("w", 0, 0x2E, 1), ("w", 1, 0x62, 1), ("w", 0, 1, 1)]
        up += [("r", 0, 1), ("w", 0, 0x68, 1)]
    assert not list(differences(up, qemu, ours))
    assert qemu.irq
    steps: list[Access] = [("cr", 0x06, 2), ("cw", 0x04, 0x401, 2), ("cr", 0x06, 2), ("cw", 0x04, 0x001, 2)]
    seen = [do(step, qemu, here=True) for step in steps]
    assert [irq for _, irq in seen] == [True, False, False, True]
    assert [do(step, ours, here=True) for step in steps] == seen


# fmt: off
QUIRKS: list[tuple[Quirk, list[Access]]] = [
    (Quirk.UNUSED_READS_ONES,      [("r", 4, 1)]),
    (Quirk.WRITABLE_BEHIND_HEADER, [("cw", 0x40, 0x12, 1), ("cr", 0x40, 1)]),
    (Quirk.SERR_WRITABLE,          [("cw", 0x04, 0x101, 2), ("cr", 0x04, 2)]),
]
# fmt: on


@pytest.mark.parametrize(("quirk", "accesses"), QUIRKS, ids=lambda value: getattr(value, "name", None) or "")
def test_quirk(qemu: Qemu, quirk: Quirk, accesses: list[Access]) -> None:
    """QEMU has it: with it we are equal, without it we are not."""
    for quirks, equal in ((Quirk.QEMU, True), (Quirk.QEMU & ~quirk, False)):
        ours = OurFunction(qemu.kind, quirks)
        to_normal(qemu, ours)
        if qemu.kind == "pci-ipmi-kcs" and quirk is Quirk.UNUSED_READS_ONES:
            equal = True  # KCS's UNUSED_OFFSETS_ACT has registers there that are none
        assert equal is (not list(differences(accesses, qemu, ours))), (quirks, equal)


def test_every_quirk_is_here() -> None:
    assert {row[0] for row in QUIRKS} == set(Quirk)
