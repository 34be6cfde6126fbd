"""One Intelligent Platform Management Bus: controllers by address, and links to where there are more.

Theory of operation
-------------------
A message goes to the controller that has its address here; else over the link from which that address was
last heard; else, while nothing was heard of it, over every link. With nobody here and no link, nobody
acknowledges it, which the sender is told at once (83h in Send Message). What comes in over a link is passed
on in the same way, but never back: a process with several links is the hub of a chassis. Links must form a
tree; a message that comes from an address that is ours is dropped.

Messages wait in a queue while one is being delivered, so that a controller may send from within
`receive_message`; everything that follows from a message inside this process is done when `send` returns.

A broadcast has 00h in front and can only be Get Device ID; the addressee alone answers it, and nobody's
absence is told.  [IPMB 2.11; IPMI 20.9]

Inside the process a message carries the privilege of the console that it comes from, so that a detour over
another controller does not raise it. What comes over a link has `link_privilege`.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple, Protocol

from baseboard.errors import DecodeError
from baseboard.ipmb.framing import LONGEST
from baseboard.ipmi.ipmb import BROADCAST, BusMessage
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

MOST_WAITING = 256
"""Messages; a sender that is ahead of all receivers by more gets no acknowledge."""
GET_DEVICE_ID = 0x01


class Node(Protocol):
    """A controller on the bus."""

    address: int

    def receive_message(self, message: BusMessage, now: float, privilege: int) -> None:
        """A message with the node's address; `privilege` is what its sender may do."""


class Link(Protocol):
    """A way to controllers elsewhere."""

    def send_message(self, message: bytes) -> None:
        """Send it, checksums and all, to whoever is there. What cannot be sent is lost, as on a bus."""


class _Waiting(NamedTuple):
    node: Node
    message: BusMessage
    privilege: int


class Bus:
    """Joins nodes and links."""

    def __init__(self, link_privilege: int = Privilege.OPERATOR) -> None:
        self.link_privilege = link_privilege
        self._nodes: dict[int, Node] = {}
        self._links: list[Link] = []
        self._heard: dict[int, Link] = {}
        self._waiting: deque[_Waiting] = deque()
        self._delivering = False
        self.dropped = 0
        """Messages from links that were none, or that nobody could be given."""

    def attach(self, node: Node) -> None:
        """A controller joins; its address must be free."""
        assert node.address not in self._nodes, f"{node.address:02X}h is taken"
        self._nodes[node.address] = node

    def add_link(self, link: Link) -> None:
        """A way to others opens."""
        self._links.append(link)

    def remove_link(self, link: Link) -> None:
        """It is gone, and what was heard over it with it."""
        if link in self._links:
            self._links.remove(link)
        self._heard = {address: other for address, other in self._heard.items() if other is not link}

    def send(
        self, message: BusMessage, now: float, privilege: int = Privilege.SYSTEM, broadcast: bool = False
    ) -> bool:
        """Send a message of a node; False: nobody acknowledges it."""
        return self._route(message, now, privilege, broadcast, None) or broadcast

    def receive_message(self, data: bytes, link: Link, now: float) -> None:
        """A message came over a link."""
        broadcast = data[:1] == BROADCAST
        try:
            message = BusMessage.decode(data[1:] if broadcast else data)
        except DecodeError:
            self.dropped += 1
            return
        if message.from_address in self._nodes:
            self.dropped += 1
            return
        self._heard[message.from_address] = link
        if not self._route(message, now, self.link_privilege, broadcast, link):
            self.dropped += 1

    def _route(
        self, message: BusMessage, now: float, privilege: int, broadcast: bool, source: Link | None
    ) -> bool:
        if broadcast and (message.netfn, message.command) != (NetFn.APP, GET_DEVICE_ID):
            return False
        node = self._nodes.get(message.to_address)
        if node is not None:
            return self._deliver(_Waiting(node, message, privilege), now)
        heard = self._heard.get(message.to_address)
        links = [heard] if heard is not None else self._links
        data = (BROADCAST if broadcast else b"") + message.encode()
        if len(data) > LONGEST:
            return False
        ways = [link for link in links if link is not source]
        for link in ways:
            link.send_message(data)
        return bool(ways)

    def _deliver(self, waiting: _Waiting, now: float) -> bool:
        if len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting.append(waiting)
        if self._delivering:
            return True
        self._delivering = True
        try:
            while self._waiting:
                node, message, privilege = self._waiting.popleft()
                node.receive_message(message, now, privilege)
        finally:
            self._delivering = False
        return True
