"""Serial over LAN towards the console: when a packet leaves, and when again.  [IPMI 15]

Theory of operation
-------------------
Characters gather until the send threshold is reached or the accumulate interval is over, then a packet
leaves and is repeated, with the same number and the same bytes (pyghmi loses what a retry adds), until the
console acknowledges it or the retries are used up. What the console did not accept goes out again
under a new number, at once after a partial acknowledgement, after the retry interval when it refused (NACK).
`STEPS` is all of it.

The buffer is bounded by holding the machine back: `full` from the high-water mark until the low-water mark,
and nothing is dropped. A console that answers none of the retries is *silent*: its packet is dropped,
as SOL parameter 4 has it, the next one says "overrun", and until something is heard the newest characters
push out the oldest: a console that died must not stall the machine.

Characters leave no faster than `characters_per_second`, after a first burst: ipmiconsole 1.6.10 acknowledges
what it has no room for and then gives up ("internal error"), because no real serial line is as fast as a
virtual one.

A sender lives from one activation to the next deactivation. Its first packet leaves without characters when
there are none, so that the console's acknowledgement ends the startup handshake before anyone
presses a key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final, NamedTuple

from baseboard.errors import LocalProtocolError
from baseboard.lan import sol_packet as bits
from baseboard.lan.sol_packet import MAXIMUM_CHARACTERS, SolPacket, following

HIGH_WATER: Final = 16384
LOW_WATER: Final = 4096
LIMIT: Final = 65536
"""Characters beyond which the oldest are dropped, even if the caller goes on in spite of `full`."""
BURST: Final = 8192
"""Characters that may leave at any rate: half of ipmiconsole's buffer."""
SHORTEST_RETRY: Final = 0.01
"""What "back to back" means for a retry interval of 0."""


class SolTiming(NamedTuple):
    """SOL parameters 3 and 4 [IPMI 26.3, Table 26-5], and what stands for a bit rate."""

    accumulate_interval: float = 0.01
    send_threshold: int = 96
    retry_count: int = 7
    retry_interval: float = 0.5
    characters_per_second: float = 65536.0


class Phase(Enum):
    """Where the direction towards the console is."""

    IDLE = auto()
    GATHERING = auto()
    SENT = auto()
    REFUSED = auto()


class Input(Enum):
    """What happens to it."""

    OUTPUT = auto()
    DUE = auto()
    TIMEOUT = auto()
    EXPIRED = auto()
    ACKNOWLEDGED = auto()
    NACK = auto()
    FLUSHED = auto()


