"""Linux's ipmi_si before our own registers: PCI functions in machines that nobody patched."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.interop.baseboard import Baseboard
from tests.interop.guest import Guest
from tests.interop.guest.architecture import ARM64
from tests.interop.newer import Program, newer_qemu
from tests.interop.test_pci_functions import vfio_options, vfio_user
from tests.programs import require_program

COMMANDS = 1000
MANY = 100
"""Interrupts; the driver polls for what it can have at once."""
FIRST_SLOT = 8

Booted = tuple[Baseboard, Guest]


def flags(directory: Path, flag: str, functions: Sequence[str]) -> list[str]:
    return [
        word
        for number, text in enumerate(functions)
        for word in (flag, f"{directory / str(number)},interface={text}")
    ]


@contextmanager
def on_stock_qemu(directory: Path) -> Iterator[Booted]:
    """Three functions in Debian's QEMU 7.2."""
    functions = ("kcs", "smic", "bt")
    baseboard = Baseboard(*flags(directory, "--pci-proxy", functions), state=directory / "state")
    paths = [str(directory / str(number)) for number in range(len(functions))]
    command = (sys.executable, "-m", "baseboard", "pci-proxy", *paths, "--")
    try:
        with Guest(qemu=Program((*command, require_program("qemu-system-x86_64")))) as guest:
            yield baseboard, guest
    finally:
        baseboard.kill()


@contextmanager
def on_newer_qemu(
    directory: Path, functions: Sequence[str], plugged: int = 0, **options: Any
) -> Iterator[Booted]:
    """Functions over vfio-user, the last ones `plugged` into the running machine."""
    baseboard = Baseboard(*flags(directory, "--vfio-user", functions), state=directory / "state")
    paths = [Path(path) for path in baseboard.info["vfio_user"]]
    there = len(paths) - plugged
    devices = [word for n, path in enumerate(paths[:there]) for word in vfio_options(path, FIRST_SLOT + n)]
    try:
        with Guest(devices, **options) as guest:
            for number in range(there, len(paths)):
                plug(guest, paths[number], number)
            yield baseboard, guest
    finally:
        baseboard.kill()


def on_pc(directory: Path) -> AbstractContextManager[Booted]:
    """With interrupts, in I/O space and in memory; polled ones Linux leaves alone beside these unless they
    come later.
    """
    functions = ("kcs,interrupt=intx,bar=io", "bt,interrupt=intx", "kcs", "bt")
    stays = ["ipmi_si.unload_when_empty=0"]
    return on_newer_qemu(directory, functions, plugged=2, qemu=newer_qemu(), kernel_args=stays)


def on_arm64(directory: Path) -> AbstractContextManager[Booted]:
    """No IPMI device of QEMU's exists there."""
    functions = ("kcs,interrupt=intx", "bt,interrupt=intx")
    qemu = newer_qemu("aarch64")
    return on_newer_qemu(directory, functions, qemu=qemu, architecture=ARM64, timeout=60)


def plug(guest: Guest, path: Path, number: int) -> None:
    """Into its slot; until the driver has made it /dev/ipmiN."""
    guest.qmp.execute("device_add", **vfio_user(path), id=f"ipmi{number}", addr=f"{FIRST_SLOT + number:#x}")
    guest.run(
        f"for i in $(seq 100); do test -c /dev/ipmi{number} && exit; sleep 0.1; done; exit 1", 60
    ).check()


MACHINES: dict[str, Callable[[Path], AbstractContextManager[Booted]]] = {
    "stock": on_stock_qemu,
    "newer": on_pc,
    "arm64": on_arm64,
}


@pytest.fixture(scope="module", params=MACHINES)
def booted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    with MACHINES[request.param](tmp_path_factory.mktemp("f")) as pair:
        yield pair


def numbers(guest: Guest) -> list[int]:
    """The interfaces, as /dev/ipmiN."""
    return sorted(int(name) for name in re.findall(r"ipmi(\d+)", guest.run("ls /dev").check()))


