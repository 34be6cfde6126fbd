"""Debian packages that are unpacked, never installed.

Some would start their daemons on this machine, some are of a newer suite (`suite="trixie-backports"`), some
of another architecture (`architecture="armhf"`); with `closure` come all the packages they depend on. Kept in
`.cache/packages`, a directory for each request and in it one for each set of versions.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from tests.interop.apt import PACKAGES, Apt, output
from tests.interop.kept import kept
from tests.programs import missing


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


def dependency(package: str, prefix: str, *, suite: str = "", architecture: str = "") -> str:
    """The package that this one brings whose name begins so: `linux-image-amd64` brings the kernel."""
    apt = Apt(suite, architecture)
    with apt.opened():
        names = [name for name in apt.depends(package) if name.startswith(prefix)]
    return names[0] if names else missing(f"{package} of {apt.name} depends on no {prefix}")


def libraries(directory: Path) -> dict[str, str]:
    """The environment in which programs find the libraries of unpacked packages."""
    found = sorted({str(path.parent) for path in directory.glob("usr/lib/**/*.so.*")})
    return {"LD_LIBRARY_PATH": os.pathsep.join(found)}


def _kept(
    apt: Apt, packages: tuple[str, ...], closure: bool, kind: str, make: Callable[[Path], Path]
) -> Path:
    """The directory that `make` leaves in its scratch, one for each set of versions."""
    request = PACKAGES / f"{packages[0]}-{apt.name}-{kind}-{_digest(*packages, str(closure))}"
    latest = request / "latest"
    with apt.opened():
        if apt.unchanged_since(latest):
            return request / latest.read_text()
        directory = kept(request, _digest(*apt.files(packages, closure=closure)), make)
        latest.write_text(directory.name)
    return directory


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
