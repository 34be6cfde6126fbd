"""How messages longer than a block are cut.  [IPMI 12.3-12.6]"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from baseboard.interface.bus.smbus import LONGEST_BLOCK

MULTI_PART = bytes.fromhex("00 01")
"""Begins the first part of a long answer; no message begins so."""
LAST_PART = 0xFF
_FIRST = LONGEST_BLOCK - 2
_NEXT = LONGEST_BLOCK - 1


class Command(IntEnum):
    """SMBus commands."""

    WRITE = 0x02
    READ = 0x03
    WRITE_START = 0x06
    WRITE_MIDDLE = 0x07
    WRITE_END = 0x08
    READ_NEXT = 0x09
    RETRY = 0x0A


def write_parts(message: bytes) -> Iterator[tuple[Command, bytes]]:
    """The block writes that a request is."""
    if len(message) <= LONGEST_BLOCK:
        yield Command.WRITE, message
        return
    yield Command.WRITE_START, message[:LONGEST_BLOCK]
    last = (len(message) - 1) // LONGEST_BLOCK * LONGEST_BLOCK
    for position in range(LONGEST_BLOCK, last, LONGEST_BLOCK):
        yield Command.WRITE_MIDDLE, message[position : position + LONGEST_BLOCK]
    yield Command.WRITE_END, message[last:]


def read_parts(message: bytes) -> tuple[bytes, ...]:
    """The blocks in which an answer is read."""
    if len(message) <= LONGEST_BLOCK:
        return (message,)
    parts = [MULTI_PART + message[:_FIRST]]
    rest = message[_FIRST:]
    while len(rest) > _NEXT:
        parts.append(bytes((len(parts) - 1,)) + rest[:_NEXT])
        rest = rest[_NEXT:]
    return (*parts, bytes((LAST_PART,)) + rest)
