"""Single registers, interrupts, addresses and state, with the values that Linux' drivers write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.moved import through_text

from baseboard.responder import AST2400, AST2500, AspeedIbt, AspeedKcs, AspeedLpc, Npcm7xxKcs, Quirk
from baseboard.responder.npcm7xx_bpc import CAPACITY

HICR0, HICR2, HICR4, HICR5, HICRB, HICRC, SIRQCR0 = 0x00, 0x08, 0x10, 0x80, 0x100, 0x104, 0x70
IDR3, ODR3, STR3, LADR3H, LADR3L = 0x2C, 0x38, 0x44, 0x14, 0x18


def linux_channel_3() -> AspeedKcs:
    """As `kcs_bmc_aspeed` leaves it for `aspeed,lpc-io-reg = <0xca2>`, `aspeed,lpc-interrupts = <11 ...>`."""
    block = AspeedKcs()
    for offset, value in ((LADR3H, 0x0C), (LADR3L, 0xA2), (HICR4, 0x04), (HICR0, 0x80), (HICR2, 0x08)):
        block.write(offset, 4, value)
    block.write(HICR5, 4, 0xB04000)
    return block


def test_host_sees_what_linux_set_up() -> None:
    block = linux_channel_3()
    assert block.host_addresses(3) == (0xCA2, 0xCA3)
    assert block.host_interrupt(3) == 11
    assert [block.enabled(channel) for channel in (1, 2, 3, 4)] == [False, False, True, False]


def test_addresses_of_the_other_channels() -> None:
    block = AspeedKcs()
    for offset, value in (
        (HICR4, 0x00),
        (0x1C, 0x0C),
        (0x20, 0xB0),
        (HICR4, 0x80),
        (0x1C, 0x0C),
        (0x20, 0xA8),
    ):
        block.write(offset, 4, value)
    assert block.host_addresses(1) == (0xCB0, 0xCB4)
    assert block.host_addresses(2) == (0xCA8, 0xCAC)
    block.write(0x120, 4, 0x0CA9_0CB1)
    block.write(HICRB, 4, 0x20)
    assert block.host_addresses(1) == (0xCB0, 0xCB4)
    assert block.host_addresses(2) == (0xCA8, 0xCA9)
    block.write(0x110, 4, 0x0CA5_0CA4)
    assert block.host_addresses(4) == (0xCA4, 0xCA5)


def test_addresses_with_quirks() -> None:
    """QEMU has one LADR12."""
    block = AspeedKcs(quirks=Quirk.QEMU)
    for offset, value in ((HICR4, 0x80), (0x1C, 0x0C), (0x20, 0xA8), (LADR3H, 0x30C), (LADR3L, 0xA2)):
        block.write(offset, 4, value)
    assert [block.host_addresses(channel)[0] for channel in (1, 2, 3)] == [0xCA8, 0xCA8, 0xCA2]


def test_host_interrupts() -> None:
    block = AspeedKcs()
    assert [block.host_interrupt(channel) for channel in (1, 2, 3, 4)] == [None] * 4
    block.write(SIRQCR0, 4, 0x02)
    block.write(HICR5, 4, 0x000A_1000)
    block.write(HICRC, 4, 0x71)
    assert [block.host_interrupt(channel) for channel in (1, 2, 3, 4)] == [12, 10, None, 7]


def test_status_belongs_to_hardware() -> None:
    """Firmware writes 7:4 and SMS_ATN; OBF, IBF and C/D# follow what is done."""
    block = linux_channel_3()
    host = block.host(3)
    block.write(STR3, 4, 0xFF)
    assert block.read(STR3, 4) == 0xF4
    host.write(1, 0x61)
    assert block.read(STR3, 4) == 0xFE
    assert block.read(IDR3, 4) == 0x61
    assert block.read(STR3, 4) == 0xFC
    block.write(ODR3, 4, 0x1AB)
    assert (host.read(1), host.read(0), host.read(1)) == (0xFD, 0xAB, 0xFC)
    host.write(0, 0x20)
    assert block.read(STR3, 4) == 0xF6


