"""One end of a byte stream at an address: connect, again and again, or listen.

What is said over it is the business of the protocol that `make` gives for each connection. Whoever connects
tells with `detached` that a connection is gone; then the next one is made, with a pause that doubles from
`first_retry` to `last_retry` seconds and begins anew after a connection that lasted.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable

from baseboard.aio.endpoint import Address
from baseboard.aio.unix_listener import unix_listener
from baseboard.errors import ConfigError

CONNECT_TIMEOUT = 5.0


class Stream:
    """Where connections come from. `flag` is what the user calls the address, for messages."""

    def __init__(
        self,
        address: Address,
        flag: str,
        make: Callable[[], asyncio.BaseProtocol],
        first_retry: float = 0.05,
        last_retry: float = 1.0,
    ) -> None:
        self.address = address
        self._flag = flag
        self._make = make
        self._first_retry, self._last_retry = first_retry, last_retry
        self._task: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None
        self._detached = asyncio.Event()

    async def start(self) -> None:
        """Listen, or begin to connect.  Raises ConfigError when the address cannot be listened on."""
        if self.address.listen:
            await self._listen()
        else:
            self._task = asyncio.get_running_loop().create_task(self._keep_connected())

    async def close(self) -> None:
        """Make no more connections; those that there are stay."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._server is not None:
            self._server.close()
            if self.address.kind == "unix":
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.address.path)
            self._server = None

    @property
    def port(self) -> int:
        """TCP port on which we listen; the system's choice when 0 was asked."""
        if self._server is None or self.address.kind == "unix":
            return self.address.port
        return int(self._server.sockets[0].getsockname()[1])

    def detached(self) -> None:
        """The connection that was made is gone."""
        self._detached.set()

    async def _listen(self) -> None:
        loop, address = asyncio.get_running_loop(), self.address
        if address.kind == "unix":
            listener = unix_listener(address.path, self._flag)
            self._server = await loop.create_unix_server(self._protocol, sock=listener)
            return
        try:
            self._server = await loop.create_server(self._protocol, address.host, address.port)
        except OSError as error:
            raise ConfigError(f"{self._flag}: {address}: cannot listen: {error.strerror}") from None

    async def _keep_connected(self) -> None:
        loop, delay = asyncio.get_running_loop(), self._first_retry
        while True:
            began = loop.time()
            self._detached.clear()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    await self._connect(loop)
            except OSError:  # a timeout is one
                pass
            else:
                await self._detached.wait()
                if loop.time() - began > self._last_retry:
                    delay = self._first_retry
            await asyncio.sleep(delay)
            delay = min(2 * delay, self._last_retry)

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        address = self.address
        if address.kind == "unix":
            await loop.create_unix_connection(self._protocol, address.path)
        else:
            await loop.create_connection(self._protocol, address.host, address.port)

    def _protocol(self) -> asyncio.BaseProtocol:
        return self._make()
