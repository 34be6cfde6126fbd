"""Our registers beside QEMU's, access by access.

Both get the same accesses, and each read, the interrupt level after each access, and each message to the
controller must be the same: with all quirks on, for any sequence. `test_qemu_quirks` has them one by one.

The simulated controller of QEMU answers some constant requests here; the external one is played by the
test, over the VM wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from baseboard.interface import HandlerSeam
from baseboard.interface.bt import Bt
from baseboard.interface.bt import Quirk as BtQuirk
from baseboard.interface.kcs import Kcs
from baseboard.interface.kcs import Quirk as KcsQuirk
from baseboard.ipmi.message import Message
from tests.interop.side_by_side import (
    BT_BASE,
    EXTERNAL,
    KCS_BASE,
    PCI_BASE,
    SIMULATOR,
    Access,
    External,
    Ours,
    Qemu,
    Registers,
    Simulator,
    differences,
)

SLOWEST = settings(
    derandomize=True,
    max_examples=150,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


# KCS

_BYTES = (0x00, 0x01, 0x18, 0x19, 0x2E, 0x2F, 0x60, 0x61, 0x62, 0x68, 0x04)


def kcs_transfer(request: bytes, answer_length: int) -> list[Access]:
    """Accesses of a whole transfer, as the flow chart has them."""
    accesses: list[Access] = [("w", 1, 0x61, 1), ("r", 1, 1), ("r", 0, 1)]
    for byte in request[:-1]:
        accesses += [("w", 0, byte, 1), ("r", 1, 1), ("r", 0, 1)]
    accesses += [("w", 1, 0x62, 1), ("r", 1, 1), ("r", 0, 1), ("w", 0, request[-1], 1)]
    for _ in range(answer_length):
        accesses += [("r", 1, 1), ("r", 0, 1), ("w", 0, 0x68, 1)]
    return [*accesses, ("r", 1, 1), ("r", 0, 1), ("r", 1, 1)]


_RECOVER: list[Access] = [("r", 0, 1), ("w", 1, 0x60, 1), ("r", 0, 1), ("w", 0, 0, 1)]
_RECOVER += [("r", 1, 1), ("r", 0, 1), ("w", 0, 0x68, 1), ("r", 1, 1), ("r", 0, 1), ("r", 1, 1)]
KCS_TO_IDLE = _RECOVER * 2 + kcs_transfer(bytes.fromhex("18 2e 08"), 3)

# fmt: off
KCS_PIECES = st.one_of(
    st.tuples(st.just("r"), st.integers(0, 1), st.just(1)).map(lambda access: [access]),
    st.tuples(st.just("w"), st.integers(0, 1), st.sampled_from(_BYTES), st.just(1)).map(lambda one: [one]),
    st.sampled_from([
        [("r", 0, 2)], [("w", 0, 0x6118, 2)], [("w", 0, 0x6218, 2)],
        [("w", 0, 0x68, 1), ("r", 0, 1)] * 4,
        kcs_transfer(bytes.fromhex("18 01"), 15),
        kcs_transfer(bytes.fromhex("18 2e 01"), 3),
        kcs_transfer(bytes.fromhex("18 2e 00"), 3),
        kcs_transfer(bytes.fromhex("18 01"), 15)[:10],
        kcs_transfer(bytes.fromhex("18 01"), 15)[:20],
        [("w", 1, 0x61, 1)] + [("w", 0, 0x18, 1)] * 301 + [("w", 1, 0x62, 1), ("w", 0, 0, 1)],
        _RECOVER,
    ]),
)
# fmt: on


@pytest.fixture(scope="module")
def kcs_qemu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qemu]:
    qemu = Qemu(tmp_path_factory.mktemp("kcs"), "isa-ipmi-kcs", SIMULATOR, KCS_BASE)
    list(differences(KCS_TO_IDLE, qemu, our_kcs()))
    yield qemu
    qemu.close()


def our_kcs(quirks: KcsQuirk = KcsQuirk.QEMU, base: int = KCS_BASE) -> Ours:
    kcs = Kcs(quirks=quirks)
    simulator = Simulator()
    simulator.seam = HandlerSeam(kcs.engine, simulator.handle)
    return Ours(kcs, base)


@SLOWEST
@given(st.lists(KCS_PIECES, max_size=25))
def test_kcs_any_accesses(kcs_qemu: Qemu, pieces: list[list[Access]]) -> None:
    """With all quirks: equal to the last bit, whatever is done."""
    ours = our_kcs()
    list(differences(KCS_TO_IDLE, kcs_qemu, ours))
    list(differences(KCS_TO_IDLE, kcs_qemu, ours))
    accesses = [access for piece in pieces for access in piece]
    assert not list(differences(accesses, kcs_qemu, ours))


def w(*bytes_: tuple[int, int]) -> list[Access]:
    """Writes of (offset, byte), each followed by a read of status and of data."""
    return [
        access for offset, byte in bytes_ for access in (("w", offset, byte, 1), ("r", 1, 1), ("r", 0, 1))
    ]


FIRST_ACCESSES: list[list[Access]] = [
    [("r", 1, 1), *w((0, 0x00), (0, 0x00))],
    [("r", 0, 1), *w((0, 0x68), (1, 0x61))],
    [("r", 0, 2), *w((1, 0x62), (0, 0x68), (0, 0x68), (0, 0x68))],
    [*w((1, 0x60), (0, 0x00))],
    [*kcs_transfer(b"\x18\x01", 15)],
]


@pytest.mark.parametrize("accesses", FIRST_ACCESSES, ids=range(len(FIRST_ACCESSES)))
def test_kcs_from_power_on(tmp_path: Path, accesses: list[Access]) -> None:
    qemu = Qemu(tmp_path, "isa-ipmi-kcs", SIMULATOR, KCS_BASE)
    try:
        assert not list(differences(accesses, qemu, our_kcs()))
    finally:
        qemu.close()


@pytest.fixture(scope="module")
def kcs_pci_qemu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qemu]:
    qemu = Qemu(tmp_path_factory.mktemp("pci"), "pci-ipmi-kcs,addr=5", SIMULATOR, PCI_BASE)
    list(differences(KCS_TO_IDLE, qemu, our_kcs(base=PCI_BASE)))
    yield qemu
    qemu.close()


UNUSED = st.one_of(
    st.tuples(st.just("r"), st.integers(0, 7), st.sampled_from((1, 2, 4))),
    st.tuples(
        st.just("w"), st.integers(0, 7), st.sampled_from((*_BYTES, 0x61186118)), st.sampled_from((1, 2, 4))
    ),
).filter(lambda access: access[1] + access[-1] <= 8)


@SLOWEST
@given(st.lists(st.one_of(KCS_PIECES, UNUSED.map(lambda access: [access])), max_size=25))
def test_kcs_on_pci_any_accesses(kcs_pci_qemu: Qemu, pieces: list[list[Access]]) -> None:
    """The same on PCI, where there are offsets without registers and wider accesses."""
    ours = our_kcs(base=PCI_BASE)
    for _ in range(2):
        list(differences(KCS_TO_IDLE, kcs_pci_qemu, ours))
    accesses = [access for piece in pieces for access in piece]
    assert not list(differences(accesses, kcs_pci_qemu, ours))


# An external controller


FROM_OUTSIDE = st.one_of(
    st.tuples(st.just("attention"), st.booleans(), st.booleans()),
    st.tuples(st.just("enable"), st.booleans()),
    st.tuples(st.just("respond"), st.sampled_from((b"\x00", b"\xc1", b"\x00\x20\x61", bytes(40)))),
).map(lambda access: [access])
KCS_ASK = kcs_transfer(bytes.fromhex("18 01"), 0)


@pytest.mark.parametrize(
    ("interface", "base"), [("isa-ipmi-kcs", KCS_BASE), ("pci-ipmi-kcs,addr=5", PCI_BASE)]
)
@settings(SLOWEST, max_examples=30)
@given(st.lists(st.one_of(KCS_PIECES, FROM_OUTSIDE, st.just(KCS_ASK)), max_size=20))
def test_kcs_external(
    tmp_path_factory: pytest.TempPathFactory, interface: str, base: int, pieces: list[list[Access]]
) -> None:
    qemu = Qemu(tmp_path_factory.mktemp("extern"), interface, EXTERNAL, base)
    try:
        kcs = Kcs(quirks=KcsQuirk.QEMU)
        ours = Ours(kcs, base)
        external = External(qemu, ours)
        accesses = [access for piece in pieces for access in piece]
        assert not list(differences(accesses, qemu, ours, external))
        assert not qemu.receive_wire_at_once()
    finally:
        qemu.close()


# BT


def bt_ask(message: str, control: int = 0x04) -> list[Access]:
    """Write a message and H2B_ATN."""
    return [
        ("w", 0, 0x01, 1),
        *(("w", 1, byte, 1) for byte in bytes.fromhex(message)),
        ("w", 0, control, 1),
        ("r", 0, 1),
    ]


def bt_take(length: int) -> list[Access]:
    """Read an answer."""
    return [
        *(("w", 0, bit, 1) for bit in (0x40, 0x08, 0x02)),
        *(("r", 1, 1) for _ in range(length)),
        ("w", 0, 0x40, 1),
        ("r", 0, 1),
    ]


def _control(bits: Iterable[int]) -> list[Access]:
    """To the normal state: each of these bits is toggled or cleared by writing it."""
    return [("w", 0, bit, 1) for bit in bits]


def our_bt(quirks: BtQuirk = BtQuirk.QEMU, base: int = BT_BASE) -> Ours:
    bt = Bt(quirks=quirks)
    simulator = Simulator()
    simulator.seam = HandlerSeam(bt.engine, simulator.handle)
    return Ours(bt, base)


# fmt: off
BT_PIECES = st.one_of(
    st.tuples(st.just("r"), st.integers(0, 2), st.just(1)).map(lambda one: [one]),
    st.tuples(st.just("w"), st.just(0), st.integers(0, 255), st.just(1)).map(lambda one: [one]),
    st.tuples(st.just("w"), st.just(2), st.integers(0, 255), st.just(1)).map(lambda one: [one]),
    st.sampled_from((0x03, 0x18, 0x01)).map(lambda byte: [("w", 1, byte, 1)]),
    st.sampled_from([
        [("r", 0, 2)], [("r", 1, 2)], [("w", 1, 0x0318, 2)], [("w", 0, 0x1801, 2)],
        bt_ask("03 18 05 01"), bt_ask("03 18 06 36"), bt_ask("04 18 06 36 00"), bt_ask("03 19 07 36"),
        bt_ask("04 18 08 2e 01"), bt_ask("04 18 08 2e 00"), bt_ask("03 18 09 2f"), bt_ask("03 04 09 01"),
        bt_ask("04 18 09 2f"), bt_ask("02 18 01"), bt_ask("03 18 09 2f 01"), bt_ask("03"),
        bt_ask("ff" + "18 05 01" + "00" * 253), bt_ask("18" * 310),
        bt_take(16), bt_take(5), bt_take(1),
        [("w", 0, 0x04, 1)], [("w", 2, 0x01, 1)], [("w", 2, 0x03, 1)],
    ]),
)
# fmt: on


def bt_to_normal(qemu: Qemu, ours: Registers) -> None:
    """Both as after power-on, as far as they can be brought there."""
    for side in (qemu, ours):
        side.write(2, 0x00, 1)
        side.write(2, 0x02, 1)
        if side.read(0, 1) & 0x40:
            side.write(0, 0x40, 1)
        side.write(0, 0x18, 1)
        for access in (*bt_ask("04 18 08 2e 08"), ("w", 0, 0x02, 1)):
            kind, *rest = access
            (side.write if kind == "w" else side.read)(*rest)
        while side.read(1, 1) != 0xFF:
            pass
        for access in (("w", 0, 0x0B, 1), *bt_ask("03 18 05 01"), *bt_take(16)):
            kind, *rest = access
            (side.write if kind == "w" else side.read)(*rest)


@pytest.fixture(scope="module", params=["isa-ipmi-bt", "pci-ipmi-bt,addr=5"])
def bt_qemu(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qemu]:
    base = PCI_BASE if request.param.startswith("pci") else BT_BASE
    qemu = Qemu(tmp_path_factory.mktemp("bt"), request.param, SIMULATOR, base)
    yield qemu
    qemu.close()


@SLOWEST
@given(st.lists(BT_PIECES, max_size=25))
def test_bt_any_accesses(bt_qemu: Qemu, pieces: list[list[Access]]) -> None:
    """With all quirks: equal to the last bit, whatever is done."""
    ours = our_bt(base=bt_qemu.base)
    bt_to_normal(bt_qemu, ours)
    accesses = [access for piece in pieces for access in piece]
    assert not list(differences(accesses, bt_qemu, ours))


def test_bt_an_interrupt_that_was_due_while_disabled(bt_qemu: Qemu) -> None:
    """B2H_IRQ is set already when the enable comes: no later answer raises the line."""
    ours = our_bt(base=bt_qemu.base)
    bt_to_normal(bt_qemu, ours)
    accesses = [*bt_ask("03 18 05 01"), ("w", 2, 0x01, 1), ("w", 0, 0x08, 1), *bt_ask("04 18 08 2e 01")]
    assert not list(differences(accesses, bt_qemu, ours))


BT_FROM_OUTSIDE = st.one_of(
    FROM_OUTSIDE,
    st.sampled_from([bytes(253), bytes(270)]).map(lambda answer: [("respond", answer)]),
)


@pytest.mark.parametrize(("interface", "base"), [("isa-ipmi-bt", BT_BASE), ("pci-ipmi-bt,addr=5", PCI_BASE)])
@settings(SLOWEST, max_examples=40)
@given(st.lists(st.one_of(BT_PIECES, BT_FROM_OUTSIDE), max_size=25))
def test_bt_external(
    tmp_path_factory: pytest.TempPathFactory, interface: str, base: int, pieces: list[list[Access]]
) -> None:
    qemu = Qemu(tmp_path_factory.mktemp("extern"), interface, EXTERNAL, base)
    try:
        ours = Ours(Bt(quirks=BtQuirk.QEMU), base)
        external = External(qemu, ours)
        accesses = [access for piece in pieces for access in piece]
        assert not list(differences(accesses, qemu, ours, external))
        assert not qemu.receive_wire_at_once()
    finally:
        qemu.close()


SCRIPTED = [
    pytest.param("isa-ipmi-kcs", KCS_BASE, Kcs, KcsQuirk.QEMU, KCS_ASK, id="kcs"),
    pytest.param("isa-ipmi-bt", BT_BASE, Bt, BtQuirk.QEMU, bt_ask("03 18 05 01"), id="bt"),
]


@pytest.mark.parametrize(("interface", "base", "make", "quirks", "ask"), SCRIPTED)
def test_external_scripted(
    tmp_path: Path, interface: str, base: int, make: Any, quirks: Any, ask: list[Access]
) -> None:
    """Requests, answers, attention and enable, each of which must have come through."""
    status = [("r", offset, 1) for offset in (0, 1, 2 if interface == "isa-ipmi-bt" else 1)]
    qemu = Qemu(tmp_path, interface, EXTERNAL, base)
    try:
        ours = Ours(make(quirks=quirks), base)
        external = External(qemu, ours)
        accesses: list[Access] = [("enable", True), ("w", 2, 0x01, 1), ("attention", True, True)]
        if interface == "isa-ipmi-kcs":
            del accesses[1]
        assert not list(differences(accesses, qemu, ours, external))
        assert qemu.irq, "attention interrupts"
        assert not list(differences([*status, ("attention", False, False), *ask], qemu, ours, external))
        assert [request.message for request in external.asked] == [Message(6, 0, 1)]
        assert not list(differences([("respond", b"\x00\x20"), *status * 6], qemu, ours, external))
        assert not list(differences(ask * 2, qemu, ours, external))
    finally:
        qemu.close()
