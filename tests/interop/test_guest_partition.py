"""A Linux guest of qemu-system-ppc64 on our platform: `baseboard spapr attach`.

One guest for all tests, in the order in which they stand here.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.interop.guest import Guest
from tests.interop.guest.architecture import PPC64EL
from tests.programs import require_program

PAGE = Path(__file__).parents[2] / "docs/how-to/attach-to-a-live-partition.md"
RAM = "/proc/meminfo"
ATTACH = (sys.executable, "-m", "baseboard", "spapr", "attach")
CORE, BLOCK = 0x1000_0001, 0x8000_0004
ISOLATION, ALLOCATION = 9001, 9003


class Partition:
    """A guest, and our commands on it."""

    def __init__(self, directory: Path, guest: Guest) -> None:
        self.guest = guest
        self.directory = directory
        self.stub, self.monitor = f"unix:{directory / 'gdb.sock'}", directory / "qmp.sock"
        self.state = directory / "state"
        self.output = directory / "calls"

    def __call__(self, *words: str, code: int = 0) -> str:
        """A command on the control socket; what it says."""
        name = 2 if words[0] in ("plug", "fault") else 1
        done = subprocess.run(
            (
                sys.executable,
                "-m",
                "baseboard",
                "spapr",
                *words[:name],
                "--state",
                str(self.state),
                *words[name:],
            ),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == code, (words, done)
        return done.stdout + done.stderr

    @contextmanager
    def attached(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        command = (*ATTACH, "--state", str(self.state), "--json")
        where = ("--gdb", self.stub, "--qmp", str(self.monitor))
        with self.output.open("wb") as output:
            process = subprocess.Popen((*command, *where, *options), stdout=output, stderr=output)
        try:
            wait(lambda: len(self.output.read_bytes().splitlines()) > 0)
            yield process
            if process.poll() is None:
                process.terminate()
            assert process.wait(20) == 0, self.output.read_text()
        finally:
            process.kill()
            process.wait()

    def calls(self, service: str = "") -> list[dict[str, Any]]:
        """What the guest has called since we attached."""
        lines = [json.loads(line) for line in self.output.read_text().splitlines()[1:]]
        return [line for line in lines if service in ("", line["service"])]

    def answers(self, service: str, index: int) -> list[tuple[str, int]]:
        """Who answered calls about a connector, and the status."""
        return [
            (call["who"], call["results"][0]) for call in self.calls(service) if index in call["arguments"]
        ]

    def connectors(self) -> dict[str, str]:
        rows = json.loads(self("ls", "--json"))
        return {row["name"]: row["state"] for row in rows if row["name"] not in ("CPU 0", "PHB 0")}

    def megabytes(self) -> int:
        return int(self.guest.run(f"head -n 1 {RAM}").check().split()[1]) >> 10

    def online(self) -> str:
        return self.guest.run("cat /sys/devices/system/cpu/online").check().strip()

    def dlpar(self, request: str) -> int:
        """Ask the guest's kernel; 0 if it did so."""
        return self.guest.run(f"echo {request} > /sys/kernel/dlpar").status

    def interrupts(self) -> int:
        """How many hot-plug interrupts it has had."""
        words = self.guest.run("grep RAS_HOTPLUG /proc/interrupts").check().split()
        return sum(int(word) for word in words[1 : words.index("XIVE-IRQ")])


def wait(until: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)


def lines(beginning: str) -> str:
    """The page's commands, or options, that begin so."""
    return "\n".join(re.findall(rf"^    ({beginning}.*)$", PAGE.read_text(), re.M))


@pytest.fixture(scope="module")
def partition() -> Iterator[Partition]:
    require_program("qemu-system-ppc64")
    with TemporaryDirectory(prefix="ppc") as name:
        directory = Path(name)
        options = [option.replace("unix:", f"unix:{directory}/") for option in shlex.split(lines("-"))]
        with Guest([*options, "-no-shutdown"], architecture=PPC64EL, timeout=60) as guest:
            yield Partition(directory, guest)


