"""The device tree that a Linux kernel has from its boot loader, found in the stopped guest's memory.

Early in its start the kernel writes its firmware's tree into memory as one piece, with what it has done by
then (where its RTAS is), and keeps that piece. It begins with a page, of 64 or of 4 KiB.  [Linux 6.1]

QEMU's monitor has a command for the tree, `dumpdtb`; but where the firmware is SLOF, QEMU 7.2 writes from
memory that it has freed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from baseboard.errors import DecodeError
from baseboard.spapr import fdt
from baseboard.spapr.tree import Node

_MAGIC = bytes.fromhex("d00dfeed")
_HEAD = 8
_PLACES = ((1 << 16, 1 << 30), (1 << 12, 1 << 27))
"""Sizes of pages, and how far we look at each: some seconds at most, in which the guest stands still."""

Read = Callable[[int, int], bytes]
"""Real address, length."""


def find_tree(read: Read, ram: int) -> tuple[Node, bytes] | None:
    """The tree and its bytes; None: there is none, or its kernel has no RTAS."""
    for address in _places(ram):
        if read(address, 4) != _MAGIC:
            continue
        length = int.from_bytes(read(address, _HEAD)[4:], "big")
        if not fdt.HEADER_SIZE <= length <= min(fdt.MAXIMUM_SIZE, ram - address):
            continue
        data = read(address, length)
        try:
            tree = fdt.parse(data)
        except DecodeError:
            continue
        rtas = tree.child("rtas")
        if rtas is not None and len(rtas.properties.get("linux,rtas-entry", b"")) == 4:
            return tree, data
    return None


def _places(ram: int) -> Iterator[int]:
    for step, end in _PLACES:
        yield from range(0, min(end, ram), step)