def statistics(guest: Guest, name: str) -> list[int]:
    """What the driver counts, for each of its interfaces."""
    return [int(word) for word in guest.run(f"cat /sys/bus/pci/drivers/ipmi_si/0*/{name}").check().split()]


def test_the_driver_finds_them(booted: Booted) -> None:
    baseboard, guest = booted
    assert numbers(guest) == list(range(len(baseboard.info["vfio_user"]) + len(baseboard.info["pci_proxy"])))
    ours = baseboard.ipmitool("raw", "6", "1")
    for number in numbers(guest):
        assert guest.run(f"ipmitool -d {number} raw 6 1").check() == ours
        assert "IPMI Version              : 2.0" in guest.run(f"ipmitool -d {number} mc info").check()


def test_a_loop_of_commands(booted: Booted) -> None:
    """Each is answered, and each answer is the same; no transfer had to be given up."""
    _, guest = booted
    guest.run(f"for i in $(seq {COMMANDS}); do echo raw 6 1; done > /tmp/lines").check()
    for number in numbers(guest):
        said = guest.run(f"ipmitool -d {number} exec /tmp/lines | sort | uniq -c", 110).check()
        assert [line.split()[0] for line in said.splitlines()] == [str(COMMANDS)]
    assert not any(statistics(guest, "hosed_count"))


def test_log_and_inventory(booted: Booted) -> None:
    baseboard, guest = booted
    board = next(
        line for line in baseboard.ipmitool("fru", "print", "0").splitlines() if "Board Serial" in line
    )
    for number in numbers(guest):
        before = len(baseboard.ipmitool("sel", "list").splitlines())
        guest.run(f"ipmitool -d {number} event 1").check()
        said = guest.run(f"ipmitool -d {number} sel list").check().splitlines()
        assert len(said) == before + 1
        assert board in guest.run(f"ipmitool -d {number} fru print 0").check()


def test_the_watchdog_runs_out(booted: Booted) -> None:
    """Set and started over each interface; what it does to the machine it does to the simulated one."""
    baseboard, guest = booted
    for number in numbers(guest):
        baseboard.ipmitool("sel", "clear")
        guest.run(f"ipmitool -d {number} raw 6 0x24 4 0 0 0x10 1 0").check()
        guest.run(f"ipmitool -d {number} raw 6 0x22").check()
        said = guest.run(
            f"for i in $(seq 50); do ipmitool -d {number} sel list | grep Watchdog && break; done", 60
        ).check()
        assert "Timer expired" in said


def test_attention_reaches_the_driver(booted: Booted) -> None:
    """An event makes SMS_ATN rise; the driver sees it and fetches the flags."""
    baseboard, guest = booted
    before = statistics(guest, "attentions")
    baseboard.ipmitool("event", "1")
    guest.run("ipmitool raw 6 1").check()
    for _ in range(50):
        if statistics(guest, "attentions") != before:
            break
    else:
        raise AssertionError(f"attentions stay {before}")


def test_interrupts_are_counted(booted: Booted) -> None:
    """By those that have them, at the pin."""
    baseboard, guest = booted
    command = " ".join(baseboard.command)
    counted = statistics(guest, "interrupts")
    expected = command.count("interrupt=intx")
    assert sum(count > MANY for count in counted) == expected, counted
    lines = [line for line in guest.run("cat /proc/interrupts").check().splitlines() if "ipmi_si" in line]
    assert bool(lines) is bool(expected)
    assert all(int(line.split()[1]) > MANY for line in lines)


def test_it_can_be_unplugged_and_plugged(booted: Booted) -> None:
    baseboard, guest = booted
    paths = [Path(path) for path in baseboard.info["vfio_user"]]
    last = len(paths) - 1
    if len(paths) < 4:
        return  # ACPI of `pc` does it; the proxy cannot, and one machine is enough
    for _ in range(3):
        guest.qmp.execute("device_del", id=f"ipmi{last}")
        guest.qmp.wait_event("DEVICE_DELETED")
        assert numbers(guest) == list(range(last))
        plug(guest, paths[last], last)
        assert guest.run(f"ipmitool -d {last} raw 6 1").check() == baseboard.ipmitool("raw", "6", "1")
