"""`baseboard spapr event` and `tcti` as people and scripts call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from baseboard.cli.spapr_commands.event import event
from baseboard.cli.spapr_commands.tcti import tcti
from baseboard.errors import BaseboardError, ConfigError


def run(*arguments: str, given: str | bytes = "") -> str:
    command = {"event": event, "tcti": tcti}[arguments[0]]
    result = CliRunner().invoke(command, arguments[1:], input=given)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_what_is_encoded_is_explained() -> None:
    log = run(
        "event",
        "encode",
        "hotplug",
        "memory",
        "add",
        "--count",
        "4",
        "--index",
        "0x80000004",
        "--log-id",
        "9",
    )
    words = run("event", "decode", given=log)
    assert "add memory: 4 connectors from 0x80000004" in words
    assert "0x00000009" in words


def test_lines_and_json() -> None:
    lines = run("event", "encode", "epow", "--lines")
    assert lines.startswith("RTAS 0: 06340040 0000006c")
    (log,) = json.loads(run("event", "decode", "--json", given=lines))
    assert log["event"]["epow"]["sensor"] == 3
    assert [section["id"] for section in log["sections"]] == ["PH", "UH", "EP"]
    named = run("event", "encode", "hotplug", "pci", "remove", "--name", "C24", "--token", "1")
    (log,) = json.loads(run("event", "decode", "--json", given=named))
    assert log["event"]["hotplug"]["name"] == "C24"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("pci", "add"), "say what: --index, --count"),
        (("pci", "add", "--name", "C1", "--index", "1"), "--name stands alone"),
        (("pci", "add", "--name", "Ä"), "no connector's name"),
        (("pci", "add", "--index", "x"), "no number; write 4 or 0x80000004"),
        (("pci", "add", "--index", "0x100000000"), "does not fit in 32 bits"),
        (("disk", "add", "--index", "1"), "is not one of"),
    ],
)
def test_requests_that_cannot_be(arguments: tuple[str, ...], reason: str) -> None:
    assert reason in run("event", "encode", "hotplug", *arguments)


def test_what_is_no_log_is_told_with_the_file() -> None:
    with pytest.raises(ConfigError, match="standard input: the log is cut: 8 of 116 bytes"):
        run("event", "decode", given="063400400000006c")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (b"8001", "no TPM command"),
        (bytes.fromhex("8001 00001001 00000144"), "announces 4097 bytes"),
        (bytes.fromhex("8001 0000000c 00000144"), "a command of 12 bytes ends after 10"),
        (bytes.fromhex("8001 0000000c 00000144 0000"), "H_RESOURCE: no TPM at /none"),
    ],
)
def test_tcti_says_what_is_wrong(given: bytes, reason: str) -> None:
    with pytest.raises(BaseboardError, match=reason):
        run("tcti", "--tpm", "unix:/none", given=given)
    with pytest.raises(ConfigError, match="names no TPM: use unix:PATH"):
        run("tcti", "--tpm", "none")


def test_nothing_in_nothing_out() -> None:
    assert run("tcti", "--tpm", "unix:/none") == ""


def test_tcti_without_a_proxy(tmp_path: Path) -> None:
    command = bytes.fromhex("8001 0000000c 0000017b 0004")
    with pytest.raises(BaseboardError, match=r"H_FUNCTION: the partition has no proxy: `baseboard spapr"):
        run("tcti", "--state", str(tmp_path), given=command)
