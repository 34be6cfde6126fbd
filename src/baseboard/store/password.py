"""The first user's password: read from a file, or made at the first run.

A password file is one line of 1 to 20 bytes, the most that IPMI 2.0 takes. The one that we make has 16
characters, so that IPMI 1.5 can use it as well.  [IPMI 22.30]
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from pathlib import Path

from baseboard.errors import ConfigError
from baseboard.store.directory import PASSWORD, create_private, make_directory

MAXIMUM = 20
"""Bytes in a password.  [IPMI 22.30]"""


@dataclass(frozen=True, slots=True)
class Password:
    """A password, where it is written, and whether it was made just now."""

    path: Path
    value: bytes = field(repr=False)
    fresh: bool = False


def read_password(path: Path) -> Password:
    """The password in `path`.  Raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(256)
    except OSError as error:
        raise ConfigError(f"password file {path}: {error.strerror}") from error
    value = data.removesuffix(b"\n").removesuffix(b"\r")
    if not value:
        raise ConfigError(f"password file {path} is empty: it needs one line of 1 to {MAXIMUM} bytes")
    if b"\n" in value:
        raise ConfigError(
            f"password file {path} has more than one line: it needs one of 1 to {MAXIMUM} bytes"
        )
    if len(value) > MAXIMUM:
        found = f"{len(value)} bytes" if len(data) < 256 else "256 bytes or more"
        raise ConfigError(f"password file {path}: found {found}, IPMI allows 1 to {MAXIMUM} in a password")
    if b"\0" in value:
        raise ConfigError(f"password file {path}: a zero byte would end the password")
    return Password(path, value)


def first_password(state: Path) -> Password:
    """The password in STATE/password, made when there is none."""
    path = state / PASSWORD
    if path.exists():
        return read_password(path)
    make_directory(state)
    # Letters and digits alone: clients would take a password with a dash in front for an option.
    value = base64.b64encode(os.urandom(12), altchars=b"xy")
    try:
        descriptor = create_private(path)
        with os.fdopen(descriptor, "wb") as file:
            file.write(value + b"\n")
    except OSError as error:
        raise ConfigError(f"password file {path}: {error.strerror}") from error
    return Password(path, value, fresh=True)
