"""Firmware that clients uploaded, in files of the state directory; nobody executes it."""

from __future__ import annotations

import os
from pathlib import Path

from baseboard.store.database import StoreError

FIRMWARE = "firmware"
"""Directory in the state directory."""
KEPT = 4
"""Files; the oldest make room."""


def keep_firmware(state: Path, name: str, data: bytes) -> Path:
    """Write an image; when this returns, it is on the disk.  Raises StoreError."""
    directory = state / FIRMWARE
    path = directory / name
    partial = directory / f".{name}.partial"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(
            partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        partial.replace(path)
        images = sorted(directory.glob("*.bin"), key=lambda one: one.stat().st_mtime_ns, reverse=True)
        for old in images[KEPT:]:
            old.unlink()
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    return path
