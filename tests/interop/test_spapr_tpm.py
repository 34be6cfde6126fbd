"""tpm2-tools and swtpm with our hypercall between them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from baseboard.aio.tpm import tpm_link
from baseboard.machine import Ppc64Machine
from baseboard.machine.ppc64 import PROGRAM
from baseboard.spapr.hcalls import Hypervisor
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.tpm import ResourceManager
from tests.programs import require_program

SECRET = b"the key to a guest's disk"


class Tools:
    """tpm2-tools in a directory, each command through `baseboard spapr tcti`."""

    def __init__(self, directory: Path, socket: Path) -> None:
        self.directory = directory
        self.socket = socket
        self.flags: tuple[str, ...] = ()
        self.tcti = ""

    def try_run(self, tool: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        program = require_program(f"tpm2_{tool}")
        own = (sys.executable, "-m", "baseboard", "spapr", "tcti", "--tpm", f"unix:{self.socket}")
        tcti = self.tcti or " ".join(own)
        command = [program, "-T", f"cmd:{' '.join((tcti, *self.flags))}", *arguments]
        return subprocess.run(command, cwd=self.directory, capture_output=True, timeout=60, check=False)

    def run(self, tool: str, *arguments: str) -> bytes:
        done = self.try_run(tool, *arguments)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def seal(self, *policy: str) -> None:
        """A primary key, and SECRET sealed under it in seal.ctx."""
        (self.directory / "secret").write_bytes(SECRET)
        self.run("createprimary", "-Q", "-c", "primary.ctx", "-G", "ecc")
        self.run("create", "-Q", "-C", "primary.ctx", "-i", "secret", "-u", "pub", "-r", "priv", *policy)
        self.run("load", "-Q", "-C", "primary.ctx", "-u", "pub", "-r", "priv", "-c", "seal.ctx")


@pytest.fixture
def tools() -> Iterator[Tools]:
    program = require_program("swtpm")
    with TemporaryDirectory() as name:
        directory = Path(name)
        socket = directory / "s"
        with (directory / "swtpm.log").open("wb") as log:
            command = [program, "socket", "--tpm2", "--tpmstate", f"dir={name}", "--server"]
            command += [f"type=unixio,path={socket}", "--flags", "not-need-init,startup-clear"]
            process = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                deadline = time.monotonic() + 10
                while not socket.exists():
                    assert process.poll() is None, (directory / "swtpm.log").read_text()
                    assert time.monotonic() < deadline, "swtpm does not listen"
                    time.sleep(0.01)
                yield Tools(directory, socket)
            finally:
                process.kill()
                process.wait(10)


@contextmanager
def served(tools: Tools, state: Path) -> Iterator[Callable[..., str]]:
    """A partition that runs, with the tools' hypercalls; what is given is `baseboard spapr` on it."""
    baseboard = (sys.executable, "-m", "baseboard", "spapr")
    flags = ("--state", str(state))

    def spapr(command: str, *words: str) -> str:
        done = subprocess.run(
            (*baseboard, *command.split(), *flags, *words), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    serve = (*baseboard, "serve", *flags, "--tpm", f"unix:{tools.socket}", "--json")
    with subprocess.Popen(serve, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            tools.tcti = " ".join((*baseboard, "tcti", *flags))
            yield spapr
        finally:
            process.terminate()
            assert process.wait(20) == 0


def test_seal_and_unseal(tools: Tools) -> None:
    tools.seal()
    assert tools.run("unseal", "-c", "seal.ctx") == SECRET
    assert tools.run("getcap", "handles-transient") == b""


def test_a_policy_on_a_register_that_is_extended_fails(tools: Tools) -> None:
    tools.run("startauthsession", "-S", "trial.ctx")
    tools.run("policypcr", "-Q", "-S", "trial.ctx", "-l", "sha256:16", "-L", "policy")
    tools.run("flushcontext", "trial.ctx")
    tools.seal("-L", "policy")
    tools.run("startauthsession", "--policy-session", "-S", "session.ctx")
    tools.run("policypcr", "-Q", "-S", "session.ctx", "-l", "sha256:16")
    assert tools.run("unseal", "-p", "session:session.ctx", "-c", "seal.ctx") == SECRET
    tools.run("flushcontext", "session.ctx")

    tools.run("pcrextend", f"16:sha256={'11' * 32}")
    tools.run("startauthsession", "--policy-session", "-S", "session.ctx")
    tools.run("policypcr", "-Q", "-S", "session.ctx", "-l", "sha256:16")
    failed = tools.try_run("unseal", "-p", "session:session.ctx", "-c", "seal.ctx")
    assert failed.returncode
    assert b"0x99d" in failed.stderr.lower()  # policy check failed
    assert SECRET not in failed.stdout


def test_an_encrypted_session_as_an_ultravisor_has_it(tools: Tools, tmp_path: Path) -> None:
    """The secret crosses the hypercall only as cipher text; without the session it does not."""
    with served(tools, tmp_path / "s") as spapr:
        tools.seal()
        tools.run("startauthsession", "--hmac-session", "-S", "session.ctx", "-c", "primary.ctx")
        tools.run("sessionconfig", "session.ctx", "--enable-encrypt", "--enable-decrypt")
        spapr("log start")
        assert tools.run("unseal", "-c", "seal.ctx", "-p", "session:session.ctx") == SECRET
        log = spapr("log show")
        assert '"do": "hcall"' in log
        assert SECRET.hex() not in log
        assert tools.run("unseal", "-c", "seal.ctx") == SECRET
        assert SECRET.hex() in spapr("log show")


def test_without_the_resource_manager_handles_run_out(tools: Tools) -> None:
    tools.flags = ("--no-resource-manager",)
    failed = None
    for _ in range(5):  # swtpm has three slots
        done = tools.try_run("createprimary", "-Q", "-c", "primary.ctx", "-G", "ecc")
        if done.returncode:
            failed = done
            break
    assert failed is not None
    assert b"0x902" in failed.stderr.lower()  # out of memory for object contexts
    tools.flags = ()
    tools.run("getrandom", "--hex", "4")  # whose close flushes what was left
    tools.run("createprimary", "-Q", "-c", "primary.ctx", "-G", "ecc")


def test_no_tpm_is_told_in_one_line(tools: Tools) -> None:
    tools.socket = tools.directory / "none"
    failed = tools.try_run("getrandom", "--hex", "4")
    assert failed.returncode
    assert b"H_TPM_COMM answers H_RESOURCE: no TPM at" in failed.stderr
    assert b"Traceback" not in failed.stderr


def test_a_partition_that_is_served(tools: Tools, tmp_path: Path) -> None:
    """Its log has what was said to the TPM, and is replayed without it; planned answers reach the tool."""
    with served(tools, tmp_path / "s") as spapr:
        spapr("log start")
        tools.seal()
        assert tools.run("unseal", "-c", "seal.ctx") == SECRET
        spapr("fault add", "--index", "1", "H_TPM_COMM", "H_LONG_BUSY_ORDER_1_SEC")
        failed = tools.try_run("getrandom", "--hex", "4")
        assert b"H_TPM_COMM answers H_LONG_BUSY_ORDER_1_SEC" in failed.stderr
        log = spapr("log show")
    (tmp_path / "log").write_text(log)
    assert SECRET.hex() in log
    calls = len(log.splitlines()) - 1
    assert spapr("replay", str(tmp_path / "log")).startswith(f"{calls} calls, all answered")


def test_ppc64_code_reaches_a_tpm(tools: Tools) -> None:
    """Three random numbers and a close, by `sc 1` of a guest that Unicorn runs."""
    partition = PseriesMachine()
    partition.plug_tpm_proxy("tpm")
    machine = Ppc64Machine(Hypervisor(partition, tpm=ResourceManager(tpm_link(f"unix:{tools.socket}"))))
    machine.load(bytes.fromhex("44000022 4e800020"), PROGRAM)  # sc 1; blr
    command = bytes.fromhex("8001 0000000c 0000017b 0010")
    machine.write_memory(0x20000, command)
    numbers = set()
    for _ in range(3):
        assert machine.call(PROGRAM, 0xEF10, 1, 0x20000, len(command), 0x21000, 4096) == 0
        assert machine.register("r4") == 28
        response = machine.read_memory(0x21000, 28)
        assert response[:12].hex(" ", -4) == "80010000 001c0000 00000010"
        numbers.add(response[12:])
    assert len(numbers) == 3
    assert machine.call(PROGRAM, 0xEF10, 2) == 0
