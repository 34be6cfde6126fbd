"""DCMI as ipmitool and FreeIPMI's ipmi-dcmi use it."""

from __future__ import annotations

import random
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.baseboard import Baseboard

PATIENCE = 20.0
LOW_PORTS = range(20_000, 32_000)
"""ipmi-dcmi 1.6.10 calls a port above 32767 an invalid host."""


def low_port() -> int:
    """A UDP port that is free now."""
    while True:
        port = random.choice(LOW_PORTS)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@pytest.fixture(scope="module")
def bmc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baseboard]:
    state: Path = tmp_path_factory.mktemp("dcmi") / "state"
    process = Baseboard("--lan", f"127.0.0.1:{low_port()}", state=state)
    yield process
    process.kill()


def watts(bmc: Baseboard, *period: str) -> dict[str, int]:
    """What `dcmi power reading` prints."""
    text = bmc.ipmitool("dcmi", "power", "reading", *period)
    assert "Power reading state is:                   activated" in text
    found = re.findall(r"^ +(Instant|Minimum|Maximum|Average)[^:]*: +(\d+) Watts$", text, re.M)
    return {name: int(number) for name, number in found}


def test_discover(bmc: Baseboard) -> None:
    text = bmc.ipmitool("dcmi", "discover")
    for line in (
        "Power management available",
        "In-band KCS channel available",
        "Out-of-band primary LAN channel available",
        "SEL automatic rollover is not present",
        "4000 SEL entries",
        "Slave address of device: 20h (BMC)",
        "Primary LAN channel number: 1 is available",
        "No serial channel is available",
    ):
        assert line in text


def test_capabilities(bmc: Baseboard) -> None:
    text = bmc.freeipmi("ipmi-dcmi", "--get-dcmi-capability-info")
    lines = (line.partition(":") for line in text.splitlines() if ":" in line)
    table = [(name.strip(), value.strip()) for name, _, value in lines]
    told = dict(table)
    assert told["DCMI Specification Conformance"] == "1.5"
    assert told["Power Management / Monitoring Support"] == "Available"
    assert told["Number of SEL entries"] == "4000"
    assert told["Asset Tag"] == "Available"
    assert told["Power Management Device Slave Address"] == "20h"
    assert told["Primary LAN Out-of-band Channel Number"] == "1"
    periods = [value for name, value in table if name == "Available Rolling Average Time Period"]
    assert periods[0] == "5 Seconds"
    assert periods[-1] == "1 Hours"


def test_power_reading(bmc: Baseboard) -> None:
    reading = watts(bmc)
    assert 150 < reading["Minimum"] <= reading["Average"] <= reading["Maximum"] < 600
    sensor = float(bmc.ipmitool("sensor", "reading", "System Power").split("|")[1])
    assert reading["Instant"] == pytest.approx(sensor, abs=10)
    assert watts(bmc, "5_sec")["Average"] == pytest.approx(reading["Average"], abs=50)


def test_the_exporter_s_reading(bmc: Baseboard) -> None:
    text = bmc.freeipmi("ipmi-dcmi", "--get-system-power-statistics")
    current = re.search(r"^Current Power +: (\d+) Watts$", text, re.M)
    assert current
    assert int(current[1]) > 150
    assert re.search(r"^Power Measurement +: Active$", text, re.M)
    assert time.strftime("%m/%d/%Y") in text
    enhanced = bmc.freeipmi("ipmi-dcmi", "--get-enhanced-system-power-statistics")
    assert enhanced.count("Power Statistics for Rolling Average Time Period") == 9


def test_a_limit_caps_the_load(bmc: Baseboard) -> None:
    assert "No Active Power Limit" in bmc.ipmitool("dcmi", "power", "get_limit")
    idle = watts(bmc)["Instant"]
    limit = idle - 40
    bmc.ipmitool("dcmi", "power", "set_limit", "action", "sel_logging")
    bmc.ipmitool("dcmi", "power", "set_limit", "limit", str(limit))
    bmc.ipmitool("dcmi", "power", "set_limit", "correction", "8000")
    bmc.ipmitool("dcmi", "power", "set_limit", "sample", "30")
    bmc.ipmitool("dcmi", "power", "activate")
    text = bmc.ipmitool("dcmi", "power", "get_limit")
    assert "Power Limit Active" in text
    assert re.search(r"Exception actions: +Log Event to SEL$", text, re.M)
    assert re.search(rf"Power Limit: +{limit} Watts$", text, re.M)
    assert re.search(r"Correction time: +8000 milliseconds$", text, re.M)
    assert re.search(r"Sampling period: +30 seconds$", text, re.M)
    shown = bmc.freeipmi("ipmi-dcmi", "--get-power-limit")
    assert f"{limit} watts" in shown
    assert "8000 milliseconds" in shown
    assert _until(lambda: watts(bmc)["Instant"] <= limit)
    assert "Limit Exceeded" not in bmc.ipmitool("sel", "elist")
    bmc.ipmitool("dcmi", "power", "deactivate")
    assert "No Active Power Limit" in bmc.ipmitool("dcmi", "power", "get_limit")