def test_a_disabled_channel_is_not_there() -> None:
    block = linux_channel_3()
    block.write(HICR0, 4, 0)
    host = block.host(3)
    host.write(0, 1)
    assert (host.read(0), host.read(1), block.read(STR3, 4)) == (0xFF, 0xFF, 0)


def test_interrupts_are_levels() -> None:
    """IBF while enabled to the BMC; OBF while enabled to the host."""
    block = linux_channel_3()
    host, line, latch = block.host(3), block.lines[140], block.latches[2]
    block.write(HICR2, 4, 0)
    host.write(0, 1)
    assert not line.level
    block.write(HICR2, 4, 0x08)
    assert line.level
    block.read(IDR3, 4)
    assert not line.level
    block.write(ODR3, 4, 0)
    assert latch.irq
    block.write(HICR5, 4, 0)
    assert not latch.irq
    block.write(HICR5, 4, 0x4000)
    assert latch.irq
    host.read(0)
    assert not latch.irq


def test_channel_4_clears_its_enable() -> None:
    block = AspeedKcs()
    block.write(HICRB, 4, 0x01)
    block.write(HICRC, 4, 0xA3)
    block.write(0x118, 4, 0)
    assert block.latches[3].irq
    block.host(4).read(0)
    assert block.read(HICRC, 4) == 0xA2


@pytest.mark.parametrize("chip", [AST2400, AST2500], ids=lambda chip: chip.name)
def test_one_line_for_all(chip: object) -> None:
    lpc = AspeedLpc(chip)  # type: ignore[arg-type]
    assert set(lpc.lines) == {8}
    for offset, value in ((HICR0, 0x60), (HICR2, 0x06), (0x140, 0x00E4A00D), (0x144, 0x41)):
        lpc.write(offset, 4, value)
    lpc.kcs.host(1).write(0, 1)
    lpc.kcs.host(2).write(0, 1)
    lpc.ibt.host().write(0, 0x04)
    for offset in (0x24, 0x28):
        lpc.read(offset, 4)
        assert lpc.lines[8].level
    lpc.write(0x148, 4, 0x01)
    assert not lpc.lines[8].level


def test_widths() -> None:
    """A register acts when its lowest byte is touched; registers that keep take any lane."""
    block = linux_channel_3()
    host = block.host(3)
    host.write(0, 0x5A)
    assert block.read(IDR3 + 1, 2) == 0
    assert host.read(1) & 2
    assert block.read(IDR3 - 2, 4) == 0x005A_0000
    assert not host.read(1) & 2
    block.write(HICR5, 4, 0x1122_3344)
    block.write(HICR5 + 1, 2, 0xAABB)
    assert block.read(HICR5, 4) == 0x11AA_BB44
    assert block.read(HICR5 + 3, 1) == 0x11
    block.write(ODR3 + 1, 1, 0xFF)
    assert not host.read(1) & 1


def test_ibt_as_linux_sets_it_up() -> None:
    block = AspeedIbt()
    block.write(0x00, 4, 0x00E4A00D)
    block.write(0x04, 4, 0x41)
    assert (block.host_address, block.host_interrupt) == (0xE4, 10)


def test_ibt_control_by_face() -> None:
    """B_BUSY toggles by firmware, H_BUSY by the host; one sets an attention bit and the other clears it."""
    block = AspeedIbt()
    block.write(0x00, 4, 0x00E4A00D)
    host = block.host()
    for value, after in ((0x80, 0x80), (0x80, 0x00), (0x40, 0x00), (0x18, 0x18), (0x08, 0x18)):
        block.write(0x10, 4, value)
        assert host.read(0) == after
    for value, after in ((0x18, 0x00), (0x80, 0x00), (0x44, 0x44), (0x40, 0x04)):
        host.write(0, value)
        assert block.read(0x10, 4) == after
    block.write(0x10, 4, 0x04)
    assert host.read(0) == 0


