"""PCI functions at a Unix socket, for virtual machines whose monitor we do not own.

Theory of operation
-------------------
While the guest's processor waits for an access nothing else happens in the guest, so that accesses wait for
nobody here either: each connection has a thread, which blocks in the socket, and only the controller's work
is done in the event loop (`EngineSeam`). Function and device are touched with the lock held, by whichever of
the two it is.

An access is followed by another within microseconds, or by none for long. So the thread looks for the next
one for a moment, and lets others run meanwhile, before it sleeps: to be woken on a processor that has gone
idle can take longer than all the rest. But who gives way to a program that has enough to do comes back when
that one's turn is over, and who sleeps, as soon as there is something: where that is seen the thread sleeps.

One machine at a time. When it goes, the device is reset and ready for the next; one that comes meanwhile
is told that the function is in use. The socket is its owner's alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from baseboard.aio.unix_listener import unix_listener
from baseboard.errors import DecodeError
from baseboard.interface.bus.function import Function
from baseboard.interface.remote.stream import HEADER_SIZE, MOST_DESCRIPTORS, MessageStream

CHANGE_OVER = 0.5
"""Seconds that a new machine waits for an old one that is on its way out."""
PARTING = 5.0
"""Seconds in which one that was told so is to hang up."""
MOST_WAITING = 8
PAUSE = 1.0
"""Seconds until the next look at who waits, when this process has no file descriptor left."""
_RECEIVE_SIZE = 4096
ATTENTIVE = 100e-6
"""Seconds after an access in which the next one finds its thread awake."""
CROWDED = 500e-6
"""Seconds; who comes back later than this has given way to another program than the machine."""
MODEST = 20
"""Messages for which the thread then sleeps at once: few, for the machine's own work may have been it."""
_SLEEP = int(socket.MSG_CMSG_CLOEXEC)
_LOOK = _SLEEP | socket.MSG_DONTWAIT
_ANCILLARY_SIZE = socket.CMSG_SPACE(MOST_DESCRIPTORS * array("i").itemsize)

_Message = tuple[bytes, list[tuple[int, int, bytes]], int, Any]
"""Data, what came along, flags, sender."""


def _nothing() -> None:
    pass


