"""Directories under `.cache` that are made once and used by every later test run."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache"
DAY = 86400.0


def kept(family: Path, key: str, make: Callable[[Path], Path]) -> Path:
    """The directory `key` of a family; if there is none, what `make` leaves in the scratch that it is given.

    It appears whole or not at all, and one process makes it, whoever else asks. Others of the family that
    nobody has used for a day are removed.
    """
    family.mkdir(parents=True, exist_ok=True)
    directory = family / key
    with open(family / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            with tempfile.TemporaryDirectory(dir=family, prefix="making-") as scratch:
                make(Path(scratch)).rename(directory)
        os.utime(directory)
        for other in family.glob("*/"):
            if time.time() - other.stat().st_mtime > DAY:
                shutil.rmtree(other)
    return directory
