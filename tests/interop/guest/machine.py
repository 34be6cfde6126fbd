"""A Linux guest in a QEMU of the test's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tests.interop.newer import Program

from .architecture import AMD64, Architecture
from .channel import Channel, Result, accept
from .image import Image, image
from .qmp import Qmp

QEMU = AMD64.qemu
MODULES = AMD64.loads


def boot_arguments(
    booted: Image,
    channel: Channel,
    log: Path,
    modules: Sequence[str] | None = None,
    kernel_args: Sequence[str] = (),
    architecture: Architecture = AMD64,
) -> list[str]:
    """What any QEMU needs to boot the guest; `baseboard run -- qemu-system-x86_64 ...` takes it as it is.

    The kernel's messages go to the architecture's console and from there into `log`.
    """
    modules = architecture.loads if modules is None else modules
    words = (
        f"console={architecture.console}",
        "nokaslr",
        "panic=-1",
        f"modules={','.join(modules)}",
        *architecture.words,
        *kernel_args,
    )
    return [
        "-accel", "tcg", "-m", architecture.memory, "-smp", architecture.processors,
        "-nodefaults", "-display", "none", *booted.arguments(),
        "-kernel", str(booted.kernel), "-initrd", str(booted.initramfs), "-append", " ".join(words),
        "-chardev", f"file,id=log,path={log},append=on", *architecture.log, *architecture.options,
        *channel.arguments(), *architecture.port,
    ]  # fmt: skip


class Guest:
    """Starts QEMU, waits until the guest takes commands, and keeps all that a failure message needs.

    `qemu_args` come last on the command line: the BMC, its interface, a serial port for SOL. The guest loads
    `modules` in this order; their parameters, like anything for the kernel, go into `kernel_args`. The
    machine begins to run when somebody is connected to each socket chardev named in `wait_for`: a driver
    gives up within microseconds when there is no BMC behind its interface. `qemu` replaces Debian's own.
    """

    def __init__(
        self,
        qemu_args: Sequence[str] = (),
        *,
        architecture: Architecture = AMD64,
        qemu: Program | None = None,
        machine: str = "",
        modules: Sequence[str] | None = None,
        kernel_args: Sequence[str] = (),
        wait_for: Sequence[str] = (),
        timeout: float = 30,
    ) -> None:
        self.lost = False  # a command did not come back: nothing more can be run
        self.directory = Path(tempfile.mkdtemp(prefix="guest-"))
        self.log = self.directory / "kernel.log"
        self.channel = Channel(self.directory / "command.sock")
        monitor = socket.socket(socket.AF_UNIX)
        monitor.bind(str(self.directory / "qmp.sock"))
        monitor.listen()
        qemu = qemu or Program((architecture.qemu,))
        self.command = [
            *qemu.command, "-machine", machine or architecture.machine, "-S",
            *boot_arguments(image(architecture), self.channel, self.log, modules, kernel_args, architecture),
            "-chardev", f"socket,id=qmp,path={self.directory / 'qmp.sock'}",
            "-mon", "chardev=qmp,mode=control",
            *qemu_args,
        ]  # fmt: skip
        with open(self.directory / "qemu.log", "wb") as output:
            self.process = subprocess.Popen(
                self.command,
                env={**os.environ, **qemu.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            self.channel.accept(timeout, self.process.pid)
            self.qmp = Qmp(accept(monitor, timeout, self.process.pid))
            for name in wait_for:
                self._wait_connected(name, timeout)
            self.qmp.execute("cont")
            self.boot_id = self.channel.wait_ready(timeout)
        except (OSError, EOFError) as error:
            log = self.tail()
            self.kill()
            raise RuntimeError(
                f"the guest did not come up: {error}\n{' '.join(self.command)}\n{log}"
            ) from error
        finally:
            monitor.close()

    def __enter__(self) -> Guest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(self.tail())
        self.kill()

    @property
    def alive(self) -> bool:
        """Whether the QEMU process is there; the guest in it may be down."""
        return self.process.poll() is None

    def run(self, command: str, timeout: float = 30) -> Result:
        """Runs a shell command in the guest."""
        try:
            return self.channel.run(command, timeout)
        except (OSError, EOFError) as error:
            self.lost = True
            error.add_note(self.tail())
            raise

    def send(self, command: str) -> None:
        """Starts a command that takes the guest down."""
        self.channel.send(command)

    def wait_ready(self, timeout: float = 60) -> None:
        """After a reset: waits until the guest takes commands again."""
        self.boot_id = self.channel.wait_ready(timeout)

    def wait_exit(self, timeout: float = 20) -> int:
        """Waits for the end of the QEMU process; returns its exit status."""
        return self.process.wait(timeout)

    def _wait_connected(self, name: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            state = {device["label"]: device["filename"] for device in self.qmp.execute("query-chardev")}
            if not state[name].startswith("disconnected:"):
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"nobody is connected to chardev {name} ({state[name]}) after {timeout} s")
            time.sleep(0.02)

    def tail(self, lines: int = 40) -> str:
        """The end of what QEMU and the kernel said."""
        parts = []
        for path in (self.directory / "qemu.log", self.log):
            if path.exists():
                text = path.read_bytes().decode(errors="replace").splitlines()
                parts.append("\n".join([f"--- {path.name}", *text[-lines:]]))
        return "\n".join(parts)

    def kill(self) -> None:
        """Ends everything, whatever state it is in; may be called again."""
        self.process.kill()
        self.process.wait(20)
        if hasattr(self, "qmp"):
            self.qmp.close()
        self.channel.close()
        shutil.rmtree(self.directory, ignore_errors=True)
