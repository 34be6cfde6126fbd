"""Links to a TPM against peers that answer, hang up, announce nonsense or say nothing."""

from __future__ import annotations

import os
import pty
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from baseboard.aio.tpm import DeviceTpm, SocketTpm, is_managed, tpm_link
from baseboard.errors import ConfigError
from baseboard.spapr.tpm import TpmError

GET_RANDOM = bytes.fromhex("8001 0000000c 0000017b 0004")
RANDOM = bytes.fromhex("8001 00000010 00000000 0004 11223344")


@contextmanager
def peer(answer: Callable[[socket.socket], None], family: int, where: Any) -> Iterator[socket.socket]:
    """A listener that serves one connection."""
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(where)
        listener.listen()
        listener.settimeout(10)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(10)
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener
        finally:
            thread.join(10)


def in_pieces(connection: socket.socket) -> None:
    assert connection.recv(100) == GET_RANDOM
    for place in range(len(RANDOM)):
        connection.sendall(RANDOM[place : place + 1])


def answering(data: bytes) -> Callable[[socket.socket], None]:
    """Takes the command first: who hangs up on unread bytes is another case."""

    def answer(connection: socket.socket) -> None:
        assert connection.recv(100) == GET_RANDOM
        connection.sendall(data)

    return answer


def silent(connection: socket.socket) -> None:
    while connection.recv(100):
        pass


def test_a_response_may_come_in_pieces(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with peer(in_pieces, socket.AF_UNIX, path):
        link = tpm_link(f"unix:{path}")
        link.open()
        assert link.exchange(GET_RANDOM) == RANDOM
        link.close()
        link.close()


def test_tcp() -> None:
    with peer(in_pieces, socket.AF_INET, ("127.0.0.1", 0)) as listener:
        link = tpm_link(f"tcp:127.0.0.1:{listener.getsockname()[1]}")
        link.open()
        assert link.exchange(GET_RANDOM) == RANDOM
        link.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(answering(b""), "hung up", id="hangs up"),
        pytest.param(answering(RANDOM[:12]), "hung up", id="half"),
        pytest.param(
            answering(bytes.fromhex("8001 7fffffff 00000000")),
            "response of 2147483647 bytes",
            id="endless",
        ),
        pytest.param(silent, "did not answer in 0.2 s", id="says nothing"),
    ],
)
def test_a_bad_peer_is_an_error_that_names_it(
    tmp_path: Path, answer: Callable[[socket.socket], None], reason: str
) -> None:
    path = str(tmp_path / "s")
    with peer(answer, socket.AF_UNIX, path):
        link = SocketTpm(path, patience=0.2)
        link.open()
        try:
            with pytest.raises(TpmError, match=reason):
                link.exchange(GET_RANDOM)
        finally:
            link.close()


def test_nobody_there(tmp_path: Path) -> None:
    for link in (tpm_link(f"unix:{tmp_path}/none"), tpm_link(f"{tmp_path}/none")):
        with pytest.raises(TpmError, match="none: No such file"):
            link.open()
        with pytest.raises(TpmError, match="not open"):
            link.exchange(GET_RANDOM)
        link.close()


def test_a_device_takes_a_command_and_gives_a_response() -> None:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    try:
        link = DeviceTpm(os.ttyname(theirs), patience=5)
        link.open()
        os.write(ours, RANDOM)
        assert link.exchange(GET_RANDOM) == RANDOM
        assert os.read(ours, 100) == GET_RANDOM
        os.write(ours, RANDOM[:12])
        with pytest.raises(TpmError, match="12 bytes that announce 16"):
            link.exchange(GET_RANDOM)
        link.close()
        quick = DeviceTpm(os.ttyname(theirs), patience=0.05)
        quick.open()
        with pytest.raises(TpmError, match=r"did not answer in 0\.05 s"):
            quick.exchange(GET_RANDOM)
        quick.close()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("where", ["", "unix:", "tcp:here", "tcp:here:0", "tcp:a:99999", "udp:a:1", "tpm0"])
def test_names_that_are_none(where: str) -> None:
    with pytest.raises(ConfigError, match="names no TPM: use unix:PATH"):
        tpm_link(where)


def test_the_kernels_resource_manager_is_known() -> None:
    assert is_managed("/dev/tpmrm0")
    assert not is_managed("/dev/tpm0")
    assert not is_managed("unix:/run/tpmrm0")
