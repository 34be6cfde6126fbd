"""Acceptance tests of firmware as lists of requests and expectations.

name = "Get Device ID"

[[step]]
request = "06 01"               # network function, command, data; "06.2 01" for LUN 2
expect = "00 20 ?? ?? ?? 02 *"  # completion code, data; ?? any byte, * any rest
within = 1.0                    # seconds
repeat = 100

[[step]]
attention = true                # SMS_ATN rises (or is up) in time

[[step]]
ordered = "power-off"           # what the firmware has ordered of the host's hardware next
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from baseboard.errors import ConfigError
from baseboard.ipmi.message import Message
from baseboard.ipmi.value import Value
from baseboard.vm.protocol import Operation

WITHIN = 5.0
LONGEST_WAIT = 3600.0
MOST_REPEATS = 1_000_000
KEYS = ("name", "within", "repeat", "request", "expect", "attention", "ordered")
ORDERS: Mapping[str, Operation] = {
    "power-off": Operation.POWER_OFF,
    "reset": Operation.RESET,
    "nmi": Operation.NMI,
    "soft-off": Operation.GRACEFUL_SHUTDOWN,
}

ORDER_NAMES = {operation: name for name, operation in ORDERS.items()}

_BYTE = re.compile(r"[0-9A-Fa-f]{2}|\?\?")


class Pattern(Value):
    """What an answer is to look like."""

    text: str
    items: tuple[int | None, ...]
    """None: any byte."""
    any_rest: bool

    def matches(self, data: bytes) -> bool:
        """Whether an answer is as expected."""
        if len(data) < len(self.items) or (len(data) > len(self.items) and not self.any_rest):
            return False
        return all(item is None or item == byte for item, byte in zip(self.items, data, strict=False))


class Step(Value, kw_only=True):
    """One row: exactly one of `message`, `attention` and `ordered`."""

    name: str
    within: float = WITHIN
    repeat: int = 1
    message: Message | None = None
    expect: Pattern | None = None
    attention: bool | None = None
    ordered: Operation | None = None


class Script(Value):
    """A whole test."""

    name: str
    steps: tuple[Step, ...]


def parse_request(words: str) -> Message:
    """`NETFN[.LUN] COMMAND [DATA...]`, hexadecimal.  Raises ConfigError."""
    first, *rest = words.replace("0x", "").replace(",", " ").split() or [""]
    netfn, _, lun = first.partition(".")
    try:
        numbers = [int(word, 16) for word in (netfn, *rest)]
        message = Message(numbers[0], int(lun or "0"), numbers[1], bytes(numbers[2:]))
    except (ValueError, IndexError):
        raise ConfigError(
            f"request {words!r} is not NETFN[.LUN] COMMAND [DATA...] in hexadecimal, as in 06 01"
        ) from None
    netfn_ok = not message.netfn & 1 and 0 <= message.netfn <= 0x3E
    if not netfn_ok or not 0 <= message.lun <= 3 or not 0 <= message.command < 256:
        raise ConfigError(f"request {words!r}: NETFN is even, up to 3E; LUN 0 to 3; COMMAND one byte")
    return message


def parse_pattern(text: str) -> Pattern:
    """`00 20 ?? *`.  Raises ConfigError."""
    words = text.split()
    any_rest = words[-1:] == ["*"]
    if any_rest:
        words.pop()
    if not all(_BYTE.fullmatch(word) for word in words):
        raise ConfigError(f"expect {text!r} is not bytes in hexadecimal, ?? for any one, * for any rest")
    return Pattern(text, tuple(None if word == "??" else int(word, 16) for word in words), any_rest)


def parse_script(data: Mapping[str, Any]) -> Script:
    """A script as TOML gives it.  Raises ConfigError that names the step."""
    unknown = data.keys() - {"name", "step"}
    if unknown:
        raise ConfigError(f"script: {', '.join(sorted(unknown))} is not one of name, step")
    steps = data.get("step")
    if not isinstance(steps, list) or not steps:
        raise ConfigError("script: there is no [[step]]")
    rows = tuple(_step(number, step) for number, step in enumerate(steps, 1))
    return Script(str(data.get("name", "")), rows)


def _step(number: int, data: Any) -> Step:
    where = f"step {number}"
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: is not a table")
    unknown = [key for key in data if key not in KEYS]
    if unknown:
        raise ConfigError(f"{where}: {', '.join(unknown)} is not one of {', '.join(KEYS)}")
    kinds = data.keys() & {"request", "attention", "ordered"}
    if len(kinds) != 1:
        raise ConfigError(f"{where}: needs one of request, attention, ordered")
    try:
        step = _of_kind(kinds.pop(), data)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    within, repeat = data.get("within", WITHIN), data.get("repeat", 1)
    if type(within) not in (int, float) or not 0 < within <= LONGEST_WAIT:
        raise ConfigError(f"{where}: within {within!r} is not seconds from 0 to {LONGEST_WAIT:g}")
    if type(repeat) is not int or not 1 <= repeat <= MOST_REPEATS:
        raise ConfigError(f"{where}: repeat {repeat!r} is not a number from 1 to {MOST_REPEATS}")
    return step.replace(name=str(data.get("name", step.name)), within=float(within), repeat=repeat)


def _of_kind(kind: str, data: Mapping[str, Any]) -> Step:
    value = data[kind]
    if kind == "request":
        if not isinstance(value, str) or not isinstance(data.get("expect", ""), str):
            raise ConfigError("request and expect are strings")
        expect = parse_pattern(data["expect"]) if "expect" in data else None
        return Step(name=f"request {value}", message=parse_request(value), expect=expect)
    if "expect" in data:
        raise ConfigError("expect goes with request")
    if kind == "attention":
        if not isinstance(value, bool):
            raise ConfigError(f"attention {value!r} is not true or false")
        return Step(name=f"attention {'up' if value else 'down'}", attention=value)
    operation = ORDERS.get(value) if isinstance(value, str) else None
    if operation is None:
        raise ConfigError(f"ordered {value!r} is not one of {', '.join(ORDERS)}")
    return Step(name=f"ordered {value}", ordered=operation)
