"""The VM wire against QEMU itself: registers on one side, our controller on the other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from baseboard.aio.endpoint import Address
from baseboard.aio.vm import VmPort
from baseboard.bmc.commands import TABLES
from baseboard.bmc.controller import Bmc
from baseboard.bmc.core import Core
from baseboard.bmc.events import AttentionChanged, InterruptEnableChanged
from baseboard.bmc.settings import Settings
from baseboard.ipmi.message import Context, Message
from baseboard.vm import Capability, Operation
from tests.interop.qtest import DEADLINE, Bt, Kcs, Machine, until

GET_DEVICE_ID = bytes.fromhex("18 01")
NOBODY = bytes.fromhex("1c 01 d2")
"""What QEMU itself answers while nobody is connected."""
WIRE = "path={},server=on,wait=off"


class Instance:
    """A controller behind a port, as small as can be."""

    def __init__(self, path: Path, listen: bool = False) -> None:
        self.bmc = Bmc(Settings())
        self.core = Core(self.bmc, TABLES)
        self.answering = True
        self.port = VmPort(Address("unix", path=str(path), listen=listen), self.core.handle, self)
        self.capabilities = Capability.NONE
        self.losses = 0

    def handled(self, now: float) -> None:
        while (event := self.bmc.next_event()) is not None:
            if isinstance(event, AttentionChanged):
                self.port.attention(event.attention, event.interrupt)
            elif isinstance(event, InterruptEnableChanged):
                self.port.set_interrupt(event.enabled)

    def connected(self, port: VmPort) -> None:
        self.capabilities = Capability.NONE

    def capable(self, port: VmPort, capabilities: Capability) -> None:
        self.capabilities = capabilities

    def lost(self, port: VmPort) -> None:
        self.losses += 1

    def machine_reset(self, port: VmPort, now: float) -> None:
        raise AssertionError("QEMU never says so")

    async def __aenter__(self) -> Instance:
        await self.port.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.port.close()

    async def attached(self) -> None:
        async def offers() -> bool:
            return self.port.capabilities != Capability.NONE

        await until(offers, "capabilities")

    def answer(self, data: bytes) -> bytes:
        """What the controller says when it is asked directly."""
        message = Message(data[0] >> 2, data[0] & 3, data[1], data[2:])
        return bytes((data[0] | 4, data[1])) + self.core.handle(message, Context())


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(main())


@pytest.mark.parametrize("interface", [Kcs, Bt])
def test_get_device_id_through_the_registers(interface: type[Kcs] | type[Bt], tmp_path: Path) -> None:
    async def conversation() -> None:
        path = tmp_path / "ipmi"
        async with await Machine.start(tmp_path, interface.DEVICE, WIRE.format(path)) as machine:
            async with Instance(path) as instance:
                await instance.attached()
                assert instance.capabilities == Capability(0x3F)
                host = interface(machine)
                expected = instance.answer(GET_DEVICE_ID)
                assert expected[:3] == b"\x1c\x01\x00"
                for _ in range(0x120):  # past every id: among them A0h, A1h and AAh
                    assert await host.exchange(GET_DEVICE_ID) == expected
                assert await host.exchange(bytes.fromhex("18 a0 a1 aa a0")) == b"\x1c\xa0\xc1"
            assert not any(instance.port.faults.values())

    run(conversation)


def test_interrupt_enable_and_attention(tmp_path: Path) -> None:
    async def conversation() -> None:
        path = tmp_path / "ipmi"
        start = Machine.start(tmp_path, Kcs.DEVICE, WIRE.format(path))
        async with await start as machine, Instance(path) as instance:
            await instance.attached()
            await interrupts(machine, instance)

    run(conversation)


async def interrupts(machine: Machine, instance: Instance) -> None:
    host = Kcs(machine)

    def pretimeout() -> None:
        instance.bmc.messaging.set_watchdog_pretimeout(True)
        instance.handled(0.0)

    async def interrupted() -> bool:
        await host.attention()
        return machine.irq_rises > rises

    async def quiet() -> bool:
        return not await host.attention()

    await host.exchange(GET_DEVICE_ID)
    pretimeout()
    await until(host.attention, "attention")
    assert machine.irq_rises == 0
    assert await host.exchange(bytes.fromhex("18 2e 09")) == bytes.fromhex("1c 2e 00")
    rises = machine.irq_rises
    await host.exchange(GET_DEVICE_ID)
    assert machine.irq_rises > rises  # every byte of the transfer interrupts
    assert await host.exchange(bytes.fromhex("18 31")) == bytes.fromhex("1c 31 00 08")
    assert await host.exchange(bytes.fromhex("18 30 08")) == bytes.fromhex("1c 30 00")
    await until(quiet, "no attention")
    rises = machine.irq_rises
    pretimeout()
    await until(interrupted, "an interrupt for the attention alone")
    assert await host.exchange(bytes.fromhex("18 2e 08")) == bytes.fromhex("1c 2e 00")
    await host.exchange(GET_DEVICE_ID)
    rises = machine.irq_rises
    await host.exchange(GET_DEVICE_ID)
    assert machine.irq_rises == rises


@pytest.mark.parametrize("listen", [False, True])
def test_qemu_is_killed_and_comes_back(tmp_path: Path, listen: bool) -> None:
    async def conversation() -> None:
        path = tmp_path / "ipmi"
        wire = f"path={path},reconnect=1" if listen else WIRE.format(path)
        async with Instance(path, listen) as instance:
            for number in range(3):
                async with await Machine.start(tmp_path, Kcs.DEVICE, wire) as machine:
                    await instance.attached()
                    host = Kcs(machine)
                    assert await host.exchange(GET_DEVICE_ID) == instance.answer(GET_DEVICE_ID)
                    if number == 1:
                        await host.begin(GET_DEVICE_ID)  # it dies while it waits for the answer

                async def lost(number: int = number) -> bool:
                    return instance.losses > number

                await until(lost, "the loss is noticed")

    run(conversation)


LEFT = [
    pytest.param("", id="nothing"),
    pytest.param("03", id="would be a power off"),
    pytest.param("00 1c 01", id="half an answer"),
    pytest.param("00 1c aa", id="half an escape"),
    pytest.param("ff aa", id="half a command and half an escape"),
    pytest.param("00" * 400, id="too much"),
]


@pytest.mark.parametrize("left", LEFT)
def test_we_are_killed_with_something_half_written_and_come_back(tmp_path: Path, left: str) -> None:
    async def conversation() -> None:
        path = tmp_path / "ipmi"
        async with await Machine.start(tmp_path, Kcs.DEVICE, WIRE.format(path)) as machine:
            host = Kcs(machine)
            assert await host.exchange(GET_DEVICE_ID) == NOBODY
            with socket.socket(socket.AF_UNIX) as first:
                first.settimeout(DEADLINE)
                first.connect(str(path))
                assert first.recv(6, socket.MSG_WAITALL).hex() == "ff01a1083fa1"
                await host.begin(GET_DEVICE_ID)
                request = first.recv(5, socket.MSG_WAITALL)
                assert request[1:] == bytes((0x18, 0x01, -0x19 - request[0] & 0xFF, 0xA0))
                first.sendall(bytes.fromhex(left))

            async def answered() -> bool:
                return not await machine.read(Kcs.STATUS) & Kcs.IBF

            await until(answered, "QEMU sees that we are gone")
            await host.finish()  # what QEMU itself says to the unanswered request
            for _ in range(2):
                async with Instance(path) as instance:
                    await instance.attached()
                    for _ in range(3):
                        assert await host.exchange(GET_DEVICE_ID) == instance.answer(GET_DEVICE_ID)
                assert await host.exchange(GET_DEVICE_ID) == NOBODY
            assert machine.process.returncode is None

    run(conversation)


def test_power_off_ends_qemu(tmp_path: Path) -> None:
    async def conversation() -> None:
        path = tmp_path / "ipmi"
        start = Machine.start(tmp_path, Kcs.DEVICE, WIRE.format(path))
        async with await start as machine, Instance(path) as instance:
            await instance.attached()
            assert not instance.port.operate(Operation.DISABLE_INTERFACE)  # QEMU does not offer it
            assert instance.port.operate(Operation.POWER_OFF)
            await asyncio.wait_for(machine.process.wait(), DEADLINE)

    run(conversation)
