"""Debian packages that are unpacked, never installed: their daemons would be started on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.programs import missing

CACHE = Path(__file__).parents[2] / ".cache" / "packages"


def unpacked(*packages: str) -> Path:
    """A directory with the files of all these packages, in the versions that apt would install."""
    wanted = [f"{name}={_candidate(name)}" for name in packages]
    directory = CACHE / "+".join(wanted)
    if not directory.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="unpacking-") as scratch:
            archives = Path(scratch) / "archives"
            archives.mkdir()
            _output(("apt-get", "download", *wanted), archives)
            for archive in archives.glob("*.deb"):
                _output(("dpkg-deb", "--extract", str(archive), f"{scratch}/files"), archives)
            for old in CACHE.glob(f"{packages[0]}=*"):
                shutil.rmtree(old)
            Path(scratch, "files").rename(directory)
    return directory


def libraries(directory: Path) -> dict[str, str]:
    """The environment in which programs find the libraries of unpacked packages."""
    found = sorted({str(path.parent) for path in directory.glob("usr/lib/**/*.so.*")})
    return {"LD_LIBRARY_PATH": os.pathsep.join(found)}


def _candidate(name: str) -> str:
    found = re.search(r"Candidate: (\S+)", _output(("apt-cache", "policy", name)))
    if found is None or found[1] == "(none)":
        missing(f"apt has no {name}: run apt-get update")
    return found[1]


def _output(command: Sequence[str], cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    except FileNotFoundError:
        missing(f"{command[0]} is not installed: some of the clients come out of Debian packages")
    if done.returncode != 0:
        missing(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
