"""The VM wire on sockets: one port is one machine.

A port connects, again and again, or listens; Unix or TCP. QEMU listening and us connecting
(`-chardev socket,...,server=on,wait=off`) works with every QEMU from 7.2 on. A listening port serves one
machine: while it is attached another peer is turned away, so that a second machine started by mistake does
not take the controller from the first. A peer that vanished without a word (TCP) is found by keep-alive.

An answer leaves in the same turn of the loop in which its request came, after `handled` has made it
durable: QEMU's SSIF cannot say that it is busy and reads within 4 ms. The socket is always drained; a peer
that sends and does not read is dropped when 64 KiB wait for it.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Protocol

from baseboard.aio.endpoint import Address
from baseboard.aio.stream import Stream
from baseboard.errors import BaseboardError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context, Handler
from baseboard.vm.framing import Fault
from baseboard.vm.link import ControllerLink
from baseboard.vm.protocol import CapabilitiesReceived, Capability, MachineReset, Operation, RequestReceived

_OUTPUT_LIMIT = 65536
_RECEIVE_SIZE = 4096
_UNSPECIFIED = bytes((CompletionCode.UNSPECIFIED,))
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))


class VmOwner(Protocol):
    """Whoever owns the ports; every method is called in the event loop and must not block."""

    def handled(self, now: float) -> None:
        """Requests were executed and their answers are about to leave: commit, then pass events on.

        When it raises a BaseboardError before anything has left, the requests are answered FFh: what was
        not made durable is not acknowledged.
        """

    def connected(self, port: VmPort) -> None:
        """The machine's end is there; what it offers is not known yet."""

    def capable(self, port: VmPort, capabilities: Capability) -> None:
        """What the machine offers on this connection."""

    def lost(self, port: VmPort) -> None:
        """The machine's end is gone."""

    def machine_reset(self, port: VmPort, now: float) -> None:
        """The machine says that it was reset."""


class VmPort:
    """One machine's wire.

    Requests go to `handler` with the context of the system interface. Attention and interrupt enable are
    kept here and said to whatever machine connects.
    """

    def __init__(self, address: Address, handler: Handler, owner: VmOwner) -> None:
        self.address = address
        self.owner = owner
        self.handler = handler
        self.faults: dict[Fault, int] = dict.fromkeys(Fault, 0)
        """Malformed frames of all connections so far."""
        self.refused = 0
        """Peers turned away because a machine was attached."""
        self._attention = False, False
        self._interrupt_enabled = False
        self._last_id = 0xEF
        self._attached: _Connection | None = None
        self._stream = Stream(address, "--vm", lambda: _Connection(self))
        self._closing = False

    async def start(self) -> None:
        """Listen, or begin to connect.  Raises ConfigError when the address cannot be listened on."""
        await self._stream.start()

    async def close(self) -> None:
        """Let the machine go and stop."""
        self._closing = True
        await self._stream.close()
        if self._attached is not None:
            self._attached.drop()
            await asyncio.sleep(0)  # the transport closes its socket in the next turn

    @property
    def port(self) -> int:
        """TCP port on which we listen; the system's choice when 0 was asked."""
        return self._stream.port

    @property
    def connected(self) -> bool:
        """Whether a machine's end is there."""
        return self._attached is not None

    @property
    def capabilities(self) -> Capability:
        """What the machine offers now."""
        return self._attached.link.capabilities if self._attached is not None else Capability.NONE

    def attention(self, attention: bool, interrupt: bool) -> None:
        """The attention bit, and whether its rise interrupts."""
        self._attention = attention, interrupt
        if self._attached is not None:
            self._attached.link.set_attention(attention, interrupt)
            self._attached.flush()

    def set_interrupt(self, enabled: bool) -> None:
        """Whether the system interface interrupts at all: without it Linux asks at every timer tick."""
        self._interrupt_enabled = enabled
        if self._attached is not None:
            self._attached.link.set_interrupt(enabled)
            self._attached.flush()

    def can(self, operation: Operation) -> bool:
        """Whether a machine is there and offers this."""
        return self._attached is not None and self._attached.link.can(operation)

    def operate(self, operation: Operation) -> bool:
        """Have the machine do it; False: it cannot, or is not there."""
        if self._attached is None or not self._attached.link.can(operation):
            return False
        self._attached.link.send_operation(operation)
        self._attached.flush()
        return True

    def attach(self, connection: _Connection) -> ControllerLink | None:
        """Take a new connection; None: a machine is attached already."""
        if self._closing or (self._attached is not None and not self._attached.closing):
            self.refused += 1
            return None
        if self._attached is not None:
            self.detach(self._attached)
        self._attached = connection
        attention, interrupt = self._attention
        return ControllerLink(
            attention=attention,
            interrupt=interrupt,
            interrupt_enabled=self._interrupt_enabled,
            last_id=self._last_id,
        )

    def detach(self, connection: _Connection) -> None:
        """A connection is gone."""
        if self._attached is not connection:
            return
        self._attached = None
        self._last_id = connection.link.last_id
        for fault, count in connection.link.faults.items():
            self.faults[fault] += count
        self._stream.detached()
        self.owner.lost(self)


class _Connection(asyncio.BufferedProtocol):
    """One connection: bytes to the link, its requests to the handler, answers back."""

    link: ControllerLink
    _transport: asyncio.Transport

    def __init__(self, port: VmPort) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray(_RECEIVE_SIZE)
        self._context = Context()
        self._attached = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        link = self._port.attach(self)
        if link is None:
            transport.abort()
            return
        self._attached = True
        self.link = link
        self._context.peer = self._port
        transport.set_write_buffer_limits(high=_OUTPUT_LIMIT)
        raw = transport.get_extra_info("socket")
        if raw.family != socket.AF_UNIX:  # asyncio sets TCP_NODELAY itself
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEP_ALIVE:
                raw.setsockopt(socket.IPPROTO_TCP, option, value)
        link.greet()
        self.flush()
        self._port.owner.connected(self._port)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if not self._attached:
            return
        link, port, context = self.link, self._port, self._context
        context.now = now = self._loop.time()
        link.receive_data(bytes(self._buffer[:nbytes]))
        asked: list[RequestReceived] = []
        while (event := link.next_event()) is not None:
            if type(event) is RequestReceived:
                asked.append(event)
                link.send_response(event, port.handler(event.message, context))
            elif isinstance(event, CapabilitiesReceived):
                port.owner.capable(port, event.capabilities)
            elif isinstance(event, MachineReset):
                port.owner.machine_reset(port, now)
        try:
            port.owner.handled(now)
        except BaseboardError as error:
            self._refuse(asked, error)
        self.flush()

    def _refuse(self, asked: list[RequestReceived], error: BaseboardError) -> None:
        if self.link.withdraw():
            for request in asked:
                self.link.send_response(request, _UNSPECIFIED)
        self._loop.call_exception_handler({"message": f"VM wire: {error}", "exception": error})

    def flush(self) -> None:
        """Send what the link has to say."""
        data = self.link.data_to_send()
        if data:
            self._transport.write(data)

    @property
    def closing(self) -> bool:
        """Whether the connection is on its way down."""
        return self._transport.is_closing()

    def pause_writing(self) -> None:
        """The peer sends and does not read: 64 KiB wait for it."""
        self._transport.abort()

    def drop(self) -> None:
        """Close from our side."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._attached:
            self._attached = False
            self._port.detach(self)