def test_a_limit_that_cannot_be_kept_is_logged(bmc: Baseboard) -> None:
    setting = (
        "--power-limit-requested=60",
        "--correction-time-limit=1000",
        "--statistics-sampling-period=10",
    )
    bmc.freeipmi("ipmi-dcmi", "--set-power-limit", "--exception-actions=LOG_EVENT_TO_SEL_ONLY", *setting)
    bmc.freeipmi("ipmi-dcmi", "--activate-deactivate-power-limit=ACTIVATE")
    wanted = "Power Unit Power Limit | Limit Exceeded | Asserted"
    assert _until(lambda: wanted in bmc.ipmitool("sel", "elist"))
    bmc.freeipmi("ipmi-dcmi", "--activate-deactivate-power-limit=DEACTIVATE")


def test_sensors(bmc: Baseboard) -> None:
    text = bmc.ipmitool("dcmi", "sensors")
    assert "Inlet: 1 temperature sensor found" in text
    assert "CPU: 2 temperature sensors found" in text
    assert re.search(r"Record ID 0x\w{4}: CPU2 Temp +\| \d+ degrees C +\| ok", text)
    assert "Baseboard: 1 temperature sensor found" in text
    ids = bmc.freeipmi("ipmi-dcmi", "--get-dcmi-sensor-info")
    assert set(re.findall(r"^(\d+)$", ids, re.M)) == {
        str(int(number, 16)) for number in re.findall(r"Record ID 0x(\w{4})", text)
    }


def test_temperatures(bmc: Baseboard) -> None:
    text = bmc.ipmitool("dcmi", "get_temp_reading")
    assert re.search(r"^Inlet air temperature\(40h\)\s+1\s+\+2\d C$", text, re.M)
    assert re.search(r"^CPU temperature sensors\(41h\)\s+2\s+\+\d\d C$", text, re.M)


def test_the_asset_tag_is_in_the_inventory(bmc: Baseboard) -> None:
    bmc.ipmitool("dcmi", "set_asset_tag", "Rack12-Unit7-Frankfurt")
    assert "Asset tag: Rack12-Unit7-Frankfurt" in bmc.ipmitool("dcmi", "asset_tag")
    assert re.search(r"Product Asset Tag +: Rack12-Unit7-Frankfurt", bmc.ipmitool("fru", "print", "0"))
    bmc.freeipmi("ipmi-dcmi", "--set-asset-tag=B-17")
    assert bmc.freeipmi("ipmi-dcmi", "--get-asset-tag").strip() == "B-17"


def test_the_controller_s_name(bmc: Baseboard) -> None:
    assert re.search(r"DCMI[0-9A-F]{12}", bmc.ipmitool("dcmi", "get_mc_id_string"))
    bmc.ipmitool("dcmi", "set_mc_id_string", "controller-of-rack-12")
    assert "controller-of-rack-12" in bmc.ipmitool("dcmi", "get_mc_id_string")
    name = bmc.freeipmi("ipmi-dcmi", "--get-management-controller-identifier-string")
    assert name.strip() == "controller-of-rack-12"


def test_thermal_policy(bmc: Baseboard) -> None:
    bmc.ipmitool("dcmi", "thermalpolicy", "set", "0x40", "1", "nonvolatile", "nopoweroff", "sel", "60", "30")
    text = bmc.ipmitool("dcmi", "thermalpolicy", "get", "0x40", "1")
    assert re.search(r"Persistence flag is: +set", text)
    assert re.search(r"Hard Power Off system and log event: +inactive", text)
    assert re.search(r"Log event to SEL only: +active", text)
    assert re.search(r"Temperature Limit +60 degrees", text)
    assert re.search(r"Exception Time +30 seconds", text)


def test_configuration(bmc: Baseboard) -> None:
    bmc.ipmitool("dcmi", "set_conf_param", "retry", "90")
    text = bmc.ipmitool("dcmi", "get_conf_param")
    assert re.search(r"Initial timeout interval\s*: 4 seconds", text)
    assert re.search(r"Server contact retry interval\s*: 90 seconds", text)


def test_the_pong_announces_dcmi(bmc: Baseboard) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as console:
        console.settimeout(PATIENCE)
        console.sendto(bytes.fromhex("0600ff06000011be80fe0000"), (bmc.host, bmc.port))
        pong = console.recv(100)
    assert int.from_bytes(pong[12:16], "big") == 36465  # DCMI's enterprise number


def _until(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
    return True