def test_ibt_interrupts() -> None:
    """H2B_ATN and the end of H_BUSY, each while enabled, until written away."""
    block = AspeedIbt()
    block.write(0x00, 4, 0x00E4A00D)
    host = block.host()
    host.write(0, 0x04)
    assert (block.read(0x08, 4), block.irq) == (0x01, False)
    block.write(0x04, 4, 0x41)
    assert block.irq
    block.write(0x08, 4, 0x01)
    assert not block.irq
    host.write(0, 0x40)
    assert not block.irq
    host.write(0, 0x08)
    host.write(0, 0x40)
    assert (block.read(0x08, 4), block.irq) == (0x40, True)
    block.write(0x08, 4, 0x40)
    assert not block.irq


def test_ibt_pointers_need_permission() -> None:
    block = AspeedIbt()
    block.write(0x00, 4, 0x01)
    host = block.host()
    host.write(1, 0x11)
    assert block.read(0x14, 4) == 0x11
    block.write(0x10, 4, 0x02)
    assert block.read(0x14, 4) == 0xFF
    block.write(0x00, 4, 0x0D)
    block.write(0x10, 4, 0x02)
    assert block.read(0x14, 4) == 0x11


def test_ibt_hardware_reset_and_host_interrupt() -> None:
    block = AspeedIbt()
    block.write(0x00, 4, 0x00E4A00D)
    host = block.host()
    host.write(2, 0x81)
    assert block.read(0x18, 4) == 0x81
    block.write(0x18, 4, 0x80)
    assert block.read(0x18, 4) == 0x01
    block.write(0x10, 4, 0x08)
    assert block.latch.irq
    host.write(2, 0x03)
    assert not block.latch.irq
    block.write(0x18, 4, 0x02)
    assert block.latch.irq


@pytest.mark.parametrize(("channel", "base"), [(1, 0x0C), (2, 0x1E), (3, 0x30)])
def test_npcm7xx_resets(channel: int, base: int) -> None:
    block = Npcm7xxKcs()
    assert [block.read(base + offset, 1) for offset in (0, 0xC, 0xE, 0x10)] == [0, 0xC0, 0x41, 0]
    block.write(base + 0xC, 1, 0)
    assert block.read(base + 0xC, 1) == 0x80


def test_npcm7xx_interrupts() -> None:
    """(IBF & IBFIE) | (!OBF & OBEIE) of any channel; SCI and SMI by DOC, DOM, DIC where enabled."""
    block = Npcm7xxKcs()
    block.write(0x1E + 0xC, 1, 0xC2)
    assert block.irq
    block.write(0x1E + 2, 1, 0)
    assert not block.irq
    block.write(0x0C + 0xC, 1, 0xC1)
    block.host(1).write(0, 7)
    assert block.irq
    told: list[str] = []
    block.sci[0] = lambda: told.append("sci")
    block.smi[0] = lambda: told.append("smi")
    block.write(0x0C + 6, 1, 1)
    assert block.read(0x0C + 0xA, 1) == 7
    assert not block.irq
    assert not told
    block.write(0x0C + 0x10, 1, 0x36)
    block.write(0x0C + 6, 1, 1)
    block.write(0x0C + 8, 1, 2)
    block.read(0x0C + 0xA, 1)
    assert told == ["sci", "smi", "sci"]
    assert block.host(1).read(0) == 2


def test_npcm7xx_host_interrupt() -> None:
    block = Npcm7xxKcs()
    block.write(0x0C + 0x10, 1, 0x09)
    block.write(0x0C + 2, 1, 0)
    assert block.latches[0].irq
    block.host(1).read(0)
    assert not block.latches[0].irq


def test_post_codes() -> None:
    """As the BPC driver of Linux reads them: status, data, status, until nothing is valid."""
    block = Npcm7xxKcs()
    codes = block.post_codes
    assert not codes.host_wrote(0x80, 1)
    block.write(0x42, 1, 0x84)
    block.write(0x46, 1, 0xD8)
    assert codes.host_wrote(0x80, 0xA0)
    assert codes.host_wrote(0x84, 0xB0)
    assert not codes.host_wrote(0x81, 0xC0)
    assert block.irq
    assert [block.read(offset, 1) for offset in (0x48, 0x4A, 0x48, 0x4A, 0x48)] == [0x80, 0xA0, 0x81, 0xB0, 0]
    assert not block.irq
    codes.host_was_reset()
    assert block.irq
    assert block.read(0x4C, 1) == 0x40
    block.write(0x4C, 1, 0x40)
    assert not block.irq


