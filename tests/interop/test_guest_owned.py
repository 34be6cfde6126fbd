"""`baseboard run -- qemu-system-x86_64 ...`: baseboard owns a Linux guest, and outlives its health."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.baseboard import Baseboard
from tests.interop.guest import MODULES, QEMU, Channel, Image, boot_arguments

WATCHDOG = (*MODULES, "ipmi_watchdog")


class Owned:
    """A baseboard with its own guest, from one state directory and one command line."""

    def __init__(self, image: Image, directory: Path) -> None:
        self.channel = Channel(directory / "command.sock")
        self.log = directory / "kernel.log"
        words = boot_arguments(image, self.channel, self.log, WATCHDOG, ["ipmi_watchdog.start_now=0"])
        self.arguments = ("--", QEMU, "-machine", "pc", *words)
        self.state = directory / "state"
        self.boot_id = ""
        self.start()

    def start(self) -> None:
        self.baseboard = Baseboard(*self.arguments, state=self.state, timeout=60)

    def booted(self) -> None:
        """Wait for the guest of a QEMU that was started (again)."""
        self.channel.accept(30)
        self.boot_id = self.channel.wait_ready(60)

    def power(self, *words: str) -> str:
        return self.baseboard.ipmitool("chassis", "power", *words)

    def wait_power(self, state: str) -> None:
        deadline = time.monotonic() + 30
        while f"is {state}" not in (said := self.power("status")):
            assert time.monotonic() < deadline, f"{said}{self.baseboard.tail()}"

    @property
    def qemu(self) -> int:
        """Process id of the QEMU that runs now."""
        found = [
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if str(self.channel.path) in _read(path) and QEMU in _read(path).split("\0")[0]
        ]
        assert len(found) == 1, found
        return found[0]

    def close(self) -> None:
        self.baseboard.stop()
        self.channel.close()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended meanwhile
        return ""


@pytest.fixture(scope="module")
def owned(guest_image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owned]:
    machine = Owned(guest_image, tmp_path_factory.mktemp("owned"))
    machine.booted()
    yield machine
    machine.close()


@pytest.fixture(autouse=True)
def running(owned: Owned) -> None:
    """Every test begins with a guest that takes commands."""
    if "is off" in owned.power("status"):
        owned.power("on")
        owned.booted()
    assert owned.channel.run("true").status == 0


def test_the_guest_and_the_lan_see_one_bmc(owned: Owned) -> None:
    guid = owned.channel.run("ipmitool mc guid").check()
    assert re.search(r"System GUID +: (\S+)", guid)
    assert next(line for line in guid.splitlines() if "GUID" in line) in owned.baseboard.ipmitool(
        "mc", "guid"
    )
    assert "is on" in owned.power("status")


def test_soft_off_then_on(owned: Owned) -> None:
    first = owned.boot_id
    owned.power("soft")
    owned.wait_power("off")
    assert "power button: going down" in owned.log.read_text(errors="replace")
    assert "Power off/down" in owned.baseboard.ipmitool("sel", "elist")
    owned.power("on")
    owned.booted()
    assert owned.boot_id != first
    assert "chassis power control command" in owned.baseboard.ipmitool("chassis", "restart_cause").lower()


def test_shutdown_from_inside_shows_as_off(owned: Owned) -> None:
    owned.channel.send("poweroff -f")
    owned.wait_power("off")


def test_reset_keeps_the_process(owned: Owned) -> None:
    process, first = owned.qemu, owned.boot_id
    owned.power("reset")
    owned.boot_id = owned.channel.wait_ready(60)
    assert owned.boot_id != first
    assert owned.qemu == process


def test_cycle_starts_another_process(owned: Owned) -> None:
    process = owned.qemu
    owned.power("cycle")
    owned.booted()
    assert owned.qemu != process
    assert "Power cycle" in owned.baseboard.ipmitool("sel", "elist")


def test_off_is_off_at_once(owned: Owned) -> None:
    owned.power("off")
    owned.wait_power("off")
    with pytest.raises(AssertionError):
        owned.qemu  # noqa: B018


def test_a_hung_qemu_is_reset(owned: Owned) -> None:
    os.kill(owned.qemu, signal.SIGSTOP)
    owned.power("reset")
    owned.booted()


def test_a_hung_qemu_is_switched_off(owned: Owned) -> None:
    os.kill(owned.qemu, signal.SIGSTOP)
    owned.power("off")
    owned.wait_power("off")


def test_the_watchdog_gets_through_to_a_hung_qemu(owned: Owned) -> None:
    owned.channel.run("echo 3 > /sys/module/ipmi_watchdog/parameters/timeout").check()
    owned.channel.run("exec 3> /dev/watchdog; echo 1 >&3; (sleep 1000 <&3 &)").check()
    assert "Started/Running" in owned.baseboard.ipmitool("mc", "watchdog", "get")
    os.kill(owned.qemu, signal.SIGSTOP)
    owned.booted()
    assert "watchdog expired" in owned.baseboard.ipmitool("chassis", "restart_cause").lower()
    assert "Hard reset" in owned.baseboard.ipmitool("sel", "elist")


def test_killed_and_restarted_baseboard_takes_the_guest_over(owned: Owned) -> None:
    process = owned.qemu
    owned.baseboard.kill()
    owned.start()
    assert owned.qemu == process
    assert "is on" in owned.power("status")
    deadline = time.monotonic() + 30
    while owned.channel.run("ipmitool mc info").status:
        assert time.monotonic() < deadline, owned.baseboard.tail()


def test_killed_qemu_shows_as_off_with_a_fault(owned: Owned) -> None:
    os.kill(owned.qemu, signal.SIGKILL)
    owned.wait_power("off")
    assert "Main Power Fault     : true" in owned.baseboard.ipmitool("chassis", "status")
