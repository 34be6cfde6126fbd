"""QEMU's monitor protocol, as much as a test needs: commands, and the events that tell what happened."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

Event = dict[str, Any]


class Qmp:
    """One connection, used from one thread. QEMU connects to us, so that nobody guesses when it is ready."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._received = b""
        self._unseen: list[Event] = []
        self.events: list[Event] = []  # all of them, from the beginning
        self._message(time.monotonic() + 10)  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Any:
        """Runs one command and returns what it returns."""
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        deadline = time.monotonic() + 20
        while True:
            message = self._message(deadline)
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise RuntimeError(f"QMP {command}: {message['error']}")

    def wait_event(self, name: str, timeout: float = 20) -> Event:
        """The next event of this name that no earlier call has returned; those before it count as seen."""
        deadline = time.monotonic() + timeout
        while True:
            while self._unseen:
                event = self._unseen.pop(0)
                if event["event"] == name:
                    return event
            try:
                self._message(deadline)
            except TimeoutError:
                seen = [f"{e['event']} {e.get('data', {})}" for e in self.events]
                raise TimeoutError(f"no QMP event {name} within {timeout} s; events so far: {seen}") from None

    def take_events(self) -> list[str]:
        """The names of the events that no call has returned yet; they count as seen."""
        self.execute("query-status")  # the answer comes after every event that is on its way
        taken = [event["event"] for event in self._unseen]
        self._unseen.clear()
        return taken

    def close(self) -> None:
        self._socket.close()

    def _message(self, deadline: float) -> dict[str, Any]:
        while b"\n" not in self._received:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("QEMU's monitor says nothing")
            self._socket.settimeout(remaining)
            data = self._socket.recv(65536)
            if not data:
                raise EOFError("QEMU closed its monitor")
            self._received += data
        line, self._received = self._received.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        if "event" in message:
            self.events.append(message)
            self._unseen.append(message)
        return message
