"""Command discovery and the firewall, and what is on the I2C buses, through ipmitool."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.interop.baseboard import Baseboard


@pytest.fixture(scope="module")
def bmc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baseboard]:
    process = Baseboard(state=tmp_path_factory.mktemp("firewall") / "state")
    yield process
    process.kill()


def firewall(bmc: Baseboard, *args: str) -> tuple[int, str]:
    """Exit status and everything that is said: ipmitool prints errors beside results."""
    done = subprocess.run(
        bmc.ipmitool_command("firewall", *args), capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_what_there_is(bmc: Baseboard) -> None:
    code, text = firewall(bmc, "info", "channel", "1", "lun", "0")
    assert (code, "failed" in text) == (0, False), text
    for netfn in ("00", "04", "06", "0a", "0c", "2c"):
        assert f"00,{netfn} enabled:" in text


def test_a_disabled_command(bmc: Baseboard) -> None:
    where = ("channel", "1", "lun", "0", "netfn", "0", "command", "0xf")  # Get POH Counter
    assert "| X | X | X |" in firewall(bmc, "info", *where)[1].splitlines()[2]
    assert firewall(bmc, "disable", *where)[0] == 0
    assert "| X | X |   |" in firewall(bmc, "info", *where)[1].splitlines()[2]
    refused = subprocess.run(
        bmc.ipmitool_command("chassis", "poh"), capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode != 0
    assert "Insufficient privilege level" in refused.stdout + refused.stderr
    assert firewall(bmc, "enable", *where)[0] == 0
    assert "POH Counter" in bmc.ipmitool("chassis", "poh")


def i2c(bmc: Baseboard, *args: str) -> bytes:
    lines = bmc.ipmitool("i2c", *args).splitlines()
    return bytes.fromhex("".join(line.strip() for line in lines if re.fullmatch(r"(?: [0-9a-f]{2})+", line)))


def test_the_inventory_on_the_bus(bmc: Baseboard) -> None:
    there = i2c(bmc, "bus=0", "0xa0", "16", "0x00")
    raw = bmc.ipmitool("raw", "0x0a", "0x11", "0", "0", "0", "16")
    assert there == bytes.fromhex("".join(raw.split()))[1:]


def test_the_thermometer(bmc: Baseboard) -> None:
    register = i2c(bmc, "bus=0", "0x90", "2", "0x00")
    inlet = float(bmc.ipmitool("sensor", "reading", "Inlet Temp").split("|")[1])
    assert int.from_bytes(register, "big", signed=True) / 256 == pytest.approx(inlet, abs=1)


def test_packets_are_counted(bmc: Baseboard) -> None:
    def received() -> int:
        counters = bytes.fromhex("".join(bmc.ipmitool("raw", "0x0c", "0x04", "1", "0").split()))
        return int.from_bytes(counters[12:14], "little")

    before = received()
    bmc.ipmitool("mc", "info")
    assert received() > before > 0
