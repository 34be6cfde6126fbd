"""Any event log in words, and logs as people paste them: hex, or a kernel's `RTAS n:` lines."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from baseboard.errors import DecodeError
from baseboard.spapr.events.log import MAIN_A, EpowEvent, EventLog, HotplugEvent, Section

# fmt: off
SEVERITIES   = {0: "no error", 1: "event", 2: "warning", 3: "error, synchronous", 4: "error", 5: "fatal",
                6: "already reported"}
DISPOSITIONS = {0: "fully recovered", 1: "limited recovery", 2: "not recovered"}
ORIGINS      = {0: "unknown", 1: "processor", 2: "PCI", 3: "ISA", 4: "memory", 5: "power management",
                6: "hot plug"}
TYPES        = {1: "retry", 2: "TCE error", 3: "internal device failure", 4: "timeout", 5: "data parity",
                6: "address parity", 7: "cache parity", 8: "address invalid", 9: "ECC, uncorrected",
                10: "ECC, corrected", 0x40: "EPOW", 0xA0: "platform resource reassignment",
                0xE0: "platform error", 0xE1: "I/O event", 0xE2: "platform information",
                0xE3: "resource deallocation", 0xE4: "dump notification", 0xE5: "hot plug"}
CREATORS     = {"E": "service processor", "H": "hypervisor", "W": "power control", "L": "partition firmware"}
SECTIONS     = {"PH": "Main-A", "UH": "Main-B", "PS": "primary reference code", "EP": "EPOW",
                "HP": "hot plug", "IE": "I/O event", "LR": "logical resource", "DH": "dump locator",
                "MC": "machine check", "MT": "failing enclosure"}
SUBSYSTEMS   = ((0x10, "processor"), (0x20, "memory"), (0x30, "I/O"), (0x40, "I/O adapter"),
                (0x50, "CEC hardware"), (0x60, "power and cooling"), (0x70, "other"), (0x7A, "surveillance"),
                (0x80, "platform firmware"), (0x90, "software"), (0xA0, "external environment"),
                (0xB0, "reserved"))
RESOURCES    = {1: "processor", 2: "memory", 3: "slot", 4: "PCI host bridge", 5: "PCI",
                6: "persistent memory"}
ACTIONS      = {1: "add", 2: "remove"}
SENSORS      = {0: "reset", 1: "warn of cooling", 2: "warn of power", 3: "system shutdown", 4: "system halt",
                5: "main enclosure is without power", 7: "power off"}
MODIFIERS    = {1: "normal shutdown, no delay", 2: "utility power lost, on battery",
                3: "critical functions lost", 4: "temperature too high"}
# fmt: on
_LINE = re.compile(r"RTAS (\d+):((?: [0-9A-Fa-f]{2,8})+)")
_CELLS_PER_LINE = 6


def read_logs(data: bytes) -> list[bytes]:
    """The logs of a file: the kernel's lines (each log begins with number 0), hex, or the bytes themselves.

    Raises `DecodeError`.
    """
    if not data.strip():
        raise DecodeError("no event log: nothing was given")
    if not data.isascii() or b"\0" in data:
        return [data]
    text = data.decode()
    lines = _LINE.findall(text)
    if not lines:
        try:
            return [bytes.fromhex(text)]
        except ValueError:
            raise DecodeError("no event log: neither hex digits nor a kernel's lines `RTAS 0: ...`") from None
    logs: list[bytes] = []
    for number, digits in lines:
        try:
            part = bytes.fromhex(digits)
        except ValueError:
            raise DecodeError(f"line RTAS {number}: an odd number of hex digits") from None
        if int(number) == 0 or not logs:
            logs.append(b"")
        logs[-1] += part
    return logs


def kernel_lines(log: bytes) -> str:
    """As Linux prints a log, which is what `rtas_event_decode` reads."""
    cells = textwrap.wrap(log.hex(), 8)
    rows = [cells[place : place + _CELLS_PER_LINE] for place in range(0, len(cells), _CELLS_PER_LINE)]
    return "".join(f"RTAS {number}: {' '.join(row)}\n" for number, row in enumerate(rows))


def explain(log: EventLog) -> Iterator[tuple[str, str]]:
    """Names and values, the summary first."""
    yield "version", str(log.version)
    yield "type", _named(TYPES, log.type)
    yield "severity", _named(SEVERITIES, log.severity)
    yield "disposition", _named(DISPOSITIONS, log.disposition)
    yield "initiator", _named(ORIGINS, log.initiator)
    yield "target", _named(ORIGINS, log.target)
    if log.log_id is not None:
        yield "log identifier", f"{log.log_id:#010x}"
        yield "date", log.date or "not given"
    for section in log.sections:
        what = SECTIONS.get(section.id, "unknown")
        yield f"section {_printable(section.id)}", f"{what}, version {section.version}"
        yield from _section(section)
    if isinstance(log.event, HotplugEvent):
        yield "request", request_text(log.event)
    elif isinstance(log.event, EpowEvent):
        yield "warning", warning_text(log.event)


def request_text(event: HotplugEvent) -> str:
    """Such as `add memory: 4 connectors from 0x80000004`."""
    what = f"{_named(ACTIONS, event.action)} {_named(RESOURCES, event.resource)}: "
    if event.name is not None:
        what += f"connector {_printable(event.name)}"
    elif event.count is None:
        what += f"connector {event.index:#010x}"
    else:
        what += f"{event.count} connectors"
        if event.index is not None:
            what += f" from {event.index:#010x}"
    if not event.transactional:
        what += ", as many as can be"
    return what if event.token is None else f"{what}; token {event.token:#010x}"


def warning_text(event: EpowEvent) -> str:
    text = _named(SENSORS, event.sensor & 15)
    if event.sensor & 15 == 3:
        text += f": {_named(MODIFIERS, event.modifier & 15)}"
        text += ", this partition" if event.extended_modifier == 1 else ", the whole system"
    return text


def _section(section: Section) -> Iterator[tuple[str, str]]:
    """What the two main sections say, and the bytes of those that we know only by name."""
    if section.id == "PH" and len(section.body) >= MAIN_A.size:
        creator = chr(section.body[16])
        yield "  created by", CREATORS.get(creator, repr(creator))
    elif section.id == "UH" and len(section.body) >= 4:
        subsystem, _, severity, subtype = section.body[:4]
        name = next((name for first, name in reversed(SUBSYSTEMS) if subsystem >= first), "reserved")
        yield "  subsystem", f"{name} ({subsystem:#04x})"
        yield "  event severity", f"{severity:#04x}"
        yield "  event subtype", f"{subtype:#04x}"
    elif section.id not in ("EP", "HP"):
        yield "  bytes", section.body.hex(" ", 4) or "none"


def _printable(text: str) -> str:
    """Control characters of a log are not the terminal's."""
    return text if text.isprintable() else ascii(text)


def _named(names: dict[int, str], number: int) -> str:
    return names.get(number) or f"unknown ({number:#04x})"
