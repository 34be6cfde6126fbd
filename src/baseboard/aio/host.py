"""A host in another virtual machine: its `ipmi-bmc-extern` on a socket, before firmware.

The port connects (again and again) or listens, Unix or TCP. One machine at a time. An answer leaves as soon
as the firmware has given it. A machine that sends and does not read is dropped when 64 KiB wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from baseboard.aio.endpoint import Address
from baseboard.aio.stream import Stream
from baseboard.host.extern import HostExtern
from baseboard.host.seam import ResponderEvent

FLAG = "--host"
_OUTPUT_LIMIT = 65536


def _unwatched() -> None:
    pass


class HostPort:
    """One machine's wire."""

    def __init__(self, address: Address, extern: HostExtern, *, flag: str = FLAG) -> None:
        self.extern = extern
        self.changed: Callable[[], None] = _unwatched
        """Told when a machine comes, goes, or says what it offers."""
        self.refused = 0
        """Peers turned away because a machine was there."""
        self._stream = Stream(address, flag, lambda: _Connection(self))
        self._connection: _Connection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop

    async def start(self) -> None:
        """Listen, or begin to connect.  Raises ConfigError when the address cannot be listened on."""
        self._loop = asyncio.get_running_loop()
        await self._stream.start()

    async def close(self) -> None:
        """Let the machine go and stop."""
        await self._stream.close()
        if self._connection is not None:
            connection = self._connection
            connection.transport.abort()
            self.detach(connection)
            await asyncio.sleep(0)  # the transport closes its socket in the next turn
        if self._timer is not None:
            self._timer.cancel()

    @property
    def port(self) -> int:
        """TCP port on which we listen; the system's choice when 0 was asked."""
        return self._stream.port

    def receive_event(self, event: ResponderEvent) -> None:
        """The firmware says something."""
        self.extern.receive_event(event, self._loop.time())
        self._flush()

    def attach(self, connection: _Connection) -> bool:
        """A machine is there; False: it is turned away."""
        if self._connection is not None:
            self.refused += 1
            return False
        self._connection = connection
        self.extern.connect(self._loop.time())
        self._flush()
        self.changed()
        return True

    def detach(self, connection: _Connection) -> None:
        """A connection is gone."""
        if self._connection is connection:
            self._connection = None
            self.extern.disconnect(self._loop.time())
            self._set_timer()
            self.changed()
        self._stream.detached()

    def receive(self, data: bytes) -> None:
        """The machine says something."""
        before = self.extern.capabilities
        self.extern.receive_data(data, self._loop.time())
        self._flush()
        if self.extern.capabilities != before:
            self.changed()

    def _flush(self) -> None:
        data = self.extern.data_to_send()
        if data and self._connection is not None:
            self._connection.transport.write(data)
        self._set_timer()

    def _set_timer(self) -> None:
        deadline = self.extern.next_deadline()
        if self._timer is not None:
            if self._timer.when() == deadline:
                return
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self.extern.handle_deadline(self._loop.time())
        self._flush()


class _Connection(asyncio.Protocol):
    """Bytes between a transport and the port."""

    transport: asyncio.Transport

    def __init__(self, port: HostPort) -> None:
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=_OUTPUT_LIMIT)
        if not self._port.attach(self):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self._port.receive(data)

    def pause_writing(self) -> None:
        """The peer sends and does not read."""
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._port.detach(self)
