"""The other end of a Unix socket, played by a script."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Play = Callable[[socket.socket], None]


@contextmanager
def played(path: Path, play: Play) -> Iterator[Path]:
    """Somebody listens at `path` and does `play` with the first that connects."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    listener.settimeout(10)

    def serve() -> None:
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(10)
                play(connection)
        except OSError:
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield path
    finally:
        listener.close()
        thread.join(15)


def script(*lines: tuple[bytes, bytes]) -> Play:
    """Expect the first of each pair as a line, and answer the second; then stay until the peer goes."""

    def play(connection: socket.socket) -> None:
        with connection.makefile("rb") as received:
            for expected, answer in lines:
                line = received.readline()
                if line.strip() != expected:
                    connection.sendall(b"FAIL expected %s, got %s\n" % (expected, line.strip()))
                    return
                connection.sendall(answer)
            received.read()

    return play
