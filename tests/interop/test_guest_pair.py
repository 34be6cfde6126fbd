"""Two virtual machines: a Linux guest, and firmware on a BMC machine, tied together by `baseboard pair`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.interop.bmc_machine import BmcMachine
from tests.interop.conftest import StartGuest
from tests.interop.pair import Pair

pytestmark = [pytest.mark.interop, pytest.mark.guest]

LOOP = "for i in $(seq 200); do echo raw 6 1; done > /tmp/loop; ipmitool exec /tmp/loop | sort | uniq -c"
DEVICE_ID = "20 01 01 00 02 84 00 00 00 00 26 00 00 00 00"


def test_linux_and_firmware(guest: StartGuest, tmp_path: Path) -> None:
    wire = tmp_path / "host"
    with BmcMachine(tmp_path) as bmc:
        bmc.attach().detach()
        pair = Pair(f"connect:unix:{wire}", f"qmp:{bmc.monitor}", "--quiet")
        try:
            pair.there()
            machine = guest(
                [
                    "-chardev", f"socket,id=ipmi0,path={wire},server=on,wait=off",
                    "-device", "ipmi-bmc-extern,id=bmc0,chardev=ipmi0",
                    "-device", "isa-ipmi-kcs,bmc=bmc0",
                ],
                wait_for=["ipmi0"],
            )  # fmt: skip
            info = machine.run("ipmitool mc info").check()
            assert re.search(r"Product ID +: 9728 \(0x2600\)", info)
            assert len(machine.run("ipmitool sel list").check().splitlines()) == 3
            assert machine.run(LOOP, 60).check().split() == ["200", *DEVICE_ID.split()]
            # The BMC is reset, and then killed, while the guest asks.
            machine.send("ipmitool raw 6 1")
            bmc.reset()
            pair.wait(lambda line: line.get("there") is False, "the BMC was reset")
            pair.there()
            assert machine.run("ipmitool raw 6 1 || ipmitool raw 6 1").check().split() == DEVICE_ID.split()
            bmc.kill()
            pair.wait(lambda line: line.get("there") is False, "the BMC is gone")
            assert machine.run("ipmitool raw 6 1").status != 0
            bmc.restart()
            pair.there()
            assert machine.run("ipmitool raw 6 1").check().split() == DEVICE_ID.split()
            # The guest resets itself by way of the firmware, and comes up with the same BMC.
            machine.send("ipmitool chassis power reset")
            machine.wait_ready()
            assert machine.run("ipmitool raw 6 1").check().split() == DEVICE_ID.split()
            counters = {line["side"]: line for line in pair.stop()}
            assert counters["host"]["orders"] == 1
            assert counters["bmc"]["answered"] > 200
        finally:
            pair.kill()
