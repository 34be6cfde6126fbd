"""Commands to the guest over a port of its own, and their results; `serve-commands` is the other end."""

from __future__ import annotations

import base64
import os
import select
import socket
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """What a command in the guest left behind."""

    status: int
    stdout: str
    stderr: str

    def check(self) -> str:
        """The output of a command that must have succeeded."""
        assert self.status == 0, f"exit status {self.status}\n{self.stdout}{self.stderr}"
        return self.stdout


class Channel:
    """Listens where QEMU will connect, and can accept again when another QEMU has taken its place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._socket: socket.socket | None = None
        self._received = b""
        self._number = 0

    def arguments(self) -> list[str]:
        """What QEMU's command line needs besides the architecture's port."""
        return ["-chardev", f"socket,id=command,path={self.path}"]

    def accept(self, timeout: float = 20, pid: int | None = None) -> None:
        """Waits for QEMU, at most until the process `pid` ends."""
        if self._socket is not None:
            self._socket.close()
        self._socket = accept(self._listener, timeout, pid)
        self._received = b""

    def wait_ready(self, timeout: float = 60) -> str:
        """Waits until the guest has come up (again); returns its boot id."""
        deadline = time.monotonic() + timeout
        while True:
            word, *rest = self._line(deadline).split()
            if word == "ready":
                return rest[0]

    def run(self, command: str, timeout: float = 30) -> Result:
        """Runs a shell command in the guest and waits for it."""
        deadline = time.monotonic() + timeout
        number = self.send(command)
        while True:
            word, *rest = self._line(deadline, doing=command).split()
            if word == "ready":
                raise EOFError(f"the guest has started again instead of finishing: {command}")
            if word == "done":
                id_, status, stdout, stderr = (int(part) for part in rest)
                data = self._read(stdout + stderr, deadline)
                if id_ == number:
                    # What a program makes of a stale answer (SSIF) need not be text.
                    return Result(
                        status, *(part.decode(errors="replace") for part in (data[:stdout], data[stdout:]))
                    )

    def send(self, command: str) -> int:
        """Starts a command that will not return, because the guest goes down with it."""
        assert self._socket is not None, "QEMU has not connected"
        self._number += 1
        self._socket.sendall(f"{self._number} {base64.b64encode(command.encode()).decode()}\n".encode())
        return self._number

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._listener.close()
        self.path.unlink(missing_ok=True)

    def _line(self, deadline: float, doing: str = "booting") -> str:
        while b"\n" not in self._received:
            self._receive(deadline, doing)
        line, self._received = self._received.split(b"\n", 1)
        return line.decode()

    def _read(self, size: int, deadline: float) -> bytes:
        while len(self._received) < size:
            self._receive(deadline, "sending its output")
        data, self._received = self._received[:size], self._received[size:]
        return data

    def _receive(self, deadline: float, doing: str) -> None:
        assert self._socket is not None, "QEMU has not connected"
        self._socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            raise TimeoutError(f"the guest did not finish in time: {doing}") from None
        if not data:
            raise EOFError(f"QEMU went away while the guest was at: {doing}")
        self._received += data


def accept(listener: socket.socket, timeout: float, pid: int | None = None) -> socket.socket:
    """One connection, or an error as soon as the process that should connect has ended."""
    waited: list[socket.socket | int] = [listener]
    if pid is not None:
        waited.append(os.pidfd_open(pid))
    try:
        ready, _, _ = select.select(waited, [], [], timeout)
    finally:
        for descriptor in waited[1:]:
            os.close(descriptor)  # type: ignore[arg-type]
    if listener in ready:
        return listener.accept()[0]
    if ready:
        raise EOFError("the process ended before it connected")
    raise TimeoutError(f"nobody connected within {timeout} s")
