"""Serial over LAN: between the LAN server, the engine and the machine's serial port.

The pump is what the LAN server has as the receiver of SOL payloads, and what the serial port has as its user.
Whoever passes the controller's events on calls `changed` for each `SolChanged`.
"""

from __future__ import annotations

import asyncio
from typing import Final

from baseboard.aio.lan import LanListener
from baseboard.aio.serial_port import SerialPort
from baseboard.ipmi.app_payload import PayloadType
from baseboard.lan.sol import BreakReceived, CharactersReceived, ControlChanged, SolEngine, SolEvent

SOL: Final = int(PayloadType.SOL)


class SolPump:
    """Moves what the engine has to give. Without a port the machine has no console, and consoles are told."""

    def __init__(self, engine: SolEngine, lan: LanListener, port: SerialPort | None) -> None:
        self._engine = engine
        self._lan = lan
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._reading = True

    async def start(self) -> None:
        """Take SOL payloads, and begin with the serial port."""
        self._lan.server.payloads[SOL] = self
        if self._port is not None:
            await self._port.start(self)

    async def close(self) -> None:
        """End."""
        self._lan.server.payloads.pop(SOL, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._port is not None:
            await self._port.close()

    def changed(self, session_id: int | None) -> None:
        """A command gave SOL to a session, or took it away."""
        if session_id is not None:
            self._lan.server.protect_payload(session_id, SOL, authenticated=self._engine.authenticated)
        self._pump()

    # What the LAN server brings.

    def receive_payload(self, session_id: int, data: bytes, now: float) -> None:
        """A payload came in this session."""
        self._engine.receive_payload(session_id, data, now)
        self._pump()

    def session_closed(self, session_id: int, now: float) -> None:
        """The session is gone."""
        self._engine.session_closed(session_id, now)
        self._pump()

    # What the serial port brings.

    def serial_connected(self) -> None:
        """Somebody is at the other end."""
        self._engine.serial_connected(self._loop.time())
        self._pump()

    def serial_lost(self) -> None:
        """Nobody is there any longer."""
        self._engine.serial_lost(self._loop.time())
        self._pump()

    def serial_received(self, data: bytes) -> None:
        """Characters came."""
        self._engine.receive_output(data, self._loop.time())
        self._pump()

    def pause_writing(self) -> None:
        """The port takes no more for now."""
        self._engine.pause_writing()

    def resume_writing(self) -> None:
        """The port takes characters again."""
        self._engine.resume_writing(self._loop.time())
        self._pump()

    def _pump(self) -> None:
        port = self._port
        while (event := self._engine.next_event()) is not None:
            if port is not None:
                _deliver(event, port)
        if payloads := self._engine.payloads_to_send():
            send = self._lan.server.send_payload
            for session_id, data, encrypted, authenticated in payloads:
                send(session_id, SOL, data, encrypted=encrypted, authenticated=authenticated)
            self._lan.flush()
        if port is not None and self._engine.wants_output != self._reading:
            self._reading = not self._reading
            (port.resume if self._reading else port.pause)()
        self._arm()

    def _arm(self) -> None:
        deadline = self._engine.next_deadline()
        if self._timer is not None:
            if deadline == self._timer.when():
                return
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._handle_deadline)

    def _handle_deadline(self) -> None:
        self._timer = None
        self._engine.handle_deadline(self._loop.time())
        self._pump()


def _deliver(event: SolEvent, port: SerialPort) -> None:
    """Ring has no wire, and what a port was given cannot be taken back; the rest the machine sees."""
    match event:
        case CharactersReceived(data):
            port.write(data)
        case BreakReceived():
            port.send_break()
        case ControlChanged(cts, dcd):
            port.set_control(cts=cts, dcd=dcd)
        case _:
            pass
