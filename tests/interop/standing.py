"""A QEMU that stands still with a PCI function in it: the test plays firmware and driver through `-qtest`."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.interop.guest.channel import accept
from tests.interop.guest.qmp import Qmp
from tests.interop.newer import Program

TIMEOUT = 20.0
ADDRESS, DATA = 0xCF8, 0xCFC  # of PCI configuration
IO_BASE, MEMORY_BASE = 0xC000, 0xFE00_0000
SUFFIXES = {1: "b", 2: "w", 4: "l"}


class Standing:
    """The machine: `pc`, no processor running, monitor and qtest open."""

    def __init__(self, directory: Path, program: Program, arguments: Sequence[str]) -> None:
        self.irqs: list[tuple[str, int]] = []
        listeners = []
        for name in ("qtest", "qmp"):
            (directory / name).unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(directory / name))
            listener.listen()
            listeners.append(listener)
        self.log = directory / "qemu.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [
                    *program.command, "-machine", "pc", "-accel", "tcg", "-S", "-m", "16", "-nodefaults",
                    "-display", "none", "-qtest", f"unix:{directory / 'qtest'}", "-qtest-log", "none",
                    "-qmp", f"unix:{directory / 'qmp'}",
                    *arguments,
                ],
                env={**os.environ, **program.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )  # fmt: skip
        try:
            self._qtest = accept(listeners[0], TIMEOUT, self.process.pid)
            self._qtest.settimeout(TIMEOUT)
            self._lines = self._qtest.makefile("r")
            self.qmp = Qmp(accept(listeners[1], TIMEOUT, self.process.pid))
        except (OSError, EOFError) as error:
            error.add_note(self.log.read_text())
            self.close()
            raise
        finally:
            for listener in listeners:
                listener.close()

    def command(self, text: str) -> int:
        """One command of the qtest protocol; its value, 0 if it has none."""
        self._qtest.sendall(text.encode() + b"\n")
        while True:
            word, *rest = self._lines.readline().split()
            if word == "OK":
                return int(rest[0], 0) if rest else 0
            assert word == "IRQ", (text, word, rest, self.log.read_text())
            self.irqs.append((rest[0], int(rest[1])))

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something that happens in the machine; what it tells meanwhile is noted."""
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < deadline, f"it never came to: {what}; {self.irqs[-10:]}"
            self.configuration(0, 0, 2)

    def configuration(self, slot: int, offset: int, width: int, value: int | None = None) -> int:
        self.command(f"outl {ADDRESS:#x} {0x8000_0000 | slot << 11 | offset & 0xFC:#x}")
        port = DATA + offset % 4
        suffix = SUFFIXES[width]
        if value is None:
            return self.command(f"in{suffix} {port:#x}")
        return self.command(f"out{suffix} {port:#x} {value:#x}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait(TIMEOUT)
        if hasattr(self, "qmp"):
            self.qmp.close()
        if hasattr(self, "_lines"):
            self._lines.close()
            self._qtest.close()


class Function:
    """One slot's function; its registers for a driver."""

    def __init__(self, machine: Standing, slot: int) -> None:
        self.machine, self.slot = machine, slot
        self.base = 0

    def set_up(self, base: int | None = None) -> None:
        """What firmware does: a place for BAR 0, and the function may decode it."""
        self.io = bool(self.machine.configuration(self.slot, 0x10, 4) & 1)
        self.base = base or (IO_BASE if self.io else MEMORY_BASE) + 0x100 * self.slot
        self.machine.configuration(self.slot, 0x10, 4, self.base)
        self.machine.configuration(self.slot, 0x04, 2, 0x0007)

    def read(self, offset: int, width: int = 1) -> int:
        command = "in" if self.io else "read"
        return self.machine.command(f"{command}{SUFFIXES[width]} {self.base + offset:#x}")

    def write(self, offset: int, value: int, width: int = 1) -> None:
        command = "out" if self.io else "write"
        self.machine.command(f"{command}{SUFFIXES[width]} {self.base + offset:#x} {value:#x}")


@contextmanager
def standing(directory: Path, program: Program, *arguments: str) -> Iterator[Standing]:
    machine = Standing(directory, program, arguments)
    try:
        yield machine
    finally:
        machine.close()
