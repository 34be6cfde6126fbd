"""The pump between engine, LAN and serial port, with a machine and a console that keep the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

from baseboard.aio.serial import SerialPort, SerialUser, SimulatedSerial
from baseboard.aio.sol import SOL, SolPump
from baseboard.lan.sol import SolEngine
from baseboard.lan.sol_sender import SolTiming

SESSION = 5
PATIENCE = 10.0


class Lan:
    """What the pump uses of a listener and its server; the console acknowledges everything at once."""

    def __init__(self) -> None:
        self.server = SimpleNamespace(
            payloads={}, send_payload=self._send_payload, protect_payload=self._protect
        )
        self.protected: list[tuple[int, int, bool]] = []
        self.screen = b""
        self.waiting: list[bytes] = []
        self.changed = asyncio.Event()

    def _send_payload(
        self, session_id: int, payload_type: int, data: bytes, *, encrypted: bool, authenticated: bool
    ) -> bool:
        assert (session_id, payload_type, encrypted, authenticated) == (SESSION, SOL, True, True)
        self.waiting.append(data)
        return True

    def _protect(self, session_id: int, payload_type: int, *, authenticated: bool) -> None:
        self.protected.append((session_id, payload_type, authenticated))

    def flush(self) -> None:
        waiting, self.waiting = self.waiting, []
        for data in waiting:
            self.screen += data[4:]
            if data[0]:
                acknowledgement = bytes((0, data[0], len(data) - 4, 0))
                asyncio.get_running_loop().call_soon(self.send, acknowledgement)
        self.changed.set()

    def send(self, data: bytes) -> None:
        """A payload from the console."""
        if SOL in self.server.payloads:
            self.server.payloads[SOL].receive_payload(SESSION, data, asyncio.get_running_loop().time())

    async def sees(self, text: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            while text not in self.screen:
                self.changed.clear()
                await self.changed.wait()


class Machine(SerialPort):
    """A port that gives 100 kB as fast as it is taken, and counts."""

    def __init__(self, text: bytes) -> None:
        super().__init__()
        self.left = text
        self.reading = True
        self.pauses = 0
        self.written = b""
        self.log: list[str] = []

    @property
    def name(self) -> str:
        return "test"

    async def start(self, user: SerialUser) -> None:
        self.user = user
        user.serial_connected()

    async def close(self) -> None:
        self.log.append("closed")

    def speak(self) -> None:
        while self.reading and self.left:
            chunk, self.left = self.left[:4096], self.left[4096:]
            self.user.serial_received(chunk)

    def write(self, data: bytes) -> None:
        self.written += data

    def send_break(self) -> None:
        self.log.append("break")

    def pause(self) -> None:
        self.reading = False
        self.pauses += 1

    def resume(self) -> None:
        self.reading = True
        asyncio.get_running_loop().call_soon(self.speak)

    def set_control(self, *, cts: bool, dcd: bool) -> None:
        self.log.append(f"cts {cts:d} dcd {dcd:d}")


def run(test: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(test())


def activate(engine: SolEngine, pump: SolPump) -> None:
    now = asyncio.get_running_loop().time()
    engine.activate(SESSION, encrypted=True, authenticated=True, handshake=True, now=now)
    pump.changed(SESSION)


def test_100_kilobytes_arrive_complete_with_the_machine_held_back() -> None:
    async def test() -> None:
        text = b"".join(b"%07d\n" % number for number in range(12_800))
        lan, engine, machine = Lan(), SolEngine(lambda: SolTiming(accumulate_interval=0.001)), Machine(text)
        pump = SolPump(engine, _listener(lan), machine)
        await pump.start()
        activate(engine, pump)
        assert lan.protected == [(SESSION, SOL, True)]
        async with asyncio.timeout(PATIENCE):
            while len(lan.screen) < len(text):
                lan.changed.clear()
                await lan.changed.wait()
        assert lan.screen == text
        assert machine.pauses > 2
        lan.send(bytes.fromhex("01000000") + b"ls\r")
        lan.send(bytes.fromhex("02000010"))
        assert machine.written == b"ls\r"
        lan.server.payloads[SOL].session_closed(SESSION, 0.0)
        assert machine.log == ["cts 0 dcd 0", "cts 1 dcd 1", "break", "cts 1 dcd 0"]
        await pump.close()
        assert machine.log[-1] == "closed"
        assert lan.server.payloads == {}

    run(test)


def test_the_simulated_machine_prompts_who_activates() -> None:
    async def test() -> None:
        lan, engine = Lan(), SolEngine()
        pump = SolPump(engine, _listener(lan), SimulatedSerial())
        await pump.start()
        activate(engine, pump)
        await lan.sees(b"login: ")
        lan.send(bytes.fromhex("01000000") + b"me\r")
        await lan.sees(b"Password: ")
        await pump.close()

    run(test)


def test_without_a_port_the_console_is_told() -> None:
    async def test() -> None:
        lan, engine = Lan(), SolEngine()
        pump = SolPump(engine, _listener(lan), None)
        await pump.start()
        activate(engine, pump)
        engine.receive_payload(SESSION, bytes.fromhex("0100000061"), asyncio.get_running_loop().time())
        assert [payload.data.hex() for payload in engine.payloads_to_send()] == ["00010120"]
        await pump.close()

    run(test)


def _listener(lan: Lan) -> Any:
    return lan
