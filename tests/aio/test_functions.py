"""The sockets of PCI functions: threads, turns, dead peers, and a loop that is busy."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.interface.conversation import echo

from baseboard.aio import functions
from baseboard.aio.engine_seam import EngineSeam
from baseboard.aio.functions import FunctionPort
from baseboard.errors import BaseboardError, ConfigError
from baseboard.interface.bus.pci import Interface, PciFunction
from baseboard.interface.kcs import Kcs, KcsDriver
from baseboard.interface.remote import VfioUser
from baseboard.ipmi.message import Handler, Message

HEADER = struct.Struct("=HHIII")
ACCESS = struct.Struct("=QII")
TIMEOUT = 10.0


def nothing(now: float) -> None:
    pass


@asynccontextmanager
async def served(
    path: Path, handler: Handler = echo, handled: Callable[[float], None] = nothing
) -> AsyncIterator[FunctionPort]:
    device = Kcs()
    seam = EngineSeam(device.engine, handler, handled, "--vfio-user")
    seam.set_interrupt(True)
    function = PciFunction(device, Interface.KCS)
    port = FunctionPort(path, "--vfio-user", function, VfioUser, seam.lock, seam.settle)
    await port.start()
    try:
        yield port
    finally:
        await port.close()


class Client:
    """A machine's monitor, blocking, to be used in a thread."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(str(path))
        self.failed = self.ask(1, struct.pack("=HH", 0, 0) + b"{}\0") in (b"", errno.EBUSY)

    def ask(self, command: int, payload: bytes = b"", *descriptors: int) -> bytes | int:
        """What follows the header; the error number of an error."""
        data = HEADER.pack(1, command, HEADER.size + len(payload), 0, 0) + payload
        socket.send_fds(self.socket, [data], descriptors)
        header = self.socket.recv(HEADER.size, socket.MSG_WAITALL)
        if len(header) < HEADER.size:
            return b""
        _, _, size, _, error = HEADER.unpack(header)
        rest = size - HEADER.size
        return error or (self.socket.recv(rest, socket.MSG_WAITALL) if rest else b"\0")

    def read(self, register: int) -> int:
        answer = self.ask(9, ACCESS.pack(register, 0, 1))
        assert isinstance(answer, bytes)
        return answer[-1]

    def write(self, register: int, value: int) -> None:
        self.ask(10, ACCESS.pack(register, 0, 1) + bytes((value,)))

    def transact(self, request: Message) -> tuple[int, bytes]:
        driver = KcsDriver(self)
        driver.send_request(request, 0.0)
        deadline = time.monotonic() + TIMEOUT
        while (event := driver.next_event()) is None:
            driver.step(time.monotonic())
            assert time.monotonic() < deadline
        return event.netfn, event.data  # type: ignore[union-attr]  # a failure has none, and fails here

    def close(self) -> None:
        self.socket.close()


REQUEST = Message(6, 0, 0x52, b"\x01\x02\x03")
OBF = 0x01
ANSWER = (7, b"\x00\x03\x02\x01")


def test_machines_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each finds the device as after power-on."""
    monkeypatch.setattr(functions, "CHANGE_OVER", TIMEOUT)  # here and below: on a busy machine it takes long

    async def main() -> None:
        path = tmp_path / "v"
        async with served(path) as port:
            for _ in range(3):
                client = await asyncio.to_thread(Client, path)
                assert await asyncio.to_thread(client.read, 1) & 0xC3 == 0xC0
                assert await asyncio.to_thread(client.transact, REQUEST) == ANSWER
                await asyncio.to_thread(client.write, 1, 0x61)
                client.close()
            await gone(port)
        assert not path.exists()

    asyncio.run(main())


async def gone(port: FunctionPort) -> None:
    async with asyncio.timeout(TIMEOUT):
        while port.connected:
            await asyncio.sleep(0)


def test_a_second_machine_is_refused_and_the_first_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        path = tmp_path / "v"
        async with served(path) as port:
            first = await asyncio.to_thread(Client, path)
            second = await asyncio.to_thread(Client, path)
            assert second.failed
            assert port.refused == 1
            second.close()
            assert await asyncio.to_thread(first.transact, REQUEST) == ANSWER
            monkeypatch.setattr(functions, "CHANGE_OVER", TIMEOUT)
            first.close()
            third = await asyncio.to_thread(Client, path)
            assert not third.failed
            third.close()

    asyncio.run(main())


def test_closing_turns_the_machine_out(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "v"
        async with served(path):
            client = await asyncio.to_thread(Client, path)
        assert client.socket.recv(1) == b""
        client.close()

    before = threading.active_count()
    asyncio.run(main())
    assert threading.active_count() == before


def test_what_is_no_message_ends_the_connection(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "v"
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: told.append(context["exception"]))
        async with served(path) as port:
            client = await asyncio.to_thread(Client, path)
            client.socket.sendall(b"\xff" * 16)
            assert await asyncio.to_thread(client.socket.recv, 1) == b""
            client.close()
            await gone(port)

    told: list[Exception] = []
    asyncio.run(main())
    assert [str(error).partition("v: ")[2] for error in told] == [
        "a message of 4294967295 bytes; it must have 16 to 4128"
    ]


def test_accesses_do_not_wait_for_the_loop(tmp_path: Path) -> None:
    """While the loop is at something long the guest's processor goes on, and the interface is busy."""

    async def main() -> None:
        path = tmp_path / "v"
        async with served(path):
            client = await asyncio.to_thread(Client, path)
            go, done = threading.Event(), threading.Event()
            seen: list[int] = []

            def accesses() -> None:
                go.wait(TIMEOUT)
                client.write(1, 0x61)
                for value in (0x18, 0x62, 0x01):
                    client.read(0)
                    client.write(1 if value == 0x62 else 0, value)
                seen.extend(client.read(1) for _ in range(100))
                done.set()

            thread = threading.Thread(target=accesses)
            thread.start()
            go.set()
            assert done.wait(TIMEOUT), "in the loop: nothing else happens in it"
            thread.join()
            assert {status & OBF for status in seen} == {0}, "nobody has answered"
            async with asyncio.timeout(TIMEOUT):
                while not await asyncio.to_thread(client.read, 1) & OBF:
                    pass
            client.close()

    asyncio.run(main())


