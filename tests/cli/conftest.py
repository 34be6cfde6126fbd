"""A running `baseboard run`, and the command line as somebody would type it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def command(*words: object) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "baseboard", *map(str, words)]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `baseboard WORDS...` to its end."""
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "xdg"), "COLUMNS": "200", "NO_COLOR": "1"}

    def run(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command(*words),
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr
        return done

    return run


class Running:
    """A started instance."""

    def __init__(self, process: subprocess.Popen[str], ready: dict[str, Any], state: Path) -> None:
        self.process = process
        self.ready = ready
        self.state = state


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`baseboard run --json` on a port of the system's choice, with a state directory of its own."""
    state = tmp_path_factory.mktemp("instance") / "state"
    process = subprocess.Popen(
        command("run", "--state", state, "--lan", "127.0.0.1:0", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield Running(process, json.loads(process.stdout.readline()), state)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
        assert (process.returncode, rest, errors) == (0, "", "")
    finally:
        process.kill()
        process.communicate()
