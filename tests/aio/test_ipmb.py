"""The bus on real sockets."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from baseboard.aio.endpoint import Address, parse_ipmb
from baseboard.aio.ipmb import IpmbPort
from baseboard.errors import BaseboardError, ConfigError
from baseboard.fleet.plan import Flags, plan
from baseboard.ipmb.bus import Bus
from baseboard.ipmb.port import Port
from baseboard.ipmi.ipmb import BusMessage
from baseboard.ipmi.message import Context, Message

# Get Device ID from 82h to 20h and its answer, as Linux' /dev/ipmb-N reads and writes them
REQUEST = bytes.fromhex("07 20 18 c8 82 04 01 79")
ANSWER = bytes.fromhex("09 82 1c 62 20 04 01 00 20 bb")


def controller(address: int = 0x20) -> Bus:
    bus = Bus()
    port = Port(bus, address)

    def handle(message: Message, context: Context) -> bytes:
        return bytes((0, address))

    port.handler = handle
    return bus


def nothing(now: float) -> None:
    pass


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("pieces", [1, 100])
def test_a_stranger_speaks_as_to_the_linux_device(tmp_path: Path, pieces: int) -> None:
    async def talk() -> None:
        path = tmp_path / "bus.sock"
        port = IpmbPort(Address("unix", path=str(path), listen=True), controller(), nothing)
        await port.start()
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        reader, writer = await asyncio.open_unix_connection(path)
        for at in range(0, len(REQUEST), pieces):
            writer.write(REQUEST[at : at + pieces])
            await writer.drain()
        assert await asyncio.wait_for(reader.readexactly(len(ANSWER)), 10) == ANSWER
        writer.close()
        await writer.wait_closed()
        await until(lambda: not port.connections)
        await port.close()
        assert not path.exists()

    asyncio.run(talk())


def test_two_join_and_join_again(tmp_path: Path) -> None:
    async def talk() -> None:
        here, there = controller(), controller(0x82)
        hub = IpmbPort(Address("tcp", host="127.0.0.1", listen=True), here, nothing)
        await hub.start()
        blade = IpmbPort(Address("tcp", host="127.0.0.1", port=hub.port), there, nothing)
        await blade.start()
        answers: list[BusMessage | None] = []
        asking = Port(here, 0x30)
        for _ in range(2):
            await until(lambda: bool(hub.connections))
            await until(lambda: bool(blade.connections))
            asking.request(0x82, Message(6, 0, 1), lambda answer, now: answers.append(answer), 0.0)
            await until(lambda: bool(answers))
            answer = answers.pop()
            assert answer is not None
            assert answer.data == b"\0\x82"
            for connection in tuple(hub.connections):
                connection.drop()
            await until(lambda: not blade.connections)
        await blade.close()
        await hub.close()

    asyncio.run(talk())


def test_what_is_not_durable_is_not_answered(tmp_path: Path) -> None:
    async def talk() -> None:
        told: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: told.append(context["message"])
        )
        fails = [True]

        def handled(now: float) -> None:
            if fails.pop():
                raise BaseboardError("the disk is full")

        path = str(tmp_path / "bus.sock")
        port = IpmbPort(Address("unix", path=path, listen=True), controller(), handled)
        await port.start()
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(REQUEST)
        await until(lambda: not fails)
        fails.append(False)
        again = REQUEST[:5] + bytes((0x08, 0x01, 0x75))  # sequence 2
        writer.write(again)
        answer = await asyncio.wait_for(reader.readexactly(len(ANSWER)), 10)
        assert answer[5] == 0x08
        assert told == ["--ipmb: the disk is full"]
        writer.close()
        await writer.wait_closed()
        await port.close()

    asyncio.run(talk())


def test_an_address_that_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    port = IpmbPort(parse_ipmb(f"listen:unix:{tmp_path / 'file'}"), Bus(), nothing)
    with pytest.raises(ConfigError, match=r"--ipmb: .* exists and is no socket"):
        asyncio.run(port.start())
    with pytest.raises(ConfigError, match=r"--ipmb: 'bus.sock' is not connect:unix:PATH"):
        parse_ipmb("bus.sock")


@pytest.mark.parametrize("address", ["0x83", "0", "240", "twenty"])
def test_our_own_address_is_checked(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError, match=f"--ipmb-address: '{address}' is not an even number"):
        plan(Flags(state=tmp_path, ipmb_address=address))
