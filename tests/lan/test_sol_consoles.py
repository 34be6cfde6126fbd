"""Serial over LAN against the three kinds of console, over a network that loses, repeats and delays.

The consoles are written from what ipmitool 1.8.19, FreeIPMI 1.6.10 and pyghmi 1.6 were seen to do. Each kind
is to get every character of the machine once and in order, and the machine every character of the console.
The network is kinder where a console's own fault forbids that, and says so.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.lan.sol import CharactersReceived, SolEngine
from baseboard.lan.sol_sender import SolTiming

SESSION = 7
QUICK, SLOW = 0.01, 0.15
PATIENCE = 300.0
"""Simulated seconds after which a conversation has failed."""

DELIVER, LOSE, REPEAT, DELAY = range(4)
FATES = st.lists(st.sampled_from((DELIVER, LOSE, REPEAT, DELAY)), max_size=60).map(
    lambda fates: [fate for i, fate in enumerate(fates) if fate != LOSE or fates[:i].count(LOSE) < 7]
)
"""What happens to the packets in turn; fewer are lost than the engine has tries."""


class World:
    """One clock for the engine, the network and the console."""

    def __init__(self, console: type[Console], fates: list[int]) -> None:
        self.now = 0.0
        self._order = count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._fates: Iterator[int] = iter(fates)
        self.engine = SolEngine(lambda: SolTiming(retry_interval=0.5, retry_count=7))
        self.machine_got = bytearray()
        self.machine_has = b""
        self.console = console(self)
        self.engine.serial_connected(0.0)
        self.engine.activate(SESSION, encrypted=True, authenticated=True, handshake=True, now=0.0)

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do `action` at `when`."""
        heapq.heappush(self._agenda, (when, next(self._order), action))

    def to_engine(self, data: bytes) -> None:
        """A packet from the console."""
        self._carry(lambda: self.engine.receive_payload(SESSION, data, self.now), self.console.may_lose(data))

    def to_console(self, data: bytes) -> None:
        """A packet from the engine."""
        self._carry(lambda: self.console.receive(data), self.console.may_miss(data))

    def _carry(self, deliver: Callable[[], None], may_be_lost: bool) -> None:
        fate = next(self._fates, DELIVER)
        if fate == LOSE and may_be_lost:
            return
        self.at(self.now + (SLOW if fate == DELAY else QUICK), deliver)
        if fate == REPEAT:
            self.at(self.now + QUICK * 1.5, deliver)

    def run(self, until: Callable[[], bool]) -> None:
        """Let time go by until it is so."""
        while not until():
            self._settle()
            deadline = self.engine.next_deadline()
            if self._agenda and (deadline is None or self._agenda[0][0] <= deadline):
                self.now, _, action = heapq.heappop(self._agenda)
                action()
            else:
                assert deadline is not None, "nothing more will happen"
                self.now = max(self.now, deadline)
                self.engine.handle_deadline(self.now)
            assert self.now < PATIENCE

    def _settle(self) -> None:
        """The pump between the engine and the machine."""
        while self.machine_has and self.engine.wants_output:
            chunk, self.machine_has = self.machine_has[:4096], self.machine_has[4096:]
            self.engine.receive_output(chunk, self.now)
        while (event := self.engine.next_event()) is not None:
            if isinstance(event, CharactersReceived):
                self.machine_got += event.data
        for payload in self.engine.payloads_to_send():
            self.to_console(payload.data)


class Console:
    """What all do: one packet under way, every numbered one acknowledged, retries not shown twice."""

    patience = 0.5

    def __init__(self, world: World) -> None:
        self.world = world
        self.screen = bytearray()
        self.typed = b""
        self.waiting = b""
        self.number = 0
        self.attempt = 0
        self.shown_number = 0
        self.shown_count = 0

    def may_lose(self, data: bytes) -> bool:
        """Whether the network may lose this packet of ours."""
        return True

    def may_miss(self, data: bytes) -> bool:
        """Whether it may lose this packet to us."""
        return True

    def type(self, text: bytes) -> None:
        """Send all this."""
        self.typed += text
        self.next_packet()

    def next_packet(self) -> None:
        """Send what is left, when nothing is under way."""
        if self.typed and not self.waiting:
            self.waiting, self.typed = self.typed[:100], self.typed[100:]
            self.number = self.number % 15 + 1
            self.send()

    def send(self) -> None:
        """Send the packet that is under way, and look after it later."""
        self.attempt += 1
        attempt = self.attempt
        self.world.to_engine(bytes((self.number, 0, 0, 0)) + self.waiting)
        self.world.at(self.world.now + self.patience, lambda: self.look_after(attempt))

    def look_after(self, attempt: int) -> None:
        """Nothing came in time."""
        if self.waiting and attempt == self.attempt:
            self.send()

    def receive(self, data: bytes) -> None:
        """A packet came."""
        number, acknowledged, accepted, flags = data[:4]
        if number:
            self.show(number, data[4:])
            self.world.to_engine(bytes((0, number, len(data) - 4, 0)))
        if acknowledged:
            self.acknowledged(acknowledged, accepted, flags)
        self.next_packet()

    def show(self, number: int, characters: bytes) -> None:
        """Characters of the machine."""
        known = self.shown_count if number == self.shown_number else 0
        self.screen += characters[known:]
        self.shown_number, self.shown_count = number, len(characters)

    def acknowledged(self, number: int, accepted: int, flags: int) -> None:
        """The engine took a packet."""
        if self.waiting and number == self.number:
            assert (accepted, flags) == (len(self.waiting), 0), "whole packets only"
            self.waiting = b""