def test_memory_comes_and_goes_on_our_events(partition: Partition) -> None:
    before, interrupts = partition.megabytes(), partition.interrupts()
    with partition.attached():
        found = json.loads(partition.output.read_text().splitlines()[0])
        assert (found["machine"], found["cores"], found["max_cores"]) == ("pseries-7.2", 1, 4)
        assert (found["ram"], found["max_ram"], found["mode"]) == (1 << 30, 4 << 30, "override")

        partition("plug", "dimm", "m1", "512M")
        wait(lambda: partition.megabytes() == before + 512)
        assert partition.connectors() == {"LMB 4": "configured", "LMB 5": "configured"}
        event, *_ = partition.calls("check-exception")
        assert (event["who"], event["results"], event["differences"]) == ("ours", [0], [])

        partition("unplug", "m1")
        wait(lambda: partition.megabytes() == before)
        assert partition.connectors() == {}
        wait(lambda: partition.guest.qmp.execute("query-memory-devices") == [])  # and QEMU has let go of it
        assert {call["who"] for call in partition.calls("set-indicator")} == {"ours"}
    assert partition.interrupts() == interrupts + 2
    assert partition.megabytes() == before  # the guest runs on


def test_linux_asks_again_when_the_platform_is_busy(partition: Partition) -> None:
    before = partition.megabytes()
    with partition.attached():
        partition("fault", "add", "--index", f"{BLOCK:#x}", "set-indicator", "9900", "9901", "--", "-2")
        partition("fault", "add", "--index", f"{BLOCK:#x}", "ibm,configure-connector", "9900", "--", "-2")
        partition("plug", "dimm", "m1", "256M")
        wait(lambda: partition.megabytes() == before + 256)
        assert partition.answers("set-indicator", BLOCK) == [
            *(("fault", 9900), ("fault", 9901), ("fault", -2)),
            *(("ours", 0), ("ours", 0)),
        ]
        assert [status for call in partition.calls("ibm,configure-connector") for status in call["results"]][
            :3
        ] == [
            *(9900, -2),
            2,
        ]
        partition("unplug", "m1")
        wait(lambda: partition.megabytes() == before)


def test_memory_by_the_administrator_of_the_guest(partition: Partition) -> None:
    """/sys/kernel/dlpar, after the platform had failed: the kernel leaves a block that it cannot have."""
    before = partition.megabytes()
    with partition.attached():
        partition("fault", "add", "--index", f"{BLOCK:#x}", "set-indicator", "--", "-1")
        partition("plug", "dimm", "m1", "256M")
        wait(lambda: ("fault", -1) in partition.answers("set-indicator", BLOCK))
        assert partition.megabytes() == before
        assert partition.connectors() == {"LMB 4": "unusable"}

        assert partition.dlpar(f"memory add index {BLOCK:#x}") == 0
        assert partition.megabytes() == before + 256
        assert partition.connectors() == {"LMB 4": "configured"}
        partition("unplug", "m1")
        wait(lambda: partition.megabytes() == before)


def test_a_core_comes_and_goes(partition: Partition) -> None:
    """On our events, and by the guest's administrator; then another core of the same number."""
    with partition.attached():
        partition("fault", "add", "--index", f"{CORE:#x}", "get-sensor-state", "9900", "--", "-2")
        partition("plug", "core", "c1", "1")
        wait(lambda: partition.online() == "0-1")
        assert partition.answers("get-sensor-state", CORE) == [("fault", 9900), ("fault", -2), ("ours", 0)]
        assert partition.guest.run("taskset 2 grep processor /proc/cpuinfo").check().count("processor") == 2
        assert partition.connectors() == {"CPU 1": "configured"}

        assert partition.dlpar(f"cpu remove index {CORE:#x}") == 0
        assert (partition.online(), partition.connectors()) == ("0", {"CPU 1": "unusable"})
        assert partition.dlpar(f"cpu add index {CORE:#x}") == 0
        assert partition.online() == "0-1"

        partition("unplug", "c1")
        wait(lambda: partition.online() == "0" and partition.connectors() == {})
        partition("plug", "core", "c2", "1")
        wait(lambda: partition.online() == "0-1")
        partition("unplug", "c2")
        wait(lambda: partition.online() == "0" and partition.connectors() == {})


