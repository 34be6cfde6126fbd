"""ipmitool and FreeIPMI's ipmiconsole, as people use them, on the console of a simulated server."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from baseboard.aio.endpoint import Address
from baseboard.aio.lan import LanListener
from baseboard.aio.serial import SimulatedSerial
from baseboard.aio.sol import SolPump
from baseboard.bmc import Bmc, Core, Settings
from baseboard.bmc.commands import TABLES
from baseboard.bmc.events import SolChanged
from baseboard.lan.server import LanServer
from tests.interop.terminal import PATIENCE, Terminal
from tests.programs import require_program

HOST, USER, PASSWORD = "127.0.0.1", "admin", "Passw0rd"


async def serve() -> None:
    """A controller with nothing but a LAN and a simulated console; prints its port."""
    loop = asyncio.get_running_loop()
    bmc = Bmc(Settings(), loop.time())
    bmc.users.provision(2, USER.encode(), PASSWORD.encode())
    server = LanServer(bmc.authority, Core(bmc, TABLES).handle, os.urandom)
    bmc.sessions = server

    def handled(now: float) -> None:
        while (event := bmc.next_event()) is not None:
            if isinstance(event, SolChanged):
                pump.changed(event.session_id)

    # ipmiconsole 1.6.10 calls a port above 32767 an invalid host.
    lan = LanListener(server, Address("udp", host=HOST, port=7300), handled, ports=1000)
    await lan.start()
    bmc.sol.port = lan.address[1]
    pump = SolPump(bmc.sol, lan, SimulatedSerial())
    await pump.start()
    print(lan.address[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until the test goes away
    await pump.close()
    lan.close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    command = [sys.executable, "-c", f"import asyncio\nfrom {__name__} import serve\nasyncio.run(serve())"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate()


def work(terminal: Terminal) -> None:
    """Log in, and let the machine print 65 kB."""
    terminal.expect(b"login: ", b"root\r")
    terminal.expect(b"Password: ", b"x\r")
    terminal.expect(b"~# ", b"lines 5000\r")
    terminal.expect(b"line 004999\r\n")
    lines = re.findall(rb"line (\d{6})\r\n", terminal.screen)
    assert lines == [b"%06d" % number for number in range(5000)]


@pytest.mark.parametrize("suite", ["3", "17"])
def test_ipmitool(port: int, suite: str) -> None:
    options = ("-I", "lanplus", "-H", HOST, "-p", str(port), "-U", USER, "-P", PASSWORD, "-C", suite)
    terminal = Terminal(require_program("ipmitool"), *options, "sol", "activate")
    try:
        work(terminal)
        terminal.expect(b"~# ", b"\r~B")
        terminal.expect(b"sysrq: HELP", b"\r~.")
        terminal.expect(b"terminated")
        assert terminal.wait() == 0
    finally:
        terminal.close()


@pytest.mark.parametrize("suite", ["3", "17"])
def test_ipmiconsole(port: int, suite: str) -> None:
    program = require_program("ipmiconsole")
    terminal = Terminal(program, "-h", f"{HOST}:{port}", "-u", USER, "-p", PASSWORD, "-I", suite)
    try:
        work(terminal)
        terminal.expect(b"~# ", b"\r&B")
        terminal.expect(b"sysrq: HELP", b"\r&.")
        assert terminal.wait() == 0
    finally:
        terminal.close()


def test_who_is_robbed_is_told(port: int) -> None:
    ipmitool = [require_program("ipmitool"), "-I", "lanplus", "-H", HOST, "-p", str(port)]
    ipmitool += ["-U", USER, "-P", PASSWORD, "sol"]
    terminal = Terminal(require_program("ipmiconsole"), "-h", f"{HOST}:{port}", "-u", USER, "-p", PASSWORD)
    try:
        terminal.expect(b"login: ")
        refused = subprocess.run([*ipmitool, "activate"], capture_output=True, text=True, timeout=PATIENCE)
        assert "SOL payload already active on another session" in refused.stdout + refused.stderr
        subprocess.run([*ipmitool, "deactivate"], check=True, timeout=PATIENCE)
        terminal.expect(b"stolen")
        terminal.wait()
    finally:
        terminal.close()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param(["sol", "info", "1"], ["Payload Port", "OPERATOR"], id="info"),
        pytest.param(
            ["sol", "payload", "status", "1", "2"], ["User 2 on channel 1 is enabled"], id="payload"
        ),
        pytest.param(["sol", "payload", "disable", "1", "3"], [], id="payload disable"),
        pytest.param(["sol", "set", "retry-count", "5", "1"], [], id="set"),
        pytest.param(["sol", "set", "privilege-level", "admin", "1"], [], id="set level"),
    ],
)
def test_ipmitool_parameters(port: int, command: list[str], words: list[str]) -> None:
    options = ("-I", "lanplus", "-H", HOST, "-p", str(port), "-U", USER, "-P", PASSWORD)
    done = subprocess.run(
        [require_program("ipmitool"), *options, *command], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert all(word in done.stdout for word in words)
