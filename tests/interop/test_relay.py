"""firmware/relay between a device that a pty stands for, and controllers on the VM wire."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.conftest import StartBaseboard
from tests.programs import require_program

SOURCE = Path(__file__).parents[2] / "firmware" / "relay"
DEADLINE = 10.0


class Relay:
    """One relay process; we are the host behind its device."""

    def __init__(self, program: Path, kind: str, address: str) -> None:
        self.host, device = os.openpty()
        tty.setraw(device)
        command = [str(program), kind, os.ttyname(device), address]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self._device = device

    def exchange(self, request: str) -> str:
        os.write(self.host, bytes.fromhex(request))
        return self.read(self.host).hex(" ")

    def order(self) -> str:
        """The next word on its standard output."""
        assert self.process.stdout is not None
        return self.read(self.process.stdout.fileno()).decode().strip()

    def read(self, fd: int) -> bytes:
        assert select.select((fd,), (), (), DEADLINE)[0], "the relay says nothing"
        return os.read(fd, 2000)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self.host)
        os.close(self._device)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_program("gcc")
    require_program("make")
    build = tmp_path_factory.mktemp("relay")
    subprocess.run(["make", "-s", "-C", SOURCE, f"BUILD={build}"], check=True, timeout=60)
    return build / "ipmi-relay"


@pytest.fixture
def relay(program: Path) -> Iterator[Callable[[str, str], Relay]]:
    started: list[Relay] = []

    def start(kind: str, address: str) -> Relay:
        started.append(Relay(program, kind, address))
        return started[-1]

    yield start
    for one in started:
        one.close()


StartRelay = Callable[[str, str], Relay]


def connected(relay: Relay, request: str, nobody: str) -> str:
    """The first answer that is not that nobody is there."""
    deadline = time.monotonic() + DEADLINE
    while (answer := relay.exchange(request)) == nobody:
        assert time.monotonic() < deadline
    return answer


def test_kcs_before_the_simulator_of_openipmi(simulator: int, relay: StartRelay) -> None:
    host = relay("kcs", f"tcp:127.0.0.1:{simulator}")
    answer = connected(host, "18 01", "1c 01 d2")
    assert answer.startswith("1c 01 00 00 03 09 08")
    for _ in range(300):  # past every sequence number of the wire
        assert host.exchange("18 01") == answer
    assert host.exchange("18 a0 a1 aa a0") == "1c a0 c1"
    assert host.exchange("00 02 00") == "04 02 00"
    assert "power-off" in host.order()


def test_bt_before_baseboard(baseboard: StartBaseboard, relay: StartRelay, tmp_path: Path) -> None:
    wire = f"unix:{tmp_path}/wire"
    first = baseboard("--vm", f"listen:{wire}")
    host = relay("bt", wire)
    answer = connected(host, "03 18 77 01", "04 1c 77 01 d2")
    assert answer.startswith("13 1c 77 01 00 20")
    assert host.exchange("03 18 78 fe") == "04 1c 78 fe c1"
    assert host.exchange("09 18 79 01") == "04 1c 79 01 c7"  # its length byte lies
    first.kill()
    deadline = time.monotonic() + DEADLINE
    while host.exchange("03 18 7a 01") != "04 1c 7a 01 d2":
        assert time.monotonic() < deadline
    baseboard("--vm", f"listen:{wire}")
    assert connected(host, "03 18 77 01", "04 1c 77 01 d2") == answer


def test_orders_come_out_as_words(baseboard: StartBaseboard, relay: StartRelay, tmp_path: Path) -> None:
    wire = f"unix:{tmp_path}/wire"
    bmc = baseboard("--vm", f"listen:{wire}")
    host = relay("kcs", wire)
    connected(host, "18 01", "1c 01 d2")
    bmc.ipmitool("chassis", "power", "reset")
    words = ""
    while "reset" not in words:
        words = host.order()


@pytest.fixture
def mute(tmp_path: Path) -> Iterator[socket.socket]:
    """A BMC that takes everything and says nothing of its own."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/mute")
        listener.listen()
        listener.settimeout(DEADLINE)
        yield listener


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        pytest.param("", "1c 01 c3", id="nothing"),
        pytest.param("01 1c 01 00 e1 a0 01 1c 01 c5 1d a0", "1c 01 c5", id="a wrong checksum first"),
        pytest.param("09 1c 01 00 da a0 01 1c 01 c5 1d a0", "1c 01 c5", id="another sequence number first"),
        pytest.param("aa a0 a0 a1 55 a1" + "11" * 999 + "a0 01 1c 01 c5 1d a0", "1c 01 c5", id="noise first"),
        pytest.param("01 1c 01 00 aa ba 38 a0", "1c 01 00 aa", id="an escape"),
    ],
)
def test_what_a_bmc_may_say(mute: socket.socket, relay: StartRelay, said: str, answer: str) -> None:
    host = relay("kcs", f"unix:{mute.getsockname()}")
    wire, _ = mute.accept()
    with wire:
        wire.settimeout(DEADLINE)
        heard = b""
        os.write(host.host, bytes.fromhex("18 01"))
        while not heard.endswith(bytes.fromhex("01 18 01 e6 a0")):
            heard += wire.recv(100)
        assert heard.startswith(bytes.fromhex("ff 01 a1 08 3f a1"))
        wire.sendall(bytes.fromhex(said))
        assert host.read(host.host).hex(" ") == answer


@pytest.mark.parametrize(
    ("kind", "device", "reason"),
    [
        pytest.param("kcs", "/dev/nothing", "No such file or directory", id="no device"),
        pytest.param("aspeed-kcs3", "/dev/null", "No such device", id="no memory"),
    ],
)
def test_wrong_device(program: Path, kind: str, device: str, reason: str) -> None:
    words = [str(program), kind, device, "tcp:127.0.0.1:9"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    assert (done.returncode, done.stderr) == (1, f"ipmi-relay: {device}: {reason}\n")


@pytest.mark.parametrize("words", [(), ("kcs", "/dev/null", "serial:x"), ("ssif", "/dev/null", "unix:x")])
def test_wrong_words(program: Path, words: tuple[str, ...]) -> None:
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ipmi-relay kcs|bt|aspeed-kcs3 DEVICE unix:PATH|tcp:HOST:PORT")
