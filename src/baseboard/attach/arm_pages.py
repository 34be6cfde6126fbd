"""Where a 32-bit ARM system has mapped a page of hardware: its translation tables, read backwards.

[ARM DDI 0406C, B3.5, short descriptors]  Long descriptors (LPAE) are not read. What the tables point to
outside of memory is not read either: a table is the guest's, and a read of hardware does something.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from baseboard.attach.errors import NotAttachable

PAGE = 0x1000
_MEGABYTE, _SUPERSECTION, _LARGE = 1 << 20, 1 << 24, 1 << 16
_ENTRIES = 4096
_SMALL_TABLE = 1024
"""Bytes of a second-level table."""

ReadMemory = Callable[[int, int], bytes | None]
"""Physical address, size: the bytes; None: no memory is there."""


class Translation(NamedTuple):
    """How a processor translates."""

    control: int
    """SCTLR."""
    ttbr0: int = 0
    ttbr1: int = 0
    ttbcr: int = 0

    @property
    def on(self) -> bool:
        """Whether addresses are translated at all."""
        return bool(self.control & 1)


def virtual_pages(page: int, translation: Translation, read: ReadMemory) -> tuple[int, ...]:
    """All virtual addresses of this physical page, in ascending order.  Raises NotAttachable: LPAE."""
    if not translation.on:
        return (page,)
    if translation.ttbcr >> 31:
        raise NotAttachable(
            "the firmware's system translates with long descriptors (LPAE), which are not read"
        )
    shift = translation.ttbcr & 7
    found = set()
    low = translation.ttbr0 & ~((1 << 14 - shift) - 1) & 0xFFFFFFFF
    found.update(_walk(page, read(low, 4 * (_ENTRIES >> shift)), 0, read))
    if shift:  # the rest of the address space is TTBR1's
        high = translation.ttbr1 & 0xFFFFC000
        first = _ENTRIES >> shift
        found.update(_walk(page, read(high + 4 * first, 4 * (_ENTRIES - first)), first, read))
    return tuple(sorted(found))


def _walk(page: int, table: bytes | None, first: int, read: ReadMemory) -> set[int]:
    found: set[int] = set()
    for number, entry in enumerate(_words(table), first):
        kind, virtual = entry & 3, number * _MEGABYTE
        if kind == 1:
            found.update(virtual + offset for offset in _walk_small(page, read(entry & ~0x3FF, _SMALL_TABLE)))
        elif kind >= 2 and entry & 1 << 18:
            base = entry & ~(_SUPERSECTION - 1)  # the table has 16 of the same
            offset = (virtual & _SUPERSECTION - 1) + (page & _MEGABYTE - 1)
            if base + offset == page:
                found.add(virtual + (page & _MEGABYTE - 1))
        elif kind >= 2 and entry & ~(_MEGABYTE - 1) == page & ~(_MEGABYTE - 1):
            found.add(virtual + (page & _MEGABYTE - 1))
    return found


def _walk_small(page: int, table: bytes | None) -> set[int]:
    found = set()
    for number, entry in enumerate(_words(table)):
        if entry & 2:
            base = entry & ~(PAGE - 1)
        elif entry & 1:
            base = (entry & ~(_LARGE - 1)) + (number * PAGE & _LARGE - 1)  # 16 of the same
        else:
            continue
        if base == page:
            found.add(number * PAGE)
    return found


def _words(table: bytes | None) -> tuple[int, ...]:
    data = table or b""
    return struct.unpack_from(f"<{len(data) // 4}I", data)
