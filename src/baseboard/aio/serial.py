"""The machine's serial port: where the characters of serial over LAN come from and go to.

    unix:PATH       a client of QEMU's `-chardev socket,...,server=on,wait=off`, connecting again and again; a
    tcp:HOST:PORT   break gets through when QEMU has `telnet=on` beside it
    pty             a pseudo-terminal whose other end QEMU (`-serial PATH`) or a person opens

A port is read only while its user wants it to be (`pause`, `resume`), in pieces of 4 KiB, so that the
kernel's buffers and then the machine hold back what nobody takes. What is written waits in a bounded buffer
too: `pause_writing` asks the user to stop. CTS and DCD have no wire on these; `pause` is what CTS does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
import tty

from baseboard.aio.endpoint import Address
from baseboard.aio.serial_port import SerialPort, SerialUser
from baseboard.aio.simulated_serial import SimulatedSerial
from baseboard.aio.stream import Stream
from baseboard.aio.telnet import BREAK, Telnet

__all__ = ["PtySerial", "SerialPort", "SerialUser", "SimulatedSerial", "SocketSerial", "open_serial"]

FIRST_RETRY = 0.1
LAST_RETRY = 2.0
_READ_SIZE = 4096
_WRITE_HIGH, _WRITE_LOW = 4096, 1024


class SocketSerial(SerialPort):
    """A client of a Unix or TCP socket."""

    def __init__(self, address: Address) -> None:
        super().__init__()
        self.address = address
        self._stream = Stream(address, "--console", lambda: _Connection(self), FIRST_RETRY, LAST_RETRY)
        self._connection: _Connection | None = None
        self._paused = False

    @property
    def name(self) -> str:
        return str(self.address)

    async def start(self, user: SerialUser) -> None:
        self.user = user
        await self._stream.start()

    async def close(self) -> None:
        await self._stream.close()
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.transport.abort()
            await asyncio.sleep(0)  # the transport closes its socket in the next turn

    def write(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.write(data)

    def send_break(self) -> None:
        if self._connection is not None and self._connection.telnet.active:
            self._connection.transport.write(BREAK)

    def pause(self) -> None:
        self._paused = True
        if self._connection is not None:
            self._connection.transport.pause_reading()

    def resume(self) -> None:
        self._paused = False
        if self._connection is not None:
            self._connection.transport.resume_reading()

    def set_control(self, *, cts: bool, dcd: bool) -> None:
        pass

    def attached(self, connection: _Connection) -> None:
        """The connection is made."""
        self._connection = connection
        if self._paused:
            connection.transport.pause_reading()
        self.user.serial_connected()

    def detached(self, connection: _Connection) -> None:
        """The connection is gone."""
        if self._connection is connection:
            self._connection = None
            self._stream.detached()
            self.user.serial_lost()


class _Connection(asyncio.BufferedProtocol):
    """One connection of a `SocketSerial`."""

    transport: asyncio.Transport

    def __init__(self, port: SocketSerial) -> None:
        self._port = port
        self._buffer = bytearray(_READ_SIZE)
        self.telnet = Telnet()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(_WRITE_HIGH, _WRITE_LOW)
        self._port.attached(self)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if characters := self.telnet.receive(bytes(self._buffer[:nbytes])):
            self._port.user.serial_received(characters)

    def write(self, data: bytes) -> None:
        """Characters for the machine."""
        self.transport.write(self.telnet.send(data))

    def pause_writing(self) -> None:
        self._port.user.pause_writing()

    def resume_writing(self) -> None:
        self._port.user.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._port.detached(self)


class PtySerial(SerialPort):
    """A pseudo-terminal in raw mode; its path stays the same whoever comes and goes.

    We hold the machine's end open as well: without that every departure would end ours. So it counts as
    connected always, and what is written before anybody opens it is there to be read.
    """

    def __init__(self) -> None:
        super().__init__()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._path = os.ttyname(self._slave)
        self._output = bytearray()
        self._full = False
        self._started = False

    @property
    def name(self) -> str:
        return self._path

    async def start(self, user: SerialUser) -> None:
        self.user = user
        self._started = True
        self.resume()
        user.serial_connected()

    async def close(self) -> None:
        if self._started:
            self._started = False
            asyncio.get_running_loop().remove_reader(self._master)
            asyncio.get_running_loop().remove_writer(self._master)
        os.close(self._master)
        os.close(self._slave)

    def write(self, data: bytes) -> None:
        if not self._output:
            asyncio.get_running_loop().add_writer(self._master, self._drain)
        self._output += data
        self._drain()
        if len(self._output) >= _WRITE_HIGH and not self._full:
            self._full = True
            self.user.pause_writing()

    def send_break(self) -> None:
        # Linux accepts this for a pseudo-terminal and does nothing: it has no line to hold low.
        with contextlib.suppress(termios.error):
            termios.tcsendbreak(self._master, 0)

    def set_control(self, *, cts: bool, dcd: bool) -> None:
        pass

    def pause(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)

    def resume(self) -> None:
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.user.serial_received(os.read(self._master, _READ_SIZE))

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            del self._output[: os.write(self._master, self._output)]
        if not self._output:
            asyncio.get_running_loop().remove_writer(self._master)
        if self._full and len(self._output) <= _WRITE_LOW:
            self._full = False
            self.user.resume_writing()


def open_serial(address: Address | None) -> SerialPort:
    """The port that `--console` names; None: that of a machine which is only simulated."""
    if address is None:
        return SimulatedSerial()
    return PtySerial() if address.kind == "pty" else SocketSerial(address)
