"""Commands that act on a running instance."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from typing import Any

import pytest
from tests.cli.conftest import Run, Running, command


def ask(run: Run, instance: Running, *words: object) -> Any:
    return json.loads(run(*words, "--json", "--state", instance.state).stdout)


def test_ready_says_where_everything_is(instance: Running) -> None:
    ready = instance.ready
    assert ready["lan"]["host"] == "127.0.0.1"
    assert ready["lan"]["port"] > 0
    assert ready["pid"] == instance.process.pid
    assert ready["user"] == "admin"
    assert ready["state"] == str(instance.state)
    assert ready["control"] == str(instance.state / "control.sock")
    assert ready["password_file"] == str(instance.state / "password")
    assert ready["vms"] == [f"connect:unix:{instance.state}/vm.sock"]


def test_the_lan_answers_a_presence_ping(instance: Running) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as console:
        console.settimeout(10)
        console.sendto(
            bytes.fromhex("0600ff06 000011be 80 01 0000"), ("127.0.0.1", instance.ready["lan"]["port"])
        )
        assert console.recv(100).startswith(bytes.fromhex("0600ff06 000011be 40 01 0010"))


def test_status(run: Run, instance: Running) -> None:
    status = ask(run, instance, "status")
    assert status["lan"] == instance.ready["lan"]
    assert status["power"] in ("on", "off")
    assert [user["name"] for user in status["users"]] == ["admin"]
    assert status["open_sessions"] == []
    text = run("status", "--state", instance.state).stdout
    assert f"127.0.0.1 port {instance.ready['lan']['port']}/udp" in text
    assert "administrator on channel 1" in text


def test_sensors(run: Run, instance: Running) -> None:
    sensors = {sensor["name"]: sensor for sensor in ask(run, instance, "sensor", "list")}
    assert len(sensors) >= 30
    assert all(sensor["key"] == name for name, sensor in sensors.items())
    assert sensors["CPU1 Temp"]["unit"] == "degrees C"
    assert sensors["CPU1 Temp"]["thresholds"]["upper-critical"] == 98
    assert "CPU1 Temp" in run("sensor", "list", "--state", instance.state).stdout

    held = ask(run, instance, "sensor", "set", "CPU1 Temp", "99")
    assert (held["value"], held["status"], held["held"]) == (99, "upper critical", True)
    assert ask(run, instance, "sensor", "get", str(held["number"])) == held
    cold = ask(run, instance, "sensor", "set", "Inlet Temp", "-20")
    assert (cold["value"], cold["status"]) == (-20, "lower critical")
    gone = ask(run, instance, "sensor", "set", "Inlet Temp", "none")
    assert (gone["value"], gone["status"]) == (None, "no reading")
    for name in ("CPU1 Temp", "Inlet Temp"):
        released = ask(run, instance, "sensor", "release", name)
        assert (released["held"], released["status"]) == (False, "ok")

    drive = ask(run, instance, "sensor", "set", "Drive 1", "drive fault", "0")
    assert drive["states"] == ["drive presence", "drive fault"]
    assert ask(run, instance, "sensor", "set", "Drive 1", "none")["states"] == []
    text = run("sensor", "get", "Drive 1", "--state", instance.state).stdout
    assert "possible  predictive failure" in text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("get", "CPU9 Temp"), 1, "no sensor 'CPU9 Temp'; `baseboard sensor list` shows which there are"),
        (("get", "255"), 1, "no sensor 255"),
        (("set", "CPU1 Temp", "hot"), 2, "'hot' is not a number (or none)"),
        (("set", "CPU1 Temp", "1", "2"), 2, "'1 2' is not a number (or none)"),
        (("set", "CPU1 Temp", "nan"), 1, "sensor.set: value: found nan; allowed: a number, a list of states"),
        (
            ("set", "Drive 1", "on fire"),
            1,
            "sensor 'Drive 1' has no state 'on fire'; allowed: 0 (drive presence)",
        ),
    ],
)
def test_sensor_errors(run: Run, instance: Running, words: tuple[str, ...], code: int, message: str) -> None:
    error = run("sensor", *words, "--state", instance.state, code=code).stderr
    assert error.startswith(f"baseboard: {message}")


def test_the_log(run: Run, instance: Running) -> None:
    run("sel", "clear", "--state", instance.state)
    (cleared,) = ask(run, instance, "sel", "list")
    assert cleared["event"] == "log area reset/cleared"
    added = ask(run, instance, "sel", "add", "CPU1 Temp", "upper critical going high", "--deassertion")
    assert (added["sensor"], added["asserted"], added["data"]) == ("CPU1 Temp", False, "09ffff")
    assert run("sel", "add", "CPU1 Temp", "9", "--state", instance.state).stdout == "added as record 3\n"
    raw = ask(run, instance, "sel", "add", "-", "0000e0000102030405060708090a0b0c")
    assert (raw["id"], raw["record"]) == (4, "0400e0000102030405060708090a0b0c")
    assert [record["id"] for record in ask(run, instance, "sel", "list")] == [1, 2, 3, 4]
    text = run("sel", "list", "--state", instance.state).stdout
    assert re.search("^4 of [0-9]+ records$", text, re.MULTILINE)
    assert "record of type E0h" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("CPU1 Temp", "melting"), "no event 'melting'; allowed: 0 to 15, lower non-critical going low, "),
        (("CPU1 Temp", "16"), "sel.add-event: event: found 16; allowed: a whole number, 0 to 15"),
        (("CPU9 Temp", "0"), "no sensor 'CPU9 Temp'"),
        (("-", "00"), "sel.add: record: found '00'; allowed: 16 bytes as 32 hexadecimal digits"),
    ],
)
def test_log_errors(run: Run, instance: Running, words: tuple[str, ...], message: str) -> None:
    error = run("sel", "add", *words, "--state", instance.state, code=1).stderr
    assert error.startswith(f"baseboard: {message}")


def test_inventory(run: Run, instance: Running) -> None:
    server = ask(run, instance, "fru")[0]
    assert server["product"]["product_name"] == "Generic Server 2U"
    assert "Generic Server 2U" in run("fru", "--state", instance.state).stdout


def test_load(run: Run, instance: Running) -> None:
    assert ask(run, instance, "load", "0.5", "--ambient", "30") == {"load": 0.5, "ambient": 30}
    assert ask(run, instance, "load") == {"load": 0.5, "ambient": 30}
    error = run("load", "7", "--state", instance.state, code=1).stderr
    assert error == "baseboard: load.set: load: found 7.0; allowed: a number, 0 to 1\n"


def test_power(run: Run, instance: Running) -> None:
    def wait_for(wanted: str) -> None:
        for _ in range(200):
            if ask(run, instance, "power")["power"] == wanted:
                return
        raise AssertionError(f"the power is not {wanted}")

    assert run("power", "on", "--state", instance.state).stdout == "power on requested\n"
    wait_for("on")
    run("power", "off", "--state", instance.state)
    wait_for("off")
    error = run("power", "reset", "--state", instance.state, code=1).stderr
    assert error.startswith("baseboard: reset is impossible while the power is off; possible: ")
    error = run("power", "up", "--state", instance.state, code=2).stderr
    assert error == "baseboard: power: 'up' is not one of status, on, off, cycle, reset, soft, nmi\n"


def test_a_second_instance_in_the_same_place(run: Run, instance: Running) -> None:
    error = run("run", "--state", instance.state, code=2).stderr
    assert f"is in use by process {instance.process.pid}: stop that instance, or name another" in error
    assert "is in use" in run("reset-state", "--state", instance.state, code=2).stderr


def test_a_port_in_use(run: Run, instance: Running) -> None:
    port = instance.ready["lan"]["port"]
    error = run("run", "--state", "other", "--lan", f"127.0.0.1:{port}", code=2).stderr
    assert error.startswith("baseboard: --lan")
    assert f"127.0.0.1:{port}" in error


def test_a_reader_that_has_seen_enough(instance: Running) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            command("sensor", "list", "--state", instance.state),
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.stderr == b""