class Sender:
    """One activation's packets to the console; `send` takes each as it leaves."""

    def __init__(
        self, timing: Callable[[], SolTiming], send: Callable[[SolPacket], None], status: int, now: float
    ) -> None:
        self.status = status
        """Status bits that every packet carries: whether the machine is there."""
        self.silent = False
        self.full = False
        self._timing = timing
        self._send = send
        self._phase = Phase.GATHERING
        self._output = bytearray()
        self._since = now  # when the first of what waits began to wait
        self._news = True  # the next packet leaves even without characters
        self._once = 0  # status bits for the next packet alone
        self._sent = SolPacket()
        self._accepted = 0
        self._tries = 0
        self._retry_at = now
        self._paid_until = -math.inf  # when what was sent would have passed at the rate

    def feed(self, data: bytes, now: float) -> None:
        """Characters from the machine."""
        if not self._output and not self._news:
            self._since = now
        self._output += data
        excess = len(self._output) - (HIGH_WATER if self.silent else LIMIT)
        if excess > 0:
            del self._output[:excess]
            self._once |= bits.OVERRUN
        self.full = self.full or len(self._output) >= HIGH_WATER
        self.pursue(now)

    def tell(self, once: int, now: float) -> None:
        """A status changed: let the console know, with these bits in the next packet."""
        if not self._output and not self._news:
            self._since = now
        self._news = True
        self._once |= once
        self.pursue(now)

    def flush(self, now: float) -> None:
        """Forget what waits."""
        self._output.clear()
        self.full = False
        if self._phase is Phase.GATHERING and not self._news:
            self._step(Input.FLUSHED, now)

    def receive_acknowledgement(self, packet: SolPacket, now: float) -> None:
        """The console says what it accepted."""
        if self._phase is not Phase.SENT or packet.acknowledged != self._sent.number:
            return
        offered = len(self._sent.characters)
        self._accepted = min(packet.accepted, offered)
        # "Accepted none" without a NACK is one too: to send again at once would only go round.
        refused = packet.flags & bits.NACK or (offered and not self._accepted)
        self._step(Input.NACK if refused else Input.ACKNOWLEDGED, now)
        self.pursue(now)

    def pursue(self, now: float) -> None:
        """Send what may be sent."""
        if self._phase is Phase.IDLE and (self._output or self._news):
            self._step(Input.OUTPUT, now)
        if self._phase is Phase.GATHERING and now >= self._due():
            self._step(Input.DUE, now)

    def next_deadline(self) -> float | None:
        """When `handle_deadline` wants to be called; None: never as things stand."""
        if self._phase is Phase.GATHERING:
            return self._due()
        return None if self._phase is Phase.IDLE else self._retry_at

    def handle_deadline(self, now: float) -> None:
        """Do what was due at or before `now`."""
        if self._phase in (Phase.SENT, Phase.REFUSED) and now >= self._retry_at:
            used_up = self._phase is Phase.SENT and self._tries >= self._timing().retry_count
            self._step(Input.EXPIRED if used_up else Input.TIMEOUT, now)
        self.pursue(now)

    def _due(self) -> float:
        """When what was gathered is to leave."""
        timing = self._timing()
        if len(self._output) >= timing.send_threshold:
            return max(self._since, self._paid_until)
        return max(self._since + timing.accumulate_interval, self._paid_until)

    def _step(self, happened: Input, now: float) -> None:
        step = STEPS.get((self._phase, happened))
        if step is None:
            raise LocalProtocolError(f"SOL: {happened.name} while {self._phase.name}")
        action, self._phase = step
        action(self, now)

    def _rest(self, now: float) -> None:
        """Nothing to do."""

    def _send_next(self, now: float) -> None:
        characters = bytes(self._output[:MAXIMUM_CHARACTERS])
        del self._output[: len(characters)]
        self.full = self.full and len(self._output) > LOW_WATER
        rate = self._timing().characters_per_second
        self._paid_until = max(self._paid_until, now - BURST / rate) + len(characters) / rate
        flags = self.status | self._once
        self._news, self._once = False, 0
        self._sent = SolPacket(following(self._sent.number), 0, 0, flags, characters)
        self._tries = -1
        self._send_again(now)

    def _send_again(self, now: float) -> None:
        self._tries += 1
        self._retry_at = self._next_try(now)
        self._send(self._sent)

    def _settle(self, now: float) -> None:
        """Put back what a partial acknowledgement left."""
        self._output[:0] = self._sent.characters[self._accepted :]

    def _wait(self, now: float) -> None:
        """All of it again, after a while."""
        self._settle(now)
        self._news = True
        self._once |= self._sent.flags & ~bits.UNAVAILABLE
        self._retry_at = self._next_try(now)

    def _give_up(self, now: float) -> None:
        """The console is silent: its packet is dropped.  [IPMI Table 26-5, parameter 4]"""
        self.silent = True
        if self._sent.characters:
            self._once |= bits.OVERRUN

    def _next_try(self, now: float) -> float:
        return now + max(self._timing().retry_interval, SHORTEST_RETRY)


Action = Callable[[Sender, float], None]

# fmt: off
STEPS: Mapping[tuple[Phase, Input], tuple[Action, Phase]] = {
    # in phase         when                    the sender            next phase
    (Phase.IDLE,      Input.OUTPUT):       (Sender._rest,        Phase.GATHERING),
    (Phase.GATHERING, Input.DUE):          (Sender._send_next,   Phase.SENT),
    (Phase.GATHERING, Input.FLUSHED):      (Sender._rest,        Phase.IDLE),
    (Phase.SENT,      Input.TIMEOUT):      (Sender._send_again,  Phase.SENT),
    (Phase.SENT,      Input.ACKNOWLEDGED): (Sender._settle,      Phase.IDLE),
    (Phase.SENT,      Input.NACK):         (Sender._wait,        Phase.REFUSED),
    (Phase.SENT,      Input.EXPIRED):      (Sender._give_up,     Phase.IDLE),
    (Phase.REFUSED,   Input.TIMEOUT):      (Sender._send_next,   Phase.SENT),
}
# fmt: on
