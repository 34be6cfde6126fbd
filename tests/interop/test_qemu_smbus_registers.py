"""Our SMBus controller beside QEMU's, register by register.

QEMU's is the ICH9 controller of the machine q35, with smbus-ipmi and eight EEPROMs at its bus. Both get the
same accesses, and each read and the interrupt level after each access must be the same: with all quirks on,
for any sequence; and each quirk for the sequence that shows it. `test_qemu_smbus` has the transfers.

Address 00h is never used: there QEMU's bus, not its controller, has every target at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from baseboard.interface import HandlerSeam
from baseboard.interface.bus.i801 import I801Function, Quirk
from baseboard.interface.bus.smbus import SmBus
from baseboard.interface.ssif import Quirk as SsifQuirk
from baseboard.interface.ssif import Ssif
from tests.interface.smbus_memory import Memory
from tests.interop.newer import Program, newer_qemu
from tests.interop.side_by_side import PCI_BASE, SIMULATOR, Access, Qemu, Simulator, differences

STS, CNT, CMD, SLVA, D0, D1, BLOCK, PEC, AUX_STS, AUX_CTL, SLV_CMD = 0, 2, 3, 4, 5, 6, 7, 8, 12, 13, 17
START, INTREN, KILL, LAST_BYTE, PEC_EN = 0x40, 0x01, 0x02, 0x20, 0x80
DS, INUSE, INTR, DEV_ERR = 0x80, 0x40, 0x02, 0x04
QUICK, BYTE, BYTE_DATA, WORD_DATA, PROCESS_CALL, BLOCK_DATA, I2C_READ, BLOCK_PROCESS = (
    kind << 2 for kind in range(8)
)
E32B, AAC = 0x02, 0x01
SSIF, NOBODY, MEMORY = 0x20, 0x22, 0xA0
SLOT, FUNCTION = 31, 3 << 8  # slot, and function where the register's number has it
FIRST_PCI_INTERRUPT = 16

SLOWEST = settings(
    derandomize=True,
    max_examples=100,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


class Ours:
    """Our controller with the same targets."""

    def __init__(self, quirks: Quirk) -> None:
        ssif, bus = Ssif(quirks=SsifQuirk.QEMU), SmBus()
        simulator = Simulator()
        simulator.seam = HandlerSeam(ssif.engine, simulator.handle)
        bus.attach(ssif.target, address=SSIF >> 1)
        for address in range(0x50, 0x58):
            bus.attach(Memory(bytes(256)), address=address)
        self.function = I801Function(bus, ssif, pin=1, quirks=quirks)
        self.function.write_configuration(4, 1)
        self.read, self.write = self.function.read, self.function.write

    @property
    def irq(self) -> bool:
        return self.function.level


@contextmanager
def q35(directory: Path, program: Program | None) -> Iterator[Qemu]:
    qemu = Qemu(directory, "smbus-ipmi,address=0x10", SIMULATOR, PCI_BASE, machine="q35", program=program)
    try:
        qemu.machine.irq = FIRST_PCI_INTERRUPT
        qemu.write_configuration(FUNCTION | 0x20, PCI_BASE, 4, slot=SLOT)
        qemu.write_configuration(FUNCTION | 0x40, 1, 1, slot=SLOT)
        qemu.write_configuration(FUNCTION | 0x04, 1, 2, slot=SLOT)
        yield qemu
    finally:
        qemu.close()


def compared(
    directory: Path, accesses: Iterable[Access], quirks: Quirk = Quirk.QEMU, program: Program | None = None
) -> list[str]:
    """The differences, from power-on, from the QEMU that the system has or another."""
    with q35(directory, program) as qemu:
        return list(differences(accesses, qemu, Ours(quirks)))


def w(*pairs: int) -> list[Access]:
    """Writes of offset and value in turn."""
    return [("w", offset, value, 1) for offset, value in zip(pairs[::2], pairs[1::2], strict=True)]


def r(*offsets: int) -> list[Access]:
    return [("r", offset, 1) for offset in offsets]


def run(kind: int, address: int, *registers: int, control: int = INTREN) -> list[Access]:
    """One transfer, and all that is to be seen afterwards; the status is cleared."""
    start = w(SLVA, address, *registers, CNT, kind | START | control)
    return [*start, *r(STS, STS, D0, D1, BLOCK), *w(STS, 0xFF), *r(STS)]


def put(data: bytes, *, aux: int = E32B) -> list[Access]:
    """A block goes to the buffer, after whatever was there."""
    fresh = w(CNT, KILL, CNT, 0, STS, 0xFF, AUX_CTL, aux)
    return [*fresh, *r(CNT), *(("w", BLOCK, byte, 1) for byte in data), ("w", D0, len(data), 1)]


def ask(data: bytes) -> list[Access]:
    """A request, by the buffer."""
    return [*put(data), *run(BLOCK_DATA, SSIF, CMD, 2)]


def by_byte(address: int, command: int, data: bytes, control: int = 0) -> list[Access]:
    """A block goes out byte by byte."""
    head = w(AUX_CTL, 0, SLVA, address, CMD, command, D0, len(data), BLOCK, data[0])
    rest = [access for byte in data[1:] for access in (*r(STS), *w(BLOCK, byte, STS, DS))]
    return [*head, *w(CNT, BLOCK_DATA | START | control), *r(STS), *rest, *r(STS), *w(STS, DS), *r(STS)]


def take_by_byte(kind: int, count: int, control: int = 0) -> list[Access]:
    """A block comes in byte by byte, the last of `count` bytes being called the last."""
    steps = r(STS, BLOCK) + w(STS, DS)
    last = w(CNT, kind | LAST_BYTE | control)
    return [*w(CNT, kind | START | control), *r(STS), *steps * (count - 1), *last, *steps, *r(STS, BLOCK)]


BYTES = (0x00, 0x01, 0x02, 0x03, 0x06, 0x08, 0x09, 0x18, 0x1F, 0x20, 0x21, 0x2E, 0xFF)
KINDS = st.integers(0, 7).map(lambda kind: kind << 2)
CONTROLS = st.tuples(
    KINDS,
    st.sampled_from((START, START, START, 0, KILL, START | KILL)),
    st.sampled_from((INTREN, 0, LAST_BYTE, LAST_BYTE | INTREN, PEC_EN)),
).map(lambda parts: sum(parts))
ADDRESSES = st.sampled_from((SSIF, SSIF | 1, SSIF, SSIF | 1, NOBODY, NOBODY | 1, MEMORY, MEMORY | 1, 0xA2))
STATUSES = st.sampled_from((0xFF, DS, INTR, DEV_ERR, DS | INTR, 0x1E, 0x00, 0x7F))


def wide_is_at_no_general_call(access: Access) -> bool:
    _, offset, value, width = access
    covers = offset <= SLVA < offset + width
    return not covers or bool(value >> 8 * (SLVA - offset) & 0xFE)


# fmt: off
SINGLE = st.one_of(
    st.tuples(st.just("r"), st.sampled_from((STS, STS, STS, CNT, D0, D1, BLOCK, BLOCK, BLOCK)), st.just(1)),
    st.tuples(st.just("r"), st.integers(0, 31), st.just(1)),
    st.tuples(st.just("r"), st.integers(0, 28), st.sampled_from((2, 4))),
    st.tuples(st.just("w"), st.just(CNT), CONTROLS, st.just(1)),
    st.tuples(st.just("w"), st.just(STS), STATUSES, st.just(1)),
    st.tuples(st.just("w"), st.just(SLVA), ADDRESSES, st.just(1)),
    st.tuples(st.just("w"), st.just(AUX_CTL), st.integers(0, 7), st.just(1)),
    st.tuples(st.just("w"), st.sampled_from((CMD, D0, D1, BLOCK, PEC)), st.sampled_from(BYTES), st.just(1)),
    st.tuples(st.just("w"), st.sampled_from((1, 8, 9, 10, 11, 12, 14, 15, 16, 17, 20, 31)),
              st.integers(0, 255), st.just(1)),
    st.tuples(st.just("w"), st.integers(0, 28), st.integers(0, 0xFFFF_FFFF), st.sampled_from((2, 4)))
      .filter(wide_is_at_no_general_call),
).map(lambda access: [access])
DEVICE_ID, ENABLES = b"\x18\x01", b"\x18\x2e\x09"
BLOCKS = st.one_of(st.sampled_from((DEVICE_ID, ENABLES, b"\x18\x2f", b"\xb8\x02", b"\x18\x57\x00")),
                   st.binary(min_size=1, max_size=33))
FLAGS = st.sampled_from((0, INTREN))
SCRIPTS = st.one_of(
    BLOCKS.map(ask),
    st.tuples(BLOCKS, st.sampled_from((SSIF, NOBODY, MEMORY)), FLAGS)
      .map(lambda one: by_byte(one[1], 2, one[0], one[2])),
    st.builds(run, KINDS, ADDRESSES, st.just(CMD), st.sampled_from(BYTES), control=FLAGS),
    st.builds(put, BLOCKS, aux=st.integers(0, 3)),
    st.builds(take_by_byte, st.sampled_from((BLOCK_DATA, I2C_READ)), st.integers(1, 40), FLAGS),
    st.sampled_from([
        [*ask(DEVICE_ID), *run(BLOCK_DATA, SSIF | 1, CMD, 3), *r(*[BLOCK] * 15, STS)],
        r(BLOCK) * 33, w(BLOCK, 0x55) * 33, w(STS, DS) + r(BLOCK, STS), w(STS, 0xFF) + r(STS),
        w(CNT, KILL, CNT, 0, STS, 0xFF), w(D0, 32), w(D0, 0), w(SLVA, SSIF | 1, CMD, 3),
    ]),
)
# fmt: on


@SLOWEST
@given(st.lists(st.one_of(SINGLE, SINGLE, SCRIPTS), max_size=60))
def test_any_accesses(tmp_path_factory: pytest.TempPathFactory, pieces: list[list[Access]]) -> None:
    """With all quirks: equal to the last bit, whatever is done."""
    accesses = [*w(SLVA, NOBODY), *(access for piece in pieces for access in piece)]
    assert compared(tmp_path_factory.mktemp("i801"), accesses) == []


ASKED = [*ask(DEVICE_ID), *run(BLOCK_DATA, SSIF | 1, CMD, 3)]
HALF_WRITTEN = w(SLVA, SSIF, D0, 4, CNT, BLOCK_DATA | START | INTREN)
# fmt: off
SHOWN: list[tuple[Quirk, list[Access]]] = [
    (Quirk.FEW_REGISTERS,         [*w(PEC, 0x55), *r(PEC)]),
    (Quirk.NO_SEMAPHORE,          r(STS, STS)),
    (Quirk.CONTROL_LOW_BITS,      [*w(CNT, PEC_EN | LAST_BYTE), *r(CNT)]),
    (Quirk.NO_PACKET_ERROR_CODES, [*w(AUX_CTL, AAC), *run(BYTE_DATA, MEMORY | 1)]),
    (Quirk.ASKED_BY_STATUS,       run(QUICK, MEMORY, control=0)),
    (Quirk.ERROR_HOLDS,           [*w(SLVA, NOBODY, CNT, START | INTREN), *run(QUICK, MEMORY)]),
    (Quirk.BUSY_STAYS,            [*HALF_WRITTEN, *run(QUICK, MEMORY)]),
    (Quirk.START_AGAIN,           [*HALF_WRITTEN, *run(QUICK, MEMORY)]),
    (Quirk.START_KILLED,          run(QUICK, MEMORY, control=KILL)),
    (Quirk.INDEX_STAYS,           [*w(AUX_CTL, E32B, BLOCK, 1), *r(CNT), *w(BLOCK, 2, CNT, KILL), *r(BLOCK)]),
    (Quirk.BUFFER_COUNTED,        [*put(DEVICE_ID), *run(BLOCK_DATA, SSIF, D0, 1)]),
    (Quirk.BUFFER_TAKEN,          [*ASKED, *r(*[BLOCK] * 16)]),
    (Quirk.ANY_COUNT,             [*put(b""), *run(BLOCK_DATA, MEMORY)]),
    (Quirk.OVERLONG_EMPTY,        [*run(BYTE_DATA, MEMORY, D0, 33), *w(AUX_CTL, E32B),
                                   *run(BLOCK_DATA, MEMORY | 1)]),
    (Quirk.READ_TO_LAST_BYTE,     [*ASKED, *w(AUX_CTL, 0), *take_by_byte(BLOCK_DATA, 16)]),
    (Quirk.MODE_OF_THE_MOMENT,    [*HALF_WRITTEN, *w(AUX_CTL, E32B, STS, DS), *r(STS)]),
    (Quirk.I2C_READS,             [*w(SLVA, MEMORY), *take_by_byte(I2C_READ, 3)]),
]
# fmt: on


@pytest.fixture(scope="module", params=["installed", "newer"])
def program(request: pytest.FixtureRequest) -> Program | None:
    """The QEMU that the system has, and the newest that Debian has."""
    return newer_qemu() if request.param == "newer" else None


@pytest.mark.parametrize(("quirk", "accesses"), SHOWN, ids=lambda value: getattr(value, "name", ""))
def test_a_quirk(tmp_path: Path, program: Program | None, quirk: Quirk, accesses: list[Access]) -> None:
    """QEMU has it: with it we are equal, without it we are not."""
    assert compared(tmp_path, accesses, program=program) == []
    assert compared(tmp_path, accesses, Quirk.QEMU & ~quirk, program)


@pytest.mark.parametrize("before", [[], HALF_WRITTEN, ASKED, w(SLVA, NOBODY, CNT, START | INTREN)])
def test_a_soft_reset(tmp_path: Path, before: list[Access]) -> None:
    """SSRESET of Host Configuration, in the middle of anything."""
    ours = Ours(Quirk.QEMU)
    with q35(tmp_path, None) as qemu:
        found = list(differences([*w(SLVA, MEMORY), *before], qemu, ours))
        qemu.write_configuration(FUNCTION | 0x40, 0x09, 1, slot=SLOT)
        ours.function.write_configuration(0x40, 0x09)
        after = [*r(STS, CNT, SLVA, D0, BLOCK), *run(QUICK, MEMORY)]
        found += differences(after, qemu, ours)
        assert found == []


def test_every_quirk_is_shown() -> None:
    assert {quirk for quirk, _ in SHOWN} == set(Quirk)


@pytest.mark.parametrize(
    ("control", "needed"),
    [
        pytest.param(INTREN, Quirk.NONE, id="interrupts"),
        pytest.param(0, Quirk.ASKED_BY_STATUS | Quirk.NO_SEMAPHORE, id="polling"),
    ],
)
def test_what_software_does_takes_few_quirks(tmp_path: Path, control: int, needed: Quirk) -> None:
    """A request and its answer by the buffer, as the document has software do it."""
    status = r(STS) * (1 if control else 2)
    start = ("w", CNT, BLOCK_DATA | START | control, 1)
    asked = [*put(DEVICE_ID), *w(SLVA, SSIF, CMD, 2), start, *status, *w(STS, 0xFF)]
    taken = [*w(SLVA, SSIF | 1, CMD, 3), start, *status, *r(D0, CNT), *r(BLOCK) * 14, *w(STS, 0xFF), *r(D0)]
    assert compared(tmp_path, asked + taken, needed) == []
    for quirk in needed:
        assert compared(tmp_path, asked + taken, needed & ~quirk)
