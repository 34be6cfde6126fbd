"""`spapr serve` killed by `kill -9` in the middle of traffic: nothing that was answered is lost."""

from __future__ import annotations

import base64
import json
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from baseboard.fleet.control import answer
from baseboard.fleet.partition.methods import methods
from baseboard.fleet.partition.partition import open_partition
from baseboard.fleet.partition.plan import plan

DEADLINE = 20.0
SETTINGS: dict[str, Any] = {"cores": 1, "max_cores": 8, "ram": "1G", "max_ram": "8G", "slots": 8}
CORES = [0x1000_0000 + number for number in range(8)]
BLOCKS = [0x8000_0004 + number for number in range(12)]


@contextmanager
def served(state: Path) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """A partition in a process of its own, and a connection to it."""
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
    command = [sys.executable, "-m", "baseboard", "spapr", "serve", "--state", str(state), "--json", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            ready, _, _ = select.select([process.stdout], [], [], DEADLINE)
            line = process.stdout.readline() if ready else b""
            if not line:
                process.kill()
            assert line, process.stderr.read().decode()
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(DEADLINE)
                connection.connect(json.loads(line)["control"])
                yield process, connection
        finally:
            process.kill()


def line(method: str, **parameters: Any) -> bytes:
    return json.dumps({"id": 1, "method": method, "params": parameters}).encode() + b"\n"


def hypercall(token: int, *arguments: int) -> bytes:
    """H_RTAS with one result, its argument block at 0; a work area of zeros behind it."""
    cells = (token, len(arguments), 1, *arguments)
    memory = base64.b64encode(b"".join((cell & 0xFFFF_FFFF).to_bytes(4, "big") for cell in cells)).decode()
    return line("hcall", number="H_RTAS", arguments=[0], memory=memory, size=0x4000)


def traffic(random: Random, count: int) -> list[bytes]:
    """Plugging, a guest that takes and gives back, faults, a reset now and then."""

    def index() -> int:
        return random.choice(CORES + BLOCKS)

    kinds: dict[str, Callable[[], bytes]] = {
        "core": lambda: line("plug.core", name=f"c{random.randrange(8)}", core=random.randrange(8)),
        "dimm": lambda: line("plug.dimm", name=f"d{random.randrange(8)}", size="512M"),
        "nvdimm": lambda: line(
            "plug.nvdimm", name=f"n{random.randrange(2)}", size="256M", label_size="128K",
            uuid="d3b55c3c-4b5a-4a8e-9d6c-1f5f5c6d7e90",
        ),
        "pci": lambda: line(
            "plug.pci", name=f"p{random.randrange(9)}", model="e1000", slot=random.randrange(9)
        ),
        "tpm": lambda: line("plug.tpm", name="t", tpm="unix:/none"),
        "unplug": lambda: line("unplug", id=f"{random.choice('cdpt')}{random.choice('01234567')}"),
        "set": lambda: hypercall(0x201A, random.choice((9001, 9003)), index(), random.randrange(2)),
        "get": lambda: line("rtas", service="get-sensor-state", arguments=[9003, index()], results=2),
        "event": lambda: hypercall(0x200E, 0x500, 0, -1, 0, 0x1000, 256),
        "fault": lambda: line("fault.add", fault={"service": "set-indicator", "answers": [-2]}),
        "reset": lambda: line("reset"),
    }  # fmt: skip
    weights = (6, 6, 1, 6, 1, 12, 40, 5, 6, 4, 1)
    return [kinds[kind]() for kind in random.choices(list(kinds), weights, k=count)]


class Twin:
    """The same partition in this process, where nobody kills it."""

    def __init__(self, state: Path) -> None:
        self.partition, self._store = open_partition(state, plan(None, SETTINGS))

    def ask(self, request: bytes) -> Any:
        return json.loads(answer(request, methods(self.partition)))

    def state(self) -> Any:
        self.ask(line("log.start"))
        return comparable(self.ask(line("log.get"))["result"]["begin"])

    def close(self) -> None:
        self._store.close()


def comparable(state: Any) -> Any:
    """Without the times in event logs, which are at the beginning of each."""
    waiting = [[kind, log[2 * 88 :]] for kind, log in state["events"].pop("waiting")]
    return json.loads(json.dumps(state)) | {"waiting": waiting}


def answers(connection: socket.socket, enough: int | None = None) -> Iterator[Any]:
    """Those that come until there are enough, or the other side is gone."""
    data = b""
    while enough is None or enough > 0:
        try:
            part = connection.recv(1 << 16)
        except ConnectionResetError:
            part = b""
        if not part:
            return
        *lines, data = (data + part).split(b"\n")
        for one in lines:
            yield json.loads(one)
        if enough is not None:
            enough -= len(lines)


def outcome(said: Any) -> Any:
    """Without what was written to memory: event logs have the time in them."""
    said.get("result", {}).pop("written", None)
    return said


@pytest.mark.parametrize("seed", range(2))
def test_kill(tmp_path: Path, seed: int) -> None:
    """Each life ends in the middle of 300 requests, which do not wait for answers. What was answered
    is done, in order; of the rest a beginning may be done.
    """
    random = Random(seed)
    twin = Twin(tmp_path / "twin")
    accepted = 0
    unanswered: Iterator[bytes] = iter(())
    try:
        for _ in range(6):
            with served(tmp_path / "s") as (process, connection):
                connection.sendall(line("log.start") + line("log.get") + line("log.stop"))
                found = comparable(list(answers(connection, 3))[1]["result"]["begin"])
                while found != twin.state():
                    request = next(unanswered, None)
                    assert request is not None, "a state that never was after what had been answered"
                    twin.ask(request)
                requests = traffic(random, 300)
                connection.sendall(b"".join(requests))
                said = list(answers(connection, random.randrange(1, 250)))
                process.kill()
                said += answers(connection)
            for number, one in enumerate(said):
                assert outcome(one) == outcome(twin.ask(requests[number])), requests[number]
            accepted += len(said)
            unanswered = iter(requests[len(said) :])
    finally:
        twin.close()
    assert accepted > 100
