"""ipmitool on the serial port, in both of its modes."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import time
import tty
from pathlib import Path

import pytest

from tests.interop.baseboard import Baseboard
from tests.interop.conftest import StartBaseboard
from tests.programs import require_program

pytestmark = pytest.mark.interop

SATELLITE = """
[serial_channel]
address = "pty"
privilege = "administrator"
[[satellite]]
address = 0x82
device_id = 0x33
[[satellite.sensor]]
name = "Rear Temp"
type = "temperature"
unit = "degrees C"
nominal = 31
maximum = 127.5
"""


@pytest.fixture
def served(baseboard: StartBaseboard, tmp_path: Path) -> Baseboard:
    config = tmp_path / "serial.toml"
    config.write_text(SATELLITE)
    return baseboard("--config", str(config))


@pytest.mark.parametrize("mode", ["serial-basic", "serial-terminal"])
def test_ipmitool(served: Baseboard, mode: str) -> None:
    def ipmitool(*arguments: str) -> str:
        device = f"{served.info['serial_channel']}:115200"
        command = [require_program("ipmitool"), "-I", mode, "-D", device, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stdout + done.stderr + served.tail()
        return done.stdout

    assert "Device ID                 : 32" in ipmitool("mc", "info")
    sensors = ipmitool("sdr", "elist")
    assert "CPU1 Temp" in sensors or "Inlet Temp" in sensors
    assert "31 degrees C" in sensors  # over the bridge
    assert "Device ID                 : 51" in ipmitool("-t", "0x82", "mc", "info")
    assert "Baseboard Project" in ipmitool("fru", "print", "0")
    assert "single-session" in ipmitool("channel", "info", "2")
    ipmitool("power", "off")
    assert "off" in ipmitool("power", "status")
    assert "off" in served.ipmitool("power", "status")  # and over the LAN it is the same machine


def test_a_person_on_a_socket_has_to_log_in(baseboard: StartBaseboard) -> None:
    served = baseboard("--serial-channel", "listen:tcp:127.0.0.1:0")
    kind, host, port = str(served.info["serial_channel"]).split(":")
    password = Path(served.info["password_file"]).read_text().strip()
    assert kind == "tcp"
    with socket.create_connection((host, int(port)), timeout=10) as line:

        def say(text: str) -> str:
            line.sendall(text.encode() + b"\r")
            said = b""
            while b"]\r\n" not in said.partition(b"\r\n")[2]:  # behind the echo
                data = line.recv(4096)
                assert data
                said += data
            return said.decode().partition("\r\n")[2].strip()

        assert say("[SYS POWER OFF]") == "[ERR D4]"
        assert say(f"[SYS PWD -U {served.info['user']} {password}]") == "[OK]"
        assert say("[SYS HEALTH QUERY]").startswith("[OK PWR:ON H:ok")
        assert say("[SYS POWER OFF]") == "[OK]"
        assert "off" in served.ipmitool("power", "status")
        assert "active sessions               : 2" in served.ipmitool("session", "info", "active")
    # whoever hangs up is logged out
    deadline = time.monotonic() + 10
    while "active sessions               : 1" not in served.ipmitool("session", "info", "active"):
        assert time.monotonic() < deadline


def test_without_the_flag_there_is_no_port(baseboard: StartBaseboard) -> None:
    plain = baseboard()
    assert plain.info["serial_channel"] is None
    command = plain.ipmitool_command("channel", "info", "2")
    assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 1


def test_a_terminal_that_nobody_reads_holds_nothing_up(baseboard: StartBaseboard) -> None:
    served = baseboard("--serial-channel", "pty")
    line = os.open(str(served.info["serial_channel"]), os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(line)
        os.set_blocking(line, False)
        for _ in range(400):
            try:
                os.write(line, b"[18 00 37]\r" * 20)
            except BlockingIOError:
                break
        assert "Chassis Power is on" in served.ipmitool("power", "status")
        while select.select([line], [], [], 0.5)[0]:
            os.read(line, 65536)
        os.write(line, b"\x1b[SYS TMODE]\r")
        assert select.select([line], [], [], 10)[0]
    finally:
        os.close(line)
