"""The state directory: whose it is, who uses it now, and which files are in it.

    baseboard.db     what commands changed (with SQLite's -wal and -shm beside it)
    password         the first user's password, when no other file was named
    control.sock     the control socket of the running instance
    vm.sock          where a guest is looked for, when no --vm was given
    firmware/        images that clients uploaded
    lock             held by the running instance, with its process id

Everything is made readable for its owner alone, whatever the umask is.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from baseboard.errors import ConfigError

DATABASE = "baseboard.db"
PASSWORD = "password"  # noqa: S105  (a file's name)
CONTROL = "control.sock"
VM = "vm.sock"
LOCK = "lock"


def default_state() -> Path:
    """$XDG_STATE_HOME/baseboard/default, with the fallback that the XDG specification names."""
    base = os.environ.get("XDG_STATE_HOME", "")
    home = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    return home / "baseboard" / "default"


def make_directory(state: Path) -> None:
    """Make the state directory when it is missing (0700).  Raises ConfigError when that is impossible."""
    try:
        state.parent.mkdir(parents=True, exist_ok=True)
        try:
            state.mkdir(mode=0o700)
        except FileExistsError:
            if not state.is_dir():
                raise
        else:
            state.chmod(0o700)
    except OSError as error:
        raise ConfigError(
            f"state directory {state}: {error.strerror}; name a directory that you can write with --state DIR"
        ) from error


def create_private(path: Path) -> int:
    """Open `path` for reading and writing, make it when it is missing, and leave it 0600."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


class Lock:
    """Exclusive use of a state directory, as long as this object is open; a killed process loses it."""

    def __init__(self, state: Path) -> None:
        path = state / LOCK
        try:
            self._descriptor = create_private(path)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; name another directory with --state DIR") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise ConfigError(
                f"state directory {state} is in use by process {owner or 'unknown'}: "
                "stop that instance, or name another directory with --state DIR"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def close(self) -> None:
        """Let others have the directory."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
