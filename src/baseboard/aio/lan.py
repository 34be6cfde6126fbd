"""The LAN on a UDP socket.

The socket is our own and not asyncio's: its datagram transport makes a buffer of 256 KiB for every
datagram that it reads, which costs more than the answer. Each wake-up takes a bounded number of datagrams, so
that a flood does not starve the other sockets of the loop.

An answer leaves after `handled` has made durable what its request changed. What cannot be sent at once is
dropped, as a network would: the console asks again.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any

from baseboard.aio.endpoint import Address
from baseboard.bmc.lan_configuration import LanStatistics
from baseboard.errors import ConfigError
from baseboard.lan.server import LanServer

DATAGRAMS_AT_A_TIME = 64
_LARGEST = 4096
"""Longer datagrams are cut, and refused for it: no IPMI packet has half as much."""
_RECEIVE_BUFFER = 1 << 20
_RMCP = b"\x06"
"""Version, the first byte of an RMCP packet.  [IPMI 13.1.3]"""

_ADVICE = {
    errno.EADDRINUSE: "another program answers there; choose another port, or 0 for any that is free",
    errno.EACCES: "ports below 1024 need a privilege; choose a port above",
    errno.EADDRNOTAVAIL: "the host has no such address",
}


class LanListener:
    """One UDP socket for one server.

    `handled(now)` is called after each datagram and before its answer leaves; an error that it raises keeps
    the answer back. `ports` is how many ports are tried, from the address's own up, until one is free.
    """

    def __init__(
        self, server: LanServer, address: Address, handled: Callable[[float], None], *, ports: int = 1
    ) -> None:
        self.server = server
        self._wanted = address
        self._handled = handled
        self._ports = ports
        self._socket: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.statistics = LanStatistics()
        """What went through; the controller puts its own in here."""

    async def start(self) -> None:
        """Bind the socket and answer.  Raises ConfigError when no port can be had."""
        self._loop = asyncio.get_running_loop()
        self._socket = await self._bind()
        self.server.port = self.address[1]
        self._loop.add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Answer no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that answer; the port is the system's choice when 0 was asked."""
        if self._socket is None:
            return self._wanted.host, self._wanted.port
        host, port, *_ = self._socket.getsockname()
        return host, port

    def flush(self) -> None:
        """Send what the server has to say unasked, and see to its deadline.

        To be called after anything but a datagram made it say something (serial over LAN, a bridged answer).
        """
        for datagram, peer in self.server.datagrams_to_send():
            self._send(datagram, peer)
        if self._timer is None and self._socket is not None:
            # Deadlines only ever move away, so one timer at a time will do; a log-in that then expires later
            # than it should is not found any more all the same.
            deadline = self.server.next_deadline()
            if deadline is not None:
                self._timer = self._loop.call_at(deadline, self._expire)

    async def _look_up(self) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
        host, port, kind = self._wanted.host, self._wanted.port, socket.SOCK_DGRAM
        try:
            # Most hosts are numbers, for which nobody need be asked in a thread.
            found = socket.getaddrinfo(host.encode(), port, type=kind, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            try:
                found = await self._loop.getaddrinfo(host, port, type=kind)
            except socket.gaierror as error:
                raise ConfigError(f"--lan: {self._wanted}: {error.strerror}") from None
        family, _, _, _, where = found[0]
        return family, where

    async def _bind(self) -> socket.socket:
        port = self._wanted.port
        family, where = await self._look_up()
        last = min(port + self._ports, 65536) if port else 1
        for candidate in range(port, last):
            udp = socket.socket(family, socket.SOCK_DGRAM)
            try:
                udp.setblocking(False)
                udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
                udp.bind((where[0], candidate, *where[2:]))
            except OSError as error:
                udp.close()
                if error.errno == errno.EADDRINUSE and candidate + 1 < last:
                    continue
                advice = _ADVICE.get(error.errno or 0, error.strerror)
                raise ConfigError(f"--lan: cannot bind {self._wanted}: {advice}") from None
            return udp
        raise AssertionError("there is at least one port to try")

    def _readable(self) -> None:
        assert self._socket is not None
        receive, server, handled, clock = self._socket.recvfrom, self.server, self._handled, self._loop.time
        send, statistics = self._socket.sendto, self.statistics
        for _ in range(DATAGRAMS_AT_A_TIME):
            try:
                data, peer = receive(_LARGEST)
            except BlockingIOError:
                break
            except OSError:  # an ICMP error about something sent earlier
                continue
            now = clock()
            statistics.udp_received += 1
            statistics.rmcp_received += data[:1] == _RMCP
            answer = server.receive_datagram(data, peer, now)
            handled(now)
            if answer is not None:
                try:
                    send(answer, peer)
                    statistics.udp_transmitted += 1
                except OSError:  # no room, or no way to the peer
                    pass
        self.flush()

    def _send(self, datagram: bytes, peer: object) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(datagram, peer)  # type: ignore[call-overload]  # an address of recvfrom's
            self.statistics.udp_transmitted += 1
        except OSError:
            pass

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        self.server.handle_deadline(now)
        self._handled(now)
        self.flush()
