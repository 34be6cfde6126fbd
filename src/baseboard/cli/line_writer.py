"""Lines for a reader who may be slow: whoever writes them never waits."""

from __future__ import annotations

import queue
import threading
from types import TracebackType
from typing import TextIO

CAPACITY = 4096
"""Lines that wait; when there are as many, further ones are lost."""
LAST = 2.0
"""Seconds for what is left at the end."""


class LineWriter:
    """Writes lines in a thread of its own, until the end of a `with`."""

    def __init__(self, file: TextIO, capacity: int = CAPACITY) -> None:
        self.lost = 0
        """Lines for which there was no room."""
        self._file = file
        self._queue: queue.Queue[str | None] = queue.Queue(capacity)
        self._thread = threading.Thread(target=self._write, name="baseboard-lines", daemon=True)

    def __enter__(self) -> LineWriter:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._queue.put(None, timeout=LAST)
        except queue.Full:
            return
        self._thread.join(LAST)

    def put(self, line: str) -> None:
        """Write a line as soon as the reader takes it."""
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            self.lost += 1

    def _write(self) -> None:
        while (line := self._queue.get()) is not None:
            try:
                print(line, file=self._file, flush=True)
            except OSError:  # the reader is gone
                return
