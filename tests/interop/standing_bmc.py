"""A stock QEMU machine with a BMC chip that stands still: its registers, by monitor and qtest."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import TracebackType

from baseboard.attach.qmp import Qmp
from baseboard.attach.qtest import Qtest
from tests.interop.bmc_machine import QEMU, wait_for
from tests.programs import require_program


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
            self.qmp = wait_for(lambda: Qmp(qmp))
            self.qtest = wait_for(lambda: Qtest.connect(qtest))
        except BaseException as error:
            self.kill()
            error.add_note(self.log.read_text(errors="replace"))
            raise

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
