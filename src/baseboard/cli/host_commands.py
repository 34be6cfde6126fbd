"""What `baseboard host` knows to ask, decoded by the declared messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from baseboard.cli.command_names import command_name, completion_text
from baseboard.errors import BaseboardError, ConfigError, DecodeError
from baseboard.host.script import parse_request
from baseboard.ipmi.app_device import GetDeviceIdResponse, GetSelfTestResultsResponse
from baseboard.ipmi.chassis import GetChassisStatusResponse
from baseboard.ipmi.codec import Response
from baseboard.ipmi.message import Message
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.records.sel import RECORDS, SystemEvent
from baseboard.ipmi.storage_sel import GetSelInfoResponse

END_OF_LIST = 0xFFFF
MOST_RECORDS = 65536
ACTIONS = {"off": 0, "on": 1, "cycle": 2, "reset": 3, "nmi": 4, "soft": 5}
"""Of Chassis Control.  [IPMI 28.3, Table 28-4]"""
_SILENT = (b"\xc3", b"\xff")
"""Completion codes that our own end gives for a firmware that says nothing, or nothing that is an answer."""


class Refused(BaseboardError):
    """The firmware answered with another completion code than 00h."""


class Reply(NamedTuple):
    """For programs, and for people when that is not good enough."""

    data: Any
    lines: tuple[str, ...] = ()


class Asker(Protocol):
    """Somebody who can ask the firmware."""

    async def ask(self, message: Message) -> bytes:
        """Completion code first."""


async def run(asker: Asker, words: list[str]) -> Reply:
    """Do what the words say.  Raises ConfigError for no command, Refused when the firmware refuses."""
    for length in (2, 1):
        command = COMMANDS.get(" ".join(words[:length]))
        if command is not None:
            return await command.run(asker, words[length:])
    raise ConfigError(f"host: {' '.join(words)!r} is not one of {', '.join(COMMANDS)}")


async def _ask(asker: Asker, message: Message) -> bytes:
    answer = await asker.ask(message)
    if answer[:1] != b"\0":
        raise _refused(message, answer)
    return answer


def _refused(message: Message, answer: bytes) -> Refused:
    code = f"{completion_text(answer[0])} {answer[1:].hex(' ')}".rstrip() if answer else "nothing"
    besides = ", or does not answer at all" if answer[:1] in _SILENT else ""
    return Refused(f"{command_name(message)}: the firmware answers {code}{besides}")


def _decoded(message: Message, kind: type[Response], answer: bytes) -> dict[str, Any]:
    try:
        values = vars(kind.decode(answer[1:]))
    except DecodeError as error:
        raise Refused(
            f"{command_name(message)}: the answer {answer.hex(' ')} is not as specified: {error}"
        ) from None
    return {name: value.hex(" ") if isinstance(value, bytes) else value for name, value in values.items()}


def _asks(netfn: int, number: int, kind: type[Response]) -> Callable[[Asker, list[str]], Awaitable[Reply]]:
    async def run(asker: Asker, words: list[str]) -> Reply:
        _none(words)
        message = Message(netfn, 0, number)
        return Reply(_decoded(message, kind, await _ask(asker, message)))

    return run


async def _raw(asker: Asker, words: list[str]) -> Reply:
    message = parse_request(" ".join(words))
    answer = await asker.ask(message)
    code = answer[0]
    data = {"completion_code": code, "data": answer[1:].hex(" "), "name": command_name(message)}
    if code:
        raise _refused(message, answer)
    return Reply(data, (answer[1:].hex(" "),))


async def _mc_reset(asker: Asker, words: list[str]) -> Reply:
    _one_of(words, ("cold", "warm"), "mc reset")
    await _ask(asker, Message(NetFn.APP, 0, 0x02 if words[0] == "cold" else 0x03))
    return Reply({"reset": words[0]})


async def _sel_list(asker: Asker, words: list[str]) -> Reply:
    _none(words)
    records: list[dict[str, Any]] = []
    record_id = 0
    for _ in range(MOST_RECORDS):  # firmware whose list is a circle must end as well
        data = b"\0\0" + record_id.to_bytes(2, "little") + b"\0\xff"
        message = Message(NetFn.STORAGE, 0, 0x43, data)
        answer = await asker.ask(message)
        if answer[:1] == b"\xcb" and not records:
            break  # an empty log
        if answer[:1] != b"\0" or len(answer) != 19:
            raise Refused(f"{command_name(message)}: the firmware answers {answer.hex(' ')}")
        records.append(_sel_record(answer[3:]))
        record_id = int.from_bytes(answer[1:3], "little")
        if record_id == END_OF_LIST:
            break
    lines = tuple(" | ".join(str(value) for value in row.values()) for row in records)
    return Reply(records, lines or ("empty",))


def _sel_record(data: bytes) -> dict[str, Any]:
    number = int.from_bytes(data[:2], "little")
    try:
        record = RECORDS.decode(data)
    except DecodeError:
        record = None
    if not isinstance(record, SystemEvent):
        return {"record": f"{number:04x}", "type": f"{data[2]:02x}h", "data": data[3:].hex(" ")}
    return {
        "record": f"{number:04x}",
        "timestamp": record.timestamp,
        "sensor": f"type {record.sensor_type:02x}h number {record.sensor_number:02x}h",
        "direction": "deasserted" if record.deassertion else "asserted",
        "event": f"type {record.event_type:02x}h data {record.event_data.hex(' ')}",
    }


async def _power(asker: Asker, words: list[str]) -> Reply:
    if not words or words == ["status"]:
        message = Message(NetFn.CHASSIS, 0, 0x01)
        status = _decoded(message, GetChassisStatusResponse, await _ask(asker, message))
        return Reply({"power": "on" if status["power_is_on"] else "off"})
    _one_of(words, ("status", *ACTIONS), "power")
    await _ask(asker, Message(NetFn.CHASSIS, 0, 0x02, bytes((ACTIONS[words[0]],))))
    return Reply({"power": f"{words[0]} accepted"})


async def _help(asker: Asker, words: list[str]) -> Reply:
    return Reply(
        {name: command.help for name, command in COMMANDS.items()},
        tuple(f"{name:20} {command.help}" for name, command in COMMANDS.items()),
    )


def _none(words: list[str]) -> None:
    if words:
        raise ConfigError(f"host: {' '.join(words)!r} is one word too many")


def _one_of(words: list[str], allowed: tuple[str, ...], what: str) -> None:
    if len(words) != 1 or words[0] not in allowed:
        raise ConfigError(f"{what}: {' '.join(words)!r} is not one of {', '.join(allowed)}")


class Command(NamedTuple):
    """One row of what the shell knows."""

    run: Callable[[Asker, list[str]], Awaitable[Reply]]
    help: str


# fmt: off
COMMANDS = {
    "raw":            Command(_raw,      "NETFN[.LUN] COMMAND [DATA...]: any request, in hexadecimal"),
    "mc info":        Command(_asks(NetFn.APP, 0x01, GetDeviceIdResponse), "Get Device ID"),
    "mc selftest":    Command(_asks(NetFn.APP, 0x04, GetSelfTestResultsResponse), "Get Self Test Results"),
    "mc reset":       Command(_mc_reset, "cold|warm: reset the controller"),
    "chassis status": Command(_asks(NetFn.CHASSIS, 0x01, GetChassisStatusResponse), "Get Chassis Status"),
    "power":          Command(_power,    "[status|on|off|cycle|reset|soft|nmi]: the host's power"),
    "sel info":       Command(_asks(NetFn.STORAGE, 0x40, GetSelInfoResponse), "Get SEL Info"),
    "sel list":       Command(_sel_list, "every record of the event log"),
    "help":           Command(_help,     "this list"),
}
# fmt: on
