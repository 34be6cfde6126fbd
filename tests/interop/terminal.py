"""A program in a terminal of its own, and what somebody types there."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from contextlib import suppress

PATIENCE = 30.0


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, *command: str) -> None:
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execv(command[0], command)  # pragma: no cover
        self.screen = b""
        self._seen = 0

    def expect(self, text: bytes, answer: bytes = b"") -> None:
        """Wait for `text` behind what was waited for before, then type `answer`."""
        end = time.monotonic() + PATIENCE
        while (at := self.screen.find(text, self._seen)) < 0:
            assert select.select([self._fd], [], [], max(0.0, end - time.monotonic()))[0], self.screen[-400:]
            try:
                self.screen += os.read(self._fd, 65536)
            except OSError:
                raise AssertionError(self.screen[-400:]) from None
        self._seen = at + len(text)
        os.write(self._fd, answer)

    def wait(self) -> int:
        """The exit code, after the end of the program."""
        with suppress(OSError):
            while os.read(self._fd, 65536):
                pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def close(self) -> None:
        """Whatever happened."""
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)
