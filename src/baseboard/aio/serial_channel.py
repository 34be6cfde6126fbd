"""The serial channel on a pseudo-terminal or a socket: `--serial-channel`.

    pty                                         a pseudo-terminal: ipmitool -I serial-terminal -D PATH:115200
    listen:unix:PATH    listen:tcp:HOST:PORT    consoles connect to us, one at a time
    unix:PATH           tcp:HOST:PORT           we connect: to a QEMU's serial chardev, a terminal server

An answer leaves after `handled` has made durable what its request changed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from baseboard.aio.endpoint import Address
from baseboard.aio.listening_serial import ListeningSerial
from baseboard.aio.serial import PtySerial, SocketSerial
from baseboard.aio.serial_port import SerialPort
from baseboard.errors import BaseboardError
from baseboard.ipmi.ipmb import BusMessage
from baseboard.serial.server import SerialServer

FLAG = "--serial-channel"
PAUSE = 0.02
"""Seconds: a packet takes about as long on a line of 19,200 bits/s."""


class SerialChannelPort:
    """One server on one port."""

    def __init__(self, server: SerialServer, address: Address, handled: Callable[[float], None]) -> None:
        self.server = server
        self._serial = _open(address)
        self._handled = handled
        self._timer: asyncio.TimerHandle | None = None
        self._bridged: deque[BusMessage] = deque()
        self._bridging: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Open the port.  Raises ConfigError."""
        self._loop = asyncio.get_running_loop()
        await self._serial.start(self)

    async def close(self) -> None:
        """Close it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._bridging is not None:
            self._bridging.cancel()
        await self._serial.close()

    @property
    def name(self) -> str:
        """Where the other end is, for people."""
        return self._serial.name

    def flush(self) -> None:
        """Send what the server has to say, and see to its deadline."""
        data = self.server.data_to_send()
        if data:
            self._serial.write(data)
        if self._timer is None:
            deadline = self.server.next_deadline()
            if deadline is not None:
                self._timer = self._loop.call_at(deadline, self._expire)

    def send_bridged(self, response: BusMessage) -> None:
        """The answer to a request that was sent on, a little after the answer to Send Message."""
        # ipmitool 1.8.19 -I serial-basic forgets a packet that it reads together with the one before.
        self._bridged.append(response)
        if len(self._bridged) == 1:
            self._bridging = self._loop.call_later(PAUSE, self._send_bridged)

    def _send_bridged(self) -> None:
        self.server.send_bridged(self._bridged.popleft())
        if self._bridged:
            self._bridging = self._loop.call_later(PAUSE, self._send_bridged)
        self.flush()

    def serial_received(self, data: bytes) -> None:
        """Characters came."""
        now = self._loop.time()
        self.server.receive_data(data, now)
        try:
            self._handled(now)
        except BaseboardError as error:
            self.server.data_to_send()  # what was not made durable is not acknowledged
            self._loop.call_exception_handler({"message": f"{FLAG}: {error}", "exception": error})
        self.flush()

    def serial_connected(self) -> None:
        """Somebody is at the other end."""

    def serial_lost(self) -> None:
        """Nobody is there any longer."""
        self.server.lost()

    def pause_writing(self) -> None:
        """Nobody reads: nor do we, until somebody does."""
        self._serial.pause()

    def resume_writing(self) -> None:
        """Somebody reads."""
        self._serial.resume()

    def _expire(self) -> None:
        self._timer = None
        self.server.handle_deadline(self._loop.time())
        self.flush()


def _open(address: Address) -> SerialPort:
    if address.kind == "pty":
        return PtySerial()
    return ListeningSerial(address, FLAG) if address.listen else SocketSerial(address)
