"""powerpc-ibm-utils' rtas_event_decode, a ppc64el program, reads our logs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from baseboard.spapr.events import ADD, REMOVE, EpowEvent, HotplugEvent, encode
from baseboard.spapr.events.explain import kernel_lines, read_logs
from tests.interop.newer import qemu_user
from tests.interop.unpacked import unpacked

PACKAGES = ("powerpc-ibm-utils", "librtas2", "librtasevent2", "libc6")
NOON = 1_795_262_400.0  # 2026-11-21 12:00:00
COMMON = {
    "Version: 00000006 Severity: 00000001 (Event)",
    "Disposition: 00000002 (Not Recoverd)",
    "Date: 21 Nov 2026",
    "Time: 12:0:0:0",
    "Creator ID: PHyp (H).",
    "Platform Log ID: 00000007 Log Entry ID: 00000000",
}


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """The packages' files, and a /proc/cpuinfo of a pSeries machine: tools refuse to run elsewhere."""
    for entry in unpacked(*PACKAGES, suite="trixie", architecture="ppc64el").iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("platform\t: pSeries\n")
    return tmp_path


def decoded(system: Path, log: bytes) -> list[str]:
    done = subprocess.run(
        (*qemu_user().command, "-L", str(system), str(system / "usr/sbin/rtas_event_decode"), "-v"),
        input=kernel_lines(log),
        capture_output=True,
        encoding="latin-1",
        timeout=60,
        check=False,
    )
    assert "RTAS Event Dump End" in done.stdout, done  # its exit status is no status
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


CORE, BRIDGE, SLOT, CARD = 0x1000_0001, 0x2000_0001, 0x3000_0001, 0x4000_0018
BLOCK, MODULE = 0x8000_0004, 0x9000_0001


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (HotplugEvent(1, ADD, index=CORE), "CPU Add 00000002 (DRC Index) 10000001"),
        (HotplugEvent(2, ADD, count=4), "Memory Add 00000003 (Count) 00000004"),
        # Identifier 4 is younger than the library; it shows the number.
        (HotplugEvent(2, REMOVE, count=4, index=BLOCK), "Memory Remove 00000004"),
        (HotplugEvent(5, REMOVE, index=CARD), "PCI Remove 00000002 (DRC Index) 40000018"),
        (HotplugEvent(4, ADD, index=BRIDGE), "PHB Add 00000002 (DRC Index) 20000001"),
        (HotplugEvent(5, ADD, name="C24"), "PCI Add 00000001 (DRC Name)"),
        (HotplugEvent(3, ADD, index=SLOT), "Slot Add 00000002 (DRC Index) 30000001"),
        # So is persistent memory, for which it has no word.
        (HotplugEvent(6, ADD, index=MODULE), " Add 00000002 (DRC Index) 90000001"),
    ],
    ids=[
        "core",
        "memory by count",
        "memory from an index",
        "card",
        "host bridge",
        "by name",
        "slot",
        "persistent memory",
    ],
)
def test_hotplug_requests(system: Path, event: HotplugEvent, said: str) -> None:
    lines = decoded(system, encode(event, 7, NOON))
    kind, action, rest = said.split(" ", 2)
    assert set(lines) > COMMON
    assert {"Initiator 00000006 (Hot Plug)", "Type 000000e5 (Hotplug Event)"} < set(lines)
    section = lines[lines.index("==== Hotplug section".ljust(21) + "=" * 48) :]
    assert section[1].endswith(f"({kind})")
    assert section[2].endswith(f"({action})")
    identifier, _, value = rest.partition(") ")
    assert section[3].startswith(f"Hotplug Identifier: {identifier}")
    if value:
        assert section[4].endswith(f": {value}")


def test_a_request_to_shut_down(system: Path) -> None:
    lines = set(decoded(system, encode(EpowEvent(), 7, NOON)))
    assert lines > COMMON
    assert {
        "Type 00000040 (EPOW)",
        "Subsystem ID: 000000a0 (External Environment)",
        "Normal system/platform shutdown or powered off.",
        "Sensor Value: 00000000 Action Code: 00000003",
        "- Normal System Shutdown with no additional delay.",
    } < lines


def test_the_lines_that_it_reads_are_those_that_we_read() -> None:
    log = encode(EpowEvent(), 7, NOON)
    text = "".join(f"[   12.345678] {line}" for line in kernel_lines(log).splitlines(keepends=True))
    assert read_logs(text.encode()) == [log]
