"""baseboard as its users start it, in a process of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.programs import require_program


class Baseboard:
    """One `baseboard run --json`; ready when the constructor returns, on a port that the system chose."""

    def __init__(self, *args: str, state: Path, timeout: float = 20) -> None:
        self.state = state
        self.log = state.with_name(f"{state.name}.log")
        self.command = [sys.executable, "-m", "baseboard", "run", "--state", str(state), "--json"]
        if "--lan" not in args:
            self.command += ["--lan", "127.0.0.1:0"]
        self.command += args
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
        try:
            self.info: dict[str, Any] = json.loads(self._line(timeout))
        except (OSError, EOFError, ValueError) as error:
            self.kill()
            raise RuntimeError(f"baseboard did not start: {error}\n{self.tail()}") from error

    @property
    def host(self) -> str:
        return str(self.info["lan"]["host"])

    @property
    def port(self) -> int:
        return int(self.info["lan"]["port"])

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def ipmitool(self, *args: str, login: Sequence[str] = (), timeout: float = 30) -> str:
        """The output of an ipmitool command over the LAN that must succeed."""
        return self._succeeds(self.ipmitool_command(*args, login=login), timeout)

    def ipmitool_command(self, *args: str, login: Sequence[str] = ()) -> list[str]:
        """ipmitool's command line, for tests that expect it to fail or to take a while.

        `login` takes the place of the options for lanplus with the first user and its password.
        """
        first_user = ("-I", "lanplus", "-U", str(self.info["user"]), "-f", str(self.info["password_file"]))
        peer = ("-H", self.host, "-p", str(self.port))
        return [require_program("ipmitool"), *peer, *(login or first_user), *args]

    def freeipmi(self, program: str, *args: str, timeout: float = 60) -> str:
        """The output of a FreeIPMI program over RMCP+ that must succeed; no work-around flags."""
        return self._succeeds(self.freeipmi_command(program, *args), timeout)

    def freeipmi_command(self, program: str, *args: str) -> list[str]:
        password = Path(self.info["password_file"]).read_text().strip()
        peer = ("-h", f"{self.host}:{self.port}", "-u", str(self.info["user"]), "-p", password)
        return [require_program(program), "--driver-type=LAN_2_0", *peer, *args]

    def stop(self, timeout: float = 20) -> int:
        """Asks it to end, as Ctrl-C or a service manager does; returns its exit status."""
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            error.add_note(self.tail())
            raise
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends it without a chance to save anything; may be called again."""
        self.process.kill()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def tail(self, lines: int = 40) -> str:
        """The end of what it said on standard error."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _succeeds(self, command: list[str], timeout: float) -> str:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False
        )
        said = f"{done.stdout}{done.stderr}\n{self.tail()}"
        assert done.returncode == 0, f"{command[0]} ... {command[-3:]}: exit status {done.returncode}\n{said}"
        return done.stdout

    def _line(self, timeout: float) -> bytes:
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        deadline = time.monotonic() + timeout
        received = b""
        while not received.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"not ready within {timeout} s")
            data = os.read(descriptor, 65536)
            if not data:
                raise EOFError(f"ended with exit status {self.process.wait(timeout)}")
            received += data
        return received
