"""A client of gdb stubs: QEMU's for machines, and qemu-user's for programs.  [GDB Remote, QEMU 7.2]

Blocking, for one thread, every wait with a deadline. What it knows about QEMU: a stub stops the machine when
a client connects, and says so unasked; `p` is answered with nothing until the description has been read;
whatever is sent while the machine runs stops it; 8.1 and newer say nothing of a stop unless it was this
client that let the machine run; and a stub whose client hangs up leaves machine and breakpoints as they are,
so that `detach` has to put both right.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Literal

from baseboard.attach.channel import TIMEOUT, Channel
from baseboard.attach.errors import AttachError, NotAttachable
from baseboard.attach.gdb_packets import Packets
from baseboard.attach.gdb_registers import Register, read_description
from baseboard.attach.gdb_stops import Stop, is_stop, parse_stop
from baseboard.errors import ConfigError, DecodeError

_CHUNK = 1024
"""Bytes of memory in one packet: QEMU 7.2 takes packets of 4096 characters."""
_DESCRIPTION = 1 << 20
MOST_THREADS = 1024

BREAKPOINT, HARDWARE_BREAKPOINT, WRITE_WATCH, READ_WATCH, ACCESS_WATCH = range(5)
"""What can be set at an address."""

ByteOrder = Literal["little", "big"]


class GdbRefused(AttachError):
    """The stub answered a command with an error."""


class GdbTimeout(AttachError):
    """The target did not stop in time; it still runs."""


class Gdb:
    """One connection. Every method raises AttachError; GdbRefused and GdbTimeout are kinds of it.

    `byte_order` is that of register values in packets: the target's.
    """

    def __init__(self, channel: Channel, byte_order: ByteOrder = "little", timeout: float = TIMEOUT) -> None:
        self.byte_order: ByteOrder = byte_order
        self.running = False
        self.ended: Stop | None = None
        """Set when the program is gone."""
        self._channel = channel
        self._timeout = timeout
        self._packets = Packets()
        self._points: set[tuple[int, int, int]] = set()
        self._thread = ""
        try:
            self._begin()
        except BaseException:
            channel.close()
            raise

    @classmethod
    def connect(cls, address: str, byte_order: ByteOrder = "little", timeout: float = TIMEOUT) -> Gdb:
        """`unix:PATH`, `tcp:HOST:PORT` or `HOST:PORT`. A running machine stops.  Raises also ConfigError."""
        return cls(open_channel(address, timeout), byte_order, timeout)

    def __enter__(self) -> Gdb:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.detach()

    def _begin(self) -> None:
        features = self.command(b"qSupported:xmlRegisters=i386").split(b";")
        if b"QStartNoAckMode+" in features and self.command(b"QStartNoAckMode") == b"OK":
            self._packets.acknowledging = False
        self._catches = b"QCatchSyscalls+" in features
        self.architecture = ""
        self.registers: dict[str, Register] = {}
        if b"qXfer:features:read+" in features:
            try:
                self.architecture, self.registers = read_description(self._file)
            except DecodeError as error:
                raise NotAttachable(f"{self._channel.who}: {error}") from None
        self.stop = self._parse(self._exchange(b"?", stop=True))
        self._resumes = {b"c", b"s"} <= set(self.command(b"vCont?").split(b";"))

    def _file(self, name: str) -> bytes:
        data = b""
        while len(data) < _DESCRIPTION:
            answer = self.command(b"qXfer:features:read:%s:%x,%x" % (name.encode(), len(data), _CHUNK))
            data += answer[1:]
            if answer[:1] == b"l" or len(answer) < 2:
                return data
        raise NotAttachable(f"{self._channel.who}: the target's description does not end")

    # Registers and memory; the target has stopped.

    def select(self, thread: str) -> None:
        """The thread (of a machine: the processor) whose registers are meant from now on."""
        if thread and thread != self._thread:
            self._ok(b"Hg" + thread.encode())
            self._thread = thread

    def threads(self) -> list[str]:
        """All there are, to be selected; of a machine: its processors."""
        threads: list[str] = []
        answer = self.command(b"qfThreadInfo")
        while answer[:1] == b"m" and len(threads) < MOST_THREADS:
            threads += answer[1:].decode(errors="replace").split(",")
            answer = self.command(b"qsThreadInfo")
        return threads

    def read_register(self, name: str) -> int:
        """A register's value."""
        return int.from_bytes(self._hex(b"p%x" % self._register(name).number), self.byte_order)

    def write_register(self, name: str, value: int) -> None:
        """Set a register; bits that it does not have are dropped."""
        register = self._register(name)
        size = (register.bits + 7) // 8
        data = (value & (1 << register.bits) - 1).to_bytes(size, self.byte_order)
        self._ok(b"P%x=%s" % (register.number, data.hex().encode()))

    def read_registers(self) -> bytes:
        """The block of `g`: all general registers, in an order that only the stub knows."""
        return self._hex(b"g")

    def write_registers(self, block: bytes) -> None:
        """The block of `G`, made from one of `read_registers`."""
        self._ok(b"G" + block.hex().encode())

    def read_memory(self, address: int, size: int) -> bytes:
        """Memory as the selected thread sees it."""
        data = b""
        while len(data) < size:
            length = min(_CHUNK, size - len(data))
            piece = self._hex(b"m%x,%x" % (address + len(data), length))
            if not 0 < len(piece) <= length:
                raise GdbRefused(f"{self._channel.who}: {len(piece)} of {length} bytes at {address:#x}")
            data += piece
        return data

    def write_memory(self, address: int, data: bytes) -> None:
        """Write memory as the selected thread sees it."""
        for start in range(0, len(data), _CHUNK):
            piece = data[start : start + _CHUNK]
            self._ok(b"M%x,%x:%s" % (address + start, len(piece), piece.hex().encode()))

    def physical_memory(self, on: bool) -> None:
        """QEMU: whether addresses of memory are physical ones from now on."""
        self._ok(b"Qqemu.PhyMemMode:%d" % on)

    # Stopping and running.

    def set_point(self, kind: int, address: int, size: int = 4) -> None:
        """Set a breakpoint or watchpoint (kinds 0 to 4)."""
        self._ok(b"Z%x,%x,%x" % (kind, address, size))
        self._points.add((kind, address, size))

    def clear_point(self, kind: int, address: int, size: int = 4) -> None:
        """Take it away again."""
        self._ok(b"z%x,%x,%x" % (kind, address, size))
        self._points.discard((kind, address, size))

    def catch_syscalls(self, numbers: Iterable[int] | None) -> None:
        """Stop at entry to and return from these system calls; None: no more.  Raises also NotAttachable."""
        if not self._catches:
            raise NotAttachable(
                f"{self._channel.who} cannot catch system calls: it must be a qemu-user of version 9 or newer"
            )
        wanted = b"0" if numbers is None else b"1" + b"".join(b";%x" % number for number in numbers)
        self._ok(b"QCatchSyscalls:" + wanted)

    def resume(self) -> None:
        """Let everything run; `wait` tells how it ends."""
        self._start(b"vCont;c" if self._resumes else b"c")

    def resume_with(self, signal: int) -> None:
        """Let everything run, and the thread that stopped have this signal."""
        self._start(b"C%02x" % signal)

    def step(self, timeout: float | None = None) -> Stop:
        """One instruction of the selected thread, or else of that which stopped.

        The others stand still where the stub can do that.
        """
        thread = self._thread or self.stop.thread
        only = b":" + thread.encode() if thread else b""
        self._start(b"vCont;s" + only if self._resumes else b"s")
        return self.wait(self._timeout if timeout is None else timeout)

    def run(self, timeout: float | None = None) -> Stop:
        """Let everything run until it stops."""
        self.resume()
        return self.wait(self._timeout if timeout is None else timeout)

    def wait(self, timeout: float) -> Stop:
        """Wait until the running target stops.  Raises GdbTimeout; then it still runs."""
        deadline = time.monotonic() + timeout
        while (payload := self._packets.next_event()) is None or not is_stop(payload):
            if payload is None and not self._channel.readable(max(0.0, deadline - time.monotonic())):
                raise GdbTimeout(f"{self._channel.who}: no stop within {timeout:g} s")
            if payload is None:
                self._receive(time.monotonic() + self._timeout)
        self.running = False
        self.stop = self._parse(payload)
        return self.stop

    def interrupt(self) -> Stop:
        """Stop a running target; the reply may be that of a stop just before."""
        if not self.running:
            return self.stop
        self._packets.send_interrupt()
        self._flush(time.monotonic() + self._timeout)
        return self.wait(self._timeout)

    def kill(self) -> None:
        """End the program, or QEMU itself, and hang up."""
        if self.running:
            self.interrupt()
        self._packets.send(b"k")
        self._flush(time.monotonic() + self._timeout)
        self._channel.close()

    def halt(self) -> None:
        """Stop the target, which somebody else may have let run or stopped, by QEMU's monitor.

        Stops that are said are passed over, for there may be none: what the processors are about to do has
        to be looked at.
        """
        self._packets.send_interrupt()
        self.running = False
        self._thread = ""
        self.command(b"qC")

    def detach(self, running: bool = True) -> None:
        """Hang up and leave the target without our points, and running or not; may be called again."""
        if self._channel.readable() and self.running:
            try:
                self.wait(0)
            except AttachError:
                pass
        try:
            if self.ended is None and not self._channel.closed:
                self.interrupt()
                for point in list(self._points):
                    self.clear_point(*point)
                if running and self.command(b"D") != b"OK":
                    self.resume()
        except AttachError:
            pass  # it is gone: there is nothing to leave running
        finally:
            self._channel.close()

    def fileno(self) -> int:
        """For `select`: readable when the target may have stopped, or the stub is gone."""
        return self._channel.fileno()

    def readable(self, timeout: float = 0.0) -> bool:
        """Whether the stub said something; `wait` then returns soon."""
        return self._channel.readable(timeout)

    # One command.

    def command(self, payload: bytes) -> bytes:
        """Send any command but those that resume; its answer. Stops that nobody waits for are passed over."""
        return self._exchange(payload, stop=False)

    def _exchange(self, payload: bytes, *, stop: bool) -> bytes:
        if self.ended is not None:
            raise AttachError(f"{self._channel.who}: the program has ended")
        if self.running:
            raise AttachError(f"{self._channel.who}: the target runs; stop it first")
        deadline = time.monotonic() + self._timeout
        self._packets.send(payload)
        self._flush(deadline)
        while True:
            answer = self._packets.next_event()
            if answer is None:
                self._receive(deadline)
            elif is_stop(answer) == stop:
                return answer

    def _start(self, payload: bytes) -> None:
        if self.ended is not None:
            raise AttachError(f"{self._channel.who}: the program has ended")
        while self._packets.next_event() is not None:
            pass
        self._packets.send(payload)
        self._flush(time.monotonic() + self._timeout)
        self._expect_run()

    def _expect_run(self) -> None:
        self.running = True
        self._thread = ""

    def _receive(self, deadline: float) -> None:
        try:
            self._packets.receive_data(self._channel.receive(deadline))
        except DecodeError as error:
            raise AttachError(f"{self._channel.who}: {error}") from None
        self._flush(deadline)

    def _flush(self, deadline: float) -> None:
        if data := self._packets.data_to_send():
            self._channel.send(data, deadline)

    def _parse(self, payload: bytes) -> Stop:
        try:
            stop = parse_stop(payload)
        except DecodeError as error:
            raise AttachError(f"{self._channel.who}: {error}") from None
        if stop.ended is not None:
            self.ended = stop
        return stop

    def _ok(self, payload: bytes) -> None:
        answer = self.command(payload)
        if answer != b"OK":
            raise self._refused(payload, answer)

    def _hex(self, payload: bytes) -> bytes:
        answer = self.command(payload)
        try:
            if not answer or (answer[:1] == b"E" and len(answer) == 3):
                raise ValueError
            return bytes.fromhex(answer.decode("ascii"))
        except ValueError:
            raise self._refused(payload, answer) from None

    def _refused(self, payload: bytes, answer: bytes) -> GdbRefused:
        said = repr(answer[:40].decode(errors="replace")) if answer else "nothing: it does not know it"
        return GdbRefused(
            f"{self._channel.who}: {payload[:40].decode(errors='replace')!r} answered with {said}"
        )

    def _register(self, name: str) -> Register:
        if name not in self.registers:
            raise NotAttachable(
                f"{self._channel.who}: no register {name!r}; the target is {self.architecture or 'unknown'}"
            )
        return self.registers[name]


def open_channel(address: str, timeout: float = TIMEOUT) -> Channel:
    """A connection to a stub.  Raises ConfigError (it is no address) and AttachError (nobody is there)."""
    kind, _, place = address.partition(":")
    if kind == "unix" and place:
        return Channel.connect(Path(place), "gdb stub", timeout, option="-gdb")
    host, _, port = (place if kind == "tcp" else address).rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigError(f"{address!r} is not the address of a gdb stub: unix:PATH or tcp:HOST:PORT")
    try:
        connection = socket.create_connection((host.strip("[]"), int(port)), timeout)
    except OSError as error:
        raise AttachError(f"gdb stub {address}: cannot connect: {error.strerror or error}") from None
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Channel(connection, f"gdb stub {address}")
