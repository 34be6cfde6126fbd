"""One controller's end of a bus: it executes requests, and matches answers with what it asked.

Theory of operation
-------------------
What comes in goes by its LUN and network function: LUN 10b is system software's, whoever sent it; a response
belongs to the request with the same address, sequence number, network function and command; a request is
executed and its answer sent back. A handler that answers later gives empty bytes (`LATER`) and has
`respond` called when it can.

A request of ours waits for its answer for `TIMEOUT`; then it is sent again as often as it may be, with the
same sequence number, and at last its `answered` is called with None.

A repeated event message is answered but not executed again.  [IPMB 2.13, 29.3]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from baseboard.ipmb.bus import Bus
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.ipmb import SYSTEM_SOFTWARE_LUN, BusMessage
from baseboard.ipmi.message import Context, Handler, Message
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Channel, Privilege

TIMEOUT = 0.9
"""Seconds. The bus allows 250 ms; consoles ask again after a second and should have an answer by then."""
SEQUENCES = 64
EXPIRY = 5.0
"""Seconds after which a sequence number may mean something new.  [IPMI 22.7]"""
MOST_KEPT = 64
LONGEST_ANSWER = 232
"""Bytes, completion code included, that fit a message."""
LATER = b""
PLATFORM_EVENT = (NetFn.SENSOR_EVENT, 0x02)

Answered = Callable[[BusMessage | None, float], None]
"""Takes the answer, or None when there was none in time, and `now`."""


class Outcome(Enum):
    """What became of a request that was to be sent."""

    SENT = auto()
    NOT_ACKNOWLEDGED = auto()
    BUSY = auto()
    """All sequence numbers of that address are in use."""


@dataclass(slots=True)
class _Pending:
    message: BusMessage
    privilege: int
    retries: int
    deadline: float
    answered: Answered


class Port:
    """A node with a controller behind it."""

    def __init__(
        self,
        bus: Bus,
        address: int,
        to_software: Callable[[BusMessage], None] = lambda message: None,
        channel: int = Channel.PRIMARY_IPMB,
    ) -> None:
        self.bus = bus
        self.address = address
        self.channel = channel
        self.handler: Handler | None = None
        """Executes requests; the core sets it."""
        self._to_software = to_software
        self._pending: dict[tuple[int, int], _Pending] = {}
        self._sequence = 0
        self._events: dict[BusMessage, tuple[float, bytes]] = {}
        bus.attach(self)

    # What comes in.

    def receive_message(self, message: BusMessage, now: float, privilege: int) -> None:
        """A message with our address."""
        if message.to_lun == SYSTEM_SOFTWARE_LUN:
            self._to_software(message)
        elif message.netfn & 1:
            self._match(message, now)
        else:
            self._execute(message, now, privilege)

    def _execute(self, message: BusMessage, now: float, privilege: int) -> None:
        if self.handler is None:
            return
        is_event = (message.netfn, message.command) == PLATFORM_EVENT
        answer = self._repeated(message, now) if is_event else None
        if answer is None:
            context = Context(self.channel, privilege, now, None, message)
            command = Message(message.netfn, message.to_lun, message.command, message.data)
            answer = self.handler(command, context)
            if is_event:
                self._events[message] = now + EXPIRY, answer
        if answer != LATER:
            self.respond(message, answer, now)

    def _repeated(self, message: BusMessage, now: float) -> bytes | None:
        while self._events:
            oldest = next(iter(self._events))
            if self._events[oldest][0] > now and len(self._events) < MOST_KEPT:
                break
            del self._events[oldest]
        kept = self._events.get(message)
        return None if kept is None else kept[1]

    def respond(self, request: BusMessage, answer: bytes, now: float) -> None:
        """Answer a request: completion code first."""
        if len(answer) > LONGEST_ANSWER:
            answer = bytes((CompletionCode.CANNOT_RETURN_BYTES,))
        self.bus.send(request.response(answer), now)

    # What we ask.

    def request(
        self,
        to_address: int,
        message: Message,
        answered: Answered,
        now: float,
        *,
        privilege: int = Privilege.SYSTEM,
        retries: int = 0,
        broadcast: bool = False,
    ) -> Outcome:
        """Ask the controller at an address; `answered` may be called before this returns."""
        sequence = self._free_sequence(to_address)
        if sequence is None:
            return Outcome.BUSY
        request = BusMessage(
            to_address, message.netfn, message.lun, self.address, sequence, 0, message.command, message.data
        )
        key = to_address, sequence
        self._pending[key] = _Pending(request, privilege, retries, now + TIMEOUT, answered)
        if self.bus.send(request, now, privilege, broadcast):
            return Outcome.SENT
        del self._pending[key]
        return Outcome.NOT_ACKNOWLEDGED

    def _free_sequence(self, address: int) -> int | None:
        for _ in range(SEQUENCES):
            self._sequence = (self._sequence + 1) % SEQUENCES
            if (address, self._sequence) not in self._pending:
                return self._sequence
        return None

    def _match(self, response: BusMessage, now: float) -> None:
        key = response.from_address, response.sequence
        pending = self._pending.get(key)
        if pending is None or not response.data:
            return
        asked = pending.message
        expected = asked.netfn | 1, asked.command, asked.to_lun
        if (response.netfn, response.command, response.from_lun) == expected:
            del self._pending[key]
            pending.answered(response, now)

    # Time.

    def next_deadline(self) -> float | None:
        """When the first of our requests has waited long enough."""
        return min((pending.deadline for pending in self._pending.values()), default=None)

    def handle_deadline(self, now: float) -> None:
        """Ask again, or give up."""
        for key, pending in [item for item in self._pending.items() if item[1].deadline <= now]:
            if self._pending.get(key) is not pending:
                continue
            if pending.retries:
                pending.retries -= 1
                pending.deadline = now + TIMEOUT
                self.bus.send(pending.message, now, pending.privilege)
            else:
                del self._pending[key]
                pending.answered(None, now)
