"""Every command that README.md shows, run as it stands there (only paths and `...` are filled in)."""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import require_program

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^    (\S.*)$", README.replace("\\\n", " "), re.MULTILINE)
HEADLESS = "-accel tcg -display none"


def shown(start: str) -> str:
    """The one command of the README that begins so."""
    (command,) = [command for command in COMMANDS if command.strip().startswith(start)]
    return " ".join(command.split())


def _as_in_a_terminal() -> None:
    """Where tests run in the background Ctrl-C is ignored, and what they start would inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Shell:
    """A process with its own state directories, whose output is read with a deadline."""

    def __init__(self, command: str, directory: Path) -> None:
        environment = os.environ | {
            "XDG_STATE_HOME": str(directory),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        self.process = subprocess.Popen(
            shlex.split(command),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_as_in_a_terminal,
        )
        self.output = ""

    def read_until(self, text: str, timeout: float) -> str:
        assert self.process.stdout is not None
        descriptor, deadline = self.process.stdout.fileno(), time.monotonic() + timeout
        while text not in self.output:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(descriptor, 65536) if ready else b""
            assert data, f"{text!r} did not come: {self.output}"
            self.output += data.decode()
        return self.output

    def interrupt(self) -> int:
        """Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)
        assert self.process.stdout is not None
        try:
            return self.process.wait(20)
        finally:
            self.process.stdout.close()
            if self.process.returncode is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(20)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """What the README's first command starts."""
    shell = Shell(shown("scripts/run"), tmp_path_factory.mktemp("state"))
    shell.read_until("Ctrl-C to stop", 120)
    yield shell
    assert shell.interrupt() == 0


def run(command: str, shell: Shell) -> str:
    """A command in the environment of a running instance."""
    state = re.search(r"state +(\S+)", shell.output)
    assert state is not None
    environment = os.environ | {
        "XDG_STATE_HOME": str(Path(state[1]).parents[1]),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        shlex.split(command), env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_there_are_two_commands_of_set_up_and_ci_runs_both() -> None:
    continuous = (ROOT / ".ci/run").read_text()
    for command in ("scripts/run", "scripts/test"):
        assert shown(command) == command
        assert re.search(rf"^{command}( |$)", continuous, re.MULTILINE)


def test_what_is_printed_can_be_pasted(first_run: Shell) -> None:
    require_program("ipmitool")
    lines = [line.strip() for line in first_run.output.splitlines() if line.strip().startswith("ipmitool")]
    assert len(lines) >= 3
    answers = [run(line, first_run) for line in lines]
    assert "IPMI Version              : 2.0" in answers[0]
    assert "Chassis Power is on" in answers[-1]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("baseboard status", "127.0.0.1"),
        ("baseboard sensor list", "Inlet Temp"),
        ("baseboard sensor set", "45"),
        ("baseboard sel list", "Log area reset"),
        ("baseboard power cycle", ""),
    ],
)
def test_working_with_a_running_instance(first_run: Shell, start: str, expected: str) -> None:
    assert expected.lower() in run(shown(start), first_run).lower()


def test_baseboard_owns_qemu(tmp_path: Path) -> None:
    require_program("qemu-system-x86_64")
    disk = tmp_path / "disk.qcow2"
    disk.write_bytes(bytes(1 << 20))
    command = shown("baseboard run -- qemu").replace("disk.qcow2", str(disk))
    shell = Shell(f"{command} {HEADLESS}", tmp_path)
    try:
        shell.read_until("Ctrl-C to stop", 60)
        assert re.search(r"power +on", run("baseboard power", shell))
    finally:
        assert shell.interrupt() == 0


def test_a_guest_that_something_else_starts(tmp_path: Path) -> None:
    require_program("qemu-system-x86_64")
    attach, start = (
        shown(command).replace("/run/vm1", str(tmp_path)).replace("...", f"{HEADLESS} -S")
        for command in ("baseboard run --vm", "qemu-system-x86_64")
    )
    machine = Shell(start, tmp_path)
    shell = Shell(attach, tmp_path)
    try:
        shell.read_until("Ctrl-C to stop", 60)
        deadline = time.monotonic() + 20
        while not re.search(r"power +on", said := run("baseboard power", shell)):
            assert time.monotonic() < deadline, f"{said}{shell.output}"
            select.select([], [], [], 0.1)
    finally:
        assert shell.interrupt() == 0
        machine.interrupt()
