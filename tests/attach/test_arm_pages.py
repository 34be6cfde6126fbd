"""Translation tables read backwards; what they mean is Unicorn's word, and the architecture's tables."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping

import pytest

from baseboard.attach.arm_pages import Translation, virtual_pages
from baseboard.attach.errors import NotAttachable

DEVICE = 0x1E789000
MEMORY = 0x80000000
ROOM = 0x20000
TABLE = MEMORY + 0x4000
SMALL = MEMORY + 0x8000
ON = 1


class Memory:
    """Words at physical addresses, in a range beyond which there is nothing."""

    def __init__(self, words: Mapping[int, int]) -> None:
        self.data = bytearray(ROOM)
        for address, value in words.items():
            struct.pack_into("<I", self.data, address - MEMORY, value)

    def read(self, address: int, size: int) -> bytes | None:
        offset = address - MEMORY
        return bytes(self.data[offset : offset + size]) if 0 <= offset <= ROOM - size else None


def entry(virtual: int, table: int = TABLE) -> int:
    """Where the first-level entry of an address is."""
    return table + (virtual >> 20) * 4


def second(virtual: int, table: int = SMALL) -> int:
    return table + (virtual >> 12 & 0xFF) * 4


# fmt: off
CASES = [
    # [ARM DDI 0406C, Figures B3-4 and B3-5]; what is mapped where
    pytest.param({entry(0xC0700000): 0x1E700C02}, (0xC0789000,), id="section"),
    pytest.param({entry(0xC0700000): 0x1E700C03}, (0xC0789000,), id="section that is never executed"),
    pytest.param({entry(0xC0700000): 0x1E800C02}, (), id="the section beside it"),
    pytest.param({entry(0xC0700000): 0x1E700C00}, (), id="a fault"),
    pytest.param(
        {entry(0xF1000000 + n * 0x100000): 0x1E040C02 for n in range(16)}, (0xF1789000,), id="supersection"
    ),
    pytest.param(
        {entry(0xF0A00000): SMALL | 1, second(0xF0A12000): DEVICE | 0x32}, (0xF0A12000,), id="small page"
    ),
    pytest.param(
        {entry(0xF0A00000): SMALL | 1, **{second(0xF0A10000 + n * 0x1000): 0x1E780031 for n in range(16)}},
        (0xF0A19000,), id="large page",
    ),
    pytest.param(
        {entry(0xF0A00000): SMALL | 1, second(0xF0A12000): DEVICE | 0x33, second(0xF0A14000): DEVICE | 0x32,
         entry(0x1E700000): 0x1E700C02}, (DEVICE, 0xF0A12000, 0xF0A14000), id="several",
    ),
    pytest.param({entry(0xF0A00000): 0x40000001}, (), id="a table where no memory is"),
]
# fmt: on


@pytest.mark.parametrize(("words", "expected"), CASES)
def test_where_the_page_is(words: dict[int, int], expected: tuple[int, ...]) -> None:
    assert virtual_pages(DEVICE, Translation(ON, TABLE), Memory(words).read) == expected


@pytest.mark.parametrize(("words", "expected"), CASES)
def test_unicorn_agrees(words: dict[int, int], expected: tuple[int, ...]) -> None:
    unicorn = pytest.importorskip("unicorn")
    arm = pytest.importorskip("unicorn.arm_const")
    engine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_ARM)
    engine.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_A15)
    engine.mem_map(MEMORY, ROOM)
    engine.mem_map(DEVICE, 0x1000)
    engine.mem_write(DEVICE, b"HERE")
    memory = Memory(words)
    memory_code = MEMORY + 0x1F000
    struct.pack_into("<I", memory.data, entry(MEMORY) - MEMORY, MEMORY | 0xC02)
    struct.pack_into("<I", memory.data, memory_code - MEMORY, 0xE5910000)  # ldr r0, [r1]
    engine.mem_write(MEMORY, bytes(memory.data))
    for operands, value in (((2, 0, 0), TABLE), ((3, 0, 0), 1), ((1, 0, 0), 0xC50078 | ON)):
        engine.reg_write(arm.UC_ARM_REG_CP_REG, (15, 0, 0, *operands[:2], 0, operands[2], value))
    for virtual in expected:
        engine.reg_write(arm.UC_ARM_REG_R1, virtual)
        engine.emu_start(memory_code, memory_code + 4)
        assert engine.reg_read(arm.UC_ARM_REG_R0) == int.from_bytes(b"HERE", "little")


def test_translation_that_is_off() -> None:
    assert virtual_pages(DEVICE, Translation(0, TABLE), Memory({}).read) == (DEVICE,)


def test_two_tables() -> None:
    # TTBCR.N = 1: TTBR0 has the lower half and 2048 entries, TTBR1 the upper.
    upper = MEMORY + 0xC000
    memory = Memory({entry(0x10700000): 0x1E700C02, entry(0xF0700000, upper): 0x1E700C02})
    low, high = virtual_pages(DEVICE, Translation(ON, TABLE, upper, 1), memory.read)
    assert (low, high) == (0x10789000, 0xF0789000)


def test_long_descriptors_are_refused() -> None:
    with pytest.raises(NotAttachable, match="LPAE"):
        virtual_pages(DEVICE, Translation(ON, TABLE, 0, 1 << 31), Memory({}).read)


def test_any_tables() -> None:
    draw = random.Random(3)
    for _ in range(20):
        memory = Memory({})
        memory.data[:] = draw.randbytes(ROOM)
        translation = Translation(ON, draw.getrandbits(32), draw.getrandbits(32), draw.getrandbits(31))
        for page in virtual_pages(DEVICE, translation, memory.read):
            assert page % 0x1000 == 0
