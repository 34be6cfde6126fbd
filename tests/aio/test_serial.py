"""Serial ports on real sockets and pseudo-terminals; the machine's end is a stream that the test holds."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.aio.endpoint import Address
from baseboard.aio.serial import PtySerial, SimulatedSerial, SocketSerial, open_serial
from baseboard.aio.telnet import Telnet

PATIENCE = 10.0


class User:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.received = b""
        self._changed = asyncio.Event()

    def _note(self, text: str) -> None:
        self.log.append(text)
        self._changed.set()

    def serial_connected(self) -> None:
        self._note("connected")

    def serial_lost(self) -> None:
        self._note("lost")

    def serial_received(self, data: bytes) -> None:
        self.received += data
        self._changed.set()

    def pause_writing(self) -> None:
        self._note("pause")

    def resume_writing(self) -> None:
        self._note("resume")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def sees(self, text: bytes) -> None:
        """Wait for these characters."""
        await self.until(lambda: text in self.received)


class Machine:
    """QEMU's end of a socket: listens, and serves one connection at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.peers: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def __aenter__(self) -> Machine:
        self._server = await asyncio.start_unix_server(self._accept, self.path)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        self.path.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peers.put_nowait((reader, writer))

    async def peer(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The next connection."""
        async with asyncio.timeout(PATIENCE):
            return await self.peers.get()


def run(test: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(test())


def test_characters_both_ways_and_a_new_connection_after_the_machine_came_back(tmp_path: Path) -> None:
    async def test() -> None:
        user, port = User(), SocketSerial(Address("unix", path=str(tmp_path / "serial")))
        await port.start(user)  # nobody listens yet
        port.write(b"dropped")
        async with Machine(tmp_path / "serial") as machine:
            reader, writer = await machine.peer()
            await user.until(lambda: user.log == ["connected"])
            writer.write(b"login: ")
            await user.sees(b"login: ")
            port.write(b"root\xff\r")
            assert await reader.readexactly(6) == b"root\xff\r"
            port.send_break()  # a plain socket has none
            port.write(b"x")
            assert await reader.readexactly(1) == b"x"
            writer.close()
            await user.until(lambda: user.log == ["connected", "lost"])
            _, writer = await machine.peer()
            await user.until(lambda: user.log == ["connected", "lost", "connected"])
            await port.close()
            writer.close()
        assert user.log == ["connected", "lost", "connected"]

    run(test)


def test_a_telnet_peer_gets_breaks(tmp_path: Path) -> None:
    async def test() -> None:
        user, port = User(), SocketSerial(Address("unix", path=str(tmp_path / "serial")))
        async with Machine(tmp_path / "serial") as machine:
            await port.start(user)
            reader, writer = await machine.peer()
            writer.write(bytes.fromhex("fffb01 fffb03 fffb00 fffd00") + b"hi")  # QEMU 7.2's greeting
            await user.sees(b"hi")
            assert user.received == b"hi"
            port.send_break()
            port.write(b"a\xffb")
            assert await reader.readexactly(6) == b"\xff\xf3a\xff\xffb"
            await port.close()
            writer.close()

    run(test)


def test_what_is_not_read_holds_the_machine_back(tmp_path: Path) -> None:
    async def test() -> None:
        user, port = User(), SocketSerial(Address("unix", path=str(tmp_path / "serial")))
        async with Machine(tmp_path / "serial") as machine:
            port.pause()
            await port.start(user)
            _, writer = await machine.peer()
            text = bytes(range(255)) * 20_000
            writer.write(text)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await writer.drain()
            assert user.received == b""
            port.resume()
            await user.until(lambda: len(user.received) == len(text))
            assert user.received == text
            await port.close()
            writer.close()

    run(test)


def test_what_the_machine_does_not_read_pauses_the_user(tmp_path: Path) -> None:
    async def test() -> None:
        user, port = User(), SocketSerial(Address("unix", path=str(tmp_path / "serial")))
        async with Machine(tmp_path / "serial") as machine:
            await port.start(user)
            reader, writer = await machine.peer()
            await user.until(lambda: user.log == ["connected"])
            count = 0
            while "pause" not in user.log:
                port.write(b"x" * 4096)
                count += 1
                await asyncio.sleep(0)
            await reader.readexactly(4096 * count)
            await user.until(lambda: user.log[-1] == "resume")
            await port.close()
            writer.close()

    run(test)


def test_a_pseudo_terminal_is_raw_and_bounded() -> None:
    async def test() -> None:
        user, port = User(), open_serial(Address("pty"))
        assert isinstance(port, PtySerial)
        await port.start(user)
        other = os.open(port.name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        os.write(other, b"all\x03\x04\r\n\xff of it")
        await user.sees(b"of it")
        assert user.received == b"all\x03\x04\r\n\xff of it"
        port.write(b"\x03\rX\n")
        port.send_break()
        assert os.read(other, 100) == b"\x03\rX\n"
        port.pause()
        os.write(other, b"later")
        await asyncio.sleep(0)
        assert b"later" not in user.received
        port.resume()
        await user.sees(b"later")
        while "pause" not in user.log:
            port.write(b"y" * 1024)
        while "resume" not in user.log:
            try:
                assert set(os.read(other, 4096)) == set(b"y")
            except BlockingIOError:
                pass
            await asyncio.sleep(0)
        os.close(other)
        await port.close()
        assert user.log == ["connected", "pause", "resume"]

    run(test)


def test_the_simulated_machine_is_alive() -> None:
    async def test() -> None:
        user, port = User(), open_serial(None)
        assert isinstance(port, SimulatedSerial)
        await port.start(user)
        port.set_control(cts=True, dcd=True)
        await user.sees(b"server login: ")
        port.write(b"rootx\x7f\r")
        await user.sees(b"server login: rootx\b \b\r\nPassword: ")
        port.write(b"secret\r")
        await user.sees(b"root@server:~# ")
        assert b"secret" not in user.received
        port.write(b"echo it lives\rnonsense\rhelp\r\r")
        await user.sees(b"\r\nit lives\r\nroot@server:~# nonsense\r\nnonsense: not here\r\n")
        port.send_break()
        await user.sees(b"sysrq: HELP")
        port.write(b"lines 5000\r")
        port.pause()
        before = user.received
        await asyncio.sleep(0)
        assert user.received == before
        port.resume()
        await user.sees(b"line 000000\r\nline 000001\r\n")
        await user.sees(b"line 004999\r\nroot@server:~# ")
        port.write(b"exit\r")
        await user.sees(b"logout\r\n\r\nserver login: ")
        await port.close()

    run(test)


def test_the_simulated_machine_has_power_or_not() -> None:
    async def test() -> None:
        user, port = User(), SimulatedSerial()
        await port.start(user)
        port.power_changed(False)
        port.write(b"nobody hears\r")
        port.power_changed(False)
        port.power_changed(True)
        await user.sees(b"Linux version")
        await user.sees(b"server login: ")
        assert b"nobody" not in user.received
        assert user.log == ["connected", "lost", "connected"]
        await port.close()

    run(test)


@given(st.binary(max_size=200))
def test_the_simulated_machine_survives_whatever_is_typed(typed: bytes) -> None:
    async def test() -> None:
        user, port = User(), SimulatedSerial()
        await port.start(user)
        port.write(typed)
        await asyncio.sleep(0)
        await port.close()

    run(test)


@given(st.binary(max_size=40), st.lists(st.integers(1, 5)))
def test_telnet_does_not_care_about_pieces(data: bytes, sizes: list[int]) -> None:
    for greeting in (b"", bytes.fromhex("fffb01 fffb03")):
        whole, pieces, got, rest = Telnet(), Telnet(), b"", greeting + data
        expected = whole.receive(greeting + data)
        for size in (*sizes, *[1] * 60):
            got += pieces.receive(rest[:size])
            rest = rest[size:]
        assert got == expected
        assert whole.active in (bool(greeting), None) or data.startswith(b"\xff\xfb\x01")
