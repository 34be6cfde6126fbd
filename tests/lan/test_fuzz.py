"""Whatever arrives, in whatever state: nothing is raised, and what is kept stays bounded."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lan.lan_world import CONSOLE, DEVICE_ID, Console, Console15, lan_message, make_server, plus

from baseboard.lan.server import LanServer
from baseboard.lan.session15 import Session15

SUITES = (17, 3, 12, 2, 1, 0)


class World:
    """One server in every state at once, made anew for each example."""

    def __init__(self) -> None:
        numbers = random.Random(5)
        self.server: LanServer = make_server(random=numbers.randbytes)
        self.opened = Console(self.server)
        self.opened.open()
        self.challenged = Console(self.server, suite=17)
        self.challenged.open()
        self.challenged.rakp1()
        self.challenged15 = Console15(self.server)
        self.challenged15.challenge()
        self.inside = [Console(self.server, suite=suite).login() for suite in SUITES]
        self.inside15 = [Console15(self.server, kind=kind).login() for kind in (0, 2, 4)]

    def packets(self) -> list[bytes]:
        """One right packet of each kind."""
        opened, challenged = self.opened, self.challenged
        return [
            bytes.fromhex("0600ff06000011be80fe0000"),
            plus(0, lan_message(0x06, 0x37)),
            plus(0x10, opened.open_request()),
            plus(0x12, opened.rakp1_request()),
            plus(0x14, challenged.rakp3_request()),
            self.challenged15.activation(),
            self.challenged15.seal(lan_message(0x06, 0x39, b"\2" + b"admin".ljust(16, b"\0")), 0, 0, 0),
            *(console.seal(lan_message(0x0A, 0x44, bytes(16))) for console in self.inside),
            *(
                console.seal(lan_message(0x0A, 0x44, bytes(16)), console.kind, console.id, console.inbound)
                for console in self.inside15
            ),
        ]

    def check(self) -> None:
        """All sessions that nobody closed still work."""
        assert len(self.server._openings) <= 64
        for console in self.inside:
            if console.suite[1]:
                assert console.request(0x06, 0x01) == DEVICE_ID


@given(st.lists(st.binary(max_size=120), max_size=10))
@settings(max_examples=100)
def test_any_bytes(datagrams: list[bytes]) -> None:
    server = make_server()
    for data in datagrams:
        for prefix in (
            b"",
            b"\6\0\xff\6",
            b"\6\0\xff\7",
            b"\6\0\xff\7\6",
            b"\6\0\xff\7\6\x10",
            b"\6\0\xff\7\0",
        ):
            server.receive_datagram(prefix + data, CONSOLE, 0.0)
    assert not server.sessions


@given(st.data())
@settings(max_examples=150)
def test_right_packets_spoiled(data: st.DataObject) -> None:
    world = World()
    for packet in world.packets():
        spoiled = bytearray(packet)
        for _ in range(data.draw(st.integers(1, 3))):
            index = data.draw(st.integers(4, len(spoiled) - 1))
            spoiled[index] = data.draw(st.integers(0, 255))
        end = data.draw(st.integers(5, len(spoiled)))
        world.server.receive_datagram(bytes(spoiled[:end]), CONSOLE, 1.0)
        world.server.receive_datagram(bytes(spoiled), CONSOLE, 1.0)
    world.check()


@given(st.binary(max_size=80), st.integers(0, 0x3F))
@settings(max_examples=100)
def test_any_payload_rightly_sealed(payload: bytes, payload_type: int) -> None:
    world = World()
    for console in world.inside:
        console.send(console.seal(payload, payload_type=payload_type))
        console.send(console.seal(payload, payload_type=0))
        if console.suite[2]:
            console.send(console.seal(payload, payload_type=0, trailer=b""))
    for old in world.inside15:
        old.send(old.seal(payload, old.kind, old.id, old.inbound))
    world.check()


@given(st.binary(max_size=60), st.sampled_from([0x10, 0x12, 0x14]))
@settings(max_examples=200)
def test_any_log_in_message(payload: bytes, payload_type: int) -> None:
    world = World()
    ids = (b"\1\2\3\4", world.opened.id_c, world.challenged.id_c, world.inside[0].id_c)
    for number in ids:
        world.server.receive_datagram(plus(payload_type, payload[:4] + number + payload[4:]), CONSOLE, 1.0)
    assert len(world.server.sessions) == len(world.inside) + len(world.inside15)
    world.check()


@given(st.binary(min_size=0, max_size=60), st.integers(0, 255))
@settings(max_examples=100)
def test_any_message_of_any_ipmi_15_session(message: bytes, kind: int) -> None:
    world = World()
    for session in list(world.server.sessions.values()):
        if isinstance(session, Session15):
            for console in world.inside15:
                console.send(console.seal(message, kind, session.id, console.inbound))
    world.challenged15.send(world.challenged15.seal(message, kind, world.challenged15.id, 0))
    world.check()


def test_a_long_random_walk_stays_bounded() -> None:
    world, numbers = World(), random.Random(7)
    packets = world.packets()
    for step in range(20_000):
        packet = bytearray(numbers.choice(packets))
        for _ in range(numbers.randrange(3)):
            packet[numbers.randrange(len(packet))] = numbers.randrange(256)
        address = (f"10.0.0.{numbers.randrange(200)}", numbers.randrange(65536))
        world.server.receive_datagram(bytes(packet), address, step / 1000)
        if step % 1000 == 0:
            world.server.handle_deadline(step / 1000)
    assert len(world.server._openings) <= 256
    assert len(world.server._challenges) <= 256
    assert len(world.server.sessions) <= 63
    assert len(world.server.datagrams_to_send()) <= 1024


@pytest.mark.parametrize("size", [*range(40), 1000, 4096, 65507])
def test_every_length(size: int) -> None:
    server = make_server()
    for byte in (b"\0", b"\6", b"\xff"):
        assert server.receive_datagram(byte * size, CONSOLE, 0.0) is None
