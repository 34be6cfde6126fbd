"""Messages of vfio-user that read or write one byte of a BAR: what a driver sends all the time.

Such messages differ in their number alone, which comes first, and in the byte that is written, which comes
last. So what stands between is looked up whole, and the answer to it is ready.
"""

from __future__ import annotations

from typing import NamedTuple

from baseboard.interface.remote.vfio_messages import ACCESS, BYTE, COMMAND, NO_REPLY, REPLY, Command

NUMBER_SIZE = 2
SHORT, LONG = ACCESS.size, BYTE.size
"""Of messages without the byte, and with it."""
MOST = 256
"""Bytes of a BAR that are looked after."""


class Access(NamedTuple):
    """One of them."""

    offset: int
    size: int
    """Of the message: `SHORT` reads, `LONG` writes."""
    answer: bytes
    """Between its number and the byte that was read; nothing when no answer is wanted."""


def accesses(bar: int, size: int) -> dict[bytes, Access]:
    """By what stands between the number and the byte."""

    def middle(command: Command, size: int, flags: int, offset: int) -> bytes:
        return ACCESS.pack(0, command, size, flags, 0, offset, bar, 1)[NUMBER_SIZE:]

    read, write = Command.REGION_READ, Command.REGION_WRITE
    rows = {}
    for at in range(min(size, MOST)):
        # fmt: off
        #           message                              size          answer
        rows[middle(read,  SHORT, COMMAND,  at)] = Access(at, SHORT, middle(read,  LONG,  REPLY, at))
        rows[middle(write, LONG,  COMMAND,  at)] = Access(at, LONG,  middle(write, SHORT, REPLY, at))
        rows[middle(write, LONG,  NO_REPLY, at)] = Access(at, LONG,  b"")
        # fmt: on
    return rows
