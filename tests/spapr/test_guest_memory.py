"""Ranges that are memory, and ranges that are not."""

from __future__ import annotations

import pytest

from baseboard.errors import DecodeError
from baseboard.spapr.cells import cells, strings, unpack_cells, unpack_strings, wide
from baseboard.spapr.guest_memory import BadAddress, ByteMemory, read_cells, write_cells


def test_cells_are_big_endian_and_modulo_32_bits() -> None:
    memory = ByteMemory(0x20)
    write_cells(memory, 8, 0x201A, -3)
    assert memory.read(6, 12).hex() == "00000000201afffffffd0000"
    assert read_cells(memory, 8, 2) == (0x201A, 0xFFFF_FFFD)


@pytest.mark.parametrize(
    ("address", "length"),
    [(0x0FFF, 2), (0x10F0, 0x11), (0x1100, 1), (-1, 1), (1 << 64, 4), (0x1000, -1), (0, 0x2000)],
)
def test_outside_is_a_bad_address_and_nothing_is_written(address: int, length: int) -> None:
    memory = ByteMemory(0x100, base=0x1000)
    with pytest.raises(BadAddress, match="no memory at"):
        memory.read(address, length)
    if length > 0:
        with pytest.raises(BadAddress):
            memory.write(address, bytes([0xFF]) * length)
    assert memory.content == bytes(0x100)


def test_the_last_byte_is_memory() -> None:
    memory = ByteMemory(0x100, base=0x1000)
    memory.write(0x10FF, b"\x5a")
    assert memory.read(0x10FF, 1) == b"\x5a"
    assert memory.read(0x1100, 0) == b""


def test_property_values() -> None:
    assert cells(1, -1).hex() == "00000001ffffffff"
    assert wide(0x8_0000_0000).hex() == "0000000800000000"
    assert strings("LMB 8", "LMB 9") == b"LMB 8\0LMB 9\0"
    assert unpack_cells(cells(1, 2)) == (1, 2)
    assert unpack_strings(b"a\0b\0") == ("a", "b")
    assert unpack_strings(b"") == ()


@pytest.mark.parametrize("value", [b"a", b"\xff\0"])
def test_what_is_no_string(value: bytes) -> None:
    with pytest.raises(DecodeError):
        unpack_strings(value)


def test_what_is_no_cell() -> None:
    with pytest.raises(DecodeError, match="5 bytes"):
        unpack_cells(bytes(5))
