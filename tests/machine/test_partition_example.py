"""The guest in assembly of examples/: assembled, and run in a partition."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.programs import require_program

from baseboard.machine import Elf, Ppc64Machine, Stop
from baseboard.spapr.hcalls import Hypervisor
from baseboard.spapr.machine import PseriesMachine

EXAMPLES = Path(__file__).parents[2] / "examples"
CORE, GIB = 0x1000_0001, 1 << 30


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_program("powerpc64-linux-gnu-as")
    build = tmp_path_factory.mktemp("partition")
    command = [require_program("make"), "-C", str(EXAMPLES / "partition"), f"BUILD={build}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return build / "partition.elf"


@pytest.fixture
def machine(program: Path) -> Ppc64Machine:
    partition = PseriesMachine(cores=1, max_cores=4, ram=GIB, max_ram=4 * GIB, slots=2)
    machine = Ppc64Machine(Hypervisor(partition))
    machine.load(Elf.from_file(program))
    return machine


def test_take_and_give_back(machine: Ppc64Machine) -> None:
    """A core's tree takes 32 calls, as QEMU 7.2's; two of them are busy here."""
    partition = machine.hypervisor.machine
    assert machine.call("take", CORE) == -3, "nothing is attached"
    partition.plug_core("c1", 1)
    partition.plan_fault({"service": "set-indicator", "sensor": 9001, "answers": [-2, -2]})
    partition.plan_fault({"service": "ibm,configure-connector", "answers": ["pass", -2, -2]})
    assert machine.call("take", CORE) == 34
    assert partition.connectors[CORE].state == 4
    assert machine.call("give_back", CORE) == 0
    assert partition.connectors[CORE].state == 1
    partition.plan_fault({"service": "ibm,configure-connector", "answers": [-1]})
    assert machine.call("take", CORE) == -1


def test_it_does_what_events_ask_for(machine: Ppc64Machine) -> None:
    """A core, a host bridge, and the core's end; then something that goes wrong."""
    partition = machine.hypervisor.machine
    partition.negotiated(bytes.fromhex("002000000004"), hotplug_events=True)
    partition.plug_core("c1", 1)
    partition.plug_phb("p1", 1)
    assert machine.run() is Stop.IDLE
    assert partition.connectors[CORE].state == partition.connectors[0x2000_0001].state == 4
    assert machine.console == b"ok\nok\n"
    partition.unplug("c1")
    assert machine.run() is Stop.IDLE
    assert partition.connectors[CORE].device is None
    partition.plan_fault({"service": "set-indicator", "answers": [-1]})
    partition.plug_core("c2", 2)
    assert machine.run() is Stop.IDLE
    assert machine.console == b"ok\n" * 3
    assert partition.connectors[CORE + 1].state == 1


def test_tpm(machine: Ppc64Machine) -> None:
    """Without a proxy; with one behind which there is nothing."""
    assert machine.call("tpm", 0x8_0000, 12, 0x8_1000) == -2
    machine.hypervisor.machine.plug_tpm_proxy("tpm")
    assert machine.call("tpm", 0x8_0000, 12, 0x8_1000) == -16


def test_the_script(program: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "run_partition.py"), str(program)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        r"CPU 1 is configured; the guest says 'ok\n'",
        "DEVICE_DELETED c1",
        r"CPU 1 is unusable; the guest says 'ok\nok\n'",
    ]
