"""Satellites and other processes on the bus, through ipmitool and FreeIPMI."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.interop.baseboard import Baseboard
from tests.interop.conftest import StartBaseboard
from tests.programs import require_program

pytestmark = pytest.mark.interop

CHASSIS = """
[[satellite]]
address = 0x82
name = "Fan board"
device_id = 0x33
product_name = "Fan board 9000"
serial_number = "F0042"
[[satellite.sensor]]
name = "Rear Temp"
type = "temperature"
unit = "degrees C"
maximum = 127.5
nominal = 31
upper_critical = 70
[[satellite.sensor]]
name = "Fan Slot"
type = "slot / connector"
states = ["fault status asserted", "identify status asserted"]
present = ["identify status asserted"]
[[satellite]]
address = 0x84
name = "Blade"
device_id = 0x44
"""


@pytest.fixture
def chassis(baseboard: StartBaseboard, tmp_path: Path) -> Baseboard:
    config = tmp_path / "chassis.toml"
    config.write_text(CHASSIS)
    return baseboard("--config", str(config))


def test_a_satellite_through_ipmitool(chassis: Baseboard) -> None:
    assert "Device ID                 : 51" in chassis.ipmitool("-t", "0x82", "mc", "info")
    sensors = chassis.ipmitool("sdr", "elist", "all")
    assert "Rear Temp        | 01h | ok" in sensors
    assert "31 degrees C" in sensors
    assert "Fan Slot" in sensors
    assert "Identify Status" in sensors
    fru = chassis.ipmitool("fru", "print")
    assert "Fan board 9000" in fru
    assert "F0042" in fru
    assert "Fan board 9000" in chassis.ipmitool("-t", "0x82", "fru", "print", "0")
    assert "Rear Temp" in chassis.ipmitool("-t", "0x82", "sdr", "list")
    assert "Blade" in chassis.ipmitool("sdr", "elist", "mcloc")


def test_ipmi15_and_a_threshold_that_is_set_over_the_bridge(chassis: Baseboard) -> None:
    chassis.ipmitool("sensor", "thresh", "Rear Temp", "ucr", "30")
    assert "Upper Critical" in chassis.ipmitool("sensor", "get", "Rear Temp")
    assert "0082" in chassis.ipmitool("-v", "sel", "list")  # the generator of the event
    login = ("-I", "lan", "-U", str(chassis.info["user"]), "-f", str(chassis.info["password_file"]))
    assert "Device ID                 : 51" in chassis.ipmitool("-t", "0x82", "mc", "info", login=login)


def test_double_bridging_and_who_is_not_there(chassis: Baseboard) -> None:
    double = chassis.ipmitool("-T", "0x82", "-B", "0", "-t", "0x84", "-b", "0", "mc", "info")
    assert "Device ID                 : 68" in double
    for arguments in (("-t", "0x90"), ("-T", "0x82", "-t", "0x90")):
        command = chassis.ipmitool_command(*arguments, "raw", "6", "1")
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 1
        assert time.monotonic() - began < 5
        assert "rsp=0x83" in done.stderr


def test_a_satellites_sensor_is_held(chassis: Baseboard) -> None:
    """Its reading is what consoles see over the bridge, and its event comes from its address."""
    flags = ("--state", str(chassis.state))
    command = (sys.executable, "-m", "baseboard", "sensor")
    for words in (("list",), ("set", "82h/Rear Temp", "75")):
        done = subprocess.run(
            [*command, *words, *flags], capture_output=True, text=True, timeout=30, check=True
        )
        assert "Rear Temp" in done.stdout
    assert "75 degrees C" in chassis.ipmitool("sdr", "elist", "all")
    assert "0082" in chassis.ipmitool("-v", "sel", "list")


def test_freeipmi_reads_sensors_over_the_bridge(chassis: Baseboard) -> None:
    sensors = chassis.freeipmi("ipmi-sensors", "--bridge-sensors", "--quiet-cache", "--sdr-cache-recreate")
    assert "Rear Temp" in sensors
    line = next(line for line in sensors.splitlines() if "Rear Temp" in line)
    assert "31.00" in line
    assert "Fan board 9000" in chassis.freeipmi("ipmi-fru", "-l", "OPERATOR", "--bridge-fru", "--quiet-cache")


def test_openipmi_finds_every_controller(chassis: Baseboard) -> None:
    password = Path(chassis.info["password_file"]).read_text().strip()
    where = f"-U {chassis.info['user']} -P {password} -p {chassis.port} {chassis.host}"
    shell = subprocess.Popen(
        [require_program("openipmish"), "-x", f"domain open d lan {where}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert shell.stdin is not None
        assert shell.stdout is not None
        found: set[str] = set()
        for line in shell.stdout:  # pytest's time-out ends it when something is missing
            found |= {one for one in ("d(0.20)", "d(0.82)", "d(0.84)", "Rear Temp") if one in line}
            if len(found) == 4:
                break
        assert len(found) == 4, found
    finally:
        shell.kill()
        shell.communicate(timeout=20)


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_two_processes_bridge_to_each_other(baseboard: StartBaseboard, tmp_path: Path, kind: str) -> None:
    where = f"unix:{tmp_path / 'bus.sock'}" if kind == "unix" else "tcp:127.0.0.1:0"
    manager = baseboard("--ipmb", f"listen:{where}", state=tmp_path / "manager")
    (bus,) = manager.info["ipmb"]
    config = tmp_path / "blade.toml"
    config.write_text("[identity]\ndevice_id = 0x77\n[ipmb]\nevent_receiver = 0x20\n")
    blade_flags = (
        "--ipmb",
        f"connect:{bus.removeprefix('listen:')}",
        "--ipmb-address",
        "0x82",
        "--config",
        str(config),
    )
    blade = baseboard(*blade_flags, state=tmp_path / "blade")
    assert "Device ID                 : 119" in _soon(manager, "-t", "0x82", "mc", "info")
    assert "Device ID                 : 32" in blade.ipmitool("-m", "0x82", "-t", "0x20", "mc", "info")
    assert "Chassis Power is on" in manager.ipmitool("-t", "0x82", "power", "status")
    manager.ipmitool("-t", "0x82", "power", "off")
    assert "off" in blade.ipmitool("power", "status")
    assert "0082" in manager.ipmitool("-v", "sel", "list")  # the blade told its manager
    assert "Blade" not in manager.ipmitool("sdr", "list")
    # a blade that dies is not answered for; when it is back, it is on the bus again
    blade.kill()
    dead = subprocess.run(
        manager.ipmitool_command("-t", "0x82", "raw", "6", "1"),
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert dead.returncode == 1
    baseboard(*blade_flags, state=tmp_path / "blade")
    assert "Device ID                 : 119" in _soon(manager, "-t", "0x82", "mc", "info")


def _soon(one: Baseboard, *arguments: str) -> str:
    """A command that succeeds when the other process has joined the bus."""
    deadline = time.monotonic() + 20
    while True:
        done = subprocess.run(
            one.ipmitool_command(*arguments), capture_output=True, text=True, timeout=30, check=False
        )
        if done.returncode == 0 or time.monotonic() > deadline:
            assert done.returncode == 0, done.stderr + one.tail()
            return done.stdout