def test_the_page(partition: Partition) -> None:
    """Each command as it stands there; the guest does its part before the next."""
    attach, *rest = lines("baseboard spapr").splitlines()
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "XDG_STATE_HOME": str(partition.directory),
    }
    partition.state = partition.directory / "baseboard" / "partition"  # as the commands have it by default

    def settled() -> bool:
        rows = json.loads(partition("ls", "--json"))
        return {row["state"] for row in rows} == {"configured"} and not any(
            row["unplug_requested"] for row in rows
        )

    with partition.output.open("wb") as output:
        process = subprocess.Popen(
            attach.split(), cwd=partition.directory, env=environment, stdout=output, stderr=output
        )
    try:
        wait(lambda: (partition.state / "control.sock").exists())
        for command in rest:
            done = subprocess.run(
                ("sh", "-c", command),
                env=environment,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            assert done.returncode == 0, (command, done, partition.output.read_text())
            wait(settled)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert re.search(r"set-indicator\(9003, 0x80000004, 1\) = -2  fault\n", partition.output.read_text())


def test_an_event_of_ours_alone(partition: Partition) -> None:
    """A card that QEMU does not have: the guest fetches the log, and nothing comes of it without rpaphp."""
    with partition.attached():
        partition("plug", "pci", "rng", "virtio-rng-pci", "5")
        wait(lambda: len(partition.calls("check-exception")) == 1)
        (event,) = partition.calls("check-exception")
        assert (event["who"], event["results"], event["qemu"]) == ("ours", [0], [1])
        assert partition.connectors() == {"C40": "power on"}


def test_qemu_refuses_what_we_would_plug(partition: Partition) -> None:
    before = partition.interrupts()
    with partition.attached():
        said = partition("plug", "dimm", "m/1", "256M", code=1)
        assert said.startswith("baseboard: QEMU: object-add: ")
        assert partition.connectors() == {}
        assert json.loads(partition("ls", "--json", "--all"))
        said = partition("reset", code=1)
        assert "no method 'reset'" in said
    assert partition.interrupts() == before


def test_looking_on(partition: Partition) -> None:
    with partition.attached("--mode", "record"):
        partition.guest.qmp.execute(
            "object-add", **{"qom-type": "memory-backend-ram", "id": "b", "size": 1 << 28}
        )
        partition.guest.qmp.execute("device_add", driver="pc-dimm", id="theirs", memdev="b")
        wait(lambda: ("qemu", 0) in partition.answers("set-indicator", BLOCK))
        wait(lambda: partition.calls("ibm,configure-connector")[-1:] != [])
        assert {call["who"] for call in partition.calls()} == {"qemu"}
        said = partition("plug", "core", "c1", "1", code=1)
        assert "--mode override" in said
        partition.guest.qmp.execute("device_del", id="theirs")
        wait(lambda: partition.guest.qmp.execute("query-memory-devices") == [])
        partition.guest.qmp.execute("object-del", id="b")


def test_beside_qemu(partition: Partition) -> None:
    """Linux adds and removes memory and adds a core with QEMU's answers; ours are the same."""
    before = partition.megabytes()
    with partition.attached("--mode", "compare"):
        partition("plug", "dimm", "m1", "512M")
        wait(lambda: partition.megabytes() == before + 512)
        partition("unplug", "m1")
        wait(lambda: partition.megabytes() == before)
        partition("plug", "core", "c3", "3")
        wait(lambda: partition.online() == "0-1")
        assert {call["who"] for call in partition.calls()} == {"qemu"}
        assert len(partition.calls()) > 50
        assert [text for call in partition.calls() for text in call["differences"]] == []


def test_we_leave_in_the_middle(partition: Partition) -> None:
    """The guest has our event, which QEMU does not have; what it calls then QEMU answers."""
    with partition.attached():
        assert partition("unplug", "c3") == "c3: the guest is asked\n"
    wait(lambda: partition.online() == "0")
    assert partition.calls("check-exception")[0]["who"] == "ours"


def test_a_killed_attachment_is_taken_over(partition: Partition) -> None:
    """What it left in the guest stops it at its next call, until somebody attaches again."""
    with partition.attached("--mode", "record") as process:
        process.kill()
        process.wait()
        process.returncode = 0
    with partition.attached("--mode", "record"):
        assert partition.dlpar(f"cpu add index {CORE + 1:#x}") != 0  # there is none
        assert partition.answers("get-sensor-state", CORE + 1) == [("qemu", 0)]
    assert partition.dlpar(f"cpu add index {CORE + 1:#x}") != 0


def test_memory_that_is_given_back_unasked(partition: Partition) -> None:
    """Our platform keeps it, as QEMU does; Linux 6.1 has given it up all the same, for good."""
    before = partition.megabytes()
    with partition.attached():
        partition("plug", "dimm", "m1", "256M")
        wait(lambda: partition.megabytes() == before + 256)
        assert partition.dlpar(f"memory remove index {BLOCK:#x}") == 0
        assert partition.answers("set-indicator", BLOCK)[-1] == ("ours", -1)
        assert (partition.megabytes(), partition.connectors()["LMB 4"]) == (before, "configured")
        assert partition.dlpar(f"memory add index {BLOCK:#x}") != 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(
            ("--gdb", "unix:/nonexistent", "--qmp", "QMP"), "gdb stub /nonexistent: cannot connect", id="gdb"
        ),
        pytest.param(
            ("--gdb", "here", "--qmp", "QMP"), "'here' is not the address of a gdb stub", id="address"
        ),
        pytest.param(
            ("--gdb", "STUB", "--qmp", "unix:/nonexistent"), "monitor /nonexistent: cannot connect", id="qmp"
        ),
        pytest.param(("--gdb", "STUB", "--qmp", "QMP", "--ours", "x"), "'x' is no service", id="service"),
    ],
)
def test_what_cannot_be_attached_to(partition: Partition, options: tuple[str, ...], said: str) -> None:
    given = {"QMP": str(partition.monitor), "STUB": partition.stub}
    answer = partition(
        "attach", *(given.get(option, option) for option in options), code=2 if "'" in said else 1
    )
    assert said in answer


