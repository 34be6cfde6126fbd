"""What requests are called, for people who look on."""

from __future__ import annotations

from functools import cache

from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Message

# fmt: off
ACRONYMS = frozenset((
    "acpi", "bmc", "bt", "dcmi", "fru", "guid", "i2c", "id", "ip", "ipmb", "lan", "led", "nmi", "oem", "pef",
    "pet", "picmg", "poh", "rmcp", "sdr", "sel", "sol", "utc",
))
# fmt: on


@cache
def _names() -> dict[tuple[int, int], str]:
    from baseboard.bmc.commands import TABLES

    return {
        (table.netfn, row.number): " ".join(
            word.upper() if word in ACRONYMS else word.capitalize()
            for word in row.handler.__name__.strip("_").split("_")
        )
        for table in TABLES
        if table.group is None
        for row in table.commands
        if row.handler is not None
    }


def command_name(message: Message) -> str:
    """In words, or by numbers."""
    name = _names().get((message.netfn, message.command))
    return name or f"netfn {message.netfn:02X}h, command {message.command:02X}h"


def completion_text(code: int) -> str:
    """A completion code in words."""
    try:
        return f"{code:02X}h ({CompletionCode(code).name.lower().replace('_', ' ')})"
    except ValueError:
        return f"{code:02X}h"


def request_text(message: Message) -> str:
    """As `raw` takes it."""
    lun = f".{message.lun}" if message.lun else ""
    return f"{message.netfn:02x}{lun} {bytes((message.command,)).hex()} {message.data.hex(' ')}".strip()
