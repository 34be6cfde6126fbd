"""`baseboard spapr`: what needs neither another program nor a running partition."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from baseboard.cli.main import main
from baseboard.cli.spapr import COMMANDS


class Done(NamedTuple):
    stdout: str
    stderr: str


Spapr = Callable[..., Done]


@pytest.fixture
def spapr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Spapr:
    """Runs it in this process, which is quicker than one for each."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str, code: int = 0) -> Done:
        name = 2 if words[0] in ("plug", "fault") else 1
        command = ["baseboard", "spapr", *words[:name], "--state", "s", *words[name:]]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as end:
            main()
        gc.enable()
        done = Done(*capsys.readouterr())
        assert end.value.code == code, done
        return done

    return call


def test_plug_list_and_unplug(spapr: Spapr) -> None:
    assert spapr("plug", "core", "c1", "1").stdout == "device core, id c1, core_id 1, node 0\n"
    assert json.loads(spapr("plug", "dimm", "d1", "256M", "--json").stdout)["address"] == 1 << 32
    rows = {row["name"]: row for row in json.loads(spapr("ls", "--json").stdout)}
    assert rows["CPU 1"]["index"] == "0x10000001"
    assert rows["LMB 16"]["device"] == "d1"
    assert len(json.loads(spapr("ls", "--all", "--json").stdout)) > 300
    assert "0x10000001" in spapr("ls").stdout
    assert spapr("unplug", "c1").stdout == "c1 is gone\n"
    assert spapr("unplug", "c1", code=1).stderr == "baseboard: Device 'c1' not found\n"
    assert spapr("reset").stdout == "the partition is reset\n"
    assert spapr("power-down").stdout == "power-down requested\n"


def test_persistent_memory_and_a_tpm(spapr: Spapr, tmp_path: Path) -> None:
    uuid = "d3b55c3c-4b5a-4a8e-9d6c-1f5f5c6d7e90"
    said = json.loads(spapr("plug", "nvdimm", "p1", "1G", "--uuid", uuid, "--slot", "3", "--json").stdout)
    assert (said["label_size"], said["uuid"], said["slot"]) == (128 << 10, uuid, 3)
    assert "uuid" in spapr("plug", "nvdimm", "p2", "256M").stdout
    rows = {row["name"]: row["device"] for row in json.loads(spapr("ls", "--json").stdout)}
    assert (rows["PMEM 3"], rows["PMEM 0"]) == ("p1", "p2")
    assert (
        spapr("unplug", "p1", code=1).stderr == "baseboard: nvdimm device hot unplug is not supported yet.\n"
    )
    assert spapr("plug", "tpm", "t", "unix:s").stdout == f"device tpm-proxy, id t, tpm unix:{tmp_path}/s\n"
    again = spapr("plug", "tpm", "t2", "unix:s", code=1).stderr
    assert again == "baseboard: Only one TPM proxy can be specified for this machine\n"
    assert spapr("unplug", "t").stdout == "t is gone\n"
    assert "'s' names no TPM: use unix:PATH" in spapr("plug", "tpm", "t", "s", code=1).stderr


def test_the_tree(spapr: Spapr, tmp_path: Path) -> None:
    assert 'device_type = "chrp"' in spapr("tree").stdout
    assert json.loads(spapr("tree", "/cpus", "--json").stdout)["name"] == "cpus"
    spapr("tree", "--dtb", "tree.dtb")
    assert (tmp_path / "tree.dtb").read_bytes()[:4].hex() == "d00dfeed"
    assert "no node /none" in spapr("tree", "/none", code=1).stderr


def test_faults(spapr: Spapr) -> None:
    spapr("fault", "add", "--index", "0x10000001", "set-indicator", "9900", "pass", "--", "-2")
    fault = {"service": "set-indicator", "answers": [9900, "pass", -2], "index": 0x10000001}
    assert json.loads(spapr("fault", "list", "--json").stdout) == [fault]
    assert "9900, pass, -2" in spapr("fault", "list").stdout
    assert (
        "is neither a number, nor pass, nor one of H_SUCCESS, H_BUSY"
        in spapr("fault", "add", "set-indicator", "x", code=2).stderr
    )
    assert (
        "--index: 'CPU 1' is not a number; `baseboard spapr ls`"
        in spapr("fault", "add", "--index", "CPU 1", "set-indicator", "0", code=2).stderr
    )
    assert spapr("fault", "clear").stdout == "no faults\n"
    spapr("fault", "add", "--index", "1", "H_TPM_COMM", "H_BUSY", "H_LONG_BUSY_ORDER_1_SEC", "H_HARDWARE")
    fault = {"service": "H_TPM_COMM", "answers": [1, 9903, -1], "index": 1}
    assert json.loads(spapr("fault", "list", "--json").stdout) == [fault]
    assert "use one of" in spapr("fault", "add", "no-such", "1", code=1).stderr
    assert spapr("fault", "clear").stdout == "no faults\n"


def test_a_log_that_is_none(spapr: Spapr, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("nonsense\n")
    assert "not a call log" in spapr("replay", "log", code=2).stderr
    (tmp_path / "log").write_text("{}\n")
    assert "log: not a call log: line 1 is no call" in spapr("replay", "log", code=2).stderr
    (tmp_path / "log").write_text("")
    assert "log: not a call log: it is empty" in spapr("replay", "log", code=2).stderr
    (tmp_path / "log").write_text('{"begin": {"version": 1}, "dropped": 0}\n')
    assert "log: the machine's state: KeyError: 'settings'" in spapr("replay", "log", code=2).stderr


def test_a_log_of_a_partition_that_is_not_served(spapr: Spapr) -> None:
    for action in ("start", "stop", "show"):
        assert "a log is kept while `baseboard spapr serve` runs" in spapr("log", action, code=1).stderr


def test_machines_that_cannot_be(spapr: Spapr) -> None:
    assert "use a multiple of 256 MiB" in spapr("serve", "--ram", "1000M", code=2).stderr
    assert "no.toml: No such file" in spapr("serve", "no.toml", code=2).stderr


def test_the_reference_has_every_command() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reference" / "command-line.md").read_text()
    for name in COMMANDS:
        assert f"`spapr {name}" in text
