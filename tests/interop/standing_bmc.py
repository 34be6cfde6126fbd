"""A stock QEMU machine with a BMC chip that stands still: its registers from both sides, by monitor and qtest."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from types import TracebackType

from baseboard.attach.qmp import Qmp
from baseboard.attach.qtest import Qtest
from tests.programs import require_program

QEMU = "qemu-system-arm"
DEADLINE = 20.0


class StandingBmc:
    """One QEMU process; no firmware runs."""

    def __init__(self, directory: Path, machine: str) -> None:
        qmp, qtest = directory / "qmp", directory / "qtest"
        # fmt: off
        command = [
            require_program(QEMU), "-machine", machine, "-accel", "tcg", "-S",
            "-display", "none", "-nodefaults", "-serial", "null", "-net", "none",
            "-qmp", f"unix:{qmp},server=on,wait=off",
            "-qtest", f"unix:{qtest},server=on,wait=off", "-qtest-log", "none",
        ]
        # fmt: on
        self.log = directory / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._wait_for(qmp, qtest)
            self.qmp = Qmp(qmp)
            self.qtest = Qtest.connect(qtest)
        except BaseException:
            self.kill()
            raise

    def _wait_for(self, *paths: Path) -> None:
        deadline = time.monotonic() + DEADLINE
        while not all(path.exists() for path in paths):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"QEMU did not start: {self.log.read_text()}")
            time.sleep(0.01)

    def __enter__(self) -> StandingBmc:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.qmp.close()
        self.qtest.close()
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
