"""A serial port that others connect to: one peer at a time on a Unix or TCP socket."""

from __future__ import annotations

import asyncio
import contextlib
import os

from baseboard.aio.endpoint import Address, host_port
from baseboard.aio.serial_port import SerialPort, SerialUser
from baseboard.aio.unix_listener import unix_listener
from baseboard.errors import ConfigError

_OUTPUT_LIMIT = 65536


class ListeningSerial(SerialPort):
    """The port; while somebody is attached, others are turned away."""

    def __init__(self, address: Address, flag: str) -> None:
        super().__init__()
        self.address = address
        self._flag = flag
        self._server: asyncio.Server | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def name(self) -> str:
        if self._server is None or self.address.kind == "unix":
            return str(self.address)
        return f"tcp:{host_port(self.address.host, self._server.sockets[0].getsockname()[1])}"

    async def start(self, user: SerialUser) -> None:
        self.user = user
        loop, address = asyncio.get_running_loop(), self.address
        if address.kind == "unix":
            listener = unix_listener(address.path, self._flag)
            self._server = await loop.create_unix_server(lambda: _Peer(self), sock=listener)
            return
        try:
            self._server = await loop.create_server(lambda: _Peer(self), address.host, address.port)
        except OSError as error:
            raise ConfigError(f"{self._flag}: {address}: cannot listen: {error.strerror}") from None

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            if self.address.kind == "unix":
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.address.path)
            self._server = None
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
            await asyncio.sleep(0)  # the transport closes its socket in the next turn

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def send_break(self) -> None:
        pass

    def pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def set_control(self, *, cts: bool, dcd: bool) -> None:
        pass

    def attach(self, transport: asyncio.Transport) -> bool:
        """A peer is there; False: another one is."""
        if self._transport is not None or self._server is None:
            return False
        self._transport = transport
        self.user.serial_connected()
        return True

    def detach(self, transport: asyncio.Transport) -> None:
        """A peer is gone."""
        if self._transport is transport:
            self._transport = None
            self.user.serial_lost()


class _Peer(asyncio.Protocol):
    """One connection."""

    _transport: asyncio.Transport

    def __init__(self, port: ListeningSerial) -> None:
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=_OUTPUT_LIMIT)
        if not self._port.attach(transport):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._port.user.serial_received(data)

    def pause_writing(self) -> None:
        """It sends and does not read: 64 KiB wait for it."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._port.detach(self._transport)