@pytest.mark.parametrize(
    ("program", "said"),
    [
        pytest.param("qemu-system-ppc64 -machine pseries -m 256", "the guest has no RTAS", id="no kernel"),
        pytest.param("qemu-system-x86_64 -machine pc", "the machine is pc-", id="pc"),
    ],
)
def test_guests_that_are_none(tmp_path: Path, program: str, said: str) -> None:
    """They are still there afterwards."""
    require_program(program.split()[0])
    with TemporaryDirectory(prefix="ppc") as name:
        stub, monitor = Path(name, "gdb"), Path(name, "qmp")
        sockets = ("-gdb", f"unix:{stub},server=on,wait=off", "-qmp", f"unix:{monitor},server=on,wait=off")
        process = subprocess.Popen(
            (*program.split(), "-S", "-display", "none", "-nodefaults", *sockets), stderr=subprocess.DEVNULL
        )
        try:
            wait(lambda: stub.exists() and monitor.exists())
            done = subprocess.run(
                (*ATTACH, "--state", str(tmp_path), "--gdb", f"unix:{stub}", "--qmp", str(monitor)),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 1
            assert said in done.stderr
            assert process.poll() is None
        finally:
            process.kill()
            process.wait()


def test_a_socket_that_is_no_stub(partition: Partition) -> None:
    """The monitor is asked first; here it is both."""
    said = partition("attach", "--gdb", f"unix:{partition.monitor}", "--qmp", str(partition.monitor), code=1)
    assert said.startswith("baseboard: gdb stub ")
    assert partition.guest.run("true").status == 0


def test_the_guest_shuts_down_when_we_ask(partition: Partition) -> None:
    with partition.attached():
        partition("power-down")
        partition.guest.qmp.wait_event("SHUTDOWN", 40)
        assert partition.calls("check-exception")[0]["who"] == "ours"
        assert partition.calls("power-off")
