"""drmgr and lsslot of powerpc-ibm-utils, unmodified, on our platform: `baseboard spapr exec`."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from baseboard.fleet.partition.partition import open_partition
from baseboard.fleet.partition.plan import plan
from tests.interop.newer import qemu_user
from tests.interop.unpacked import unpacked

PACKAGES = ("powerpc-ibm-utils", "librtas2", "librtasevent2", "libnuma1", "zlib1g", "libc6")


class Spapr:
    """`baseboard spapr` on one state directory."""

    def __init__(self, directory: Path) -> None:
        self.state = directory / "state"
        self.environment = {
            **os.environ,
            "BASEBOARD_QEMU_PPC64LE": qemu_user("ppc64le").command[0],
            "BASEBOARD_PPC64LE_SYSROOT": str(unpacked(*PACKAGES, suite="trixie", architecture="ppc64el")),
        }

    def __call__(self, *words: str, code: int = 0, typed: str = "") -> str:
        """What it prints; `--state` stands behind the command's name."""
        name = 2 if words[0] in ("plug", "fault") else 1
        command = ("spapr", *words[:name], "--state", str(self.state), *words[name:])
        done = subprocess.run(
            (sys.executable, "-m", "baseboard", *command),
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, (words, done)
        return done.stdout

    def drmgr(self, *words: str, code: int = 0, typed: str = "") -> str:
        return self("exec", "--", "drmgr", *words, code=code, typed=typed)

    def lsslot(self, *words: str) -> list[str]:
        return self("exec", "--", "lsslot", *words).splitlines()

    def connectors(self) -> dict[str, str]:
        """What there is besides the first core and host bridge, and its state."""
        rows: list[dict[str, Any]] = json.loads(self("ls", "--json"))
        return {row["name"]: row["state"] for row in rows if row["device"] not in ("core", "phb")}

    def calls(self) -> list[dict[str, Any]]:
        """What was asked of the partition since its log began."""
        return [json.loads(line) for line in self("log", "show").splitlines()[1:]]

    def log(self) -> str:
        """drmgr's own."""
        return (self.state / "files/var/log/drmgr").read_text()


@pytest.fixture
def spapr(tmp_path: Path) -> Spapr:
    return Spapr(tmp_path)


@pytest.fixture
def serving(spapr: Spapr) -> Iterator[Spapr]:
    """The same with a partition that runs."""
    process = subprocess.Popen(
        (sys.executable, "-m", "baseboard", "spapr", "serve", "--state", str(spapr.state), "--json"),
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["control"] == str(spapr.state / "control.sock")
        yield spapr
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_a_core_comes_and_goes(serving: Spapr) -> None:
    """With a running partition; drmgr waits when it is told that the platform is busy."""
    spapr = serving
    spapr("plug", "core", "c1", "1")
    assert spapr.connectors() == {"CPU 1": "unusable"}
    spapr(
        "fault",
        "add",
        "--index",
        "0x10000001",
        "--sensor",
        "9001",
        "set-indicator",
        "9900",
        "9901",
        "--",
        "-2",
    )
    assert spapr.drmgr("-c", "cpu", "-a", "-q", "1") == "CPU 1\n"
    assert json.loads(spapr("fault", "list", "--json")) == []
    assert spapr.connectors() == {"CPU 1": "configured"}
    assert [line.split() for line in spapr.lsslot("-c", "cpu")[1:]] == [
        ["CPU", "1", "PowerPC,POWER9@1", "10000001", "1"],
        ["CPU", "0", "PowerPC,POWER9@0", "10000000", "0"],
    ]
    assert spapr("unplug", "c1") == "c1: the guest is asked\n"
    assert spapr.drmgr("-c", "cpu", "-r", "-s", "CPU 1") == "CPU 1\n"
    assert spapr.connectors() == {}
    assert len(spapr.lsslot("-c", "cpu")) == 2


def test_memory_comes_and_goes(spapr: Spapr) -> None:
    """Without a running partition: each command takes up what the one before left."""
    spapr("plug", "dimm", "d1", "512M")
    assert spapr.drmgr("-c", "mem", "-a", "-q", "2") == "DR_TOTAL_RESOURCES=2\n"
    assert spapr.connectors() == {"LMB 16": "configured", "LMB 17": "configured"}
    blocks = [line.split()[2] for line in spapr.lsslot("-c", "mem") if "DRC Index" in line]
    assert blocks == ["80000010", "80000011"]
    spapr("unplug", "d1")
    assert spapr.drmgr("-c", "mem", "-r", "-q", "2") == "DR_TOTAL_RESOURCES=2\n"
    assert spapr.connectors() == {}


def test_memory_that_nobody_wants_back_stays(spapr: Spapr) -> None:
    """To isolate a block without a request is refused (-1); drmgr then takes the block again."""
    spapr("plug", "dimm", "d1", "256M")
    spapr.drmgr("-c", "mem", "-a", "-q", "1")
    assert "DR_TOTAL_RESOURCES=0" in spapr.drmgr("-c", "mem", "-r", "-q", "1", code=255)
    assert "Isolation failed for 80000010 with -1" in spapr.log()
    assert spapr.connectors() == {"LMB 16": "configured"}
    assert any("80000010" in line for line in spapr.lsslot("-c", "mem"))


def test_a_refused_block_takes_back_the_request_for_all(serving: Spapr) -> None:
    """Isolating fails; drmgr takes the block again, which is the guest's refusal of the whole module."""
    spapr = serving
    spapr("plug", "dimm", "d1", "512M")
    spapr.drmgr("-c", "mem", "-a", "-q", "2")
    spapr("unplug", "d1")
    for block in ("0x80000010", "0x80000011"):
        spapr("fault", "add", "--index", block, "--sensor", "9001", "set-indicator", "--", "-1")
    spapr("log", "start")
    assert "DR_TOTAL_RESOURCES=0" in spapr.drmgr("-c", "mem", "-r", "-q", "2", code=255)
    told = [name for call in spapr.calls() for name, _ in call["told"]]
    assert told == ["MEM_UNPLUG_ERROR", "DEVICE_UNPLUG_GUEST_ERROR"]
    rows = [row for row in json.loads(spapr("ls", "--json")) if row["device"] == "d1"]
    assert [(row["state"], row["unplug_requested"]) for row in rows] == [("configured", False)] * 2
    spapr("unplug", "d1")
    assert spapr.drmgr("-c", "mem", "-r", "-q", "2") == "DR_TOTAL_RESOURCES=2\n"
    assert spapr.connectors() == {}


def test_the_lamp_beside_a_card(serving: Spapr) -> None:
    """Identify is 2; when somebody has pressed a key it is on, 1, as before."""
    spapr = serving
    spapr("plug", "pci", "n1", "virtio-net-pci", "3")
    spapr.drmgr("-c", "pci", "-a", "-s", "C24", "-n", "-I")
    spapr("log", "start")
    spapr.drmgr("-c", "pci", "-i", "-s", "C24", "-n", typed="\n")
    asked = [(call["arguments"][1], call["result"]) for call in spapr.calls()]
    assert asked == [([9002, 0x40000018, 2], [0]), ([9002, 0x40000018, 1], [0])]


def test_a_card_comes_is_shown_and_goes(spapr: Spapr) -> None:
    spapr("plug", "pci", "n1", "virtio-net-pci", "3")
    spapr.drmgr("-c", "pci", "-a", "-s", "C24", "-n", "-I")
    assert spapr.connectors() == {"C24": "configured card"}
    assert [line.split()[-1] for line in spapr.lsslot("-c", "pci") if line.startswith("C24 ")] == ["ethernet"]
    shown = spapr.drmgr("-c", "pci", "-i", "-s", "C24", "-n", typed="\n")
    assert "has been set to the identify state" in shown
    spapr("unplug", "n1")
    spapr.drmgr("-c", "pci", "-r", "-s", "C24", "-n", "-I")
    assert spapr.connectors() == {}


def test_a_host_bridge_comes_and_goes(spapr: Spapr) -> None:
    spapr("plug", "phb", "p1", "1")
    spapr.drmgr("-c", "phb", "-a", "-s", "PHB 1")
    assert spapr.connectors() == {"PHB 1": "configured"}
    nodes = [line.split()[2] for line in spapr.lsslot("-c", "phb") if " /pci@" in line]
    assert nodes == ["/pci@800000020000001", "/pci@800000020000000"]
    spapr("unplug", "p1")
    spapr.drmgr("-c", "phb", "-r", "-s", "PHB 1")
    assert spapr.connectors() == {}


def test_connectors_in_one_property(spapr: Spapr, tmp_path: Path) -> None:
    """The choice `DRC_INFO`: the tools find every kind of connector by `ibm,drc-info`."""
    (tmp_path / "p.toml").write_text('[machine]\nchoices = ["DRC_INFO"]\nphb_slots = 4\n')
    partition, store = open_partition(spapr.state, plan(tmp_path / "p.toml", {}))
    partition.close()
    store.close()
    for command in ("core c1 1", "dimm d1 256M", "pci n1 virtio-net-pci 3", "phb p1 1"):
        spapr("plug", *command.split())
    spapr.drmgr("-c", "cpu", "-a", "-q", "1")
    spapr.drmgr("-c", "mem", "-a", "-q", "1")
    spapr.drmgr("-c", "pci", "-a", "-s", "C24", "-n", "-I")
    spapr.drmgr("-c", "phb", "-a", "-s", "PHB 1")
    assert not list((spapr.state / "files/proc/device-tree").rglob("ibm,drc-indexes"))
    taken = {"CPU 1": "configured", "LMB 16": "configured", "C24": "configured card", "PHB 1": "configured"}
    assert spapr.connectors() == taken
    assert [line.split()[-1] for line in spapr.lsslot("-c", "pci") if line.startswith("C24 ")] == ["ethernet"]
    for name in ("c1", "d1", "n1", "p1"):
        spapr("unplug", name)
    spapr.drmgr("-c", "cpu", "-r", "-s", "CPU 1")
    spapr.drmgr("-c", "mem", "-r", "-q", "1")
    spapr.drmgr("-c", "pci", "-r", "-s", "C24", "-n", "-I")
    spapr.drmgr("-c", "phb", "-r", "-s", "PHB 1")
    assert spapr.connectors() == {}


def test_a_hardware_error_is_given_up(spapr: Spapr) -> None:
    spapr("plug", "core", "c1", "1")
    spapr("fault", "add", "--index", "0x10000001", "--sensor", "9001", "set-indicator", "--", "-1")
    assert spapr.drmgr("-c", "cpu", "-a", "-s", "CPU 1", code=1) == ""
    assert spapr.connectors() == {"CPU 1": "unusable"}


def test_files_alone(spapr: Spapr, tmp_path: Path) -> None:
    spapr("files", str(tmp_path / "tree"))
    assert (tmp_path / "tree/proc/device-tree/device_type").read_bytes() == b"chrp\0"
    assert (tmp_path / "tree/proc/ppc64/rtas/rmo_buffer").read_text() == "0000000001000000 4000\n"


def test_what_is_missing_is_named(spapr: Spapr) -> None:
    def says(**environment: str) -> str:
        spapr.environment.update(environment)
        command = ("spapr", "exec", "--state", str(spapr.state), "--", "drmgr", "-h")
        done = subprocess.run(
            (sys.executable, "-m", "baseboard", *command),
            env=spapr.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2
        return done.stderr

    assert "unpack powerpc-ibm-utils" in says(BASEBOARD_PPC64LE_SYSROOT="/nonexistent")
    assert "package qemu-user, of version 9" in says(BASEBOARD_QEMU_PPC64LE="/nonexistent/qemu")


def test_the_commands_of_the_how_to(spapr: Spapr) -> None:
    """Every command shown there, in order; all must succeed."""
    text = (Path(__file__).parents[2] / "docs/how-to/test-power-hotplug-tools.md").read_text()
    commands = [shlex.split(line) for line in text.splitlines() if line.startswith("    baseboard spapr ")]
    assert len(commands) == 13
    for _, _, *words in commands:
        spapr(*words)
    assert spapr.connectors() == {
        "CPU 2": "configured",
        "LMB 16": "configured",
        "LMB 17": "configured",
        "C24": "configured card",
    }
