"""A Linux program of another architecture under qemu-user, whose system calls we answer where we want to.

Theory of operation. qemu-user's gdb stub stops at entry to and return from the system calls that are caught.
At the entry we do what the call is to do. The result cannot be set at either stop, as the emulator writes its
own over it; so a breakpoint stands behind the instruction, and what the program is to see is put into the
registers there. On POWER that is r3, and the summary-overflow bit of cr0 for an error.  [QEMU 10.0]
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from baseboard.attach.errors import AttachError, NotAttachable
from baseboard.attach.gdb import BREAKPOINT, Gdb
from baseboard.attach.gdb_stops import SIGINT, SIGTRAP, Ended, Stop
from baseboard.errors import ConfigError

START = 10.0
"""Seconds until the emulator's stub can be reached."""
_ERROR = 0x1000_0000
"""The bit of cr that says that r3 is an error number."""
_SCV = bytes.fromhex("01000044")
"""The newer instruction for system calls, after which a negative r3 is an error.  [Linux, syscall64-abi]"""

Answer = Callable[["UserProgram", Sequence[int]], "int | None"]
"""Takes the arguments; gives the result (an error is -errno), or None: the emulator's own is to stand."""


class UserProgram:
    """One run of a ppc64le program."""

    def __init__(self, qemu: Sequence[str], root: Path, command: Sequence[str]) -> None:
        """`root` is where the program finds what it opens before it looks at this machine's own files."""
        self._directory = tempfile.TemporaryDirectory(prefix="baseboard-")
        path = Path(self._directory.name) / "gdb"
        try:
            self.process = subprocess.Popen((*qemu, "-g", str(path), "-L", str(root), *command))
        except OSError as error:
            self._directory.cleanup()
            raise ConfigError(f"{qemu[0]}: {error.strerror}") from None
        try:
            self.gdb = self._connect(path)
        except BaseException:
            self.close()
            raise

    def _connect(self, path: Path) -> Gdb:
        deadline = time.monotonic() + START
        while self.process.poll() is None:
            if path.exists():
                try:
                    gdb = Gdb.connect(f"unix:{path}")
                except AttachError:
                    pass
                else:
                    if gdb.architecture != "powerpc:common64":
                        raise NotAttachable(f"the program is one of {gdb.architecture}, not of ppc64le")
                    return gdb
            if time.monotonic() > deadline:
                raise AttachError(f"qemu-user's gdb stub does not answer within {START:g} s")
            time.sleep(0.005)
        raise AttachError(f"qemu-user ended at once, with status {self.process.returncode}")

    def __enter__(self) -> UserProgram:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, answers: Mapping[int, Answer], patience: float | None = None) -> int:
        """Run it to its end; its exit status, 128 and more for a signal.

        `patience` is how many seconds it may take from one of these calls to the next. Raises AttachError.
        """
        self.gdb.catch_syscalls(answers)
        stop = self._next(patience)
        while stop.ended is None:
            if stop.syscall is None:
                stop = self._signalled(stop, patience)
                continue
            result = None
            if stop.syscall.entering and stop.syscall.number in answers:
                self.gdb.select(stop.thread)
                arguments = [self.gdb.read_register(f"r{number}") for number in range(3, 9)]
                result = answers[stop.syscall.number](self, arguments)
            if result is not None:
                self._finish(stop, result, patience)
            stop = self._next(patience)
        return stop.signal if stop.ended is Ended.EXIT else 128 + stop.signal

    def file_of(self, descriptor: int) -> Path:
        """What the program's file descriptor is, as this machine knows it."""
        try:
            return Path(os.readlink(f"/proc/{self.process.pid}/fd/{descriptor}"))
        except (OSError, OverflowError):
            return Path()

    def close(self) -> None:
        """End it, if it has not ended."""
        if hasattr(self, "gdb"):
            if self.gdb.ended is None:
                self.process.kill()
            self.gdb.detach()
        self.process.kill()
        self.process.wait()
        self._directory.cleanup()

    def _next(self, patience: float | None) -> Stop:
        self.gdb.resume()
        while patience is None and not self.gdb.readable(1.0):
            pass
        return self.gdb.wait(START if patience is None else patience)

    def _finish(self, entry: Stop, result: int, patience: float | None) -> None:
        """Let the emulator do its own, then put ours in its place."""
        behind = self.gdb.read_register("pc")  # the emulator has stepped over the instruction already
        vectored = self.gdb.read_memory(behind - 4, 4) == _SCV
        self.gdb.set_point(BREAKPOINT, behind)
        while True:
            stop = self._next(patience)
            if stop.ended is not None:
                raise AttachError("the program ended in a system call that we answer")
            if stop.thread == entry.thread and stop.syscall is None and self._at(stop, behind):
                break
        self.gdb.clear_point(BREAKPOINT, behind)
        if not vectored:
            flags = self.gdb.read_register("cr") & ~_ERROR
            self.gdb.write_register("cr", flags | (_ERROR if result < 0 else 0))
        self.gdb.write_register("r3", result if vectored else abs(result))

    def _at(self, stop: Stop, address: int) -> bool:
        self.gdb.select(stop.thread)
        return self.gdb.read_register("pc") == address

    def _signalled(self, stop: Stop, patience: float | None) -> Stop:
        """Signals are the program's own business; a trap that is nobody's would come for ever."""
        if stop.signal in (SIGTRAP, SIGINT):
            raise AttachError(f"the program stopped with signal {stop.signal} and no reason")
        self.gdb.resume_with(stop.signal)
        while patience is None and not self.gdb.readable(1.0):
            pass
        return self.gdb.wait(START if patience is None else patience)
