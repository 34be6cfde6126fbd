"""Serial over LAN of a running baseboard: the simulated console, and a serial port that the test plays."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.interop.lan_clients import LanServer
from tests.interop.terminal import PATIENCE, Terminal
from tests.programs import require_program

LINES = 14_000
"""Of 8 characters: 112 kB."""
OUTPUT = b"".join(b"%06d\r\n" % number for number in range(LINES))
TYPED = b"".join(b"typed %05d\r" % number for number in range(1_000))
"""12 kB; nobody types more."""


def free_port() -> int:
    """ipmiconsole 1.6.10 calls a port above 32767 an invalid host, so the system cannot choose."""
    for port in range(9_300, 10_300):
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port")


class SerialEnd:
    """The machine's end of a serial line: a socket that listens, as QEMU's does."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(PATIENCE)
        self._line: socket.socket | None = None
        self.heard = b""

    @property
    def line(self) -> socket.socket:
        if self._line is None:
            self._line = self._listener.accept()[0]
            self._line.settimeout(PATIENCE)
        return self._line

    def hear(self, length: int) -> bytes:
        """The next `length` bytes that were typed."""
        end = time.monotonic() + PATIENCE
        while len(self.heard) < length:
            assert time.monotonic() < end, self.heard[-100:]
            data = self.line.recv(65536)
            assert data
            self.heard += data
        heard, self.heard = self.heard[:length], self.heard[length:]
        return heard

    def close(self) -> None:
        self._listener.close()
        if self._line is not None:
            self._line.close()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    directory = tmp_path_factory.mktemp("simulated")
    running = LanServer(directory, "--lan", f"127.0.0.1:{free_port()}", suites=(17, 3, 1))
    yield running
    assert not running.process.tail()
    running.close()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LanServer, SerialEnd]]:
    directory = tmp_path_factory.mktemp("played")
    machine = SerialEnd(directory / "serial")
    running = LanServer(
        directory,
        "--lan",
        f"127.0.0.1:{free_port()}",
        "--console",
        f"unix:{directory / 'serial'}",
        suites=(17, 3),
    )
    yield running, machine
    assert not running.process.tail()
    running.close()
    machine.close()


def open_console(server: LanServer, client: str, user: str = "admin", suite: int = 17) -> Terminal:
    if client == "ipmitool":
        how = ("-I", "lanplus", "-C", str(suite))
        terminal = Terminal(*server.ipmitool_command("sol", "activate", user=user, how=how))
    else:
        command = server.ipmitool_command(user=user)
        password = command[command.index("-P") + 1]
        terminal = Terminal(
            require_program("ipmiconsole"), "-h", f"{server.host}:{server.port}", "-u", user,
            "-p", password, "-l", "ADMIN" if user == "admin" else "OPERATOR", "-I", str(suite),
        )  # fmt: skip
    terminal.expect(b"SOL")  # "SOL Session operational", "SOL established"
    terminal.expect(b"]")
    return terminal


def leave(terminal: Terminal, client: str) -> None:
    terminal.expect(b"", b"\r" + (b"~" if client == "ipmitool" else b"&") + b".")
    assert terminal.wait() == 0


CLIENTS = pytest.mark.parametrize("client", ["ipmitool", "ipmiconsole"])


@CLIENTS
@pytest.mark.parametrize(("user", "suite"), [("admin", 17), ("admin", 3), ("operator", 17), ("admin", 1)])
def test_simulated_console(simulated: LanServer, client: str, user: str, suite: int) -> None:
    terminal = open_console(simulated, client, user, suite)
    try:
        terminal.expect(b"", b"\r")
        terminal.expect(b"login: ", b"root\r")
        terminal.expect(b"Password: ", b"x\r")
        terminal.expect(b"~# ", b"lines 5000\r")
        terminal.expect(b"line 004999\r\n")
        numbers = re.findall(rb"line (\d{6})\r\n", terminal.screen)
        assert numbers == [b"%06d" % number for number in range(5000)]
        terminal.expect(b"~# ", b"exit\r")
        leave(terminal, client)
    finally:
        terminal.close()


@CLIENTS
def test_serial_port_both_ways(played: tuple[LanServer, SerialEnd], client: str) -> None:
    server, machine = played
    terminal = open_console(server, client)
    try:
        sender = threading.Thread(target=machine.line.sendall, args=(OUTPUT + b"end of it\r\n",))
        sender.start()
        terminal.expect(b"end of it")
        sender.join()
        shown = re.findall(rb"^(\d{6})\r$", terminal.screen, re.MULTILINE)
        assert len(shown) == LINES
        assert shown == [b"%06d" % number for number in range(LINES)]
        for at in range(0, len(TYPED), 600):
            terminal.expect(b"", TYPED[at : at + 600])
            assert machine.hear(len(TYPED[at : at + 600])) == TYPED[at : at + 600]
        leave(terminal, client)
        if client == "ipmitool":
            assert machine.hear(1) == b"\r"
    finally:
        terminal.close()


def test_one_at_a_time(simulated: LanServer) -> None:
    first = open_console(simulated, "ipmitool")
    try:
        simulated.ipmitool("sol", "activate").fails("SOL payload already active on another session")
        simulated.ipmitool("sol", "deactivate", user="operator").shows()
    finally:  # ipmitool does not look at the word that the console is gone
        first.close()
    simulated.ipmitool("sol", "deactivate").says("already de-activated|Info: SOL payload already")
    second = open_console(simulated, "ipmiconsole")
    try:
        simulated.ipmitool("sol", "activate").fails("SOL payload already active on another session")
        simulated.ipmitool("sol", "deactivate").shows()
        second.expect(b"stolen")
        second.wait()
    finally:
        second.close()


def test_who_is_too_low(simulated: LanServer) -> None:
    simulated.ipmitool("sol", "activate", user="viewer").fails("(?i)privilege|failed|not|denied|Unable")


def test_a_session_that_ends_frees_the_console(simulated: LanServer) -> None:
    terminal = open_console(simulated, "ipmitool")
    terminal.close()  # killed: no word to the controller
    simulated.ipmitool("sol", "deactivate").shows()
    again = open_console(simulated, "ipmitool")
    try:
        leave(again, "ipmitool")
    finally:
        again.close()
