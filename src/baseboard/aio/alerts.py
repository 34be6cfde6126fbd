"""Traps on their way out: datagrams to whoever listens for alerts.

Nothing is received here; an acknowledgement comes over the LAN as a command. A datagram that cannot be sent
is lost like one that the network drops: when to send again is the controller's business.
"""

from __future__ import annotations

import socket


class AlertSender:
    """One UDP socket for each address family, opened when it is first needed."""

    def __init__(self) -> None:
        self._sockets: dict[socket.AddressFamily, socket.socket] = {}

    def send(self, address: str, port: int, datagram: bytes) -> None:
        """Send a datagram to a numeric address."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            self._socket(family).sendto(datagram, (address, port))
        except OSError:  # no route, no room, or an ICMP error about the one before
            pass

    def close(self) -> None:
        """Send no more."""
        for udp in self._sockets.values():
            udp.close()
        self._sockets.clear()

    def _socket(self, family: socket.AddressFamily) -> socket.socket:
        udp = self._sockets.get(family)
        if udp is None:
            udp = self._sockets[family] = socket.socket(family, socket.SOCK_DGRAM)
            udp.setblocking(False)
        return udp
