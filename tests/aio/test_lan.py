"""The UDP socket: answers, what is said unasked, time-outs, ports."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.lan.lan_world import lan_message, make_server, plus

from baseboard.aio.endpoint import Address
from baseboard.aio.lan import LanListener
from baseboard.errors import ConfigError
from baseboard.lan.settings import LanSettings

PING = bytes.fromhex("0600ff06000011be80fe0000")
PONG = bytes.fromhex("0600ff06000011be40fe0010000011be000000008100000000000000")
LOOPBACK = Address("udp", host="127.0.0.1", port=0)
DEADLINE = 10.0


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE):
            await test()

    asyncio.run(bounded())


def console(address: tuple[str, int], family: int = socket.AF_INET) -> socket.socket:
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.setblocking(False)
    udp.connect(address)
    return udp


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_ping_is_answered_and_handled_before(host: str) -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        handled: list[float] = []
        listener = LanListener(make_server(), Address("udp", host=host, port=0), handled.append)
        await listener.start()
        assert listener.address[1] == listener.server.port != 0
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with console(listener.address, family) as udp:
            udp.send(PING)
            assert await loop.sock_recv(udp, 100) == PONG
        assert len(handled) == 1
        listener.close()
        listener.close()

    run(test)


def test_what_goes_through_is_counted() -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        listener = LanListener(make_server(), LOOPBACK, lambda now: None)
        await listener.start()
        with console(listener.address) as udp:
            udp.send(b"no RMCP")
            udp.send(PING)
            assert await loop.sock_recv(udp, 100) == PONG
        counted = listener.statistics
        assert (counted.udp_received, counted.rmcp_received, counted.udp_transmitted) == (2, 1, 1)
        listener.close()

    run(test)


def test_many_datagrams_at_once_and_rubbish_between() -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        listener = LanListener(make_server(), LOOPBACK, lambda now: None)
        await listener.start()
        question = plus(0, lan_message(0x06, 0x37))
        with console(listener.address) as udp:
            for _ in range(100):
                udp.send(question)
                udp.send(b"rubbish")
                udp.send(b"")
            for _ in range(100):
                assert (await loop.sock_recv(udp, 100))[16:18] == b"\x81\x1c"
        listener.close()

    run(test)


def test_an_answer_that_is_not_durable_does_not_leave() -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        failures: list[BaseException | None] = []
        loop.set_exception_handler(lambda _, context: failures.append(context.get("exception")))
        full = iter((True, False))

        def handled(now: float) -> None:
            if next(full):
                raise OSError("disk full")

        listener = LanListener(make_server(), LOOPBACK, handled)
        await listener.start()
        with console(listener.address) as udp:
            udp.send(PING)
            udp.send(PING[:9] + b"\x01" + PING[10:])
            assert (await loop.sock_recv(udp, 100))[9] == 1
        assert [str(failure) for failure in failures] == ["disk full"]
        listener.close()

    run(test)


def test_what_the_server_says_unasked_is_flushed() -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        listener = LanListener(make_server(), LOOPBACK, lambda now: None)
        await listener.start()
        with console(listener.address) as udp:
            udp.send(b"\x06\0\x05\x06" + PING[4:])  # asks for an acknowledgement
            assert await loop.sock_recv(udp, 100) == PONG
            assert await loop.sock_recv(udp, 100) == b"\x06\0\x05\x86"
        listener.close()

    run(test)


def test_time_outs_are_kept() -> None:
    async def test() -> None:
        server = make_server(settings=LanSettings(half_open_timeout=0.05))
        done = asyncio.Event()

        def handled(now: float) -> None:
            if not server.next_deadline():
                done.set()

        listener = LanListener(server, LOOPBACK, handled)
        await listener.start()
        proposals = b"".join(bytes((kind, 0, 0, 8, 1, 0, 0, 0)) for kind in range(3))
        with console(listener.address) as udp:
            udp.send(plus(0x10, b"\0\0\0\0\x01\x02\x03\x04" + proposals))
            await done.wait()
        listener.close()

    run(test)


def test_a_port_in_use() -> None:
    async def test() -> None:
        first = LanListener(make_server(), LOOPBACK, lambda now: None)
        await first.start()
        address = Address("udp", host="127.0.0.1", port=first.address[1])
        with pytest.raises(ConfigError, match="another program"):
            await LanListener(make_server(), address, lambda now: None).start()
        second = LanListener(make_server(), address, lambda now: None, ports=20)
        await second.start()
        assert second.address[1] > first.address[1]
        first.close()
        second.close()

    run(test)


def test_an_address_that_is_not_ours() -> None:
    async def test() -> None:
        address = Address("udp", host="192.0.2.1", port=0)
        with pytest.raises(ConfigError, match="no such address"):
            await LanListener(make_server(), address, lambda now: None).start()

    run(test)
