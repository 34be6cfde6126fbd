"""The commands of docs/how-to/attach-to-a-vm.md, run as they stand there; paths and `...` are filled in."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.interop.newer import newer_qemu
from tests.interop.standing import standing
from tests.interop.test_pci_functions import finds, unplug
from tests.interop.test_readme import ROOT, Shell
from tests.programs import require_program

PAGE = (ROOT / "docs" / "how-to" / "attach-to-a-vm.md").read_text()
BLOCKS = [block.splitlines() for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S)]
QMP = [
    json.loads(line) for block in re.findall(r"```json\n(.*?)```", PAGE, re.S) for line in block.splitlines()
]
NEWER, ARM64, STOCK = BLOCKS
STILL = "-accel tcg -display none -S -nodefaults -monitor stdio"


def filled(command: str, directory: Path) -> str:
    return command.replace("/run/vm1", str(directory)).replace("...", STILL)


def newer(command: str) -> str:
    """With a QEMU that is not installed."""
    name, _, rest = command.partition(" ")
    return f"{shlex.join(newer_qemu(name.removeprefix('qemu-system-')).command)} {rest}"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in newer_qemu().environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("start", [NEWER[1], *ARM64], ids=["x86", "arm64"])
def test_vfio_user(environment: None, tmp_path: Path, start: str) -> None:
    serve = Shell(filled(NEWER[0], tmp_path), tmp_path / "state")
    try:
        said = serve.read_until("Ctrl-C to stop", 60)
        option = shlex.split(filled(NEWER[1], tmp_path))[1:3]
        assert shlex.join(option) in said, "what it prints is what the page says"
        machine = Shell(newer(filled(start, tmp_path)), tmp_path)
        try:
            machine.read_until("(qemu)", 60)
        finally:
            machine.interrupt()
    finally:
        assert serve.interrupt() == 0


def test_pci_proxy(tmp_path: Path) -> None:
    require_program("qemu-system-x86_64")
    serve = Shell(filled(STOCK[0], tmp_path), tmp_path / "state")
    try:
        said = serve.read_until("Ctrl-C to stop", 60)
        start = filled(STOCK[1], tmp_path)
        assert start.partition(" -m")[0] in said, "what it prints is what the page says"
        machine = Shell(start, tmp_path)
        try:
            output = machine.read_until("(qemu)", 60)
            assert "Unable to write" not in output
        finally:
            machine.interrupt()
    finally:
        assert serve.interrupt() == 0


def test_unplug_and_plug(tmp_path: Path) -> None:
    (remove, add) = QMP
    serve = Shell(filled(NEWER[0], tmp_path), tmp_path / "state")
    try:
        serve.read_until("Ctrl-C to stop", 60)
        arguments = json.loads(json.dumps(add["arguments"]).replace("/run/vm1", str(tmp_path)))
        with standing(tmp_path, newer_qemu()) as machine:
            for _ in range(2):
                assert add["execute"] == "device_add"
                machine.qmp.execute("device_add", **arguments, addr="0x4")
                finds(machine, 4, "kcs")
                unplug(machine, remove["arguments"]["id"], 4)
    finally:
        assert serve.interrupt() == 0
