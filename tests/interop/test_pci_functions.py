"""Our registers through machines that nobody patched: x-pci-proxy-dev of QEMU 7.2, vfio-user of a newer one.

No guest runs: the test is firmware and driver, and baseboard a process of its own.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from baseboard.interface.bt import BtDriver
from baseboard.interface.kcs import KcsDriver
from baseboard.interface.smic import SmicDriver
from baseboard.ipmi.message import Message
from tests.interface.conversation import run
from tests.interop.baseboard import Baseboard
from tests.interop.conftest import StartBaseboard
from tests.interop.newer import Program, newer_qemu
from tests.interop.standing import Function, Standing, standing
from tests.programs import require_program

DRIVERS: dict[str, Any] = {"kcs": KcsDriver, "bt": BtDriver, "smic": SmicDriver}
CLASSES = {"kcs": 0x0C0701, "bt": 0x0C0702, "smic": 0x0C0700}
IRQ = 11
GET_DEVICE_ID = Message(6, 0, 1, b"")
ENABLE_INTERRUPTS = Message(6, 0, 0x2E, b"\x09")


def proxied(*paths: Path) -> Program:
    """Stock QEMU as `baseboard pci-proxy` runs it."""
    command = (sys.executable, "-m", "baseboard", "pci-proxy", *map(str, paths), "--")
    return Program((*command, require_program("qemu-system-x86_64")))


def vfio_user(path: Path) -> dict[str, Any]:
    return {"driver": "vfio-user-pci", "socket": {"type": "unix", "path": str(path)}}


def vfio_options(path: Path, slot: int) -> tuple[str, str]:
    return "-device", json.dumps(vfio_user(path) | {"addr": f"{slot:#x}", "id": f"ipmi{slot}"})


def asks(function: Function, interface: str, message: Message = GET_DEVICE_ID) -> bytes:
    """The answer's data, completion code first, as the driver's flow chart brings it."""
    driver = DRIVERS[interface](function)
    driver.send_request(message, 0.0)
    return bytes(run(driver).data)  # type: ignore[union-attr]  # a failure has none, and fails here


def finds(machine: Standing, slot: int, interface: str) -> Function:
    """The function in this slot, set up."""
    assert machine.configuration(slot, 0x08, 4) >> 8 == CLASSES[interface]
    function = Function(machine, slot)
    function.set_up()
    return function


@pytest.fixture
def answer(baseboard: StartBaseboard, tmp_path: Path) -> Iterator[bytes]:
    """Get Device ID as this version answers it, over another way in."""
    peer = baseboard("--dummy", str(tmp_path / "d"), state=tmp_path / "other")
    raw = peer.ipmitool("raw", "6", "1")
    yield b"\0" + bytes.fromhex(raw)
    peer.stop()


def test_three_functions_in_one_stock_qemu(baseboard: StartBaseboard, tmp_path: Path, answer: bytes) -> None:
    paths = [tmp_path / name for name in DRIVERS]
    flags = [f"{path},interface={path.name}" for path in paths]
    baseboard(*(word for flag in flags for word in ("--pci-proxy", flag)))
    with standing(tmp_path, proxied(*paths)) as machine:
        for slot, interface in enumerate(DRIVERS, start=2):
            function = finds(machine, slot, interface)
            assert machine.configuration(slot, 0x3D, 1) == 0, "there are no interrupts"
            for _ in range(3):
                assert asks(function, interface) == answer
        assert machine.log.read_text() == ""


def test_wide_accesses_a_moved_bar_and_a_reset(baseboard: StartBaseboard, tmp_path: Path) -> None:
    path = tmp_path / "p"
    baseboard("--pci-proxy", str(path))
    with standing(tmp_path, proxied(path)) as machine:
        kcs = finds(machine, 2, "kcs")
        kcs.write(0, 0x6118, 2)  # Data_In, then WRITE_START to Command
        assert kcs.read(1) == 0x89
        assert kcs.read(0, 4) == 0x8800, "Data_Out was read first, and cleared OBF"
        kcs.set_up(0xD000)
        assert kcs.read(1) == 0x88
        assert machine.command("inb 0xc201") == 0xFF, "nobody is where it was"
        machine.qmp.execute("system_reset")
        assert machine.configuration(2, 0x04, 2) == 0
        kcs.set_up(0xD000)
        assert kcs.read(1) & 0xC3 == 0xC0, "after power-on"
        assert asks(kcs, "kcs")[0] == 0


def test_who_dies_leaves_the_device_ready_for_the_next(baseboard: StartBaseboard, tmp_path: Path) -> None:
    path = tmp_path / "p"
    baseboard("--pci-proxy", str(path))
    for _ in range(3):
        with standing(tmp_path, proxied(path)) as machine:
            kcs = finds(machine, 2, "kcs")
            assert kcs.read(1) & 0xC3 == 0xC0, "after power-on"
            assert asks(kcs, "kcs")[0] == 0
            kcs.write(1, 0x61)  # in the middle of a request
            kcs.write(0, 0x18)


@pytest.mark.parametrize("bar", ["io", "memory"])
@pytest.mark.parametrize("interface", DRIVERS)
def test_vfio_user(
    baseboard: StartBaseboard, tmp_path: Path, answer: bytes, interface: str, bar: str
) -> None:
    path = tmp_path / "v"
    baseboard("--vfio-user", f"{path},interface={interface},bar={bar}")
    with standing(tmp_path, newer_qemu(), *vfio_options(path, 4)) as machine:
        function = finds(machine, 4, interface)
        assert function.io is (bar == "io")
        for _ in range(3):
            assert asks(function, interface) == answer
        machine.qmp.execute("system_reset")
        function.set_up()
        assert asks(function, interface) == answer
        assert machine.log.read_text() == ""


def test_intx(baseboard: StartBaseboard, tmp_path: Path) -> None:
    """The line rises with OBF; QEMU takes it down at the next access, and it rises again while OBF is set."""
    path = tmp_path / "v"
    baseboard("--vfio-user", f"{path},bar=io,interrupt=intx")
    with standing(tmp_path, newer_qemu(), *vfio_options(path, 4)) as machine:
        machine.command("irq_intercept_in ioapic")
        for route in range(0x60, 0x64):
            machine.configuration(1, route, 1, IRQ)  # the chip set's routes of INTA# to INTD#
        kcs = finds(machine, 4, "kcs")
        assert machine.configuration(4, 0x3D, 1) == 1
        assert asks(kcs, "kcs", ENABLE_INTERRUPTS) == b"\0"
        kcs.read(0)
        settled(machine, up=False)
        machine.irqs.clear()
        kcs.write(1, 0x61)
        settled(machine, up=True)
        machine.irqs.clear()
        kcs.read(1)
        edges = [("lower", IRQ), ("raise", IRQ)]
        machine.until(lambda: machine.irqs[-2:] == edges, "the line down and up")
        kcs.read(0)  # clears OBF
        settled(machine, up=False)


def settled(machine: Standing, *, up: bool) -> None:
    """Wait until the line is there, as far as QEMU has told."""
    edge = ("raise" if up else "lower", IRQ)
    machine.until(lambda: machine.irqs[-1:] == [edge] or not (up or machine.irqs), f"the line to {edge[0]}")


def test_msi(baseboard: StartBaseboard, tmp_path: Path) -> None:
    """A message is a write to memory: here to plain memory, where it can be seen."""
    path = tmp_path / "v"
    baseboard("--vfio-user", f"{path},interrupt=intx")
    with standing(tmp_path, newer_qemu(), *vfio_options(path, 4)) as machine:
        kcs = finds(machine, 4, "kcs")
        at = machine.configuration(4, 0x34, 1)
        assert machine.configuration(4, at, 1) == 0x05
        machine.configuration(4, at + 4, 4, 0x1000)
        machine.configuration(4, at + 12, 2, 0x4041)
        machine.configuration(4, at + 2, 2, 0x0081)
        assert asks(kcs, "kcs", ENABLE_INTERRUPTS) == b"\0"
        machine.command("writel 0x1000 0")
        kcs.write(1, 0x61)
        machine.until(lambda: machine.command("readl 0x1000") == 0x4041, "the message")


def test_hot_plug_again_and_again(baseboard: StartBaseboard, tmp_path: Path) -> None:
    path = tmp_path / "v"
    baseboard("--vfio-user", str(path))
    with standing(tmp_path, newer_qemu()) as machine:
        for _ in range(3):
            machine.qmp.execute("device_add", **vfio_user(path), id="ipmi0", addr="0x5")
            kcs = finds(machine, 5, "kcs")
            assert asks(kcs, "kcs")[0] == 0
            kcs.write(1, 0x61)
            unplug(machine, "ipmi0", 5)


def test_a_second_machine_is_told_that_the_function_is_in_use(
    baseboard: StartBaseboard, tmp_path: Path
) -> None:
    path = tmp_path / "v"
    baseboard("--vfio-user", str(path))
    with standing(tmp_path, newer_qemu(), *vfio_options(path, 4)) as machine:
        with pytest.raises(RuntimeError, match="Device or resource busy"):
            machine.qmp.execute("device_add", **vfio_user(path), id="second", addr="0x5")
        assert asks(finds(machine, 4, "kcs"), "kcs")[0] == 0, "the first one goes on"


def test_a_server_that_comes_back(baseboard: StartBaseboard, tmp_path: Path) -> None:
    """Without it the guest reads ones; a machine finds it again by unplugging and plugging."""
    path = tmp_path / "v"
    first: Baseboard = baseboard("--vfio-user", str(path))
    with standing(tmp_path, newer_qemu(), *vfio_options(path, 4)) as machine:
        kcs = finds(machine, 4, "kcs")
        assert asks(kcs, "kcs")[0] == 0
        first.kill()
        machine.until(lambda: kcs.read(1) == 0xFF, "ones, which nobody drives")
        baseboard("--vfio-user", str(path), state=tmp_path / "state")
        unplug(machine, "ipmi4", 4)
        machine.qmp.execute("device_add", **vfio_user(path), id="again", addr="0x4")
        assert asks(finds(machine, 4, "kcs"), "kcs")[0] == 0


def unplug(machine: Standing, name: str, slot: int) -> None:
    """device_del asks the guest, which ejects the slot by its register.  [QEMU, acpi_pci_hotplug.txt]"""
    machine.qmp.execute("device_del", id=name)
    machine.command("outl 0xae10 0")
    machine.command(f"outl 0xae08 {1 << slot:#x}")
    machine.qmp.wait_event("DEVICE_DELETED")


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    for words, code, text in (
        ("pci-proxy /nowhere -- qemu", 1, "is `baseboard run --pci-proxy /nowhere` there?"),
        ("pci-proxy /nowhere", 2, "name the QEMU to run"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "baseboard", *shlex.split(words)],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert (done.returncode, text in done.stderr) == (code, True), done.stderr
