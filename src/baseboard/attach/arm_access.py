"""Loads and stores of 32-bit ARM processors, taken apart and done by hand.  [ARM DDI 0406C, A5, A6, A8.8]

A debugger that stops before an access has to know what it would do: which registers, how wide, where, what
becomes of the base register. Known are loads and stores of general registers, single, double and multiple, in
ARM and Thumb encoding; not known are exclusive ones, those of coprocessors (VFP, NEON), and any in the other
byte order.

An instruction that is about to access memory has passed its condition, so that none is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

SP, PC, CPSR = 13, 15, 16
"""Numbers of registers, as in the block that a debugger reads: r0 to r15, CPSR."""
THUMB, BIG_ENDIAN = 1 << 5, 1 << 9
"""Of CPSR."""
_WORD = 0xFFFFFFFF
_LSL, _LSR, _ASR, _ROR = range(4)

Read = Callable[[int, int], int]
"""Address, size: the value."""
Write = Callable[[int, int, int], None]
"""Address, size, value."""


class Index(NamedTuple):
    """An offset that is a register, shifted."""

    register: int
    shift: int
    amount: int
    add: bool

    def value(self, registers: Sequence[int]) -> int:
        """The offset."""
        value = registers[self.register]
        if self.shift == _LSL:
            value <<= self.amount
        elif self.shift == _LSR:
            value >>= self.amount
        elif self.shift == _ASR:
            value = _signed(value, 32) >> self.amount
        else:
            value = value >> self.amount | value << 32 - self.amount
        return value & _WORD if self.add else -(value & _WORD)


class Access(NamedTuple):
    """What an instruction does to memory."""

    load: bool
    size: int
    """Bytes of each register's access."""
    targets: tuple[int, ...]
    """The registers that are loaded or stored, in the order of their addresses."""
    base: int
    length: int
    """Bytes of the instruction."""
    offset: int = 0
    """From the base register to the address; that of an index comes on top."""
    step: int | None = None
    """What the base register is changed by; None: it is not written back."""
    shifted: Index | None = None
    signed: bool = False
    """A loaded value is extended by its sign."""
    post: bool = False
    """An index changes the base register only, after the access."""

    def base_value(self, registers: Sequence[int]) -> int:
        """The base register; PC is ahead of the instruction."""
        if self.base != PC:
            return registers[self.base]
        if registers[CPSR] & THUMB:
            return (registers[PC] + 4) & ~3
        return registers[PC] + 8

    def address(self, registers: Sequence[int]) -> int:
        """Of the first byte."""
        index = self.shifted.value(registers) if self.shifted is not None and not self.post else 0
        return self.base_value(registers) + self.offset + index & _WORD

    @property
    def total(self) -> int:
        """Bytes of the whole access."""
        return self.size * len(self.targets)

    def perform(self, registers: Sequence[int], read: Read, write: Write) -> list[int]:
        """Do it; the registers afterwards, PC behind the instruction."""
        after = list(registers)
        address = self.address(registers)
        if self.step is not None:
            index = self.shifted.value(registers) if self.shifted is not None else 0
            after[self.base] = self.base_value(registers) + self.step + index & _WORD
        for number in self.targets:
            if self.load:
                value = read(address, self.size) & (1 << 8 * self.size) - 1
                after[number] = _signed(value, 8 * self.size) & _WORD if self.signed else value
            else:
                value = registers[number] + (8 if number == PC else 0)
                write(address, self.size, value & (1 << 8 * self.size) - 1)
            address = address + self.size & _WORD
        after[PC] = registers[PC] + self.length & _WORD
        after[CPSR] = _after_if_then(registers[CPSR])
        return after


def decode(code: bytes, status: int) -> Access | None:
    """The instruction that these bytes begin with, in the state that CPSR says; None: not one of those known.

    A load of PC is a jump, and is not known either.
    """
    if status & BIG_ENDIAN:
        return None
    if status & THUMB:
        access = _thumb(int.from_bytes(code[:2], "little"), int.from_bytes(code[2:4], "little"))
    else:
        access = _arm(int.from_bytes(code[:4], "little"))
    return None if access is not None and access.load and PC in access.targets else access


# ARM encoding.


def _arm(word: int) -> Access | None:
    if word >> 28 == 0xF:
        return None
    group = word >> 25 & 7
    if group == 2 or (group == 3 and not word & 0x10):
        return _arm_word_or_byte(word)
    if group == 0 and word & 0x90 == 0x90 and word & 0x60:
        return _arm_extra(word)
    if group == 4 and not word & 1 << 22:
        return _multiple(word >> 23 & 3, word, 4)
    return None


def _arm_word_or_byte(word: int) -> Access | None:
    amount, shift = word >> 7 & 0x1F, word >> 5 & 3
    index = None
    if word & 1 << 25:
        if shift in (_LSR, _ASR) and not amount:
            amount = 32
        elif shift == _ROR and not amount:
            return None  # RRX: depends on the carry
        index = Index(word & 0xF, shift, amount, bool(word & 1 << 23))
    size = 1 if word & 1 << 22 else 4
    return _indexed(word, bool(word & 1 << 20), size, (word >> 12 & 0xF,), word & 0xFFF, index)


def _arm_extra(word: int) -> Access | None:
    load, kind, first = bool(word & 1 << 20), word >> 5 & 3, word >> 12 & 0xF
    index = None if word & 1 << 22 else Index(word & 0xF, _LSL, 0, bool(word & 1 << 23))
    immediate = word >> 4 & 0xF0 | word & 0xF
    if not load and kind != 1:  # LDRD, STRD
        if first & 1:
            return None
        return _indexed(word, kind == 2, 4, (first, first + 1), immediate, index)
    return _indexed(word, load, 1 if kind == 2 else 2, (first,), immediate, index, signed=kind != 1)


