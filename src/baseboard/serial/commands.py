"""The words after SYS in Terminal Mode, and the IPMI commands that they stand for.  [IPMI 14.7.9]

Nearly all of them are an IPMI command in words; so the controller's own tables say who may give them and what
is wrong with them. Log-in is the session's business (`SYS PWD`), health is asked of whoever knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from baseboard.errors import DecodeError
from baseboard.ipmi.message import Message
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Channel
from baseboard.serial.terminal import decode_hexadecimal

BOOT_FLAGS = 0x05
"""Boot option parameter with the boot device.  [IPMI 28.13]"""
TERMINAL_MODE = 29
VOLATILE, NON_VOLATILE = 0x00, 0x40
LONGEST_IDENTIFY = 0xFF


@dataclass(frozen=True, slots=True)
class Health:
    """How the server is.  [IPMI 14.7.9, SYS HEALTH QUERY]"""

    power: str
    """ON, OFF, SLP."""
    states: tuple[tuple[str, str, str], ...]
    """Abbreviation, word, state: ok, nc, cr, nr, uf or ??."""

    def terse(self) -> str:
        """One line."""
        return " ".join((f"PWR:{self.power}", *(f"{short}:{state}" for short, _, state in self.states)))

    def verbose(self) -> list[str]:
        """One line for each."""
        lines = [f"{word}:{STATES[state]}" for _, word, state in self.states]
        return [f"SYS {lines[0]}", f"Power:{self.power}", *lines[1:]]


# fmt: off
STATES = {
    "ok": "OK", "nc": "Non-critical", "cr": "Critical", "nr": "Non-recoverable", "uf": "Unspecified fault",
    "??": "Unknown",
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Order:
    """An IPMI command."""

    message: Message
    shows_data: bool = False
    """The answer's data stand behind OK."""


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody wants to log in."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Logout:
    """Whoever is logged in has done."""


@dataclass(frozen=True, slots=True)
class Show:
    """An answer that needs nobody's leave."""

    text: str


@dataclass(frozen=True, slots=True)
class AskHealth:
    """How is the server?"""

    verbose: bool


Step = Order | Login | Logout | Show | AskHealth


def parse(words: Sequence[str]) -> Step:
    """What the words behind SYS mean.  Raises DecodeError."""
    for row, parse_rest in COMMANDS:
        if tuple(words[: len(row)]) == row:
            return parse_rest(words[len(row) :])
    raise DecodeError(f"no command SYS {' '.join(words[:2])}")


def _chassis(command: int, *data: int) -> Callable[[Sequence[str]], Step]:
    def make(rest: Sequence[str]) -> Step:
        _nothing(rest)
        return Order(Message(NetFn.CHASSIS, 0, command, bytes(data)))

    return make


def _password(rest: Sequence[str]) -> Step:
    match list(rest):
        case ["-X"]:
            return Logout()
        case ["-N"]:
            return Login("", "")
        case ["-N", password]:
            return Login("", password)
        case ["-U", name]:
            return Login(name, "")
        case ["-U", name, password]:
            return Login(name, password)
    raise DecodeError("SYS PWD takes -U NAME [PASSWORD], -N [PASSWORD] or -X")


def _identify(rest: Sequence[str]) -> Step:
    match list(rest):
        case []:
            return Order(Message(NetFn.CHASSIS, 0, 0x04, b""))
        case ["-OFF"]:
            return Order(Message(NetFn.CHASSIS, 0, 0x04, b"\0"))
        case ["-ON"]:
            return Order(Message(NetFn.CHASSIS, 0, 0x04, b"\0\1"))
        case ["-ON", seconds]:
            return Order(Message(NetFn.CHASSIS, 0, 0x04, _bytes([seconds], 1)))
    raise DecodeError("SYS IDENTIFY takes nothing, -ON [SECONDS] or -OFF")


def _set_boot(rest: Sequence[str]) -> Step:
    return Order(Message(NetFn.CHASSIS, 0, 0x08, bytes((BOOT_FLAGS,)) + _bytes(rest, 5)))


def _set_boot_option(rest: Sequence[str]) -> Step:
    return Order(Message(NetFn.CHASSIS, 0, 0x08, _bytes(rest)))


def _get_boot_option(rest: Sequence[str]) -> Step:
    return Order(Message(NetFn.CHASSIS, 0, 0x09, _bytes(rest, 3)), shows_data=True)


def _terminal(rest: Sequence[str]) -> Step:
    if not rest:
        data = bytes((Channel.PRESENT, TERMINAL_MODE, 0, 0))
        return Order(Message(NetFn.TRANSPORT, 0, 0x11, data), shows_data=True)
    kind = {"-V": VOLATILE, "-N": NON_VOLATILE}.get(rest[0])
    if kind is None:
        raise DecodeError("SYS SET TCFG takes nothing, -V XX YY or -N XX YY")
    first, second = _bytes(rest[1:], 2)
    data = bytes((Channel.PRESENT, TERMINAL_MODE, first & 0x3F | kind, second))
    return Order(Message(NetFn.TRANSPORT, 0, 0x10, data))


def _mode(rest: Sequence[str]) -> Step:
    _nothing(rest)
    return Show("TMODE")


def _health(rest: Sequence[str]) -> Step:
    if list(rest) not in ([], ["-V"]):
        raise DecodeError("SYS HEALTH QUERY takes nothing or -V")
    return AskHealth(bool(rest))


def _nothing(rest: Sequence[str]) -> None:
    if rest:
        raise DecodeError(f"{rest[0]!r} is too much")


def _bytes(words: Sequence[str], count: int | None = None) -> bytes:
    data = decode_hexadecimal("".join(words)) if all(len(word) == 2 for word in words) else None
    if not data or (count is not None and len(data) != count):
        raise DecodeError(f"{count or 'some'} bytes in hexadecimal are needed")
    return data


# fmt: off
COMMANDS: tuple[tuple[tuple[str, ...], Callable[[Sequence[str]], Step]], ...] = (
    # words              what follows them
    (("PWD",),             _password),
    (("TMODE",),           _mode),
    (("SET", "BOOT"),      _set_boot),
    (("SET", "BOOTOPT"),   _set_boot_option),
    (("GET", "BOOTOPT"),   _get_boot_option),
    (("SET", "TCFG"),      _terminal),
    (("RESET",),           _chassis(0x02, 0x03)),
    (("POWER", "OFF"),     _chassis(0x02, 0x00)),
    (("POWER", "ON"),      _chassis(0x02, 0x01)),
    (("HEALTH", "QUERY"),  _health),
    (("IDENTIFY",),        _identify),
)
# fmt: on
