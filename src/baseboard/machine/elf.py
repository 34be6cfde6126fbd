"""Programs in ELF, as a linker writes them: what to load where, and what is called how.  [ELF]"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

from baseboard.errors import ConfigError, DecodeError
from baseboard.ipmi.value import Value

I386, PPC64, ARM = 3, 21, 40
"""e_machine."""
_PROCESSORS = {
    I386: "x86 of 32 bits",
    20: "PPC of 32 bits",
    PPC64: "PPC64",
    ARM: "ARM of 32 bits",
    62: "x86-64",
    183: "AArch64",
}
"""What compilers make for the processors that we have and for those that are taken for them."""
_RELOCATABLE = 1
"""e_type of an object file."""
_LOAD = 1
_SYMBOLS = 2
_FUNCTION_OR_OBJECT = (0, 1, 2)
_MOST = 65536
"""Symbols and segments that are looked at."""


def processor_name(machine: int) -> str:
    """An `e_machine` in words."""
    return _PROCESSORS.get(machine, f"ELF machine {machine}")


class Segment(NamedTuple):
    """Bytes at an address, and how many there are with the zeros behind them."""

    address: int
    data: bytes
    size: int


class _Layout(NamedTuple):
    """Where the fields of the tables stand, which 32 and 64 bits have in different order."""

    header: str
    program: str
    program_order: tuple[int, ...]
    """Indexes of type, offset, physical address, size in the file, size in memory."""
    section: str
    symbol: str
    symbol_order: tuple[int, ...]
    """Indexes of name, value, info, section."""


# fmt: off
_LAYOUTS = {  # by class: 1 has 32 bits, 2 has 64
    1: _Layout(header="HHIIIIIHHHHHH", section="IIIIIIIIII",
               program="IIIIIIII", program_order=(0, 1, 3, 4, 5), symbol="IIIBBH", symbol_order=(0, 1, 3, 5)),
    2: _Layout(header="HHIQQQIHHHHHH", section="IIQQQQIIQQ",
               program="IIQQQQQQ", program_order=(0, 2, 4, 5, 6), symbol="IBBHQQ", symbol_order=(0, 4, 1, 3)),
}
# fmt: on


class Elf(Value, kw_only=True):
    """A program."""

    machine: int
    byte_order: str
    """little or big."""
    entry: int
    segments: tuple[Segment, ...]
    symbols: dict[str, int]

    @classmethod
    def from_file(cls, path: Path) -> Elf:
        """Read a file.  Raises ConfigError."""
        try:
            return cls.decode(path.read_bytes())
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error
        except DecodeError as error:
            raise ConfigError(f"{path}: {error}") from error

    @classmethod
    def decode(cls, data: bytes) -> Elf:
        """Read a program.  Raises DecodeError."""
        if data[:4] != b"\x7fELF" or len(data) < 16 or data[4] not in _LAYOUTS or data[5] not in (1, 2):
            raise DecodeError("not an ELF program")
        try:
            return _decode(data, _LAYOUTS[data[4]], "<" if data[5] == 1 else ">")
        except (struct.error, OverflowError) as error:
            raise DecodeError(f"an ELF program that is cut short: {error}") from error


def _decode(data: bytes, layout: _Layout, order: str) -> Elf:
    header = struct.unpack_from(order + layout.header, data, 16)
    if header[0] == _RELOCATABLE:
        raise DecodeError("an object file: link it to a program first")
    machine, entry, program_offset, section_offset = header[1], *header[3:6]
    program_count, section_count = header[9], header[11]
    segments = []
    for row in _table(data, order + layout.program, program_offset, program_count):
        type_, offset, address, size, memory_size = (row[i] for i in layout.program_order)
        if type_ == _LOAD and memory_size:
            content = data[offset : offset + size]
            if len(content) < size or memory_size < size:
                raise DecodeError(f"the ELF segment for {address:#x} is cut short")
            segments.append(Segment(address, content, memory_size))
    sections = _table(data, order + layout.section, section_offset, section_count)
    symbols: dict[str, int] = {}
    for section in sections:
        if section[1] == _SYMBOLS and section[6] < len(sections):
            names = sections[section[6]]
            text = data[names[4] : names[4] + names[5]]
            count = section[5] // struct.calcsize(order + layout.symbol)
            for row in _table(data, order + layout.symbol, section[4], count):
                name, value, info, place = (row[i] for i in layout.symbol_order)
                if place and info & 0xF in _FUNCTION_OR_OBJECT and name < len(text):
                    end = text.find(b"\0", name)
                    symbols[text[name : end if end >= 0 else None].decode("latin-1")] = value
    symbols.pop("", None)
    byte_order = "little" if order == "<" else "big"
    return Elf(machine=machine, byte_order=byte_order, entry=entry, segments=tuple(segments), symbols=symbols)


def _table(data: bytes, row: str, offset: int, count: int) -> list[tuple[int, ...]]:
    size = struct.calcsize(row)
    return [struct.unpack_from(row, data, offset + number * size) for number in range(min(count, _MOST))]
