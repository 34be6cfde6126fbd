"""Values of device-tree properties: big-endian cells, strings with a NUL behind each.  [IEEE 1275 3.2.2.1]"""

from __future__ import annotations

import struct

from baseboard.errors import DecodeError


def cells(*numbers: int) -> bytes:
    """32 bits each, modulo 2**32: -1 is ffffffff."""
    return struct.pack(f">{len(numbers)}I", *(number & 0xFFFF_FFFF for number in numbers))


def wide(*numbers: int) -> bytes:
    """64 bits each: two cells, the upper one first."""
    return struct.pack(f">{len(numbers)}Q", *numbers)


def strings(*texts: str) -> bytes:
    """A string, or a list of them."""
    return b"".join(text.encode() + b"\0" for text in texts)


def unpack_cells(value: bytes) -> tuple[int, ...]:
    if len(value) % 4:
        raise DecodeError(f"{len(value)} bytes are not a whole number of cells")
    return struct.unpack(f">{len(value) // 4}I", value)


def unpack_strings(value: bytes) -> tuple[str, ...]:
    if not value:
        return ()
    if value[-1]:
        raise DecodeError("no NUL behind the last string")
    try:
        return tuple(value[:-1].decode().split("\0"))
    except UnicodeDecodeError as error:
        raise DecodeError(f"a string is not UTF-8: {error.reason} at byte {error.start}") from error