class FreeIpmi(Console):
    """Asks again after half a second, under the same number."""


class Pyghmi(Console):
    """The same, and at once when another packet is acknowledged than the one under way."""

    def acknowledged(self, number: int, accepted: int, flags: int) -> None:
        super().acknowledged(number, accepted, flags)
        if self.waiting and number != self.number:
            self.send()


class Ipmitool(Console):
    """Asks again after a second, under the next number.

    So a lost acknowledgement makes it send the same characters as another packet: only the loss of its own
    packets is safe.
    """

    patience = 1.0

    def may_miss(self, data: bytes) -> bool:
        return not data[1]

    def look_after(self, attempt: int) -> None:
        if self.waiting and attempt == self.attempt:
            self.number = self.number % 15 + 1
            self.send()


CONSOLES = pytest.mark.parametrize("console", [FreeIpmi, Pyghmi, Ipmitool])


@CONSOLES
@given(fates=FATES, chunks=st.lists(st.binary(min_size=1, max_size=400), max_size=12))
def test_every_character_arrives_once_and_in_order(
    console: type[Console], fates: list[int], chunks: list[bytes]
) -> None:
    world = World(console, fates)
    text = b"".join(chunks)
    for i, chunk in enumerate(chunks):
        world.at(0.3 * i, lambda chunk=chunk: world.console.type(chunk))  # type: ignore[misc]
        world.at(0.3 * i, lambda chunk=chunk: world.engine.receive_output(chunk, world.now))  # type: ignore[misc]
    world.run(lambda: len(world.machine_got) >= len(text) and len(world.console.screen) >= len(text))
    world.at(world.now + 10, lambda: None)
    end = world.now + 10
    world.run(lambda: world.now >= end)
    assert bytes(world.machine_got) == text
    assert bytes(world.console.screen) == text


@CONSOLES
def test_100_kilobytes_arrive_complete(console: type[Console]) -> None:
    text = b"".join(f"line {line:06d} of the machine's output\r\n".encode() for line in range(2600))
    world = World(console, [DELIVER, DELAY, LOSE, REPEAT, DELIVER, DELIVER] * 200)
    world.machine_has = text
    world.console.type(text[:3000])
    world.run(lambda: len(world.console.screen) >= len(text) and len(world.machine_got) >= 3000)
    assert bytes(world.console.screen) == text
    assert bytes(world.machine_got) == text[:3000]


def test_ipmitool_types_twice_what_was_acknowledged_in_vain() -> None:
    # Its fault, not to be mended here: the second packet is the same as the same characters typed again.
    world = World(Ipmitool, [])
    world.run(lambda: world.now > 0.1 or world.engine.wants_output)
    world.console.type(b"a")
    world.console.acknowledged = lambda *arguments: None  # type: ignore[method-assign]
    world.run(lambda: world.now > 1.5)
    assert bytes(world.machine_got) == b"aa"


@given(text=st.binary(max_size=600), sizes=st.lists(st.integers(1, 50)))
def test_whole_or_in_pieces_the_console_sees_the_same(text: bytes, sizes: list[int]) -> None:
    world = World(FreeIpmi, [])
    rest = text
    for i, size in enumerate(sizes):
        chunk, rest = rest[:size], rest[size:]
        world.at(0.004 * i, lambda chunk=chunk: world.engine.receive_output(chunk, world.now))  # type: ignore[misc]
    world.at(0.004 * len(sizes), lambda: world.engine.receive_output(rest, world.now))
    world.at(5.0, lambda: None)
    world.run(lambda: world.now >= 5.0)
    assert bytes(world.console.screen) == text
