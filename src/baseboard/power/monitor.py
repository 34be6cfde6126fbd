"""QEMU's monitor in an event loop: commands with deadlines, and its events.  [QMP]

We use a handful of commands and want the events in order before the end of the connection; the QEMU
project's own client (`qemu.qmp` 0.0.6) keeps every event that it ever saw, which a process that runs for
months cannot afford.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from baseboard.errors import DecodeError
from baseboard.power.qmp import Answered, Greeted, Happened, MonitorError, QmpLines

__all__ = ["Monitor", "MonitorError"]

RETRY = 0.02

Events = Callable[[str, dict[str, Any]], None]


class _Connection(asyncio.Protocol):
    """Lines in and out; answers go to whoever asked, events to `on_event`."""

    def __init__(self, on_event: Events) -> None:
        loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self._on_event = on_event
        self._lines = QmpLines()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._lines.receive_data(data)
        except DecodeError:
            self._transport.abort()
        while (event := self._lines.next_event()) is not None:
            match event:
                case Happened(name, arguments):
                    self._on_event(name, arguments)
                case Greeted():
                    if not self.greeted.done():
                        self.greeted.set_result(None)
                case Answered(number, value, error):
                    self._answered(number, value, error)

    def _answered(self, number: int, value: Any, error: str | None) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is None or waiting.done():
            return
        if error is None:
            waiting.set_result(value)
        else:
            waiting.set_exception(MonitorError(error))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.greeted.done():
            self.greeted.cancel()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(MonitorError("QEMU hung up"))
        if not self.lost.done():
            self.lost.set_result(None)

    async def execute(self, command: str, arguments: dict[str, Any]) -> Any:
        number, line = self._lines.command(command, arguments)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._transport.write(line)
        try:
            return await answer
        finally:
            self._waiting.pop(number, None)

    def close(self) -> None:
        self._transport.abort()


class Monitor:
    """The monitor of one QEMU process."""

    def __init__(self, path: Path, on_event: Events) -> None:
        self._path = path
        self._on_event = on_event
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()

    @property
    def connected(self) -> bool:
        """Whether commands have a chance."""
        return self._connection is not None and not self._connection.lost.done()

    async def connect(self, timeout: float, given_up: Callable[[], bool] = lambda: False) -> None:
        """Be connected: try again and again; `given_up()` ends it early.  Raises MonitorError."""
        try:
            async with asyncio.timeout(timeout), self._connecting:
                while not self.connected and not given_up() and not await self._try():
                    await asyncio.sleep(RETRY)
        except TimeoutError:
            pass
        if not self.connected:
            raise MonitorError(f"QEMU's monitor {self._path} does not answer")

    async def _try(self) -> bool:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_unix_connection(
                lambda: _Connection(self._on_event), str(self._path)
            )
        except OSError:
            return False
        try:
            await asyncio.wait({connection.greeted, connection.lost}, return_when=asyncio.FIRST_COMPLETED)
            if connection.lost.done():
                return False
            await connection.execute("qmp_capabilities", {})
        except MonitorError:
            connection.close()
            return False
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return True

    async def execute(self, command: str, timeout: float, **arguments: Any) -> Any:
        """Run a command.  Raises MonitorError."""
        connection = self._connection
        if connection is None or connection.lost.done():
            raise MonitorError(f"{command}: QEMU's monitor is not connected")
        try:
            return await asyncio.wait_for(connection.execute(command, arguments), timeout)
        except TimeoutError:
            raise MonitorError(f"{command}: QEMU did not answer within {timeout:g} s") from None
        except MonitorError as error:
            raise MonitorError(f"{command}: {error}") from None

    async def drained(self, timeout: float | None) -> None:
        """Wait until the connection has ended: by then all its events are told."""
        if self._connection is not None:
            await asyncio.wait({self._connection.lost}, timeout=timeout)

    async def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            await self.drained(1.0)
            self._connection = None
