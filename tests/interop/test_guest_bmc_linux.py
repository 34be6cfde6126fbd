"""Linux as the BMC: what its user space answers reaches a host, and a machine that is another Linux."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.guest import ARMHF, Guest, Image
from tests.interop.linux_bmc import DEVICE_ID, PAGE, LinuxBmc, command
from tests.interop.pair import Pair

DEADLINE = 60.0
REQUESTS = 200
LOOP = (
    f"for i in $(seq {REQUESTS}); do echo raw 6 1; done > /tmp/loop; ipmitool exec /tmp/loop | sort | uniq -c"
)
ASKING = "while :; do ipmitool raw 6 1; done > /dev/null 2>&1 &"
BOOT_EVENT = "0x04 0x1d 0x55 0x6f 0x00 0xff 0xff"
SCRIPT = f"""
[[step]]
name = "Get Device ID, a hundred times"
request = "06 01"
expect = "00 {DEVICE_ID}"
repeat = 100

[[step]]
name = "200 bytes, which the controller does not know"
request = "06 a0 {"a0 " * 200}"
expect = "c1"
"""
# The relay's device, and where baseboard is told to find it: KCS by the registers; BT by the kernel's own
# driver, whose registers QEMU does not have.
INTERFACES = pytest.mark.parametrize(("interface", "at"), [("bt", "ibt"), ("kcs", "qmp")])


class Managed:
    """The machine that the BMC manages; may be killed and started again at the same place."""

    def __init__(self, directory: Path) -> None:
        self.wire = directory / "host"
        self.linux = self._boot()

    def _boot(self) -> Guest:
        options = (
            "-chardev", f"socket,id=ipmi0,path={self.wire},server=on,wait=off",
            "-device", "ipmi-bmc-extern,id=bmc0,chardev=ipmi0",
            "-device", "isa-ipmi-kcs,bmc=bmc0",
        )  # fmt: skip
        return Guest(options, modules=("ipmi_devintf",))

    def restart(self) -> None:
        """Kill the machine and start it anew."""
        self.linux.kill()
        self.linux = self._boot()

    def reset(self) -> None:
        """Reset the machine and wait until it is up again."""
        self.linux.qmp.execute("system_reset")
        self.linux.wait_ready()

    def answered(self) -> None:
        """Wait until the BMC answers."""
        self.linux.run("modprobe ipmi_si").check()  # a driver looks for its BMC once
        deadline = time.monotonic() + DEADLINE
        while (result := self.linux.run("ipmitool raw 6 1")).status:
            assert time.monotonic() < deadline, result
        assert result.stdout.split() == DEVICE_ID.split()


@pytest.fixture(scope="module")
def bmc() -> Iterator[LinuxBmc]:
    with LinuxBmc() as machine:
        yield machine


@pytest.fixture(scope="module")
def managed(guest_image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    machine = Managed(tmp_path_factory.mktemp("managed"))
    yield machine
    machine.linux.kill()


def baseboard(bmc: LinuxBmc, *words: str) -> str:
    """What `baseboard host` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "baseboard", *words],
        cwd=bmc.directory,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@INTERFACES
def test_a_host_asks(bmc: LinuxBmc, tmp_path: Path, interface: str, at: str) -> None:
    bmc.relay(interface)
    words = command(f"baseboard host {at}:").split()[1:]
    assert "firmware major        9" in baseboard(bmc, *words)
    answer = baseboard(bmc, "host", f"{at}:bmc.qmp", "--json", "raw", "06", "01")
    assert json.loads(answer)["data"] == DEVICE_ID
    script = tmp_path / "script.toml"
    script.write_text(SCRIPT)
    baseboard(bmc, "host", f"{at}:bmc.qmp", "--script", str(script))


def test_the_page(bmc: LinuxBmc) -> None:
    """What is not run as it stands there is what the guest is made of."""
    started = {word for word in shlex.split(command("qemu-system-arm")) if word not in bmc.linux.command}
    files = {"vmlinuz", "machine.dtb", "initramfs"}
    ours = {"stdio", "console=ttyS4 iomem=relaxed", "unix:bmc.qmp,server=on,wait=off"}
    assert started == files | ours
    assert ARMHF.device_tree is not None
    *_, node, name, value = command("fdtput").split()
    assert (node in ARMHF.device_tree.enabled, name, value) == (True, "status", "okay")
    pair = command("baseboard pair").split()
    assert pair[2:] == ["--host", "connect:unix:host.sock", "--bmc", "qmp:bmc.qmp"]


@INTERFACES
def test_two_machines(bmc: LinuxBmc, managed: Managed, interface: str, at: str) -> None:
    bmc.relay(interface)
    pair = Pair(f"connect:unix:{managed.wire}", f"{at}:{bmc.monitor}", "--quiet")
    try:
        pair.ready()
        managed.answered()
        run = managed.linux.run
        info = run("ipmitool mc info").check().splitlines()
        assert [line for line in info if line in PAGE.splitlines()] == [
            "Firmware Revision         : 9.08",
            "Manufacturer ID           : 4753",
        ]
        run(f"echo '{BOOT_EVENT}' > /tmp/event; ipmitool sel add /tmp/event").check()
        assert "Initiated by power up" in run("ipmitool sel list").check()
        assert run(LOOP, DEADLINE).check().split() == [str(REQUESTS), *DEVICE_ID.split()]
        (counters,) = (line for line in pair.stop() if line["side"] == "bmc")
        assert counters["answered"] > REQUESTS
        assert counters["timed_out"] + counters["failed"] + counters["lost"] == 0, counters
    finally:
        pair.kill()


def test_either_machine_goes_while_it_is_asked(bmc: LinuxBmc, managed: Managed) -> None:
    bmc.relay("kcs")
    pair = Pair(f"connect:unix:{managed.wire}", f"qmp:{bmc.monitor}", "--quiet")
    try:
        pair.ready()
        managed.answered()
        # In the BMC, who answers is killed and started again.
        managed.linux.run(ASKING)
        bmc.linux.run("killall ipmi_sim").check()
        assert "rsp=0xd2" in managed.linux.run("ipmitool raw 6 1").stderr
        bmc.simulate()
        managed.answered()
        bmc.linux.run("killall ipmi-relay").check()
        pair.wait(lambda line: line.get("there") is False, "the channel is off")
        bmc.relay("kcs")
        pair.there()
        bmc.relay("kcs")  # kills the one before
        managed.answered()
        bmc.reset()
        pair.wait(lambda line: line.get("there") is False, "the BMC was reset")
        bmc.up()
        pair.there()
        managed.answered()
        managed.reset()
        managed.answered()
        managed.linux.run(ASKING)
        bmc.restart()
        pair.wait(lambda line: line.get("there") is False, "the BMC is gone")
        pair.there()
        managed.answered()
        managed.restart()
        managed.answered()
    finally:
        pair.kill()
