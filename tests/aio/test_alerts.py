"""Traps leave as datagrams, and one that cannot leave harms nobody."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from baseboard.aio.alerts import AlertSender


@pytest.fixture
def sender() -> Iterator[AlertSender]:
    alerts = AlertSender()
    yield alerts
    alerts.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_datagram_arrives(sender: AlertSender, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(10)
        try:
            receiver.bind((address, 0))
        except OSError:
            pytest.skip(f"this machine has no {address}")
        for datagram in (b"one", b"two"):
            sender.send(address, receiver.getsockname()[1], datagram)
            assert receiver.recv(100) == datagram


def test_what_cannot_leave_is_lost(sender: AlertSender) -> None:
    sender.send("240.0.0.1", 162, b"no route")
    sender.send("127.0.0.1", 1, b"refused")
    sender.send("127.0.0.1", 1, b"refused, as the first one was")
    sender.send("127.0.0.1", 162, bytes(70_000))
