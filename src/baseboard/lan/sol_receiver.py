"""Serial over LAN towards the machine: each packet is taken whole, once, or not at all.  [IPMI 15]

Theory of operation
-------------------
While the serial side is paused characters wait in a bounded buffer. A packet that does not fit is held
without an answer, and forgotten after `HOLD` as if it had been lost. So no console ever sees a partial
acknowledgement or a refusal, which ipmitool 1.8.19 answers by dropping the characters, and FreeIPMI
1.6.10 and pyghmi 1.6 by asking again without a pause.

A packet with the number of the last one is a retry: acknowledged again, delivered only as far as it has more
characters than before. One with a number just behind the last, soon after it, is a late copy, and ignored.
ipmitool repeats a packet under the *next* number, so one whose acknowledgement was lost arrives twice:
nothing tells it from the same characters typed again.

While nobody is at the serial port's other end what the console sends is accepted and goes nowhere, as on a
cable to a machine that is switched off; the acknowledgement says "character transfer unavailable".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from baseboard.lan import sol_packet as bits
from baseboard.lan.sol_packet import SolPacket, distance

INPUT_LIMIT: Final = 4096
HOLD: Final = 0.4
"""How long a packet may wait for room: less than FreeIPMI's 0.5 s before it asks again."""
LATE: Final = 2.0
"""How long after a packet the numbers behind it still mean late copies."""


class Receiver:
    """One activation's packets from the console.

    `acknowledge` and `operate` are called for each packet as it is taken, `deliver` with its
    characters as soon as the serial side is not paused.
    """

    def __init__(
        self,
        acknowledge: Callable[[SolPacket], None],
        operate: Callable[[int, float], None],
        deliver: Callable[[bytes], None],
    ) -> None:
        self._acknowledge = acknowledge
        self._operate = operate
        self._deliver = deliver
        self._input = bytearray()
        self._paused = False
        self._last: SolPacket | None = None
        self._last_at = 0.0
        self._held: SolPacket | None = None
        self._held_until = 0.0

    def receive(self, packet: SolPacket, now: float) -> None:
        """A packet with a number came."""
        again, known = False, 0
        if self._last is not None:
            ahead = distance(self._last.number, packet.number)
            if ahead == 0 and _repeats(self._last, packet):
                again, known = True, len(self._last.characters)
                if len(packet.characters) <= known:
                    self._acknowledge(packet)
                    return
            elif ahead > 7 and now - self._last_at < LATE:
                return
        if not self._has_room(packet, known):
            if self._held is None or self._held.number != packet.number:
                self._held_until = now + HOLD
            self._held = packet
            return
        self._held = None
        self._last, self._last_at = packet, now
        if not again:
            self._operate(packet.flags, now)
        self._take(packet.characters[known:])
        self._acknowledge(packet)

    def pause(self) -> None:
        """The serial side takes no more for now."""
        self._paused = True

    def resume(self, now: float) -> None:
        """The serial side takes characters again, or has gone away."""
        self._paused = False
        waiting, self._input = bytes(self._input), bytearray()
        self._take(waiting)
        if self._held is not None:
            self.receive(self._held, now)

    def flush(self) -> None:
        """Forget what waits."""
        self._input.clear()

    def next_deadline(self) -> float | None:
        """When `handle_deadline` wants to be called; None: never as things stand."""
        return None if self._held is None else self._held_until

    def handle_deadline(self, now: float) -> None:
        """Forget a packet that had no room for too long; the console will send it again."""
        if self._held is not None and now >= self._held_until:
            self._held = None

    def _has_room(self, packet: SolPacket, known: int) -> bool:
        """Whether it fits; a break has to wait for the characters before it."""
        waiting = len(self._input)
        if packet.flags & bits.FLUSH_INBOUND:
            return True
        if packet.flags & bits.BREAK and waiting:
            return False
        return not waiting or waiting + len(packet.characters) - known <= INPUT_LIMIT

    def _take(self, characters: bytes) -> None:
        if self._paused:
            self._input += characters
        elif characters:
            self._deliver(characters)


def _repeats(last: SolPacket, packet: SolPacket) -> bool:
    """Whether `packet` is `last` again, perhaps with more characters; else fifteen others were lost."""
    length = min(len(last.characters), len(packet.characters))
    return (
        not (last.flags ^ packet.flags) & ~bits.NACK
        and last.characters[:length] == packet.characters[:length]
    )
