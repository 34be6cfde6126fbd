"""Debian packages that are unpacked, never installed.

Some would start their daemons on this machine, some are of a newer suite (`suite="trixie-backports"`), some
of another architecture (`architecture="armhf"`); with `closure` come all the packages they depend on. Kept in
`.cache/packages`, a directory for each request and in it one for each set of versions.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.interop.apt import CACHE, DAY, Apt, output


@functools.cache
def unpacked(
    *packages: str, suite: str = "", architecture: str = "", closure: bool = False, only: str = ""
) -> Path:
    """A directory with the files of all these packages, in the versions that apt offers.

    `only` is a pattern of their names, for large packages of which a single program is wanted.
    """
    apt = Apt(suite, architecture, private=closure)

    def unpack(scratch: Path) -> Path:
        apt.download(packages, scratch / "archives", closure=closure)
        files = scratch / "files"
        files.mkdir()
        for archive in sorted((scratch / "archives").glob("*.deb")):
            if only:
                output("sh", "-c", 'dpkg-deb --fsys-tarfile "$0" > "$1"', str(archive), str(scratch / "tar"))
                output("tar", "-xf", str(scratch / "tar"), "-C", str(files), "--wildcards", f"./{only}")
            else:
                output("dpkg-deb", "--extract", str(archive), str(files))
        for name in ("lib", "lib64", "bin", "sbin"):  # as an installed system has them, of trixie and later
            if (files / "usr" / name).is_dir() and not (files / name).exists():
                (files / name).symlink_to(f"usr/{name}")
        return files

    return _kept(apt, packages, closure, f"files-{_digest(only)}" if only else "files", unpack)


@functools.cache
def archives(*packages: str, suite: str = "", architecture: str = "") -> tuple[Path, ...]:
    """The packages themselves, for who wants only a little out of a large one."""
    apt = Apt(suite, architecture)

    def download(scratch: Path) -> Path:
        apt.download(packages, scratch / "archives")
        return scratch / "archives"

    return tuple(sorted(_kept(apt, packages, False, "archives", download).iterdir()))


def dependency(package: str, pattern: str, *, suite: str = "", architecture: str = "") -> str:
    """The package, its name like the pattern, that this one brings: `linux-image-amd64` brings the kernel."""
    apt = Apt(suite, architecture, private=True)
    with apt.opened():
        names = [file.split("_")[0] for file in apt.files([package], closure=True)]
    return next(name for name in names if re.fullmatch(pattern, name))


def libraries(directory: Path) -> dict[str, str]:
    """The environment in which programs find the libraries of unpacked packages."""
    found = sorted({str(path.parent) for path in directory.glob("usr/lib/**/*.so.*")})
    return {"LD_LIBRARY_PATH": os.pathsep.join(found)}


def _kept(
    apt: Apt, packages: tuple[str, ...], closure: bool, kind: str, make: Callable[[Path], Path]
) -> Path:
    """The directory that `make` leaves in its scratch, made if these versions have none yet."""
    request = CACHE / f"{packages[0]}-{apt.name}-{kind}-{_digest(*packages, str(closure))}"
    latest = request / "latest"
    with apt.opened():
        if apt.unchanged_since(latest):
            return request / latest.read_text()
        directory = request / _digest(*apt.files(packages, closure=closure))
        if not directory.exists():
            request.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=CACHE, prefix="making-") as scratch:
                made = make(Path(scratch))
                os.utime(made)
                made.rename(directory)
            for old in request.glob("*/"):  # another process may be using yesterday's
                if time.time() - old.stat().st_mtime > DAY:
                    shutil.rmtree(old)
        latest.write_text(directory.name)
    return directory


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
