"""docs/how-to/test-bmc-firmware.md and pair-two-vms.md, run as they stand there; `...` is filled in."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from baseboard.attach.kcs import AspeedKcs
from tests.interop.baseboard import Baseboard
from tests.interop.bmc_machine import wait_for
from tests.interop.pair import Pair
from tests.programs import require_program

pytestmark = pytest.mark.interop

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "how-to"
TEST, PAIR = (PAGES / "test-bmc-firmware.md").read_text(), (PAGES / "pair-two-vms.md").read_text()
SCRIPT = re.findall(r"```toml\n(.*?)```", TEST, re.DOTALL)[0]
PATIENT = SCRIPT.replace("within = 1.0", "within = 60.0")  # of a busy machine nothing is to be learnt
assert SCRIPT != PATIENT


def commands(page: str, start: str) -> list[list[str]]:
    """All commands of a page that begin so, as words without their first."""
    lines = re.findall(r"^    (\S.*)$", page.replace("\\\n", " "), re.MULTILINE)
    return [shlex.split(line)[1:] for line in lines if line.startswith(start)]


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Where the firmware of the pages runs."""
    (tmp_path / "firmware").symlink_to(ROOT / "firmware")
    (tmp_path / "acceptance.toml").write_text(PATIENT)
    (words,) = commands(TEST, "qemu-system-arm")
    assert [words] == commands(PAIR, "qemu-system-arm")
    process = subprocess.Popen(
        [require_program("qemu-system-arm"), *words],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: AspeedKcs(tmp_path / "bmc.qmp")).detach()
        yield tmp_path
        assert process.poll() is None, "the BMC did not survive"
    finally:
        process.kill()
        process.wait(20)


def run(directory: Path, words: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "baseboard", *words],
        cwd=directory,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_host_commands(directory: Path) -> None:
    shown = [words for words in commands(TEST, "baseboard host") if "--script" not in words]
    info, sel, raw, json_info, trapped = (run(directory, words) for words in shown)
    assert trapped.stdout == info.stdout
    assert "manufacturer id" in info.stdout
    assert "device id             32" in info.stdout
    assert len(sel.stdout.splitlines()) == 3
    assert raw.stdout == "20 01 01 00 02 84 00 00 00 00 26 00 00 00 00\n"
    assert '"manufacturer_id": 0' in json_info.stdout
    shell = run(directory, ["host", "qmp:bmc.qmp"], "mc selftest\nraw 06\npower status\nhelp\nexit\n")
    assert "06" in shell.stderr
    assert "power  on" in shell.stdout
    assert shell.returncode == 0


def test_the_script(directory: Path) -> None:
    (words,) = commands(TEST, "baseboard host qmp:bmc.qmp --script")
    passed = run(directory, words)
    assert passed.returncode == 0, passed.stderr
    assert len([line for line in passed.stdout.splitlines() if line.startswith("ok")]) == 6
    (directory / "acceptance.toml").write_text(PATIENT.replace('expect = "c1"', 'expect = "00"'))
    failed = run(directory, words)
    assert failed.returncode == 1
    assert "step 2 (a command that there is not): 00 was expected, and c1 came" in failed.stderr
    (directory / "acceptance.toml").write_text("[[step]]\nreqest = 1\n")
    wrong = run(directory, words)
    assert wrong.returncode == 2
    assert "acceptance.toml: step 1: reqest is not one of" in wrong.stderr


def test_errors_of_a_command(directory: Path) -> None:
    for words, code, reason in (
        (["host", "qmp:bmc.qmp", "raw", "06", "7f"], 1, "the firmware answers C1h"),
        (["host", "qmp:bmc.qmp", "dance"], 2, "is not one of raw"),
        (
            ["host", "qmp:nothing", "mc", "info"],
            2,
            "cannot connect: No such file or directory; is QEMU running, with -qmp",
        ),
        (["host", "soup", "mc", "info"], 2, "is not qmp:PATH, ibt:PATH or vm:ADDRESS"),
        (
            ["host", "qmp:bmc.qmp", "--channel", "2", "mc", "info"],
            2,
            "KCS channels 3 at CA2h, 4 at CA4h enabled",
        ),
        (["host", "qmp:bmc.qmp", "--channel", "5", "mc", "info"], 2, "is not one of 1 to 4"),
        (["host", "qmp:bmc.qmp", "--port", "fast", "mc", "info"], 2, "is not one of mixed"),
        (["host", "qmp:bmc.qmp", "--script", "nothing.toml"], 2, "No such file"),
        (["pair", "--host", "soup", "--bmc", "qmp:bmc.qmp"], 2, "--host: 'soup' is not"),
    ):
        done = run(directory, words)
        assert (done.returncode, reason in done.stderr) == (code, True), (words, done)


def test_the_lan(directory: Path) -> None:
    ((_, *words),) = commands(TEST, "baseboard run")
    arguments = [str(directory / "bmc.qmp").join(("qmp:", "")) if w == "qmp:bmc.qmp" else w for w in words]
    arguments[arguments.index("--lan") + 1] = "127.0.0.1:0"
    process = Baseboard(*arguments, state=directory / "state")
    try:
        assert "0x2600" in process.ipmitool("mc", "info")
        assert len(process.ipmitool("sel", "list").splitlines()) == 3
    finally:
        process.kill()


def test_the_pair(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(directory)
    (machine,) = commands(PAIR, "qemu-system-x86_64")
    machine[machine.index("...") : machine.index("...") + 1] = ["-S", "-nodefaults", "-display", "none"]
    host = subprocess.Popen([require_program("qemu-system-x86_64"), *machine], stdin=subprocess.DEVNULL)
    (words,) = commands(PAIR, "baseboard pair")
    pair = Pair(words[words.index("--host") + 1], words[words.index("--bmc") + 1])
    try:
        pair.ready()
    finally:
        host.send_signal(signal.SIGKILL)
        host.wait(20)
        pair.kill()
