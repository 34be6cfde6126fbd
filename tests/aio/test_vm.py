"""The port on real sockets; the machine's end is a `MachineLink` on a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from baseboard.aio.endpoint import Address
from baseboard.aio.vm import VmPort
from baseboard.errors import BaseboardError, ConfigError
from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.privilege import Channel, Privilege
from baseboard.vm import (
    AttentionReceived,
    Capability,
    LinkEvent,
    MachineLink,
    Operation,
    OperationReceived,
    ResponseReceived,
    VersionReceived,
)

DEVICE_ID = bytes.fromhex("00 20 81 03 45 02 bf 4c1c00 4232")


class Owner:
    """Writes down what it is told, in the order of telling."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.changed = asyncio.Condition()
        self.on_handled: Callable[[], object] = lambda: None

    def _note(self, text: str) -> None:
        self.log.append(text)

    def handle(self, message: Message, context: Context) -> bytes:
        assert context.channel == Channel.SYSTEM_INTERFACE
        assert context.privilege == Privilege.SYSTEM
        assert context.now > 0
        self._note(f"request {message.command:02x}")
        return DEVICE_ID if message.command == 1 else b"\xc1"

    def handled(self, now: float) -> None:
        self._note("handled")
        self.on_handled()

    def connected(self, port: VmPort) -> None:
        self._note("connected")

    def capable(self, port: VmPort, capabilities: Capability) -> None:
        self._note(f"capable {capabilities:02x}")

    def lost(self, port: VmPort) -> None:
        self._note("lost")

    def machine_reset(self, port: VmPort, now: float) -> None:
        self._note("reset")


class Machine:
    """The machine's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.link = MachineLink()
        self.events: list[LinkEvent] = []

    async def next(self) -> LinkEvent | None:
        while (event := self.link.next_event()) is None:
            data = await asyncio.wait_for(self.reader.read(4096), 5)
            if not data:
                return None
            self.link.receive_data(data)
        return event

    def greet(self, capabilities: int = 0x3F) -> None:
        self.link.greet()
        self.link.send_capabilities(Capability(capabilities))
        self.flush()

    async def greeted(self, capabilities: int = 0x3F) -> None:
        """Greet, and take the controller's greeting and state."""
        self.greet(capabilities)
        assert await self.next() == VersionReceived(1)
        if capabilities & 0x04:
            assert isinstance(await self.next(), OperationReceived)
        if capabilities & 0x10:
            assert isinstance(await self.next(), AttentionReceived)

    async def ask(self, command: int = 1) -> ResponseReceived:
        self.link.send_request(Message(6, 0, command))
        self.flush()
        answer = await self.next()
        assert isinstance(answer, ResponseReceived)
        return answer

    def flush(self) -> None:
        self.writer.write(self.link.data_to_send())

    def close(self) -> None:
        self.writer.transport.abort()


class Server:
    """QEMU as a listening chardev: a socket on which machines appear as we connect to it."""

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[Machine] = asyncio.Queue()
        self._server: asyncio.Server | None = None

    async def listen_unix(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, path)

    async def listen_tcp(self, port: int = 0) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._arrived.put_nowait(Machine(reader, writer))

    async def machine(self) -> Machine:
        return await asyncio.wait_for(self._arrived.get(), 5)

    def close(self) -> None:
        assert self._server is not None
        self._server.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def run(test: Callable[[Path, Owner], Awaitable[None]], tmp_path: Path) -> None:
    async def main() -> None:
        await test(tmp_path, Owner())

    asyncio.run(main())


def unix(path: Path, listen: bool = False) -> Address:
    return Address("unix", path=str(path), listen=listen)


def test_it_connects_and_answers(tmp_path: Path) -> None:
    async def conversation(tmp: Path, owner: Owner) -> None:
        server = Server()
        await server.listen_unix(tmp / "ipmi")
        port = VmPort(unix(tmp / "ipmi"), owner.handle, owner)
        port.set_interrupt(True)
        await port.start()
        machine = await server.machine()
        machine.greet()
        assert await machine.next() == VersionReceived(1)
        assert await machine.next() == OperationReceived(Operation.ENABLE_INTERRUPT)
        assert await machine.next() == AttentionReceived(False, False)
        assert (await machine.ask()).data == DEVICE_ID
        assert (await machine.ask(0x77)).data == b"\xc1"
        assert owner.log[0] == "connected"
        assert "capable 3f" in owner.log
        assert owner.log[-4:] == ["request 01", "handled", "request 77", "handled"]
        await port.close()
        assert await machine.next() is None
        server.close()
        machine.close()

    run(conversation, tmp_path)


