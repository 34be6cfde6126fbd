"""A QEMU that stands still: its IPMI registers are driven from outside, through the `-qtest` socket.

No guest runs (`-S`), so nothing takes time but the wire. The drivers follow the flow charts of the
specification, not our own machines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.programs import require_program

QEMU = "qemu-system-x86_64"
DEADLINE = 10.0
IRQ = 5


@dataclass
class Machine:
    """One QEMU process with an external BMC."""

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    irq: int = IRQ
    """The interrupt that is looked at."""
    irq_level: bool = False
    irq_rises: int = 0

    @classmethod
    async def start(cls, directory: Path, interface: str, wire: str) -> Machine:
        """`interface` is a -device; `wire` the options of the wire's -chardev socket."""
        path = directory / "qtest"
        path.unlink(missing_ok=True)
        # fmt: off
        process = await asyncio.create_subprocess_exec(
            require_program(QEMU), "-machine", "pc", "-accel", "tcg", "-S", "-m", "16",
            "-display", "none", "-nodefaults", "-qtest-log", "none",
            "-qtest", f"unix:{path},server=on,wait=off",
            "-chardev", f"socket,id=ipmi0,{wire}",
            "-device", "ipmi-bmc-extern,id=bmc0,chardev=ipmi0", "-device", f"{interface},bmc=bmc0",
        )
        # fmt: on
        return await cls.connected(process, path)

    @classmethod
    async def connected(cls, process: asyncio.subprocess.Process, path: Path) -> Machine:
        """To the qtest socket of a process that was just started; interrupts are told."""
        async with asyncio.timeout(DEADLINE):
            while True:
                try:
                    reader, writer = await asyncio.open_unix_connection(path)
                    break
                except OSError:
                    if process.returncode is not None:
                        raise
                    await asyncio.sleep(0.02)
        machine = cls(process, reader, writer)
        await machine.command("irq_intercept_in ioapic")
        return machine

    async def command(self, text: str) -> int:
        """One command of the qtest protocol; its value, 0 if it has none."""
        self.writer.write(text.encode() + b"\n")
        async with asyncio.timeout(DEADLINE):
            while True:
                word, *rest = (await self.reader.readline()).decode().split()
                if word == "OK":
                    return int(rest[0], 0) if rest else 0
                assert word == "IRQ", (text, word, rest)
                if int(rest[1]) == self.irq:
                    self.irq_level = rest[0] == "raise"
                    self.irq_rises += self.irq_level

    async def read(self, port: int) -> int:
        return await self.command(f"inb {port:#x}")

    async def write(self, port: int, value: int) -> None:
        await self.command(f"outb {port:#x} {value:#x}")

    async def __aenter__(self) -> Machine:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def kill(self) -> None:
        self.writer.transport.abort()
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait for something of the machine's; never longer than the deadline."""
    try:
        async with asyncio.timeout(DEADLINE):
            while not await condition():
                await asyncio.sleep(0.001)
    except TimeoutError:
        raise TimeoutError(f"it never came to: {what}") from None


class Kcs:
    """The host's end of KCS.  [IPMI 9.15]"""

    DEVICE = "isa-ipmi-kcs"
    DATA, STATUS = 0xCA2, 0xCA3
    OBF, IBF, ATTENTION = 0x01, 0x02, 0x04
    IDLE, READ, WRITE = 0, 1, 2

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    async def state(self) -> int:
        async def input_taken() -> bool:
            return not await self.machine.read(self.STATUS) & self.IBF

        await until(input_taken, "IBF = 0")
        return await self.machine.read(self.STATUS) >> 6

    async def clear(self) -> None:
        if await self.machine.read(self.STATUS) & self.OBF:
            await self.machine.read(self.DATA)

    async def begin(self, request: bytes) -> None:
        """Hand a request over and do not wait for its answer."""
        await self.state()
        await self.machine.write(self.STATUS, 0x61)
        assert await self.state() == self.WRITE
        await self.clear()
        for byte in request[:-1]:
            await self.machine.write(self.DATA, byte)
            assert await self.state() == self.WRITE
            await self.clear()
        await self.machine.write(self.STATUS, 0x62)
        assert await self.state() == self.WRITE
        await self.clear()
        await self.machine.write(self.DATA, request[-1])

    async def exchange(self, request: bytes) -> bytes:
        await self.begin(request)
        return await self.finish()

    async def finish(self) -> bytes:
        """Take the answer."""
        answer = bytearray()
        while await self.state() == self.READ:
            assert await self.machine.read(self.STATUS) & self.OBF
            answer.append(await self.machine.read(self.DATA))
            await self.machine.write(self.DATA, 0x68)
        assert await self.state() == self.IDLE
        await self.clear()  # the dummy byte
        return bytes(answer)

    async def attention(self) -> bool:
        return bool(await self.machine.read(self.STATUS) & self.ATTENTION)


class Bt:
    """The host's end of BT.  [IPMI 11.6]"""

    DEVICE = "isa-ipmi-bt"
    CONTROL, BUFFER, MASK = 0xE4, 0xE5, 0xE6
    CLR_WR, CLR_RD, H2B, B2H, ATTENTION, H_BUSY, B_BUSY = 0x01, 0x02, 0x04, 0x08, 0x10, 0x40, 0x80

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.sequence = 0

    async def begin(self, request: bytes) -> None:
        """Hand a request over and do not wait for its answer."""
        await self.machine.write(self.CONTROL, self.CLR_WR)
        self.sequence = self.sequence + 1 & 0xFF
        for byte in bytes((len(request) + 1, request[0], self.sequence)) + request[1:]:
            await self.machine.write(self.BUFFER, byte)
        await self.machine.write(self.CONTROL, self.H2B)

    async def exchange(self, request: bytes) -> bytes:
        await self.begin(request)

        async def answered() -> bool:
            return bool(await self.machine.read(self.CONTROL) & self.B2H)

        await until(answered, "B2H_ATN")
        for bit in (self.H_BUSY, self.B2H, self.CLR_RD):
            await self.machine.write(self.CONTROL, bit)
        length = await self.machine.read(self.BUFFER)
        answer = bytes([await self.machine.read(self.BUFFER) for _ in range(length)])
        await self.machine.write(self.CONTROL, self.H_BUSY)
        assert answer[1] == self.sequence
        return answer[:1] + answer[2:]

    async def attention(self) -> bool:
        return bool(await self.machine.read(self.CONTROL) & self.ATTENTION)