def test_post_codes_overflow() -> None:
    block = Npcm7xxKcs()
    block.write(0x46, 1, 0x80)
    for code in range(CAPACITY + 3):
        block.post_codes.host_wrote(0x80, code)
    assert block.read(0x48, 1) == 0xA0
    assert [block.read(0x4A, 1) for _ in range(CAPACITY)] == list(range(CAPACITY))
    assert block.read(0x48, 1) == 0


def test_post_codes_of_four_bytes() -> None:
    block = Npcm7xxKcs()
    block.write(0x46, 1, 0x04)
    for i in range(4):
        assert block.post_codes.host_wrote(0x80 + i, i)
    assert not block.post_codes.host_wrote(0x84, 4)
    seen = [(block.read(0x48, 1), block.read(0x4A, 1)) for _ in range(4)]
    assert seen == [(0x81, 0), (0x80, 1), (0x80, 2), (0x80, 3)]


Block = AspeedKcs | AspeedIbt | AspeedLpc | Npcm7xxKcs
BLOCKS: list[Callable[[], Block]] = [
    AspeedKcs,
    lambda: AspeedKcs(AST2400, quirks=Quirk.QEMU),
    AspeedIbt,
    AspeedLpc,
    Npcm7xxKcs,
]
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(0, 0x270), st.sampled_from([1, 2, 4, 8])),
        st.tuples(
            st.just("write"),
            st.one_of(st.integers(0, 0x270), st.integers(0, 0x60)),
            st.sampled_from([1, 2, 4, 8]),
            st.integers(0, (1 << 64) - 1),
        ),
        st.tuples(st.just("host"), st.integers(0, 2), st.integers(0, 255), st.booleans()),
        st.just(("reset",)),
    ),
    max_size=30,
)


def apply(block: Any, operations: list[tuple[Any, ...]]) -> list[int]:
    """What reads gave, and the lines' levels after each operation."""
    hosts = {
        AspeedKcs: lambda: [block.host(channel) for channel in (1, 2, 3, 4)],
        AspeedIbt: lambda: [block.host()],
        AspeedLpc: lambda: [block.kcs.host(3), block.ibt.host()],
        Npcm7xxKcs: lambda: [block.host(channel) for channel in (1, 2, 3)],
    }[type(block)]()
    seen = []
    for kind, *rest in operations:
        if kind == "read":
            offset, size = rest
            value = block.read(offset, size)
            assert 0 <= value < 1 << 8 * size
            seen.append(value)
        elif kind == "write":
            offset, size, value = rest
            block.write(offset, size, value & (1 << 8 * size) - 1)
        elif kind == "reset":
            block.reset()
        else:
            register, value, reads = rest
            reached = [host for host in hosts if register < 2 or isinstance(block, AspeedIbt)]
            seen += [host.read(register) if reads else host.write(register, value) or 0 for host in reached]
        lines = block.lines.values() if isinstance(block, AspeedKcs | AspeedLpc) else [block]
        seen += [int(getattr(line, "level", getattr(line, "irq", False))) for line in lines]
    return seen


@pytest.mark.parametrize("make", BLOCKS)
@settings(max_examples=60)
@given(before=OPERATIONS, after=OPERATIONS)
def test_any_accesses_and_the_state(
    make: Callable[[], Block], before: list[tuple[object, ...]], after: list[tuple[object, ...]]
) -> None:
    """Any width, any offset: a value in range; and a block from the state goes on as the one it came from."""
    block = make()
    apply(block, before)
    state = block.export()
    other = type(block).from_state(through_text(state))  # type: ignore[arg-type]  # of the same kind
    assert other.export() == state
    assert apply(other, after) == apply(block, after)
