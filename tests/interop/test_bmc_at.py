"""`baseboard run --bmc-at`: ipmitool over our LAN asks firmware that is not ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.bmc_machine import BmcMachine
from tests.interop.conftest import StartBaseboard

pytestmark = pytest.mark.interop


def test_firmware_on_a_bmc_machine(baseboard: StartBaseboard, tmp_path: Path) -> None:
    with BmcMachine(tmp_path) as machine:
        machine.attach().detach()  # its firmware is up
        process = baseboard("--bmc-at", f"qmp:{machine.monitor}")
        assert process.info["bmc_at"] == f"qmp:{machine.monitor}"
        info = process.ipmitool("mc", "info")
        assert "Product ID                : 9728 (0x2600)" in info
        records = process.ipmitool("sel", "list").splitlines()
        assert len(records) == 3
        assert "Upper Critical going high" in records[1]
        assert process.ipmitool("mc", "selftest") == "Selftest: passed\n"
        assert process.ipmitool("raw", "0x30", "0x01", "1", "2", "3").split() == ["01", "02", "03"]
        # What is ours: users, channels, LAN, sessions.
        assert "admin" in process.ipmitool("user", "list", "1")
        assert "Set in Progress         : Set Complete" in process.ipmitool("lan", "print", "1")
        assert "session handle" in process.ipmitool("session", "info", "active")
        # A console that may do less: what our tables do not know needs Administrator.
        for words, status in ((["mc", "info"], 0), (["raw", "0x30", "0x01", "1"], 1)):
            command = process.ipmitool_command("-L", "USER", *words)
            assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == status
        legacy = ("-I", "lan", "-U", "admin", "-f", str(process.info["password_file"]))
        assert "0x2600" in process.ipmitool("mc", "info", login=legacy)
        # What firmware says of commands that it does not have, and of its own death.
        refused = subprocess.run(
            process.ipmitool_command("raw", "0x06", "0x7f"), capture_output=True, timeout=30, check=False
        )
        assert b"rsp=0xc1" in refused.stderr
        machine.kill()
        dead = subprocess.run(
            process.ipmitool_command("raw", "0x06", "0x01"), capture_output=True, timeout=30, check=False
        )
        assert b"rsp=0xff" in dead.stderr
        machine.restart()
        machine_is_back(process.ipmitool_command("raw", "0x06", "0x01"))
        process.stop()
        machine.attach().detach()  # it runs, and can be attached to again


def machine_is_back(command: list[str]) -> None:
    """Asks as long as the firmware comes up, 20 times at most; each ipmitool takes a while by itself."""
    for _ in range(20):
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        if done.returncode == 0:
            return
        assert b"rsp=0xff" in done.stderr or b"rsp=0xd2" in done.stderr
    raise AssertionError("the firmware is not back")


def test_ipmi_sim_on_the_wire(baseboard: StartBaseboard, simulator: int) -> None:
    process = baseboard("--bmc-at", f"vm:connect:tcp:127.0.0.1:{simulator}")
    machine_is_back(process.ipmitool_command("raw", "0x06", "0x01"))
    assert "Manufacturer ID           : 4753" in process.ipmitool("mc", "info")
    assert "admin" in process.ipmitool("user", "list", "1")
    process.stop()
    host = [sys.executable, "-m", "baseboard", "host", f"vm:connect:tcp:127.0.0.1:{simulator}", "mc", "info"]
    done = subprocess.run(host, capture_output=True, text=True, timeout=30, check=True)
    assert "manufacturer id       4753" in done.stdout


def test_a_monitor_that_is_none(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "baseboard", "run", "--state", str(tmp_path / "state")]
    program += ["--lan", "127.0.0.1:0"]
    done = subprocess.run(
        [*program, "--bmc-at", f"qmp:{tmp_path / 'nothing'}"], capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert b"cannot connect: No such file" in done.stderr
    for options, reason in (
        (["--bmc-at", "soup"], b"is not qmp:PATH, ibt:PATH or vm:ADDRESS"),
        (["--bmc-at", "qmp:x", "--dummy", "y"], b"--dummy asks our own controller"),
    ):
        done = subprocess.run([*program, *options], capture_output=True, timeout=30, check=False)
        assert done.returncode == 2
        assert reason in done.stderr
