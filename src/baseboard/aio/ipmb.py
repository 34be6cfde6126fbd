"""The bus between controllers on sockets: `--ipmb`.  [docs/reference/ipmb-socket.md]

    listen:unix:PATH     listen:tcp:HOST:PORT     the hub: any number of others join here
    connect:unix:PATH    connect:tcp:HOST:PORT    one of the others: connecting, again and again

Every connection is a link of the bus. What it has to say leaves after the turn of the loop in which it was
said: by then what was changed is durable. A message that cannot be delivered is lost, as on a bus; a peer
that sends and does not read is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from baseboard.aio.endpoint import Address
from baseboard.aio.stream import Stream
from baseboard.errors import BaseboardError
from baseboard.ipmb.bus import Bus
from baseboard.ipmb.framing import Deframer, frame

MOST_PEERS = 64
_OUTPUT_LIMIT = 65536
_RECEIVE_SIZE = 4096


class IpmbPort:
    """One address of the bus.

    `handled(now)` is called after messages came in and before what they caused leaves; an error that it
    raises keeps that back.
    """

    def __init__(self, address: Address, bus: Bus, handled: Callable[[float], None]) -> None:
        self.address = address
        self.bus = bus
        self.handled = handled
        self.refused = 0
        """Peers turned away because there were too many."""
        self.connections: set[_Connection] = set()
        self._stream = Stream(address, "--ipmb", lambda: _Connection(self))

    async def start(self) -> None:
        """Listen, or begin to connect.  Raises ConfigError when the address cannot be listened on."""
        await self._stream.start()

    async def close(self) -> None:
        """Leave the bus."""
        await self._stream.close()
        if self.connections:
            for connection in tuple(self.connections):
                connection.drop()
            await asyncio.sleep(0)  # the transports close their sockets in the next turn

    @property
    def port(self) -> int:
        """TCP port on which we listen; the system's choice when 0 was asked."""
        return self._stream.port

    def detached(self, connection: _Connection) -> None:
        """A connection is gone."""
        self.connections.discard(connection)
        self.bus.remove_link(connection)
        self._stream.detached()


class _Connection(asyncio.Protocol):
    """One link."""

    _transport: asyncio.Transport

    def __init__(self, port: IpmbPort) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._deframer = Deframer()
        self._output = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._port.connections) >= MOST_PEERS:
            self._port.refused += 1
            transport.abort()
            return
        transport.set_write_buffer_limits(high=_OUTPUT_LIMIT)
        self._port.connections.add(self)
        self._port.bus.add_link(self)

    def send_message(self, message: bytes) -> None:
        """A message of the bus for the other end."""
        if not self._output:
            self._loop.call_soon(self._flush)
        self._output += frame(message)

    def data_received(self, data: bytes) -> None:
        now = self._loop.time()
        for message in self._deframer.receive_data(data):
            self._port.bus.receive_message(message, self, now)
        try:
            self._port.handled(now)
        except BaseboardError as error:
            self._output.clear()  # what was not made durable is not acknowledged
            self._loop.call_exception_handler({"message": f"--ipmb: {error}", "exception": error})

    def _flush(self) -> None:
        if self._output and not self._transport.is_closing():
            self._transport.write(bytes(self._output))
        self._output.clear()

    def pause_writing(self) -> None:
        """The peer sends and does not read: 64 KiB wait for it."""
        self._transport.abort()

    def drop(self) -> None:
        """Close from our side."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._port.detached(self)
