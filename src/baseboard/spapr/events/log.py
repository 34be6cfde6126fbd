"""Event logs of version 6: a fixed part, the head of the extended part, and sections.  [LoPAR 10.3.2]

    fixed part      version, severity | disposition | extended, initiator | target, type; extended length
    head            valid | new | big-endian, 0, format 14 of IBM's, 0, 8 zeros, "IBM\\0"
    PH  Main-A      when, by whom, how many sections, the log's identifier
    UH  Main-B      which subsystem, how severe, what kind
    EP or HP        an environmental or power warning, or a hot-plug request

All numbers are big-endian. Logs that we make have 116 bytes, as QEMU's, unless they name a connector or
have a token, which QEMU never does.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from baseboard.errors import DecodeError, LocalProtocolError

# fmt: off
VERSION = 6
EVENT, NOT_RECOVERED = 1, 2              # severity, disposition
FROM_HOTPLUG         = 6                 # initiator
TYPE_EPOW, TYPE_HOTPLUG = 0x40, 0xE5

ADD, REMOVE          = 1, 2              # hot-plug action
BY_NAME, BY_INDEX, BY_COUNT, BY_COUNT_INDEXED = 1, 2, 3, 4
TOKEN_PRESENT, NON_TRANSACTIONAL = 0x80, 0x40

SUBSYSTEM_FIRMWARE, SUBSYSTEM_ENVIRONMENT = 0x80, 0xA0
SUBTYPE_NONE, SUBTYPE_NORMAL_SHUTDOWN     = 0x00, 0xD0

FIXED    = struct.Struct(">4BI")
HEAD     = struct.Struct(">4B8x4s")      # valid bits, reserved, format, reserved; company
SECTION  = struct.Struct(">2sHBBH")      # identifier, length, version, subtype, component
MAIN_A   = struct.Struct(">4s4s8x1s2xB12xI4x")  # date, time; creator; number of sections; log identifier
MAIN_B   = struct.Struct(">BxBB12x")     # subsystem; severity, subtype
EPOW     = struct.Struct(">BBBx8s")      # sensor, modifier, extended modifier; reason
HOTPLUG  = struct.Struct(">BBBB")        # resource, action, identifier, capabilities
# fmt: on
HEAD_BYTES = HEAD.pack(0x86, 0, 0x8E, 0, b"IBM\0")
_NO_TIME = bytes(4)
_MAIN_END = FIXED.size + HEAD.size + SECTION.size + MAIN_A.size + SECTION.size + MAIN_B.size
_COUNT = FIXED.size + HEAD.size + SECTION.size + 19
"""Where a log has its number of sections."""


@dataclass(frozen=True, slots=True)
class HotplugEvent:
    """A request to add or remove. What it is about is said by a connector's `name`, its `index`, a `count`
    of any connectors, or a `count` from an `index` on.  [LoPAR Table 10.29]
    """

    resource: int
    """1 processor, 2 memory, 3 slot, 4 host bridge, 5 PCI, 6 persistent memory."""
    action: int
    index: int | None = None
    count: int | None = None
    name: str | None = None
    token: int | None = None
    transactional: bool = True
    """False: do as much of a count as can be done."""

    @property
    def identifier(self) -> int:
        if self.name is not None:
            return BY_NAME
        if self.count is None:
            return BY_INDEX
        return BY_COUNT if self.index is None else BY_COUNT_INDEXED


class EpowEvent(NamedTuple):
    """An early warning; the default asks for a normal shutdown of the partition.  [LoPAR Table 10.16]"""

    sensor: int = 3
    modifier: int = 1
    extended_modifier: int = 1
    reason: bytes = bytes(8)


Event = HotplugEvent | EpowEvent


class Section(NamedTuple):
    """`body` is what stands behind the eight bytes of its head."""

    id: str
    version: int
    subtype: int
    component: int
    body: bytes


class EventLog(NamedTuple):
    """A log taken apart."""

    version: int
    severity: int
    disposition: int
    initiator: int
    target: int
    type: int
    sections: tuple[Section, ...] = ()
    """Empty where there is no extended part, or its format is not IBM's of version 6."""
    date: str | None = None
    """Such as 2026-11-21 12:00:00; None when the log does not say."""
    log_id: int | None = None
    event: Event | None = None
    """None when it is about something else."""


def encode(event: Event, log_id: int, now: float, *, native_log_id: bool = False) -> bytes:
    """`now` is in seconds since 1970. `native_log_id` swaps the identifier's bytes, as QEMU on x86 does."""
    if isinstance(event, HotplugEvent):
        last = _section(b"HP", 1, _hotplug(event))
        initiator, kind = FROM_HOTPLUG, TYPE_HOTPLUG
        subsystem, subtype = SUBSYSTEM_FIRMWARE, SUBTYPE_NONE
    else:
        last = _section(b"EP", 2, EPOW.pack(*event))
        initiator, kind = 0, TYPE_EPOW
        subsystem, subtype = SUBSYSTEM_ENVIRONMENT, SUBTYPE_NORMAL_SHUTDOWN
    log_id &= 0xFFFF_FFFF
    if native_log_id:
        log_id = int.from_bytes(log_id.to_bytes(4, "little"), "big")
    extended = b"".join(
        (
            HEAD_BYTES,
            _section(b"PH", 0, MAIN_A.pack(*_date(now), b"H", 3, log_id)),
            _section(b"UH", 0, MAIN_B.pack(subsystem, 0, subtype)),
            last,
        )
    )
    first = EVENT << 5 | NOT_RECOVERED << 3 | 1 << 2
    return FIXED.pack(VERSION, first, initiator << 4, kind, len(extended)) + extended


