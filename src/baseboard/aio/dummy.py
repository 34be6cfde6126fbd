"""Where `ipmitool -I dummy` finds the controller: `--dummy PATH`.

Whoever connects is at the system interface, with its privilege: the socket is its owner's alone. Any number
may be there at a time. ipmitool waits for ever when a connection ends under it; so every request is answered
at once, with FFh when what it changed could not be made durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from baseboard.aio.endpoint import Address
from baseboard.aio.stream import Stream
from baseboard.errors import BaseboardError
from baseboard.interface.dummy import DummyReceiver, frame_response, refusal
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context, Handler

FLAG = "--dummy"
MOST_PEERS = 64
_OUTPUT_LIMIT = 65536
_UNSPECIFIED = bytes((CompletionCode.UNSPECIFIED,))


class DummyPort:
    """The socket. `handled` is called between execution and answer; when it raises, the answer is FFh."""

    def __init__(self, path: Path, handler: Handler, handled: Callable[[float], None]) -> None:
        self.path = path
        self.handler = handler
        self.handled = handled
        self.refused = 0
        """Peers turned away because there were too many."""
        self.connections: set[_Connection] = set()
        address = Address("unix", path=str(path), listen=True)
        self._stream = Stream(address, FLAG, lambda: _Connection(self))

    async def start(self) -> None:
        """Listen.  Raises ConfigError."""
        await self._stream.start()

    async def close(self) -> None:
        """Turn everybody out and stop."""
        await self._stream.close()
        if self.connections:
            for connection in tuple(self.connections):
                connection.drop()
            await asyncio.sleep(0)  # the transports close their sockets in the next turn


class _Connection(asyncio.Protocol):
    """One ipmitool."""

    _transport: asyncio.Transport

    def __init__(self, port: DummyPort) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._receiver = DummyReceiver()
        self._context = Context()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._port.connections) >= MOST_PEERS:
            self._port.refused += 1
            transport.abort()
            return
        transport.set_write_buffer_limits(high=_OUTPUT_LIMIT)
        self._port.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        port, context = self._port, self._context
        for request in self._receiver.receive_data(data):
            context.now = now = self._loop.time()
            answer = refusal(request)
            if not answer:
                answer = port.handler(request, context)
                try:
                    port.handled(now)
                except BaseboardError as error:
                    answer = _UNSPECIFIED
                    self._loop.call_exception_handler({"message": f"{FLAG}: {error}", "exception": error})
            self._transport.write(frame_response(request, answer))
        if self._receiver.goodbye:
            self._transport.close()

    def pause_writing(self) -> None:
        """The peer sends and does not read: 64 KiB wait for it."""
        self._transport.abort()

    def drop(self) -> None:
        """Close from our side."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._port.connections.discard(self)