def test_it_connects_over_tcp_and_again_when_the_machine_comes_back(tmp_path: Path) -> None:
    async def conversation(tmp: Path, owner: Owner) -> None:
        server = Server()
        number = await server.listen_tcp()
        port = VmPort(Address("tcp", host="127.0.0.1", port=number), owner.handle, owner)
        await port.start()
        machine = await server.machine()
        await machine.greeted()
        assert port.can(Operation.RESET)
        server.close()
        machine.close()
        await until(lambda: "lost" in owner.log)
        assert not port.connected
        assert not port.can(Operation.RESET)
        assert port.capabilities == Capability.NONE
        port.attention(True, True)
        port.set_interrupt(True)
        await server.listen_tcp(number)
        machine = await server.machine()
        machine.greet()
        assert await machine.next() == VersionReceived(1)
        assert await machine.next() == OperationReceived(Operation.ENABLE_INTERRUPT)
        assert await machine.next() == AttentionReceived(True, True)
        assert (await machine.ask()).data == DEVICE_ID
        await port.close()
        server.close()
        machine.close()

    run(conversation, tmp_path)


def test_it_waits_for_a_socket_that_is_not_there_yet(tmp_path: Path) -> None:
    async def conversation(tmp: Path, owner: Owner) -> None:
        port = VmPort(unix(tmp / "later"), owner.handle, owner)
        await port.start()
        await asyncio.sleep(0)
        server = Server()
        await server.listen_unix(tmp / "later")
        machine = await server.machine()
        await machine.greeted(0)
        assert (await machine.ask()).data == DEVICE_ID
        await port.close()
        server.close()
        machine.close()

    run(conversation, tmp_path)


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_it_listens_and_turns_a_second_machine_away(tmp_path: Path, kind: str) -> None:
    async def conversation(tmp: Path, owner: Owner) -> None:
        path = tmp / "ipmi"
        address = unix(path, True) if kind == "unix" else Address("tcp", host="127.0.0.1", listen=True)
        port = VmPort(address, owner.handle, owner)
        await port.start()

        async def connect() -> Machine:
            if kind == "unix":
                return Machine(*await asyncio.open_unix_connection(str(path)))
            return Machine(*await asyncio.open_connection("127.0.0.1", port.port))

        if kind == "unix":
            assert path.stat().st_mode & 0o777 == 0o600
        first = await connect()
        await first.greeted()
        second = await connect()
        assert await second.next() is None
        assert port.refused == 1
        second.close()
        assert (await first.ask()).data == DEVICE_ID
        first.close()
        await until(lambda: not port.connected)
        third = await connect()
        await third.greeted()
        assert (await third.ask()).data == DEVICE_ID
        await port.close()
        third.close()
        assert not path.exists()

    run(conversation, tmp_path)


def test_a_dead_socket_is_taken_over_and_a_live_one_is_not(tmp_path: Path) -> None:
    async def conversation(tmp: Path, owner: Owner) -> None:
        first = VmPort(unix(tmp / "ipmi", True), owner.handle, owner)
        await first.start()
        with pytest.raises(ConfigError, match="this process listens there already"):
            await VmPort(unix(tmp / "ipmi", True), owner.handle, owner).start()
        await first.close()
        server = Server()
        await server.listen_unix(tmp / "dead")
        server.close()
        assert (tmp / "dead").exists()
        second = VmPort(unix(tmp / "dead", True), owner.handle, owner)
        await second.start()
        await second.close()
        (tmp / "file").write_text("mine")
        with pytest.raises(ConfigError, match="is no socket"):
            await VmPort(unix(tmp / "file", True), owner.handle, owner).start()
        with pytest.raises(ConfigError, match="cannot listen"):
            await VmPort(unix(tmp / "no" / "where", True), owner.handle, owner).start()

    run(conversation, tmp_path)


def test_a_port_in_use_is_a_configuration_error(tmp_path: Path) -> None:
    async def conversation(tmp: Path, owner: Owner) -> None:
        server = Server()
        number = await server.listen_tcp()
        address = Address("tcp", host="127.0.0.1", port=number, listen=True)
        with pytest.raises(ConfigError, match=f"tcp:127.0.0.1:{number}: cannot listen"):
            await VmPort(address, owner.handle, owner).start()
        server.close()

    run(conversation, tmp_path)


def test_operations_go_out_only_where_offered(tmp_path: Path) -> None:
    async def conversation(tmp: Path, owner: Owner) -> None:
        port = VmPort(unix(tmp / "ipmi", True), owner.handle, owner)
        await port.start()
        assert not port.operate(Operation.RESET)
        machine = Machine(*await asyncio.open_unix_connection(tmp / "ipmi"))
        await machine.greeted(0x12)
        await until(lambda: port.can(Operation.RESET))
        assert not port.operate(Operation.POWER_OFF)
        assert port.operate(Operation.RESET)
        assert await machine.next() == OperationReceived(Operation.RESET)
        port.attention(True, True)
        assert await machine.next() == AttentionReceived(True, False)
        machine.link.send_reset()
        machine.flush()
        await until(lambda: "reset" in owner.log)
        await port.close()
        machine.close()

    run(conversation, tmp_path)


