"""QEMU's monitor, blocking: commands with deadlines, and events.  [QMP]"""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from baseboard.attach.channel import TIMEOUT, Channel
from baseboard.attach.errors import AttachError, NotAttachable
from baseboard.errors import DecodeError
from baseboard.power.qmp import Answered, Greeted, Happened, MonitorError, QmpLines

T = TypeVar("T")
MOST_EVENTS = 256
"""Kept until somebody asks for them; the oldest go first."""


class Qmp:
    """One connection, used from one thread.

    Every method raises AttachError when QEMU is gone or silent, and MonitorError when it refuses a command.
    """

    def __init__(self, path: Path, timeout: float = TIMEOUT) -> None:
        self.path = path
        self._timeout = timeout
        self._lines = QmpLines()
        self._greeted = False
        self._events: deque[Happened] = deque(maxlen=MOST_EVENTS)
        self._answers: dict[int, Answered] = {}
        self._channel = Channel.connect(path, "QEMU's monitor", timeout, option="-qmp")
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Qmp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fileno(self) -> int:
        """For `select`: readable when events, or the end of the connection, may be there."""
        return self._channel.fileno()

    def execute(self, command: str, **arguments: Any) -> Any:
        """Run a command."""
        number, line = self._lines.command(command, arguments)
        deadline = time.monotonic() + self._timeout
        self._channel.send(line, deadline)
        return self._answer(command, number, deadline)

    def member(self, command: str, name: str, kind: type[T]) -> T:
        """What the answer to a command has by this name."""
        answer = self.execute(command)
        value = answer.get(name) if isinstance(answer, dict) else None
        if not isinstance(value, kind):
            raise self._nonsense(command, answer)
        return value

    def rows(self, command: str, *names: str, **arguments: Any) -> list[dict[str, str]]:
        """The answer to a command that lists objects, with these of their members."""
        answer = self.execute(command, **arguments)
        try:
            return [{name: str(row[name]) for name in names} for row in answer]
        except (TypeError, KeyError):
            raise self._nonsense(command, answer) from None

    def pass_file(self, name: str, descriptor: int) -> None:
        """Give QEMU an open file; it stays until something takes it by its name."""
        number, line = self._lines.command("getfd", {"fdname": name})
        deadline = time.monotonic() + self._timeout
        self._channel.send_descriptor(line, descriptor, deadline)
        self._answer("getfd", number, deadline)

    def human(self, command: str) -> str:
        """Run a command of the monitor for people; what it prints."""
        return str(self.execute("human-monitor-command", **{"command-line": command}))

    def get(self, path: str, name: str) -> Any:
        """A property of an object."""
        return self.execute("qom-get", path=path, property=name)

    def number(self, path: str, name: str) -> int:
        """A property that is a number."""
        value = self.get(path, name)
        if not isinstance(value, int):
            raise self._nonsense(f"{path} {name}", value)
        return value

    def set(self, path: str, name: str, value: Any) -> None:
        """Set a property of an object."""
        self.execute("qom-set", path=path, property=name, value=value)

    def next_event(self) -> Happened | None:
        """What happened next, as far as it has been received; None when nothing is left."""
        while self._channel.readable():
            self._receive(time.monotonic() + self._timeout)
        return self._events.popleft() if self._events else None

    def wait_event(self, timeout: float) -> Happened | None:
        """What happens next; None: nothing in that time."""
        deadline = time.monotonic() + timeout
        while (event := self.next_event()) is None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            self._channel.readable(remaining)
        return event

    def close(self) -> None:
        """Hang up; may be called again."""
        self._channel.close()

    def _greet(self) -> None:
        deadline = time.monotonic() + self._timeout
        try:
            while not self._greeted:
                self._receive(deadline)
        except AttachError as error:
            # QEMU serves one client at a time; a second one waits without a word.
            raise NotAttachable(
                f"{self._channel.who}: no greeting of QEMU's monitor came ({error}): "
                "is it a QMP socket, and is no other client connected to it?"
            ) from None
        self.execute("qmp_capabilities")

    def _nonsense(self, question: str, answer: object) -> AttachError:
        return AttachError(f"{self._channel.who}: {question} answered with {str(answer)[:80]!r}")

    def _answer(self, command: str, number: int, deadline: float) -> Any:
        while number not in self._answers:
            self._receive(deadline)
        answer = self._answers.pop(number)
        if answer.error is not None:
            raise MonitorError(f"{command}: {answer.error}")
        return answer.value

    def _receive(self, deadline: float) -> None:
        try:
            self._lines.receive_data(self._channel.receive(deadline))
        except DecodeError as error:
            raise AttachError(f"{self._channel.who}: {error}") from None
        while (event := self._lines.next_event()) is not None:
            match event:
                case Happened():
                    self._events.append(event)
                case Answered():
                    self._answers.clear()  # what still lies there answers a command that was given up
                    self._answers[event.number] = event
                case Greeted():
                    self._greeted = True
