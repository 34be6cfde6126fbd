"""QEMU's monitor protocol as bytes: what its lines say, and commands as lines.  [QMP]

JSON objects, one a line. What is no object, or neither greeting, answer nor event, is skipped: QEMU may say
more in a later version. No I/O here; `power.monitor` has it in an event loop, `attach.qmp` blocking.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any, NamedTuple

from baseboard.errors import BaseboardError, DecodeError

LONGEST_LINE = 1 << 20


class MonitorError(BaseboardError):
    """QEMU refused a command, or did not answer in time."""


class Greeted(NamedTuple):
    """QEMU is there; `qmp_capabilities` is to be the first command."""


class Answered(NamedTuple):
    """The answer to the command with this number."""

    number: int
    value: Any
    error: str | None
    """Why QEMU refused; `value` means nothing then."""


class Happened(NamedTuple):
    """An event of the machine."""

    name: str
    data: dict[str, Any]


QmpEvent = Greeted | Answered | Happened


class QmpLines:
    """One connection."""

    def __init__(self) -> None:
        self._buffer = b""
        self._events: deque[QmpEvent] = deque()
        self._last_number = 0

    def command(self, name: str, arguments: dict[str, Any]) -> tuple[int, bytes]:
        """The number by which the answer is known, and the line to send."""
        self._last_number = number = self._last_number + 1
        message: dict[str, Any] = {"execute": name, "id": number}
        if arguments:
            message["arguments"] = arguments
        return number, json.dumps(message).encode() + b"\n"

    def receive_data(self, data: bytes) -> None:
        """Take bytes from QEMU.  Raises DecodeError when a line has no end."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._receive(line)
        if len(self._buffer) > LONGEST_LINE:
            raise DecodeError(f"QEMU's monitor sent a line of more than {LONGEST_LINE} bytes")

    def next_event(self) -> QmpEvent | None:
        """What came next, oldest first; None when nothing is left."""
        return self._events.popleft() if self._events else None

    def _receive(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        if "event" in message:
            data = message.get("data")
            self._events.append(Happened(str(message["event"]), data if isinstance(data, dict) else {}))
        elif "QMP" in message:
            self._events.append(Greeted())
        elif isinstance(number := message.get("id"), int):
            if "return" in message:
                self._events.append(Answered(number, message["return"], None))
            else:
                error = message.get("error")
                text = error.get("desc", error) if isinstance(error, dict) else error
                self._events.append(Answered(number, None, str(text)))