def test_a_change_that_cannot_be_kept(tmp_path: Path) -> None:
    """The answer is FFh, and the loop's exception handler is told."""
    told: list[str] = []

    def full(now: float) -> None:
        raise BaseboardError("the disk is full")

    async def main() -> None:
        path = tmp_path / "v"
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: told.append(context["message"]))
        async with served(path, handled=full):
            client = await asyncio.to_thread(Client, path)
            assert await asyncio.to_thread(client.transact, REQUEST) == (7, b"\xff")
            client.close()

    asyncio.run(main())
    assert told == ["--vfio-user: the disk is full"]


def test_interrupts_arrive_at_the_event_counter(tmp_path: Path) -> None:
    """Also when the answer comes from the loop; a counter that is full holds nobody up."""

    async def main() -> None:
        path = tmp_path / "v"
        async with served(path):
            client = await asyncio.to_thread(Client, path)
            counter = os.eventfd(0)
            set_irqs = struct.pack("=5I", 20, 0x24, 0, 0, 1)
            await asyncio.to_thread(client.ask, 8, set_irqs, counter)
            await asyncio.to_thread(client.write, 1, 0x61)
            assert await asyncio.to_thread(os.eventfd_read, counter) == 1
            os.eventfd_write(counter, (1 << 64) - 2)
            await asyncio.to_thread(client.ask, 8, struct.pack("=5I", 20, 0x11, 0, 0, 1))
            await asyncio.to_thread(client.read, 0)
            os.close(counter)
            client.close()

    asyncio.run(main())


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    def opened() -> int:
        return len(os.listdir("/proc/self/fd"))

    async def main() -> None:
        path = tmp_path / "v"
        async with served(path) as port:
            before = opened()
            for _ in range(3):
                client = await asyncio.to_thread(Client, path)
                counter = os.eventfd(0)
                set_irqs = struct.pack("=5I", 20, 0x24, 0, 0, 1)
                dma_map = struct.pack("=IIQQQ", 32, 3, 0, 0, 4096)
                await asyncio.to_thread(client.ask, 8, set_irqs, counter)
                await asyncio.to_thread(client.ask, 2, dma_map, counter)
                await asyncio.to_thread(client.ask, 99, b"", counter, counter)
                os.close(counter)
                client.close()
                await gone(port)
            assert opened() == before

    asyncio.run(main())


class Counted(FunctionPort):
    """How often the loop said that somebody is there."""

    told = 0

    def _arrived(self) -> None:
        self.told += 1
        super()._arrived()


def test_who_comes_when_no_descriptor_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits, and the loop has time for others meanwhile."""
    monkeypatch.setattr(functions, "PAUSE", 0.01)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def main() -> None:
        lock = threading.Lock()
        port = Counted(tmp_path / "v", "--vfio-user", PciFunction(Kcs(), Interface.KCS), VfioUser, lock)
        await port.start()
        with socket.socket(socket.AF_UNIX) as client:
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
            try:
                client.connect(str(tmp_path / "v"))
                turns = 0
                async with asyncio.timeout(TIMEOUT):
                    while port.told < 2:
                        await asyncio.sleep(0)
                        turns += 1
                assert turns > 10, "between the two"
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            async with asyncio.timeout(TIMEOUT):
                while not port.connected:
                    await asyncio.sleep(0)
        await port.close()

    asyncio.run(main())


def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path / "missing" / "v"):
            pass

    with pytest.raises(ConfigError, match=r"--vfio-user: .*: cannot listen"):
        asyncio.run(main())


class Watch:
    """A clock that only giving way moves, and a connection that notes how it is read."""

    def __init__(self, away: float) -> None:
        self.now = 0.0
        self.away = away
        """Seconds, each time."""
        self.looks = self.sleeps = 0
        self.there = True

    def monotonic(self) -> float:
        return self.now

    def sched_yield(self) -> None:
        self.now += self.away

    def recvmsg(self, size: int, ancillary: int, flags: int) -> tuple[bytes, list[object], int, None]:
        if not flags & socket.MSG_DONTWAIT:
            self.sleeps += 1
        elif self.there:
            self.looks += 1
        else:
            raise BlockingIOError
        return b"access", [], 0, None


@pytest.mark.parametrize(
    ("away", "there", "looks", "sleeps"),
    [
        pytest.param(1e-6, True, 1000, 0, id="the machine is quick"),
        pytest.param(30e-6, False, 0, 1000, id="nothing comes"),
        pytest.param(3e-3, True, 48, 952, id="another program has its turn"),
    ],
)
def test_looking_and_sleeping(
    monkeypatch: pytest.MonkeyPatch, away: float, there: bool, looks: int, sleeps: int
) -> None:
    """Who comes back late from giving way sleeps for the next messages."""
    watch = Watch(away)
    watch.there = there
    monkeypatch.setattr(functions, "time", watch)
    monkeypatch.setattr(functions, "os", watch)
    ear = functions._Ear(watch)  # type: ignore[arg-type]  # all that it uses of a socket
    for _ in range(1000):
        assert ear.receive()[0] == b"access"
    assert (watch.looks, watch.sleeps) == (looks, sleeps)
