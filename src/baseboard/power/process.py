"""A process that outlives us when it must: started in a session of its own, found again by its record.

When baseboard is killed its machine runs on, and the next baseboard in the same state directory takes it
over; that is why the machine is not made to die with us. The record names the process so that no later one
with the same number can be mistaken for it. Should we die before the record is written, the process is
found at the other end of its monitor's socket.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RECORD = "qemu.json"
LOG = "qemu.log"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Process:
    """A running process, our child or not."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int | None] = self._loop.create_future()
        """Exit status, negative for a signal; None when it was not our child."""
        self._loop.add_reader(self._descriptor, self._gone)

    @classmethod
    def spawn(cls, command: Sequence[str], log: Path) -> Process:
        """Start it, with its output in `log`.  Raises OSError."""
        with open(log, "wb", opener=_private) as output:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        child.returncode = 0  # we wait for it ourselves, through its descriptor
        return cls(child.pid)

    def _gone(self) -> None:
        status: int | None = None
        try:
            result = os.waitid(os.P_PIDFD, self._descriptor, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            pass
        else:
            if result is not None:
                status = result.si_status if result.si_code == os.CLD_EXITED else -result.si_status
        self.close()
        if not self.exited.done():
            self.exited.set_result(status)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it is still there."""
        if self._descriptor >= 0:
            signal.pidfd_send_signal(self._descriptor, number)

    async def wait(self, timeout: float) -> bool:
        """Whether it is gone within this time."""
        done, _ = await asyncio.wait({self.exited}, timeout=timeout)
        return bool(done)

    def close(self) -> None:
        """Let go of it; it runs on."""
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def remember(self, directory: Path, notes: Any) -> None:
        """Write the record by which `recall` finds the process again."""
        record = {"pid": self.pid, "started": _started(self.pid), "boot": _boot_id(), "notes": notes}
        temporary = directory / f"{RECORD}.new"
        with open(temporary, "w", opener=_private) as file:
            json.dump(record, file)
        temporary.replace(directory / RECORD)


def _private(path: str, flags: int) -> int:
    """For its owner alone, like everything in a state directory."""
    return os.open(path, flags, 0o600)


def recall(directory: Path, monitor: Path) -> tuple[Process, Any] | None:
    """The process that an earlier baseboard left running here, and its notes."""
    try:
        record = json.loads((directory / RECORD).read_text())
        pid, notes = int(record["pid"]), record.get("notes")
        alive = record["boot"] == _boot_id() and record["started"] == _started(pid)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pid, notes, alive = 0, None, False
    if not alive:
        pid, notes = _listener(monitor), None
    if not pid:
        return None
    try:
        return Process(pid), notes
    except OSError:
        return None


def forget(directory: Path) -> None:
    """Remove the record."""
    (directory / RECORD).unlink(missing_ok=True)


def last_words(directory: Path, limit: int = 600) -> str:
    """The end of what the process said."""
    try:
        text = (directory / LOG).read_bytes()[-limit:].decode(errors="replace")
    except OSError:
        return ""
    return " / ".join(line.strip() for line in text.splitlines() if line.strip())


def _started(pid: int) -> int | None:
    """When the process started, in ticks since the machine did; None: it is not there, or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def _boot_id() -> str:
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""


def _listener(path: Path) -> int:
    """The process that listens on a socket; 0: nobody."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except OSError:
            return 0
        pid, _, _ = struct.unpack("3i", probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(pid)
