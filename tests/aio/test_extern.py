"""A system interface's wire on real sockets; the controller's end is a `ControllerLink` on a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from baseboard.aio.endpoint import Address
from baseboard.aio.extern import ExternPort
from baseboard.bmc.extern import Extern
from baseboard.bmc.extern_seam import ExternSeam
from baseboard.interface.driver import Direct, DriverEvent, ResponseReceived
from baseboard.interface.kcs.device import Kcs
from baseboard.interface.kcs.driver import KcsDriver
from baseboard.ipmi.message import Message
from baseboard.vm import CapabilitiesReceived, ControllerLink, LinkEvent, MachineReset, RequestReceived


class Machine:
    """KCS, a host that drives it, and the port behind it."""

    def __init__(self, address: Address, timeout: float = 4.0) -> None:
        self.kcs = Kcs()
        self.driver = KcsDriver(Direct(self.kcs.registers))
        self.seam = ExternSeam(self.kcs.engine, Extern(timeout=timeout))
        self.port = ExternPort(address, self.seam)

    async def ask(self, command: int) -> DriverEvent:
        now = asyncio.get_running_loop().time
        self.driver.send_request(Message(6, 0, command), now())
        while (event := self.driver.next_event()) is None:
            if not self.driver.step(now()):
                await asyncio.sleep(0.001)
        return event

    async def __aenter__(self) -> Machine:
        await self.port.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.port.close()


class Controller:
    """The controller's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.link = ControllerLink()
        self.link.greet()
        self.flush()

    def flush(self) -> None:
        self.writer.write(self.link.data_to_send())

    async def next(self, kind: type[LinkEvent]) -> LinkEvent:
        """The next event of this kind; those before it are passed over."""
        while True:
            while (event := self.link.next_event()) is not None:
                if isinstance(event, kind):
                    return event
            data = await self.reader.read(4096)
            assert data, "the machine's end is gone"
            self.link.receive_data(data)

    async def answer(self, data: bytes) -> None:
        request = await self.next(RequestReceived)
        assert isinstance(request, RequestReceived)
        self.link.send_response(request, data)
        self.flush()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_the_port_listens_and_one_controller_at_a_time_is_served(tmp_path: Path) -> None:
    async def conversation() -> None:
        path = str(tmp_path / "wire")
        async with Machine(Address("unix", path=path, listen=True)) as machine:
            assert await machine.ask(1) == ResponseReceived(7, 0, 1, b"\xd2")
            first = Controller(*await asyncio.open_unix_connection(path))
            event = await first.next(CapabilitiesReceived)
            assert isinstance(event, CapabilitiesReceived)
            assert event.capabilities == 0x3F
            asking = asyncio.create_task(machine.ask(1))
            await first.answer(b"\x00\x20")
            assert await asking == ResponseReceived(7, 0, 1, b"\x00\x20")

            reader, writer = await asyncio.open_unix_connection(path)
            assert await reader.read(1) == b""
            writer.close()
            assert machine.port.refused == 1
            assert machine.port.connected

            asking = asyncio.create_task(machine.ask(2))
            await first.next(RequestReceived)
            first.link.set_attention(True, False)
            first.flush()
            await until(machine.driver.attention)
            first.writer.close()
            assert await asking == ResponseReceived(7, 0, 2, b"\xd2")
            assert not machine.driver.attention()

            machine.seam.machine_reset()
            second = Controller(*await asyncio.open_unix_connection(path))
            await second.next(MachineReset)
            second.writer.close()
        assert not (tmp_path / "wire").exists()

    run(conversation)


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_the_port_connects_again_and_again(kind: str, tmp_path: Path) -> None:
    async def conversation() -> None:
        controllers: asyncio.Queue[Controller] = asyncio.Queue()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            controllers.put_nowait(Controller(reader, writer))

        path = str(tmp_path / "wire")
        if kind == "unix":
            server = await asyncio.start_unix_server(accept, path)
            address = Address("unix", path=path)
        else:
            server = await asyncio.start_server(accept, "127.0.0.1", 0)
            address = Address("tcp", host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        async with Machine(address) as machine:
            for answer in (b"\x00\x01", b"\x00\x02"):
                controller = await controllers.get()
                await until(lambda: machine.port.connected)
                asking = asyncio.create_task(machine.ask(1))
                await controller.answer(answer)
                assert await asking == ResponseReceived(7, 0, 1, answer)
                controller.writer.close()
            await until(lambda: not machine.port.connected)
        server.close()

    run(conversation)


def test_no_answer_in_time(tmp_path: Path) -> None:
    async def conversation() -> None:
        path = str(tmp_path / "wire")
        async with Machine(Address("unix", path=path, listen=True), timeout=0.05) as machine:
            controller = Controller(*await asyncio.open_unix_connection(path))
            await controller.next(CapabilitiesReceived)
            assert await machine.ask(1) == ResponseReceived(7, 0, 1, b"\xc3")
            asking = asyncio.create_task(machine.ask(2))
            await controller.next(RequestReceived)  # the late one
            await controller.answer(b"\x00\x07")
            assert await asking == ResponseReceived(7, 0, 2, b"\x00\x07")
            controller.writer.close()

    run(conversation)


def test_a_controller_that_does_not_read(tmp_path: Path) -> None:
    """QEMU aborts, or hangs."""

    async def conversation() -> None:
        path = str(tmp_path / "wire")
        async with Machine(Address("unix", path=path, listen=True), timeout=0.02) as machine:
            reader, writer = await asyncio.open_unix_connection(path)
            await until(lambda: machine.port.connected)
            transport = machine.port._connection.transport  # type: ignore[union-attr]
            transport.write(bytes(1 << 20))  # more than a socket takes
            for _ in range(3):
                assert await machine.ask(1) == ResponseReceived(7, 0, 1, b"\xc3")
            waiting = transport.get_write_buffer_size()
            assert waiting > 0
            assert await machine.ask(1) == ResponseReceived(7, 0, 1, b"\xc3")
            assert transport.get_write_buffer_size() == waiting
            while (await reader.read(1 << 16))[-3:] == bytes(3):  # it reads again
                if not transport.get_write_buffer_size():
                    break
            asking = asyncio.create_task(machine.ask(2))
            data = b""
            while not data.endswith(b"\xa0"):
                data += await reader.read(1 << 16)
            id_ = data[-5]
            writer.write(bytes((id_, 0x1C, 2, 0, -(id_ + 0x1E) & 0xFF, 0xA0)))
            assert await asking == ResponseReceived(7, 0, 2, b"\x00")
            writer.close()

    run(conversation)


def test_closing_answers_what_is_open(tmp_path: Path) -> None:
    async def conversation() -> None:
        path = str(tmp_path / "wire")
        machine = Machine(Address("unix", path=path, listen=True))
        await machine.port.start()
        controller = Controller(*await asyncio.open_unix_connection(path))
        await controller.next(CapabilitiesReceived)
        asking = asyncio.create_task(machine.ask(1))
        await controller.next(RequestReceived)
        await machine.port.close()
        assert await asking == ResponseReceived(7, 0, 1, b"\xd2")
        controller.writer.close()

    run(conversation)
