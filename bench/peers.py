"""The servers that are measured: baseboard, OpenIPMI's ipmi_sim and pyghmi's, each in its own process."""

from __future__ import annotations

import compileall
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import baseboard as package
from bench.client import free_port

USER, PASSWORD = b"admin", b"bench-secret"


@dataclass
class Peer:
    """A running server."""

    name: str
    address: tuple[str, int]
    process: subprocess.Popen[bytes]
    started: float
    """Seconds from exec to its first answer."""
    vm_port: int = 0
    suites: tuple[int, ...] = (3,)

    @property
    def resident(self) -> float:
        """Resident memory in MB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    @property
    def cpu(self) -> float:
        """CPU seconds used until now."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


PING = bytes.fromhex("0600ff06000011be80010000")
CAPABILITIES = bytes.fromhex("0600ff07000000000000000000092018c88100388e04b5")


def _first_answer(port: int, start: float, process: subprocess.Popen[bytes]) -> float:
    """Ask until somebody answers; returns the seconds since `start`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        sock.settimeout(0.002)
        while time.perf_counter() - start < 10:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode}")
            try:
                sock.send(CAPABILITIES)
                sock.recv(1024)
                return time.perf_counter() - start
            except TimeoutError:
                pass
            except ConnectionRefusedError:
                time.sleep(0.001)  # asking without a pause would take a processor from who is starting
    raise RuntimeError("no answer in 10 s")


@contextlib.contextmanager
def _running(name: str, command: list[str], port: int, **more: object) -> Iterator[Peer]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    try:
        yield Peer(name, ("127.0.0.1", port), process, _first_answer(port, start, process), **more)  # type: ignore[arg-type]
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def ipmi_sim(emulator: str = "", sel_entries: int = 1000) -> Iterator[Peer]:
    """OpenIPMI's simulator with one controller, a LAN and a VM port; with more lines for its emulator."""
    with tempfile.TemporaryDirectory() as directory:
        port, vm_port = free_port(), free_port(socket.SOCK_STREAM)
        (Path(directory) / "lan.conf").write_text(
            f'name "bench"\nset_working_mc 0x20\n  startlan 1\n    addr 127.0.0.1 {port}\n'
            "    priv_limit admin\n    allowed_auths_admin none md5 straight\n"
            "    guid a123456789abcdefa123456789abcdef\n  endlan\n"
            f"  serial 15 127.0.0.1 {vm_port} codec VM\n"
            f'  user 2 true "{USER.decode()}" "{PASSWORD.decode()}" admin 64 md5\n'
        )
        (Path(directory) / "emu").write_text(
            "mc_setbmc 0x20\nmc_add 0x20 0 has-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\n"
            f"sel_enable 0x20 {sel_entries} 0x0a\n{emulator}mc_enable 0x20\n"
        )
        command = ["ipmi_sim", "-c", f"{directory}/lan.conf", "-f", f"{directory}/emu", "-s", directory, "-n"]
        with _running("ipmi_sim", command, port, vm_port=vm_port) as peer:
            yield peer


PYGHMI = """
import sys
import pyghmi.ipmi.bmc as bmc
class Server(bmc.Bmc):
    def get_power_state(self): return "on"
users = {sys.argv[2]: sys.argv[3]}
Server(users, port=int(sys.argv[1]), address="127.0.0.1").listen()
"""


@contextlib.contextmanager
def pyghmi() -> Iterator[Peer]:
    """pyghmi's server, on which VirtualBMC stands."""
    port = free_port()
    command = [sys.executable, "-c", PYGHMI, str(port), USER.decode(), PASSWORD.decode()]
    with _running("pyghmi", command, port) as peer:
        yield peer


@contextlib.contextmanager
def baseboard(config: str = "") -> Iterator[Peer]:
    """Ourselves, as `baseboard run` with a LAN and a listening VM wire; compiled, as an installed one is."""
    compileall.compile_dir(Path(package.__file__).parent, quiet=2)
    with tempfile.TemporaryDirectory() as directory:
        port, vm_port = free_port(), free_port(socket.SOCK_STREAM)
        password = Path(directory) / "password"
        password.write_bytes(PASSWORD + b"\n")
        password.chmod(0o600)
        command = [
            *(sys.executable, "-m", "baseboard", "run", "--lan", f"127.0.0.1:{port}", "--json"),
            *("--password-file", str(password), "--state", f"{directory}/state"),
            *("--vm", f"listen:tcp:127.0.0.1:{vm_port}"),
        ]
        if config:
            (Path(directory) / "baseboard.toml").write_text(config)
            command += ["--config", f"{directory}/baseboard.toml"]
        with _running("baseboard", command, port, vm_port=vm_port, suites=(3, 17)) as peer:
            yield peer


ALL: dict[str, Callable[[], contextlib.AbstractContextManager[Peer]]] = {
    "ipmi_sim": ipmi_sim,
    "baseboard": baseboard,
    "pyghmi": pyghmi,
}