def test_a_half_written_message_and_noise_do_not_disturb_the_next(tmp_path: Path) -> None:
    async def conversation(tmp: Path, owner: Owner) -> None:
        port = VmPort(unix(tmp / "ipmi", True), owner.handle, owner)
        await port.start()
        machine = Machine(*await asyncio.open_unix_connection(tmp / "ipmi"))
        machine.writer.write(bytes.fromhex("00 18 aa"))
        await until(lambda: port.connected)
        machine.close()
        await until(lambda: not port.connected)
        machine = Machine(*await asyncio.open_unix_connection(tmp / "ipmi"))
        machine.writer.write(bytes(100_000) + bytes.fromhex("a0 77a1 00180100a0"))
        await machine.greeted()
        machine.link.send_request(Message(6, 0, 1))
        for byte in machine.link.data_to_send():
            machine.writer.write(bytes((byte,)))
            await asyncio.sleep(0)
        answer = await machine.next()
        assert isinstance(answer, ResponseReceived)
        assert answer.data == DEVICE_ID
        machine.close()
        await until(lambda: not port.connected)
        assert {kind: count for kind, count in port.faults.items() if count} == {
            "overlong": 1,
            "unknown": 1,
            "checksum": 1,
        }
        await port.close()

    run(conversation, tmp_path)


def test_a_machine_that_does_not_read_is_dropped(tmp_path: Path) -> None:
    async def conversation(tmp: Path, owner: Owner) -> None:
        port = VmPort(unix(tmp / "ipmi", True), owner.handle, owner)
        await port.start()
        reader, writer = await asyncio.open_unix_connection(tmp / "ipmi", limit=16)
        assert not reader.at_eof()  # and nobody reads from it
        flood = bytes.fromhex("00 18 01 e7 a0") * 1000
        async with asyncio.timeout(10):
            while "lost" not in owner.log:
                writer.write(flood)
                await asyncio.sleep(0)
        writer.transport.abort()
        machine = Machine(*await asyncio.open_unix_connection(tmp / "ipmi"))
        await machine.greeted()
        assert (await machine.ask()).data == DEVICE_ID
        await port.close()
        machine.close()

    run(conversation, tmp_path)


def test_what_is_handled_is_committed_before_the_answer_leaves(tmp_path: Path) -> None:
    async def conversation(tmp: Path, owner: Owner) -> None:
        port = VmPort(unix(tmp / "ipmi", True), owner.handle, owner)
        owner.on_handled = lambda: port.operate(Operation.NMI)
        await port.start()
        machine = Machine(*await asyncio.open_unix_connection(tmp / "ipmi"))
        machine.link.send_capabilities(Capability.NMI)
        machine.flush()
        assert await machine.next() == VersionReceived(1)
        assert await machine.next() == OperationReceived(Operation.NMI)
        assert (await machine.ask()).data == DEVICE_ID  # and what it set off comes after the answer
        assert await machine.next() == OperationReceived(Operation.NMI)
        await port.close()
        machine.close()

    run(conversation, tmp_path)


def test_what_could_not_be_committed_is_not_acknowledged(tmp_path: Path) -> None:
    async def conversation(tmp: Path, owner: Owner) -> None:
        def full() -> None:
            raise BaseboardError("the disk is full")

        reported: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: reported.append(context["message"]))
        port = VmPort(unix(tmp / "ipmi", True), owner.handle, owner)
        await port.start()
        machine = Machine(*await asyncio.open_unix_connection(tmp / "ipmi"))
        owner.on_handled = full
        await machine.greeted()
        assert (await machine.ask()).data == b"\xff"
        owner.on_handled = lambda: None
        assert (await machine.ask()).data == DEVICE_ID
        assert set(reported) == {"VM wire: the disk is full"}
        await port.close()
        machine.close()

    run(conversation, tmp_path)


def test_several_machines_in_one_process(tmp_path: Path) -> None:
    async def conversation(tmp: Path, owner: Owner) -> None:
        ports = [VmPort(unix(tmp / str(i), True), owner.handle, owner) for i in range(3)]
        for port in ports:
            await port.start()
        machines = [Machine(*await asyncio.open_unix_connection(tmp / str(i))) for i in range(3)]
        for machine in machines:
            await machine.greeted()
        assert [(await machine.ask()).data for machine in machines] == [DEVICE_ID] * 3
        for port in ports:
            await port.close()
        for machine in machines:
            machine.close()

    run(conversation, tmp_path)
