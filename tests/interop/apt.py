"""Debian's archive: the packages of any suite and architecture, downloaded and never installed.

What this machine's own apt offers is asked of it. For every other suite or architecture, and for whole
dependency closures, apt works with lists of its own that are kept in `.cache/packages/lists`; the machine's
lists, its database and its architectures are neither read nor changed, and root is not needed.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.interop.kept import CACHE, DAY
from tests.programs import missing

PACKAGES = CACHE / "packages"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"  # has the keys of this machine's next suite too

# The directories are this suite's own; an empty status file makes every dependency a missing one.
CONFIGURATION = """\
#clear APT::Architectures;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "{architecture}";
APT::Architectures "{architecture}";
APT::Default-Release "{suite}";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::GzipIndexes "true";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
Dir::Etc::sourcelist "{directory}/sources.list";
Dir::Etc::sourceparts "/nonexistent";
Dir::Etc::preferences "/nonexistent";
Dir::Etc::preferencesparts "/nonexistent";
Dir::State "{directory}";
Dir::State::lists "{directory}/lists";
Dir::State::status "{directory}/status";
Dir::Cache "{directory}";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "";
"""


class Apt:
    """apt, for one suite (none: this machine's) and one architecture (none: this machine's)."""

    def __init__(self, suite: str = "", architecture: str = "", *, private: bool = False) -> None:
        self.suite = suite or codename()
        self.architecture = architecture or output("dpkg", "--print-architecture").strip()
        self.private = private or bool(suite or architecture)
        self.name = f"{self.suite}-{self.architecture}"
        self.directory = PACKAGES / "lists" / self.name

    @contextmanager
    def opened(self) -> Iterator[None]:
        """One process at a time fetches lists and packages of this suite."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with open(self.directory / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.private:
                self._fetch_lists()
            yield

    def unchanged_since(self, file: Path) -> bool:
        """Whether the file was made from the lists of now; the machine's own lists are not watched."""
        return self.private and file.exists() and _modified(self.directory / "fetched") < _modified(file)

    def files(self, packages: Sequence[str], *, closure: bool = False) -> tuple[str, ...]:
        """The names and checksums of the files that hold these packages, in the versions offered now."""
        said = output("apt-get", *self._options, *_asking(closure), "--print-uris", *packages)
        return tuple(sorted(re.findall(r"^'[^']*' (\S+\.deb \d+ \S+)$", said, re.M)))

    def depends(self, package: str) -> tuple[str, ...]:
        """The names of the packages that this one depends on."""
        said = output("apt-cache", *self._options, "depends", "--important", package)
        return tuple(re.findall(r"Depends: (\S+)$", said, re.M))

    def download(self, packages: Sequence[str], directory: Path, *, closure: bool = False) -> None:
        """Puts the files of these packages into the directory."""
        (directory / "partial").mkdir(parents=True)
        options = ("--option", f"Dir::Cache::archives={directory}", "--download-only") if closure else ()
        output("apt-get", *self._options, *_asking(closure), *options, *packages, cwd=directory)
        (directory / "partial").rmdir()
        (directory / "lock").unlink(missing_ok=True)

    @property
    def _options(self) -> tuple[str, ...]:
        return ("--config-file", str(self.directory / "apt.conf")) if self.private else ()

    def _fetch_lists(self) -> None:
        """Lists at most a day old, or older ones when the mirror cannot be reached now."""
        fetched = self.directory / "fetched"
        if fetched.exists() and _modified(fetched) > max(time.time() - DAY, _modified(Path(__file__))):
            return
        suites = dict.fromkeys((self.suite.removesuffix("-backports"), self.suite))
        sources = (f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n" for suite in suites)
        (self.directory / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (self.directory / "status").touch()
        (self.directory / "sources.list").write_text("".join(sources))
        (self.directory / "apt.conf").write_text(
            CONFIGURATION.format(suite=self.suite, architecture=self.architecture, directory=self.directory)
        )
        done = _run(("apt-get", *self._options, "update"))
        if done.returncode != 0 and not fetched.exists():
            missing(f"the lists of {self.name}: {done.stderr.strip()}")
        fetched.touch()


def codename() -> str:
    """The name of the suite that this machine runs."""
    try:
        found = re.search(r"^VERSION_CODENAME=(\S+)", Path("/etc/os-release").read_text(), re.M)
    except OSError:
        found = None
    return found[1] if found else missing("this is no release of Debian: /etc/os-release names none")


def mirror() -> str:
    """Where this machine has its Debian from."""
    targets = output("apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)")
    found = re.search(rf"^(?:{codename()}|stable) main (\S+)", targets, re.M)
    return found[1] if found else missing(f"apt's sources name no mirror of Debian {codename()} main")


def output(*command: str, cwd: Path | None = None) -> str:
    """What a command prints; one that fails is a missing program, with what it said."""
    done = _run(command, cwd)
    if done.returncode != 0:
        missing(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _run(command: Sequence[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    except FileNotFoundError:
        missing(f"{command[0]} is not installed: some of what the tests need comes out of Debian packages")


def _asking(closure: bool) -> tuple[str, ...]:
    return ("install", "--yes") if closure else ("download",)


def _modified(file: Path) -> float:
    return file.stat().st_mtime
