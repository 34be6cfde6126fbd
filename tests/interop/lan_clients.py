"""One baseboard with users of every level, and the LAN clients that everybody has."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.interop.baseboard import Baseboard
from tests.programs import require_program

ALL_SUITES = (17, 3, 1, 2, 6, 7, 8, 11, 12, 15, 16)
"""Every cipher suite with authentication that baseboard has."""

# fmt: off
PASSWORDS = {
    # user       password                 level
    "admin":    ("Adm1n-Passw0rd",        "administrator"),
    "operator": ("0perator-pass",         "operator"),
    "viewer":   ("viewer-passwd",         "user"),
    "twenty":   ("twenty-bytes-exactly",  "administrator"),
    "sleeper":  ("never-let-in",          "administrator"),
}
# fmt: on
LEVELS = {"admin": "ADMINISTRATOR", "operator": "OPERATOR", "viewer": "USER", "twenty": "ADMINISTRATOR"}
DISABLED = "sleeper"

LANPLUS: tuple[str, ...] = ("-I", "lanplus")
LAN_15: tuple[str, ...] = ("-I", "lan")
LOGINS = {
    "lanplus": LANPLUS,
    "lanplus -C 17": (*LANPLUS, "-C", "17"),
    "lanplus -C 3": (*LANPLUS, "-C", "3"),
    "lan": LAN_15,
}


@dataclass(frozen=True)
class Said:
    """What a program said, and how it ended."""

    command: str
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    def shows(self, *patterns: str) -> Said:
        """It succeeded, and each of these regular expressions is found in its lines."""
        assert self.code == 0, self
        return self.says(*patterns)

    def says(self, *patterns: str) -> Said:
        """Each of these regular expressions is found in what it said, however it ended."""
        for pattern in patterns:
            assert re.search(pattern, self.text, re.MULTILINE), f"no {pattern!r} in {self}"
        return self

    def fails(self, *patterns: str) -> Said:
        """It failed, and said these."""
        assert self.code != 0, self
        return self.says(*patterns)

    def __str__(self) -> str:
        return f"{self.command}: exit status {self.code}\n{self.text}"


def run(
    command: Sequence[str], timeout: float = 30, stdin: str = "", env: dict[str, str] | None = None
) -> Said:
    """Run a program to its end."""
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
        env={**os.environ, **(env or {}), "TZ": "UTC"},
    )
    return Said(" ".join(command), done.returncode, done.stdout, done.stderr)


class LanServer:
    """A running baseboard with the users above, to be driven over its LAN."""

    def __init__(
        self,
        directory: Path,
        *flags: str,
        suites: Sequence[int] = ALL_SUITES,
        lan: str = "",
        more: str = "",
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        config = directory / "baseboard.toml"
        text = f"[lan]\ncipher_suites = {list(suites)}\n{lan}\n{more}\n"
        for name, (password, level) in PASSWORDS.items():
            file = directory / f"{name}.password"
            file.write_text(password)
            file.chmod(0o600)
            text += f'[[user]]\nname = "{name}"\npassword_file = "{file.name}"\nprivilege = "{level}"\n'
        config.write_text(text)
        self.flags = ("--config", str(config), *flags)
        self.process = self.start()

    def start(self) -> Baseboard:
        """Start it (again) on the same state."""
        self.process = Baseboard(*self.flags, state=self.directory / "state")
        return self.process

    @property
    def host(self) -> str:
        return self.process.host

    @property
    def port(self) -> int:
        return self.process.port

    def ipmitool_command(
        self,
        *args: str,
        user: str = "admin",
        password: str | None = None,
        level: str | None = None,
        how: Sequence[str] = LANPLUS,
    ) -> list[str]:
        """A command line of ipmitool's; the session asks for the user's own level."""
        level = level or LEVELS.get(user, "ADMINISTRATOR")
        password = PASSWORDS[user][0] if password is None else password
        peer = ("-H", self.host, "-p", str(self.port), "-U", user, "-P", password, "-L", level)
        return [require_program("ipmitool"), *how, *peer, *args]

    def ipmitool(
        self,
        *args: str,
        user: str = "admin",
        password: str | None = None,
        level: str | None = None,
        how: Sequence[str] = LANPLUS,
    ) -> Said:
        return run(self.ipmitool_command(*args, user=user, password=password, level=level, how=how))

    def freeipmi(
        self,
        program: str,
        *args: str,
        user: str = "admin",
        password: str | None = None,
        level: str | None = None,
        driver: str = "LAN_2_0",
        stdin: str = "",
    ) -> Said:
        """One of FreeIPMI's programs, without a single work-around flag."""
        level = {"ADMINISTRATOR": "ADMIN"}.get(found := level or LEVELS.get(user, "ADMIN"), found)
        password = PASSWORDS[user][0] if password is None else password
        peer = ("-D", driver, "-h", f"{self.host}:{self.port}", "-u", user, "-p", password, "-l", level)
        home = {"HOME": str(self.directory)}  # FreeIPMI keeps its copy of the SDRs there
        return run([require_program(program), *peer, *args], stdin=stdin, env=home)

    def close(self) -> None:
        self.process.kill()
