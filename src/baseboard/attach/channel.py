"""A stream socket with deadlines, used from one thread: what the clients of a virtual machine share."""

from __future__ import annotations

import select
import socket
import time
from pathlib import Path
from typing import Self

from baseboard.attach.errors import AttachError

TIMEOUT = 5.0
"""Seconds for one answer. A busy machine answers within some milliseconds."""
_SIZE = 65536


class Channel:
    """One connection; `who` stands in every error."""

    def __init__(self, connection: socket.socket, who: str) -> None:
        self.who = who
        self._socket = connection
        self._closed = False

    @classmethod
    def connect(cls, path: Path, what: str, timeout: float = TIMEOUT, *, option: str = "") -> Self:
        """Connect to a Unix socket, which QEMU has with this option.  Raises AttachError."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        try:
            connection.connect(str(path))
        except OSError as error:
            connection.close()
            reason = error.strerror or error  # a path that is too long has no errno
            advice = f"; is QEMU running, with {option} unix:{path},server=on,wait=off?" if option else ""
            raise AttachError(f"{what} {path}: cannot connect: {reason}{advice}") from None
        return cls(connection, f"{what} {path}")

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    def send(self, data: bytes, deadline: float) -> None:
        """Send all of it.  Raises AttachError."""
        try:
            self._socket.settimeout(self._remaining(deadline))
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(error) from None

    def send_descriptor(self, data: bytes, descriptor: int, deadline: float) -> None:
        """Send it together with an open file.  Raises AttachError."""
        try:
            self._socket.settimeout(self._remaining(deadline))
            socket.send_fds(self._socket, [data], [descriptor])
        except OSError as error:
            raise self._lost(error) from None

    def receive(self, deadline: float) -> bytes:
        """Wait for bytes, at least one.  Raises AttachError."""
        try:
            self._socket.settimeout(self._remaining(deadline))
            data = self._socket.recv(_SIZE)
        except OSError as error:
            raise self._lost(error) from None
        if not data:
            raise AttachError(f"{self.who} hung up")
        return data

    def readable(self, timeout: float = 0.0) -> bool:
        """Whether bytes, or the end of the connection, are there; waits up to `timeout` seconds for them."""
        return not self._closed and bool(select.select([self._socket], [], [], timeout)[0])

    @property
    def closed(self) -> bool:
        """Whether we hung up."""
        return self._closed

    def close(self) -> None:
        """Hang up; may be called again."""
        self._closed = True
        self._socket.close()

    def _remaining(self, deadline: float) -> float:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining

    def _lost(self, error: OSError) -> AttachError:
        if isinstance(error, TimeoutError):
            return AttachError(f"{self.who} does not answer")
        return AttachError(f"{self.who} hung up: {error.strerror}")
