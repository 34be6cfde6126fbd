"""Commands of pages that no other test reads: alerts, describe-an-interface, ipmb-socket, serial-channel."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.interop.baseboard import Baseboard
from tests.interop.conftest import StartBaseboard
from tests.programs import require_program

pytestmark = pytest.mark.interop

DOCS = Path(__file__).parents[2] / "docs"


def commands(page: str, start: str) -> list[list[str]]:
    """The words of each shown command that begins so, without comments."""
    text = (DOCS / page).read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith(f"{start} ")]


def run(words: Sequence[str], directory: Path) -> str:
    done = subprocess.run(
        words,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_describe_an_interface(tmp_path: Path) -> None:
    (words,) = commands("how-to/describe-an-interface.md", "baseboard describe")
    said = run([sys.executable, "-m", *words], tmp_path)
    assert f"    {said}" in (DOCS / "how-to/describe-an-interface.md").read_text()
    run([require_program("iasl"), "-d", "kcs.aml"], tmp_path)
    assert "IPI0001" in (tmp_path / "kcs.dsl").read_text()


def test_alerts(baseboard: StartBaseboard, tmp_path: Path) -> None:
    """The file is one, and what ipmitool is told is done; the alert goes to an address for documentation."""
    text = (DOCS / "how-to/alerts.md").read_text()
    (shown,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "baseboard.toml").write_text(shown)
    run([sys.executable, "-m", "baseboard", "check", "baseboard.toml"], tmp_path)
    bmc = baseboard()
    answers = [bmc.ipmitool(*words) for _, *words in commands("how-to/alerts.md", "ipmitool")]
    assert len(answers) == 9
    assert "PET" in answers[4]
    assert "pef" in answers[-1].lower()
    (_, _, *sensor) = commands("how-to/alerts.md", "baseboard sensor")[0]
    run([sys.executable, "-m", "baseboard", "sensor", *sensor, "--state", str(bmc.state)], tmp_path)


def test_the_bus_between_controllers(tmp_path: Path) -> None:
    shown = commands("reference/ipmb-socket.md", "baseboard run")
    asked = commands("reference/ipmb-socket.md", "ipmitool -I")
    started: dict[str, Baseboard] = {}
    try:
        for _, _, *words in shown:
            words[words.index("--lan") + 1] = (port := words[words.index("--lan") + 1]).rpartition(":")[
                0
            ] + ":0"
            words = [word.replace("bus.sock", str(tmp_path / "bus.sock")) for word in words]
            at = words.index("--state")
            name = words[at + 1]
            del words[at : at + 2]
            started[port.rpartition(":")[2]] = Baseboard(*words, state=tmp_path / name)
        answers = []
        for words in asked:
            port, rest = words[words.index("-p") + 1], words[words.index("...") + 1 :]
            answers.append(started[port].ipmitool(*rest))
    finally:
        for process in started.values():
            process.kill()
    assert answers[0] == "Chassis Power Control: Cycle\n"
    assert "Log area reset" in answers[1]


def test_the_serial_channel(baseboard: StartBaseboard, tmp_path: Path) -> None:
    ((_, _, *words),) = commands("reference/serial-channel.md", "baseboard run")
    config = tmp_path / "chassis.toml"
    config.write_text("[[satellite]]\naddress = 0x82\ndevice_id = 0x33\n")
    bmc = baseboard(*words, "--config", str(config))
    terminal, basic = (
        run([word.replace("/dev/pts/5", str(bmc.info["serial_channel"])) for word in shown], tmp_path)
        for shown in commands("reference/serial-channel.md", "ipmitool -I")
    )
    assert "Inlet Temp" in terminal
    assert "Device ID                 : 51" in basic