def _indexed(
    word: int,
    load: bool,
    size: int,
    targets: tuple[int, ...],
    immediate: int,
    index: Index | None,
    signed: bool = False,
) -> Access:
    """With the bits P, U, W and Rn where ARM has them."""
    before, write_back = bool(word & 1 << 24), bool(word & 1 << 21)
    step = 0 if index is not None else immediate if word & 1 << 23 else -immediate
    return Access(
        load,
        size,
        targets,
        word >> 16 & 0xF,
        4,
        offset=step if before else 0,
        step=step if write_back or not before else None,
        shifted=index,
        signed=signed,
        post=not before,
    )


def _multiple(mode: int, word: int, length: int) -> Access | None:
    """LDM and STM; `mode`: U, and in front of it P."""
    targets = tuple(number for number in range(16) if word & 1 << number)
    if not targets:
        return None
    size = 4 * len(targets)
    # decrement after, increment after, decrement before, increment before
    offset = (4 - size, 0, -size, 4)[mode]
    step = (size if mode & 1 else -size) if word & 1 << 21 else None
    return Access(bool(word & 1 << 20), 4, targets, word >> 16 & 0xF, length, offset=offset, step=step)


# Thumb encoding.

# fmt: off
_THUMB_REGISTER = (
    # load   size  signed
    (False,  4,    False),  # STR
    (False,  2,    False),  # STRH
    (False,  1,    False),  # STRB
    (True,   1,    True),   # LDRSB
    (True,   4,    False),  # LDR
    (True,   2,    False),  # LDRH
    (True,   1,    False),  # LDRB
    (True,   2,    True),   # LDRSH
)
_THUMB_IMMEDIATE = {
    # bits 15:12   size of a load or store with an offset of 5 bits
    0x6:           4,
    0x7:           1,
    0x8:           2,
}
# fmt: on


def _thumb(first: int, second: int) -> Access | None:
    if first >> 11 in (0x1D, 0x1E, 0x1F):
        return _wide(first, second)
    group, load = first >> 12, bool(first & 1 << 11)
    low, next_, immediate = first & 7, first >> 3 & 7, first >> 6 & 0x1F
    if group == 5:
        load, size, signed = _THUMB_REGISTER[first >> 9 & 7]
        return Access(
            load, size, (low,), next_, 2, shifted=Index(first >> 6 & 7, _LSL, 0, True), signed=signed
        )
    if size := _THUMB_IMMEDIATE.get(group, 0):
        return Access(load, size, (low,), next_, 2, offset=immediate * size)
    if group == 9 or first >> 11 == 9:
        base = SP if group == 9 else PC
        load = load or group == 4
        return Access(load, 4, (first >> 8 & 7,), base, 2, offset=(first & 0xFF) * 4)
    if group == 0xC:
        base, list_ = first >> 8 & 7, first & 0xFF
        write_back = not load or not list_ & 1 << base
        return _multiple(1, load << 20 | write_back << 21 | base << 16 | list_, 2)
    return None


def _wide(first: int, second: int) -> Access | None:
    base, load = first & 0xF, bool(first & 1 << 4)
    if first >> 9 == 0x7C:
        return _wide_single(first, second, base, load)
    if first >> 9 == 0x74 and first & 1 << 6 and first & 0x120:  # LDRD, STRD
        step = (second & 0xFF) * 4 * (1 if first & 1 << 7 else -1)
        return Access(
            load,
            4,
            (second >> 12, second >> 8 & 0xF),
            base,
            4,
            offset=step if first & 1 << 8 else 0,
            step=step if first & 1 << 5 else None,
        )
    if first >> 9 == 0x74 and not first & 1 << 6 and first >> 7 & 3 in (1, 2):
        return _multiple(first >> 7 & 3, (first & 0x3F) << 16 | second, 4)
    return None


def _wide_single(first: int, second: int, base: int, load: bool) -> Access | None:
    signed, size, target = bool(first & 1 << 8), 1 << (first >> 5 & 3), second >> 12
    if size == 8 or (signed and (size == 4 or not load)) or (target == PC and size < 4):
        return None
    step: int | None = None
    index, offset = None, 0
    if base == PC or first & 1 << 7:
        offset = second & 0xFFF
        if base == PC and not first & 1 << 7:
            offset = -offset
    elif second & 1 << 11:
        before, add, write_back = second & 1 << 10, second & 1 << 9, second & 1 << 8
        change = second & 0xFF if add else -(second & 0xFF)
        offset = change if before else 0
        # P, U and no W: as from user mode, with no write-back either.
        step = change if write_back else None
    elif not second & 0xFC0:
        index = Index(second & 0xF, _LSL, second >> 4 & 3, True)
    else:
        return None
    return Access(load, size, (target,), base, 4, offset=offset, step=step, shifted=index, signed=signed)


def _after_if_then(status: int) -> int:
    """CPSR behind an instruction: an if-then block has one instruction less."""
    if not status & THUMB:
        return status
    state = status >> 8 & 0xFC | status >> 25 & 3
    if not state & 0xF:
        return status
    state = 0 if not state & 7 else state & 0xE0 | state << 1 & 0x1F
    return status & ~0x0600FC00 | (state & 0xFC) << 8 | (state & 3) << 25


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 & 1 else value
