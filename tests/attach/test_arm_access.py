"""Loads and stores taken apart: encodings are the assembler's, effects those of another implementation.

Encodings: GNU assembler 2.40 for arm-none-eabi, as objdump shows them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from baseboard.attach.arm_access import CPSR, PC, THUMB, Access, decode

REGISTERS = [
    *(0x100, 0x200, 0x10, 0x300, 0x400, 0x500, 0x600, 0x700),
    *(0x800, 0x900, 0x20, 0xB00, 0xC00, 0xD00, 0xE00, 0x4000),
    0x1F,
]
"""r0 to r15, CPSR; r2 and r10 are the indexes."""

# fmt: off
ARM = [
    # assembler                          encoding    load   size  address  base register and its new value
    ("ldr r0, [r1]",                     0xE5910000, True,  4,    0x200,   None),
    ("ldr r0, [r1, #20]",                0xE5910014, True,  4,    0x214,   None),
    ("ldr r0, [r1, #-4]",                0xE5110004, True,  4,    0x1FC,   None),
    ("ldr r0, [r1, #4]!",                0xE5B10004, True,  4,    0x204,   (1, 0x204)),
    ("ldr r0, [r1], #4",                 0xE4910004, True,  4,    0x200,   (1, 0x204)),
    ("ldr r0, [r1, r2]",                 0xE7910002, True,  4,    0x210,   None),
    ("ldr r0, [r1, -r2]",                0xE7110002, True,  4,    0x1F0,   None),
    ("ldr r0, [r1, r2, lsl #2]",         0xE7910102, True,  4,    0x240,   None),
    ("ldr r0, [r1, r2, asr #32]",        0xE7910042, True,  4,    0x200,   None),
    ("ldr r0, [r1, r2, lsr #1]",         0xE79100A2, True,  4,    0x208,   None),
    ("ldr r0, [r1, r2, ror #8]",         0xE7910462, True,  4,    0x10000200, None),
    ("ldr r0, [r1], r2",                 0xE6910002, True,  4,    0x200,   (1, 0x210)),
    ("ldr r0, [r1, r2]!",                0xE7B10002, True,  4,    0x210,   (1, 0x210)),
    ("ldr r0, [pc, #8]",                 0xE59F0008, True,  4,    0x4010,  None),
    ("str r0, [r1]",                     0xE5810000, False, 4,    0x200,   None),
    ("str r0, [r1, #16]",                0xE5810010, False, 4,    0x210,   None),
    ("str r3, [r1, #-8]!",               0xE5213008, False, 4,    0x1F8,   (1, 0x1F8)),
    ("str r3, [r1], #-4",                0xE4013004, False, 4,    0x200,   (1, 0x1FC)),
    ("strb r2, [r3, r1]",                0xE7C32001, False, 1,    0x500,   None),
    ("ldrb r2, [r3]",                    0xE5D32000, True,  1,    0x300,   None),
    ("ldrb r2, [r3], #1",                0xE4D32001, True,  1,    0x300,   (3, 0x301)),
    ("ldrh r2, [r3, #6]",                0xE1D320B6, True,  2,    0x306,   None),
    ("ldrh r2, [r3, #-6]!",              0xE17320B6, True,  2,    0x2FA,   (3, 0x2FA)),
    ("ldrh r2, [r3], #2",                0xE0D320B2, True,  2,    0x300,   (3, 0x302)),
    ("ldrh r2, [r3, r1]",                0xE19320B1, True,  2,    0x500,   None),
    ("ldrsh r2, [r3, #2]",               0xE1D320F2, True,  2,    0x302,   None),
    ("ldrsb r2, [r3, #2]",               0xE1D320D2, True,  1,    0x302,   None),
    ("strh r2, [r3, #38]",               0xE1C322B6, False, 2,    0x326,   None),
    ("strh r2, [r3, -r1]",               0xE10320B1, False, 2,    0x100,   None),
    ("ldrd r4, r5, [r3, #8]",            0xE1C340D8, True,  4,    0x308,   None),
    ("strd r4, r5, [r3, #8]!",           0xE1E340F8, False, 4,    0x308,   (3, 0x308)),
    ("ldm r0, {r1, r2, r3}",             0xE890000E, True,  4,    0x100,   None),
    ("ldmib r0!, {r1, r2}",              0xE9B00006, True,  4,    0x104,   (0, 0x108)),
    ("ldmda r0, {r1, r2}",               0xE8100006, True,  4,    0x0FC,   None),
    ("ldmdb r0!, {r1, lr}",              0xE9304002, True,  4,    0x0F8,   (0, 0x0F8)),
    ("stm r0!, {r1, r2, r3}",            0xE8A0000E, False, 4,    0x100,   (0, 0x10C)),
    ("stmdb r0!, {r4, r5}",              0xE9200030, False, 4,    0x0F8,   (0, 0x0F8)),
    ("streq r0, [r1, #4]",               0x05810004, False, 4,    0x204,   None),
    ("ldrt r0, [r1]",                    0xE4B10000, True,  4,    0x200,   None),
]
THUMB_16 = [
    ("ldr r0, [r1]",                     0x6808,     True,  4,    0x200,   None),
    ("ldr r0, [r1, #20]",                0x6948,     True,  4,    0x214,   None),
    ("ldr r0, [sp, #8]",                 0x9802,     True,  4,    0xD08,   None),
    ("ldr r0, [pc, #16]",                0x4804,     True,  4,    0x4014,  None),
    ("str r0, [r1, r2]",                 0x5088,     False, 4,    0x210,   None),
    ("strh r0, [r1, r2]",                0x5288,     False, 2,    0x210,   None),
    ("strb r0, [r1, r2]",                0x5488,     False, 1,    0x210,   None),
    ("ldrsb r0, [r1, r2]",               0x5688,     True,  1,    0x210,   None),
    ("ldr r0, [r1, r2]",                 0x5888,     True,  4,    0x210,   None),
    ("ldrh r0, [r1, r2]",                0x5A88,     True,  2,    0x210,   None),
    ("ldrb r0, [r1, r2]",                0x5C88,     True,  1,    0x210,   None),
    ("ldrsh r0, [r1, r2]",               0x5E88,     True,  2,    0x210,   None),
    ("str r0, [r1, #4]",                 0x6048,     False, 4,    0x204,   None),
    ("strb r0, [r1, #3]",                0x70C8,     False, 1,    0x203,   None),
    ("ldrb r0, [r1, #3]",                0x78C8,     True,  1,    0x203,   None),
    ("strh r0, [r1, #6]",                0x80C8,     False, 2,    0x206,   None),
    ("ldrh r0, [r1, #6]",                0x88C8,     True,  2,    0x206,   None),
    ("str r0, [sp, #8]",                 0x9002,     False, 4,    0xD08,   None),
    ("ldmia r0!, {r1, r2}",              0xC806,     True,  4,    0x100,   (0, 0x108)),
    ("ldmia r0, {r0, r1}",               0xC803,     True,  4,    0x100,   None),
    ("stmia r0!, {r1, r2}",              0xC006,     False, 4,    0x100,   (0, 0x108)),
]
THUMB_32 = [
    ("ldr.w r8, [r1, #340]",             0xF8D18154, True,  4,    0x354,   None),
    ("ldr.w r8, [r1, #-4]",              0xF8518C04, True,  4,    0x1FC,   None),
    ("ldr.w r8, [r1, #4]!",              0xF8518F04, True,  4,    0x204,   (1, 0x204)),
    ("ldr.w r8, [r1], #-4",              0xF8518904, True,  4,    0x200,   (1, 0x1FC)),
    ("ldr.w r8, [r1, r2, lsl #3]",       0xF8518032, True,  4,    0x280,   None),
    ("ldr.w r8, [pc, #-8]",              0xF85F8008, True,  4,    0x3FFC,  None),
    ("ldrb.w r8, [r9]",                  0xF8998000, True,  1,    0x900,   None),
    ("ldrsh.w r8, [r9, #2]",             0xF9B98002, True,  2,    0x902,   None),
    ("ldrsb.w r8, [r9], #1",             0xF9198B01, True,  1,    0x900,   (9, 0x901)),
    ("strb.w r8, [r9, #-1]!",            0xF8098D01, False, 1,    0x8FF,   (9, 0x8FF)),
    ("strh.w r8, [r9, #200]",            0xF8A980C8, False, 2,    0x9C8,   None),
    ("str.w r8, [r9, r10]",              0xF849800A, False, 4,    0x920,   None),
    ("ldrt r0, [r1, #4]",                0xF8510E04, True,  4,    0x204,   None),
    ("ldrd r2, r3, [r1, #-8]",           0xE9512302, True,  4,    0x1F8,   None),
    ("strd r2, r3, [r1], #8",            0xE8E12302, False, 4,    0x200,   (1, 0x208)),
    ("ldmdb r1!, {r2, r8}",              0xE9310104, True,  4,    0x1F8,   (1, 0x1F8)),
    ("stmia.w r8!, {r2, r3}",            0xE8A8000C, False, 4,    0x800,   (8, 0x808)),
]
UNKNOWN = [
    ("ldrex r0, [r1]",                   0xE1910F9F, "arm"),
    ("strex r0, r2, [r1]",               0xE1810F92, "arm"),
    ("vldr s0, [r1]",                    0xED910A00, "arm"),
    ("vstr d0, [r1]",                    0xED810B00, "arm"),
    ("ldr pc, [r1]",                     0xE591F000, "arm"),
    ("ldm sp!, {r0, pc}",                0xE8BD8001, "arm"),
    ("pld [r1]",                         0xF5D1F000, "arm"),
    ("ldr r0, [r1, r2, rrx]",            0xE7910062, "arm"),
    ("swp r0, r2, [r1]",                 0xE1010092, "arm"),
    ("mov r0, r1",                       0xE1A00001, "arm"),
    ("ldrex r0, [r1]",                   0xE8510F00, "thumb"),
    ("vldr s0, [r1]",                    0xED910A00, "thumb"),
    ("ldr.w pc, [r1]",                   0xF8D1F000, "thumb"),
    ("pld [r1]",                         0xF891F000, "thumb"),
    ("tbb [r0, r1]",                     0xE8D0F001, "thumb"),
    ("pop {r0, pc}",                     0xBD01,     "thumb"),
    ("movs r0, r1",                      0x0008,     "thumb"),
]
# fmt: on
EVERY = [
    *(pytest.param("arm", *row[1:], id=row[0]) for row in ARM),
    *(pytest.param("thumb", *row[1:], id=f"thumb {row[0]}") for row in (*THUMB_16, *THUMB_32)),
]


def code(encoding: int, state: str) -> bytes:
    """The bytes of an instruction."""
    if state == "arm":
        return encoding.to_bytes(4, "little")
    if encoding > 0xFFFF:
        return (encoding >> 16).to_bytes(2, "little") + (encoding & 0xFFFF).to_bytes(2, "little")
    return encoding.to_bytes(2, "little")


def status(state: str) -> int:
    return REGISTERS[CPSR] | (THUMB if state == "thumb" else 0)


@pytest.mark.parametrize(("state", "encoding", "load", "size", "address", "base"), EVERY)
def test_known(
    state: str, encoding: int, load: bool, size: int, address: int, base: tuple[int, int] | None
) -> None:
    registers = [*REGISTERS[:CPSR], status(state)]
    access = decode(code(encoding, state), registers[CPSR])
    assert access is not None
    assert (access.load, access.size, access.length) == (load, size, len(code(encoding, state)))
    assert access.address(registers) == address
    seen: list[tuple[int, ...]] = []

    def read(address: int, size: int) -> int:
        seen.append((address, size))
        return 0

    after = access.perform(registers, read, lambda *written: seen.append(written))
    assert [place[0] for place in seen] == [address + size * number for number in range(len(access.targets))]
    assert all(place[1] == size for place in seen)
    assert after[PC] == registers[PC] + access.length
    if base is not None:
        assert after[base[0]] == base[1]
    changed = {number for number in range(PC) if after[number] != registers[number]}
    assert changed <= {*access.targets, *(base[:1] if base is not None else ())}


@pytest.mark.parametrize(("text", "encoding", "state"), UNKNOWN)
def test_unknown(text: str, encoding: int, state: str) -> None:
    assert decode(code(encoding, state), status(state)) is None, text


def test_the_other_byte_order_is_unknown() -> None:
    assert decode(code(0xE5910000, "arm"), 1 << 9) is None


def test_signs_and_widths() -> None:
    for encoding, value, loaded in (
        (0xE1D320D2, 0x80, 0xFFFFFF80),  # ldrsb
        (0xE1D320F2, 0x8001, 0xFFFF8001),  # ldrsh
        (0xE1D320B6, 0x8001, 0x8001),  # ldrh
        (0xE5D32000, 0x1FF, 0xFF),  # ldrb of something that gives too much
    ):
        access = decode(code(encoding, "arm"), 0)
        assert access is not None
        after = access.perform(REGISTERS, _gives(value), _no_write)
        assert after[2] == loaded


def _gives(value: int) -> Callable[[int, int], int]:
    return lambda address, size: value


def _no_write(address: int, size: int, value: int) -> None:
    raise AssertionError("nothing is written")


def test_if_then_blocks_move_on() -> None:
    # ITTE EQ before three instructions; ITSTATE is CPSR 15:10 and 26:25. [ARM DDI 0406C, A2.5.2]
    access = decode(code(0x6808, "thumb"), THUMB)
    assert access is not None
    state, seen = 0b0000_0110, []
    for _ in range(3):
        registers = [*REGISTERS[:CPSR], THUMB | (state & 0xFC) << 8 | (state & 3) << 25]
        value = access.perform(registers, _gives(0), _no_write)[CPSR]
        state = value >> 8 & 0xFC | value >> 25 & 3
        seen.append(state)
    assert seen == [0b0000_1100, 0b0001_1000, 0]


# Against Unicorn.

BASE, DATA, SIZE = 0x10000, 0x20000, 0x10000


def effect(instruction: bytes, registers: Sequence[int]) -> tuple[list[int], bytes] | None:
    """What Unicorn makes of one instruction: registers and memory; None: it raised something."""
    unicorn = pytest.importorskip("unicorn")
    arm = pytest.importorskip("unicorn.arm_const")
    names = [*(getattr(arm, f"UC_ARM_REG_R{number}") for number in range(16)), arm.UC_ARM_REG_CPSR]
    thumb = bool(registers[CPSR] & THUMB)
    engine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_ARM)
    engine.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_A9)
    engine.mem_map(BASE, SIZE)
    engine.mem_map(DATA, SIZE)
    engine.mem_write(registers[PC], instruction)
    engine.mem_write(DATA, memory())
    engine.reg_write(arm.UC_ARM_REG_CPSR, registers[CPSR])  # first: it says whose SP and LR are meant
    for name, value in zip(names, registers, strict=True):
        if name not in (arm.UC_ARM_REG_R15, arm.UC_ARM_REG_CPSR):
            engine.reg_write(name, value)
    try:
        engine.emu_start(registers[PC] | thumb, 0, count=1)
    except unicorn.UcError:
        return None
    return [engine.reg_read(name) for name in names], bytes(engine.mem_read(DATA, SIZE))


def memory() -> bytes:
    return random.Random(7).randbytes(SIZE)


def ours(access: Access, registers: Sequence[int]) -> tuple[list[int], bytes]:
    data = bytearray(memory())

    def read(address: int, size: int) -> int:
        return int.from_bytes(data[address - DATA : address - DATA + size], "little")

    def write(address: int, size: int, value: int) -> None:
        data[address - DATA : address - DATA + size] = value.to_bytes(size, "little")

    return access.perform(registers, read, write), bytes(data)


def in_data(access: Access, registers: Sequence[int]) -> bool:
    address = access.address(registers)
    return address >= DATA and address + access.total <= DATA + SIZE and address % 8 == 0


def test_what_unicorn_makes_of_any_encoding() -> None:
    draw = random.Random(1)
    compared = {"arm": 0, "thumb": 0}
    for state in compared:
        tried = 0
        while compared[state] < 150 and tried < 400_000:
            tried += 1
            if state == "arm":
                word = draw.getrandbits(32)
                instruction = (word & 0x0FFFFFFF | 0xE0000000).to_bytes(4, "little")
            else:
                instruction = draw.randbytes(4)
                if draw.random() < 0.5:  # half of them in the range of the wide ones
                    instruction = (
                        instruction[:1] + bytes((draw.choice((0xE8, 0xE9, 0xF8, 0xF9)),)) + instruction[2:]
                    )
            indexes = [DATA + 0x8000 + 8 * draw.randrange(-64, 64) for _ in range(15)]
            registers = [*indexes, BASE + 0x100, status(state)]
            access = decode(instruction, registers[CPSR])
            if access is None:
                continue
            if access.shifted is not None:
                registers[access.shifted.register] = 8 * draw.randrange(64)
            if unpredictable(access) or not in_data(access, registers):
                continue
            theirs = effect(instruction, registers)
            if theirs is None:
                continue
            compared[state] += 1
            assert ours(access, registers) == theirs, f"{state} {instruction.hex()} {access}"
    assert min(compared.values()) >= 150, compared


def unpredictable(access: Access) -> bool:
    """What the architecture leaves open."""
    fixed = (access.base, *access.targets, *((access.shifted.register,) if access.shifted else ()))
    return (
        PC in fixed
        or (access.step is not None and access.base in access.targets)
        or (access.shifted is not None and access.shifted.register in (access.base, *access.targets))
    )
