"""Why a target stopped: the stop replies of GDB's remote serial protocol.  [GDB Remote, "Stop Reply Packets"]

S AA                        signal AA
T AA name:value;...         signal AA, and what is known about it
W AA[;process:N]            the program ended with status AA
X AA[;process:N]            the program was ended by signal AA
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from baseboard.errors import DecodeError

SIGINT, SIGTRAP = 2, 5

# As QEMU 11.1: `T05core:01;`, whose fourth letter is a hexadecimal digit.
_STOP = re.compile(
    rb"T[0-9a-fA-F]{2}(?:[a-z]|$)|[STWX][0-9a-fA-F]{2}(?![0-9a-fA-F])|[WX][0-9a-fA-F]{2,8}(?:;|$)"
)


class Watch(NamedTuple):
    """A watchpoint that was hit."""

    kind: str
    """`watch` (written), `rwatch` (read) or `awatch` (either): how it was set, not always what happened."""
    address: int


class Syscall(NamedTuple):
    """A system call that is caught."""

    number: int
    entering: bool


class Ended(Enum):
    """How a program came to its end."""

    EXIT = "W"
    SIGNAL = "X"


class Stop(NamedTuple):
    """One stop reply."""

    signal: int
    """The signal; for a program that has ended, its status or the signal that ended it."""
    thread: str = ""
    """As the stub writes it; to be given back as it is."""
    watch: Watch | None = None
    syscall: Syscall | None = None
    ended: Ended | None = None


def is_stop(payload: bytes) -> bool:
    """Whether a payload is a stop reply, asked for or not: no other answer looks like one."""
    return _STOP.match(payload) is not None


def parse_stop(payload: bytes) -> Stop:
    """What a stop reply says.  Raises DecodeError."""
    try:
        text = payload.decode("ascii")
        kind = text[:1]
        if kind in ("W", "X"):
            return Stop(int(text[1:].partition(";")[0], 16), ended=Ended(kind))
        if kind not in ("S", "T"):
            raise ValueError
        pairs = [pair.partition(":") for pair in (text[3:].split(";") if kind == "T" else ())]
        return _stopped(int(text[1:3], 16), {name: value for name, _, value in pairs})
    except ValueError:
        raise DecodeError(f"not a stop reply: {payload[:60]!r}") from None


def _stopped(signal: int, said: dict[str, str]) -> Stop:
    watch = next(
        (Watch(kind, int(said[kind], 16)) for kind in ("watch", "rwatch", "awatch") if kind in said), None
    )
    syscall = next(
        (
            Syscall(int(said[name], 16), entering)
            for name, entering in (("syscall_entry", True), ("syscall_return", False))
            if name in said
        ),
        None,
    )
    return Stop(signal, said.get("thread", ""), watch, syscall)