def shortened(log: bytes, room: int) -> bytes:
    """A log of ours without the section that says what it is about, if it must be shorter.

    The main sections are mandatory; where they have no room either, they are cut.  [LoPAR 10.3.2.2]
    """
    if len(log) <= room:
        return log
    main = bytearray(log[:_MAIN_END])
    struct.pack_into(">I", main, 4, _MAIN_END - FIXED.size)
    main[_COUNT] -= 1
    return bytes(main[:room])


def decode(data: bytes) -> EventLog:
    """Bytes behind the log do not matter. Raises `DecodeError`."""
    if len(data) < FIXED.size:
        raise DecodeError(f"an event log has {FIXED.size} bytes at least; there are {len(data)}")
    version, first, origin, kind, length = FIXED.unpack_from(data)
    log = EventLog(version, first >> 5, first >> 3 & 3, origin >> 4, origin & 15, kind)
    if not first & 4:
        return log
    extended = data[FIXED.size : FIXED.size + length]
    if len(extended) < length:
        raise DecodeError(f"the log is cut: {len(data)} of {FIXED.size + length} bytes")
    if version != VERSION or len(extended) < HEAD.size or extended[2] & 0x8F != 0x8E:
        return log
    sections = tuple(_sections(extended[HEAD.size :]))
    main = next((one for one in sections if one.id == "PH"), None)
    if main is not None:
        if len(main.body) < MAIN_A.size:
            raise DecodeError(f"section PH has {len(main.body)} bytes; {MAIN_A.size} are needed")
        date, time, _, _, log_id = MAIN_A.unpack_from(main.body)
        log = log._replace(date=_shown(date, time), log_id=log_id)
    return log._replace(sections=sections, event=_event(sections))


def _sections(data: bytes) -> list[Section]:
    found = []
    while len(data) >= SECTION.size:
        name, length, version, subtype, component = SECTION.unpack_from(data)
        if name == b"\0\0":  # padding
            break
        if not SECTION.size <= length <= len(data):
            raise DecodeError(f"section {name!r} has length {length}; {len(data)} bytes are left")
        text = name.decode("ascii", "backslashreplace")
        found.append(Section(text, version, subtype, component, data[SECTION.size : length]))
        data = data[length:]
    return found


def _event(sections: tuple[Section, ...]) -> Event | None:
    for section in sections:
        if section.id == "EP":
            if len(section.body) < EPOW.size:
                raise DecodeError(f"section EP has {len(section.body)} bytes; {EPOW.size} are needed")
            return EpowEvent(*EPOW.unpack_from(section.body))
        if section.id == "HP":
            return _requested(section.body)
    return None


def _requested(body: bytes) -> HotplugEvent:
    if len(body) < HOTPLUG.size:
        raise DecodeError(f"section HP has {len(body)} bytes; {HOTPLUG.size} are needed")
    resource, action, identifier, capabilities = HOTPLUG.unpack_from(body)
    rest, token = body[HOTPLUG.size :], None
    if capabilities & TOKEN_PRESENT:
        rest, token = rest[:-4], int.from_bytes(_exactly(rest[-4:], 4, "token"), "big")
    name = index = count = None
    if identifier == BY_NAME:
        text, end, _ = rest.partition(b"\0")
        if not end or not text.isascii():
            raise DecodeError("section HP: the connector's name is not ASCII with a NUL behind it")
        name = text.decode()
    elif identifier == BY_INDEX:
        (index,) = struct.unpack(">I", _exactly(rest[:4], 4, "connector index"))
    elif identifier == BY_COUNT:
        (count,) = struct.unpack(">I", _exactly(rest[:4], 4, "count"))
    elif identifier == BY_COUNT_INDEXED:
        count, index = struct.unpack(">II", _exactly(rest[:8], 8, "count and index"))
    else:
        raise DecodeError(f"section HP: identifier type {identifier}; 1 to 4 are known")
    return HotplugEvent(
        resource, action, index, count, name, token, transactional=not capabilities & NON_TRANSACTIONAL
    )


def _exactly(data: bytes, length: int, what: str) -> bytes:
    if len(data) < length:
        raise DecodeError(f"section HP: no room for the {what}")
    return data


def _hotplug(event: HotplugEvent) -> bytes:
    if event.name is not None:
        if not event.name.isascii() or "\0" in event.name:
            raise LocalProtocolError(f"{event.name!r} is no connector's name")
        what = event.name.encode() + b"\0"
    else:
        numbers = [number for number in (event.count, event.index) if number is not None]
        if not numbers:
            raise LocalProtocolError("a hot-plug event needs an index, a count or a name")
        what = struct.pack(f">{len(numbers)}I", *numbers).ljust(8, b"\0")
    capabilities = 0 if event.transactional else NON_TRANSACTIONAL
    token = b""
    if event.token is not None:
        capabilities |= TOKEN_PRESENT
        token = struct.pack(">I", event.token)
    return HOTPLUG.pack(event.resource, event.action, event.identifier, capabilities) + what + token


def _section(name: bytes, version: int, body: bytes) -> bytes:
    return SECTION.pack(name, SECTION.size + len(body), version, 0, 0) + body


def _date(now: float) -> tuple[bytes, bytes]:
    """BCD; zeros for a clock that a guest has set to a year of five digits."""
    try:
        when = datetime.fromtimestamp(now, UTC)
    except (ValueError, OverflowError, OSError):
        return _NO_TIME, _NO_TIME
    return bytes.fromhex(when.strftime("%Y").zfill(4) + when.strftime("%m%d")), bytes.fromhex(
        when.strftime("%H%M%S00")
    )


def _shown(date: bytes, time: bytes) -> str | None:
    if date == _NO_TIME:
        return None
    day, hour = date.hex(), time.hex()
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {hour[:2]}:{hour[2:4]}:{hour[4:6]}"
