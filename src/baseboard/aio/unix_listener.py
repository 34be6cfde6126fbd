"""A listening Unix socket that only its owner may connect to."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat

from baseboard.errors import ConfigError


def unix_listener(path: str, flag: str) -> socket.socket:
    """Bound, not yet listening; a dead process's socket is replaced.  Raises ConfigError, naming `flag`."""
    _remove_stale(path, flag)
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


def _remove_stale(path: str, flag: str) -> None:
    """Remove the socket that a dead process left.  Raises ConfigError when somebody answers there."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise ConfigError(f"{flag}: {path} exists and is no socket; remove it or choose another path")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        if probe.connect_ex(path) in (0, errno.EAGAIN):
            raise ConfigError(f"{flag}: {path}: another process listens there")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
