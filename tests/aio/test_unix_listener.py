"""Who has a path says the error."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from baseboard.aio.unix_listener import unix_listener
from baseboard.errors import ConfigError

LISTEN = """
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listening", flush=True)
sys.stdin.read()
"""


def refused(path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=f"^--vfio-user: {re.escape(str(path))}: {text}"):
        unix_listener(str(path), "--vfio-user")


def test_another_process(tmp_path: Path) -> None:
    path = tmp_path / "s"
    command = [sys.executable, "-c", LISTEN, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"listening\n"
        refused(path, f"process {process.pid} listens there$")


def test_ourselves_twice(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with unix_listener(str(path), "--vm") as first:
        first.listen()
        refused(path, "this process listens there already, for something else; give each a path of its own$")


def test_a_listener_that_is_full(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with unix_listener(str(path), "--vm") as first, socket.socket(socket.AF_UNIX) as client:
        first.listen(0)
        client.connect(str(path))
        refused(path, "somebody listens there, and takes no connections at present$")


def test_a_path_that_is_too_long(tmp_path: Path) -> None:
    refused(tmp_path / ("d" * 110), r"\d+ bytes, a socket's path may have 107$")


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    refused(tmp_path / "f" / "s", "cannot listen: Not a directory$")


def test_a_socket_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        refused(path, "cannot replace what is there: Protocol wrong type for socket$")
        assert path.is_socket()


def test_a_path_with_a_nul() -> None:
    with pytest.raises(ConfigError, match=r"^--vfio-user: 'a\\x00b': a path has no NUL$"):
        unix_listener("a\0b", "--vfio-user")
