"""`baseboard pair` and other commands that run until they are ended, with one line of JSON for each thing."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

DEADLINE = 30.0
Line = dict[str, Any]


class Pair:
    """One process; every line that it has written is in `lines`."""

    def __init__(self, host: str, bmc: str, *options: str) -> None:
        self.lines: list[Line] = []
        self._received = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "baseboard", "pair", "--host", host, "--bmc", bmc, "--json", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )

    def wait(self, condition: Callable[[Line], bool], what: str, timeout: float = DEADLINE) -> Line:
        """The next line of which this is true."""
        deadline = time.monotonic() + timeout
        while True:
            line = self._line(deadline)
            if line is None:
                raise TimeoutError(f"it never came to: {what}; so far {self.lines[-20:]}")
            if condition(line):
                return line

    def there(self) -> Line:
        """Wait until the firmware answers."""
        return self.wait(lambda line: line.get("there") is True, "the firmware answers")

    def connected(self) -> Line:
        """Wait until a machine has said what it offers."""
        return self.wait(_offers, "the machine is connected")

    def ready(self) -> None:
        """Wait until there is a machine on one side and firmware on the other, whichever comes first."""
        first = self.wait(lambda line: _offers(line) or line.get("there") is True, "somebody is there")
        if _offers(first):
            self.there()
        else:
            self.connected()

    def stop(self) -> list[Line]:
        """End it as Ctrl-C does; its counters."""
        self.process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + DEADLINE
        while self._line(deadline) is not None:
            pass
        assert self.process.wait(DEADLINE) == 0
        return [line for line in self.lines if line["event"] == "counters"]

    def kill(self) -> None:
        """End it whatever it does; may be called again."""
        self.process.kill()
        self.process.wait(DEADLINE)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _line(self, deadline: float) -> Line | None:
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        while b"\n" not in self._received:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(descriptor, 65536) if ready else b""
            if not data:
                return None
            self._received += data
        text, self._received = self._received.split(b"\n", 1)
        line: Line = json.loads(text)
        self.lines.append(line)
        return line


def _offers(line: Line) -> bool:
    return bool(line.get("offers"))
