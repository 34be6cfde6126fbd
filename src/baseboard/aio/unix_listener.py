"""A listening Unix socket that only its owner may connect to."""

from __future__ import annotations

import errno
import os
import socket
import stat
from struct import Struct

from baseboard.aio.endpoint import socket_path
from baseboard.errors import ConfigError


def unix_listener(path: str, flag: str) -> socket.socket:
    """Bound, not yet listening; a dead process's socket is replaced.  Raises ConfigError, naming `flag`."""
    _remove_stale(socket_path(path, flag), flag)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)  # whoever may connect has the privileges of what we serve there: the owner alone
    try:
        listener.bind(path)
    except OSError as error:
        listener.close()
        raise ConfigError(f"{flag}: {path}: cannot listen: {error.strerror}") from None
    finally:
        os.umask(mask)
    return listener


_CREDENTIALS = Struct("3i")
"""Process, user and group of whoever listens."""


def _who_listens(probe: socket.socket) -> str:
    raw = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process, _, _ = _CREDENTIALS.unpack(raw)
    if process == os.getpid():
        return "this process listens there already, for something else; give each a path of its own"
    return f"process {process} listens there"


def _remove_stale(path: str, flag: str) -> None:
    """Remove the socket that a dead process left.  Raises ConfigError when there is anything else."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise ConfigError(f"{flag}: {path} exists and is no socket; remove it or choose another path")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            result = probe.connect_ex(path)
            if result == 0:
                raise ConfigError(f"{flag}: {path}: {_who_listens(probe)}")
        if result == errno.EAGAIN:
            raise ConfigError(f"{flag}: {path}: somebody listens there, and takes no connections at present")
        if result == errno.ECONNREFUSED:
            os.unlink(path)
        elif result != errno.ENOENT:
            raise ConfigError(f"{flag}: {path}: cannot replace what is there: {os.strerror(result)}")
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{flag}: {path}: cannot listen: {error.strerror}") from None
