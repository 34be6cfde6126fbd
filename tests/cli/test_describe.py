"""`baseboard describe`: what it writes, what it prints, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run


def test_every_file_and_the_options_that_take_it(run: Run, tmp_path: Path) -> None:
    said = run(
        *("describe", "--interface", "kcs", "--port", "0xca2", "--irq", "5"),
        *("--smbios", "a.smbios", "--ssdt", "b c.aml", "--spmi", "d,e.aml"),
    ).stdout
    assert said == "-smbios file=a.smbios -acpitable 'file=b c.aml' -acpitable file=d,,e.aml\n"
    assert (tmp_path / "a.smbios").read_bytes().hex() == "261200260120" + "20ffa30c0000000000000a050000"
    assert (tmp_path / "b c.aml").read_bytes()[:4] == b"SSDT"
    assert (tmp_path / "d,e.aml").read_bytes()[:4] == b"SPMI"


def test_json(run: Run) -> None:
    said = json.loads(run("describe", "--interface", "bt", "--smbios", "a", "--json").stdout)
    assert said == {"files": {"smbios": "a"}, "qemu": ["-smbios", "file=a"]}


# fmt: off
MISTAKES = [
    ("--interface kcs",                                  "name at least one file to write"),
    ("--interface lpc --ssdt a",                         "'lpc' is not one of kcs, smic, bt, ssif"),
    ("--interface kcs --port 1 --memory 1 --ssdt a",     "--port and --memory: an interface is at one"),
    ("--interface kcs --port 0xffff --ssdt a",           "I/O port 0xffff is not a number from 0x1 to"),
    ("--interface kcs --port nine --ssdt a",             "'nine' is not a number, as in 0xca2 or 5"),
    ("--interface kcs --trigger up --ssdt a",            "'up' is not one of edge-high, level-low"),
    ("--interface kcs --trigger level-low --ssdt a",     "--trigger level-low is for an interrupt: name its"),
    ("--interface kcs --ssdt a --spmi a",                "each needs a file of its own"),
    ("--interface kcs --smbus-address 0x20 --ssdt a",    "--smbus-address is not for kcs"),
    ("--interface ssif --port 0xca2 --ssdt a",           "--port is not for ssif"),
    ("--interface kcs --ssdt nowhere/a",                 "nowhere/a: No such file or directory"),
]
# fmt: on


@pytest.mark.parametrize(("words", "reason"), MISTAKES)
def test_mistakes(run: Run, words: str, reason: str) -> None:
    assert reason in run("describe", *words.split(), code=2).stderr