class FunctionPort:
    """One function at one socket, in the words of `protocol`.

    `settle` is called in the connection's thread when accesses have been made, before they are answered: what
    they set going may be waited for, briefly.
    """

    def __init__(
        self,
        path: Path,
        flag: str,
        function: Function,
        protocol: type[MessageStream],
        lock: threading.Lock,
        settle: Callable[[], None] = _nothing,
    ) -> None:
        self.path = path
        self.function = function
        self.refused = 0
        """Machines turned away because another was there."""
        self._flag = flag
        self._protocol = protocol
        self._lock = lock
        self._settle = settle
        self._listener: socket.socket | None = None
        self._arrivals: set[asyncio.Task[None]] = set()
        self._connection: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._free = asyncio.Event()
        self._free.set()

    async def start(self) -> None:
        """Listen.  Raises ConfigError."""
        self._loop = asyncio.get_running_loop()
        self._listener = listener = unix_listener(str(self.path), self._flag)
        listener.setblocking(False)
        listener.listen()
        self._look_out()

    async def close(self) -> None:
        """Turn the machine out and stop. It sees a device that does not answer any more."""
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
        for task in tuple(self._arrivals):
            task.cancel()
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            await self._free.wait()

    @property
    def connected(self) -> bool:
        """Whether a machine is there."""
        return self._connection is not None

    # In the event loop.

    def _look_out(self) -> None:
        if self._listener is not None:
            self._loop.add_reader(self._listener, self._arrived)

    def _arrived(self) -> None:
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # it has gone again
            return
        except OSError:  # it is still there, and the loop would come back at once
            self._loop.remove_reader(self._listener)
            self._loop.call_later(PAUSE, self._look_out)
            return
        if len(self._arrivals) >= MOST_WAITING:
            self.refused += 1
            connection.close()
            return
        task = self._loop.create_task(self._receive(connection))
        self._arrivals.add(task)
        task.add_done_callback(self._arrivals.discard)

    async def _receive(self, connection: socket.socket) -> None:
        """Let a machine in as soon as there is none, or tell it that there is one."""
        try:
            async with asyncio.timeout(CHANGE_OVER):
                while self._connection is not None:
                    await self._free.wait()
            self._attach(connection)
        except TimeoutError:
            self.refused += 1
            await self._refuse(connection)
        except asyncio.CancelledError:
            connection.close()
            raise

    async def _refuse(self, connection: socket.socket) -> None:
        """Answer its first message, and let it hang up: QEMU 11.1 aborts when the answer and the end come
        together.
        """
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.setblocking(False)
            async with asyncio.timeout(PARTING):
                asked = await self._loop.sock_recv(connection, HEADER_SIZE)
                answer = self._protocol.refusal(asked)
                await self._loop.sock_sendall(connection, answer)
                while answer and await self._loop.sock_recv(connection, _RECEIVE_SIZE):
                    pass

    def _attach(self, connection: socket.socket) -> None:
        connection.setblocking(True)
        self._connection = connection
        self._free.clear()
        self._thread = threading.Thread(
            target=self._serve, args=(connection,), name=f"baseboard {self._flag}", daemon=True
        )
        self._thread.start()

    def _gone(self, failure: Exception | None) -> None:
        """`failure`: what the machine said that its protocol does not have, or a fault of ours."""
        assert self._connection is not None
        assert self._thread is not None
        self._thread.join()
        self._connection.close()
        self._connection = self._thread = None
        self._free.set()
        if failure is not None:
            self._loop.call_exception_handler({"message": self._flag, "exception": failure})

    # In the connection's thread.

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            machine = self._protocol(self.function, _Received())
        failure: Exception | None = None
        try:
            self._converse(connection, machine)
        except OSError:  # the machine's end is gone
            pass
        except Exception as error:
            failure = error
        if machine.failure:
            failure = DecodeError(f"{self._flag}: {self.path}: {machine.failure}")
        with self._lock:
            machine.disconnect()
            self.function.reset()
        self._loop.call_soon_threadsafe(self._gone, failure)

    def _converse(self, connection: socket.socket, machine: MessageStream) -> None:
        receive, send = _Ear(connection).receive, connection.sendall
        lock, settle = self._lock, self._settle
        while not machine.failure:
            data, ancillary, _, _ = receive()
            if not data:
                break
            with lock:
                machine.receive_data(data, _descriptors(ancillary) if ancillary else ())
                answer = machine.data_to_send()
            settle()
            if answer:
                send(answer)


class _Ear:
    """What waits for the machine's next message."""

    def __init__(self, connection: socket.socket) -> None:
        self._receive = connection.recvmsg
        self._modest = 0
        """Messages for which it is still to sleep at once."""

    def receive(self) -> _Message:
        receive, give_way = self._receive, os.sched_yield
        if self._modest:
            self._modest -= 1
            return receive(_RECEIVE_SIZE, _ANCILLARY_SIZE, _SLEEP)
        now = time.monotonic()
        deadline = now + ATTENTIVE
        while now < deadline:
            give_way()  # first: the machine, which may be on this processor, has an answer to take
            try:
                message = receive(_RECEIVE_SIZE, _ANCILLARY_SIZE, _LOOK)
            except BlockingIOError:
                now = time.monotonic()
                continue
            if time.monotonic() - now > CROWDED:
                self._modest = MODEST
            return message
        return receive(_RECEIVE_SIZE, _ANCILLARY_SIZE, _SLEEP)


class _Received:
    """File descriptors that a machine has sent."""

    def signal(self, descriptor: int) -> None:
        try:
            os.set_blocking(descriptor, False)  # whatever it is, we do not wait for it
            os.eventfd_write(descriptor, 1)
        except OSError:
            pass

    def close(self, descriptor: int) -> None:
        os.close(descriptor)


def _descriptors(ancillary: Iterable[tuple[int, int, bytes]]) -> list[int]:
    numbers = array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return numbers.tolist()
