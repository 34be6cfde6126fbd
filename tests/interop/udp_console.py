"""The consoles of tests/lan on a real socket: what they seal goes out, what comes back is their answer."""

from __future__ import annotations

import socket
from collections.abc import Hashable
from typing import cast

from baseboard.ipmi.privilege import Privilege
from baseboard.lan.authority import Account
from baseboard.lan.server import LanServer
from tests.interop.lan_clients import PASSWORDS
from tests.lan.lan_world import Console, Console15


class Wire:
    """Stands where those consoles have their server."""

    def __init__(self, host: str, port: int, patience: float = 3.0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((host, port))
        self.patience = patience

    def receive_datagram(self, datagram: bytes, address: Hashable, now: float) -> bytes | None:
        self.socket.settimeout(self.patience)
        try:
            self.socket.send(datagram)
            return self.socket.recv(65536)
        except (TimeoutError, ConnectionRefusedError):
            return None

    def send(self, datagram: bytes) -> None:
        """Without waiting for an answer."""
        try:
            self.socket.send(datagram)
        except OSError:
            pass  # too long for a datagram, or nobody there

    def drain(self) -> int:
        """How many answers were waiting."""
        self.socket.setblocking(False)
        count = 0
        try:
            while True:
                self.socket.recv(65536)
                count += 1
        except (BlockingIOError, ConnectionRefusedError):
            return count

    def close(self) -> None:
        self.socket.close()


def account(user: str = "admin", password: bytes | None = None) -> Account:
    return Account(2, user.encode(), password or PASSWORDS[user][0].encode(), Privilege.ADMINISTRATOR)


def console(wire: Wire, user: str = "admin", suite: int = 17, password: bytes | None = None) -> Console:
    """An RMCP+ console, not logged in yet."""
    return Console(cast(LanServer, wire), account(user, password), suite)


def console_15(wire: Wire, user: str = "admin", kind: int = 2) -> Console15:
    """An IPMI 1.5 console, not logged in yet."""
    return Console15(cast(LanServer, wire), account(user), kind)
