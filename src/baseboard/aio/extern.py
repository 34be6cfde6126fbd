"""A system interface's controller on the other end of a socket: ipmi_sim, another baseboard, a real one.

The port connects (again and again) or listens, Unix or TCP. One controller at a time: while it is there
another is turned away. What a peer does not read stays where it is until its request's time is over.
"""

from __future__ import annotations

import asyncio
import socket

from baseboard.aio.endpoint import Address
from baseboard.aio.stream import Stream
from baseboard.bmc.extern_seam import ExternSeam

FLAG = "--extern"
_OUTPUT_LIMIT = 65536
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))


class ExternPort:
    """One interface's wire. The interface is used in the event loop, where all of this happens."""

    def __init__(self, address: Address, seam: ExternSeam, *, flag: str = FLAG) -> None:
        self.seam = seam
        self.stream = Stream(address, flag, lambda: _Connection(self))
        self.refused = 0
        """Peers turned away because a controller was there."""
        self._connection: _Connection | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Listen, or begin to connect.  Raises ConfigError when the address cannot be listened on."""
        self._loop = asyncio.get_running_loop()
        self.seam.now = self._loop.time
        self.seam.changed = self.flush
        await self.stream.start()

    async def close(self) -> None:
        """Let the controller go and stop."""
        await self.stream.close()
        if self._connection is not None:
            connection = self._connection
            connection.transport.abort()
            self.detach(connection)
            await asyncio.sleep(0)  # the transport closes its socket in the next turn
        self._set_timer()

    @property
    def connected(self) -> bool:
        """Whether a controller is there."""
        return self._connection is not None

    def attach(self, connection: _Connection) -> bool:
        """A peer is there; False: it is turned away."""
        if self._connection is not None:
            self.refused += 1
            return False
        self._connection = connection
        self.seam.extern.connect()
        self.seam.pump()
        return True

    def detach(self, connection: _Connection) -> None:
        """A connection is gone."""
        if self._connection is connection:
            self._connection = None
            self.seam.extern.disconnect()
            self.seam.pump()
        self.stream.detached()

    def receive(self, data: bytes) -> None:
        """The controller says something."""
        self.seam.extern.receive_data(data)
        self.seam.pump()

    def flush(self) -> None:
        """Send what there is, as far as the peer reads, and look at the clock."""
        connection = self._connection
        if connection is not None and connection.writable:
            data = self.seam.extern.data_to_send()
            if data:
                connection.transport.write(data)
        self._set_timer()

    def _set_timer(self) -> None:
        deadline = self.seam.extern.next_deadline()
        if self._timer is not None:
            if self._timer.when() == deadline:
                return
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self.seam.extern.handle_deadline(self._loop.time())
        self.seam.pump()


class _Connection(asyncio.Protocol):
    """Bytes between a transport and the port."""

    transport: asyncio.Transport

    def __init__(self, port: ExternPort) -> None:
        self._port = port
        self.writable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=_OUTPUT_LIMIT)
        raw = transport.get_extra_info("socket")
        if raw.family != socket.AF_UNIX:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEP_ALIVE:
                raw.setsockopt(socket.IPPROTO_TCP, option, value)
        if not self._port.attach(self):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self._port.receive(data)

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True
        self._port.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._port.detach(self)
