"""A KCS of ours before controllers that others wrote, and beside QEMU's before the same controller."""

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
from baseboard.vm import Operation
from tests.interop import qtest
from tests.interop.conftest import StartBaseboard

pytestmark = pytest.mark.interop

GET_DEVICE_ID = bytes.fromhex("18 01")
SET_GLOBAL_ENABLES = bytes.fromhex("18 2e 01")
POWER_DOWN = bytes.fromhex("00 02 00")
HARD_RESET = bytes.fromhex("00 02 03")


class Machine:
    """KCS, a host that drives it, and the port behind it."""

    def __init__(self, address: Address) -> None:
        self.orders: list[Operation] = []
        self.kcs = Kcs()
        self.driver = KcsDriver(Direct(self.kcs.registers))
        self.interrupts = 0
        self.seam = ExternSeam(self.kcs.engine, Extern(), operate=self.orders.append)
        self.port = ExternPort(address, self.seam)
        self.kcs.latch.irq_changed = self._count

    def _count(self, level: bool) -> None:
        self.interrupts += level

    async def exchange(self, request: bytes) -> bytes:
        now = asyncio.get_running_loop().time
        self.driver.send_request(Message(request[0] >> 2, request[0] & 3, request[1], request[2:]), now())
        return await self.finish()

    async def begin(self, request: bytes) -> None:
        now = asyncio.get_running_loop().time
        self.driver.send_request(Message(request[0] >> 2, request[0] & 3, request[1], request[2:]), now())
        while self.driver.step(now()):
            pass

    async def finish(self) -> bytes:
        now = asyncio.get_running_loop().time
        event: DriverEvent | None
        while (event := self.driver.next_event()) is None:
            if not self.driver.step(now()):
                await asyncio.sleep(0.0005)
        assert isinstance(event, ResponseReceived), event
        return bytes((event.netfn << 2 | event.lun, event.command)) + event.data

    async def __aenter__(self) -> Machine:
        await self.port.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.port.close()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def test_ipmi_sim(simulator: int) -> None:
    async def conversation() -> None:
        async with Machine(Address("tcp", host="127.0.0.1", port=simulator)) as machine:
            await until(lambda: machine.port.connected)
            for _ in range(300):  # past every id
                answer = await machine.exchange(GET_DEVICE_ID)
                assert answer[:7] == bytes.fromhex("1c 01 00 00 03 09 08")
            assert await machine.exchange(bytes.fromhex("18 a0 a1 aa a0")) == bytes.fromhex("1c a0 c1")
            before = machine.interrupts
            assert (await machine.exchange(SET_GLOBAL_ENABLES))[2] == 0
            await machine.exchange(GET_DEVICE_ID)
            assert machine.interrupts > before
            assert await machine.exchange(POWER_DOWN) == bytes.fromhex("04 02 00")
            assert await machine.exchange(HARD_RESET) == bytes.fromhex("04 02 00")
            await until(lambda: len(machine.orders) == 2)
            assert machine.orders == [Operation.POWER_OFF, Operation.RESET]
            assert not any(machine.seam.extern.faults.values())

    run(conversation)


def test_another_baseboard(baseboard: StartBaseboard, tmp_path: Path) -> None:
    async def conversation() -> None:
        path, state = tmp_path / "wire", tmp_path / "state"
        wire = ("--vm", f"listen:unix:{path}")
        first = baseboard(*wire, state=state)
        async with Machine(Address("unix", path=str(path))) as machine:
            await until(lambda: machine.port.connected)
            answer = await machine.exchange(GET_DEVICE_ID)
            assert answer[:3] == bytes.fromhex("1c 01 00")
            await machine.exchange(SET_GLOBAL_ENABLES)
            before = machine.interrupts
            await machine.exchange(GET_DEVICE_ID)
            assert machine.interrupts > before
            await asyncio.to_thread(first.ipmitool, "chassis", "power", "reset")
            await until(lambda: bool(machine.orders))
            assert machine.orders == [Operation.RESET]
            await machine.exchange(POWER_DOWN)
            await until(lambda: len(machine.orders) == 2)
            assert machine.orders[1] == Operation.POWER_OFF

            first.kill()
            await until(lambda: not machine.port.connected)
            assert await machine.exchange(GET_DEVICE_ID) == bytes.fromhex("1c 01 d2")
            await asyncio.to_thread(baseboard, *wire, state=state)
            await until(lambda: machine.port.connected)
            assert await machine.exchange(GET_DEVICE_ID) == answer
            assert not any(machine.seam.extern.faults.values())

    run(conversation)


GOOD = "{id} 1c 01 00 20 {sum} a0"
# fmt: off
CONVERSATIONS = [
    pytest.param(GOOD, "1c 01 00 20", id="a good answer"),
    pytest.param("{id} 1c 01 00 aaba aab1 aab0 {sum} a0", "1c 01 00 aa a1 a0", id="escapes"),
    pytest.param("{id} 1c 01 00 00 00 a0" + GOOD, "1c 01 00 20", id="a wrong checksum before it"),
    pytest.param("{id} 1c 01 a0" + GOOD, "1c 01 00 20", id="one that is too short before it"),
    pytest.param("a0 a1 a1 a0" + GOOD, "1c 01 00 20", id="terminators before it"),
    pytest.param("{id} 1c 01 00 aa a1" + GOOD, "1c 01 00 20", id="an escape before an end"),
    pytest.param("77 01 a1 ff 02 a1 08 3f a1" + GOOD, "1c 01 00 20", id="unknown commands before it"),
    pytest.param("{id} 1c 01 00" + "00" * 400 + "a0", "1c 01 c6", id="one that is too long"),
    pytest.param("{id} 1c 01 00" + "aab0" * 400 + "a0", "1c 01 c6", id="too long, all escapes"),
    pytest.param("", "1c 01 d2", id="none, and the connection is closed"),
]
# fmt: on


@pytest.mark.parametrize(("answer", "expected"), CONVERSATIONS)
def test_qemu_does_the_same(answer: str, expected: str, tmp_path: Path) -> None:
    """The same controller, played byte by byte, before QEMU's `ipmi-bmc-extern` and before ours."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\xa0")
        assert request[1:3] == GET_DEVICE_ID, request.hex()
        id_ = request[0]
        payload = answer.rpartition("{id}")[2].partition("{sum}")[0]
        unescaped = bytes.fromhex(payload.replace("aab", "a"))
        sum_ = -(id_ + sum(unescaped)) & 0xFF
        writer.write(bytes.fromhex(answer.format(id=f"{id_:02x}", sum=f"{sum_:02x}")))
        if not answer:
            writer.close()

    async def conversation() -> None:
        theirs, ours = tmp_path / "theirs", tmp_path / "ours"
        start = qtest.Machine.start(tmp_path, qtest.Kcs.DEVICE, f"path={theirs},server=on,wait=off")
        async with await start as qemu, Machine(Address("unix", path=str(ours), listen=True)) as machine:
            host = qtest.Kcs(qemu)
            for path, begin, finish in (
                (theirs, host.begin, host.finish),
                (ours, machine.begin, machine.finish),
            ):
                reader, writer = await asyncio.open_unix_connection(path)
                assert await reader.readexactly(6) == bytes.fromhex("ff01a1 083fa1")
                await begin(GET_DEVICE_ID)
                await reply(reader, writer)
                assert await finish() == bytes.fromhex(expected)
                writer.close()

    run(conversation)
