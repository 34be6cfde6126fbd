"""A Linux guest's console over the LAN: QEMU's serial port, baseboard, ipmitool and ipmiconsole."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.interop.baseboard import Baseboard
from tests.interop.conftest import StartGuest
from tests.interop.terminal import Terminal

LINES = 20_000
"""108 kB."""
TRAP = b"trap 'echo broken $((6*7)); exit' INT; echo waiting $((6*7)); while :; do sleep 1; done"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("console")


@pytest.fixture(scope="module")
def baseboard(directory: Path) -> Iterator[Baseboard]:
    args = ("--console", f"unix:{directory / 'serial'}", "--power", "vm", "--lan", f"127.0.0.1:{low_port()}")
    process = Baseboard(*args, state=directory / "state")
    yield process
    process.kill()


def low_port() -> int:
    """A free UDP port: ipmiconsole 1.6.10 calls one above 32767 an invalid host."""
    for port in range(8230, 9230):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def test_a_login_108_kilobytes_and_a_break(guest: StartGuest, directory: Path, baseboard: Baseboard) -> None:
    # QEMU speaks telnet on the socket, so that a break gets through.
    serial = f"socket,id=serial,path={directory / 'serial'},server=on,wait=off,telnet=on"
    guest(["-chardev", serial, "-serial", "chardev:serial"])
    ipmitool = baseboard.ipmitool_command("sol", "activate")
    ipmiconsole = baseboard.freeipmi_command("ipmiconsole")
    ipmiconsole.remove("--driver-type=LAN_2_0")
    for command, escape in ((ipmitool, b"~"), (ipmiconsole, b"&")):
        terminal = Terminal(*command)
        try:
            terminal.expect(b"", b"\r")
            terminal.expect(b"login: ", b"root\r")
            terminal.expect(b"# ", f"stty -echo; seq {LINES}; echo th''at is all\r".encode())
            terminal.expect(b"that is all")
            numbers = re.findall(rb"(?m)^(\d+)\r$", terminal.screen)
            assert numbers == [b"%d" % number for number in range(1, LINES + 1)]
            terminal.expect(b"# ", b"stty brkint; (" + TRAP + b")\r")
            terminal.expect(b"waiting 42", escape + b"B")
            terminal.expect(b"broken 42")
            terminal.expect(b"# ", b"exit\r")
            terminal.expect(b"login: ", b"\r" + escape + b".")
            assert terminal.wait() == 0
        finally:
            terminal.close()
