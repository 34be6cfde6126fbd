"""The BMC's end of BT.  [IPMI 11.7, 11.8]

Theory of operation
-------------------
The flags of BT_CTRL are the state, one pair for each direction.

    H2B_ATN, B_BUSY  The host sets H2B_ATN when a request is in the buffer. While B_BUSY is 0 it is taken at
                     once and H2B_ATN is cleared. B_BUSY is 1 while as many requests are open as may be; one
                     handed over in spite of it stays in the buffer, with H2B_ATN, until there is room.
    B2H_ATN, H_BUSY  An answer goes into the buffer when both are 0 and sets B2H_ATN; others wait.

The host tells answers apart by sequence number, network function and command, so they may come in any order.
A request whose length byte promises less than three bytes, or more than there are, is dropped: there is no
code to answer it with. An answer that the length byte cannot count is answered CAh.

Get BT Interface Capabilities is answered here, for only the interface knows how many requests it takes.
Requests that took longer than it says are to be given up by `forget`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from baseboard.errors import ConfigError
from baseboard.interface.bt.latch import Latch
from baseboard.interface.bt.registers import B2H_ATN, H2B_ATN, H_BUSY, OEM0
from baseboard.interface.registers import ignore
from baseboard.interface.seam import EngineEvent, RequestAbandoned, RequestReceived, ResetRequested
from baseboard.interface.state import Exported
from baseboard.ipmi.app_messaging import GetBtInterfaceCapabilitiesResponse
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Message
from baseboard.ipmi.netfn import NetFn

RESPONSE_TIME = 10
"""Seconds."""
LONGEST_RESPONSE_TIME = 30
MOST_OUTSTANDING = 64
LONGEST = 255
"""What the length byte can count."""
CAPABILITIES = bytes((NetFn.APP << 2, 0x36))


@dataclass(frozen=True, slots=True)
class EngineState(Exported):
    """Everything that an engine keeps."""

    id: int
    open: tuple[tuple[int, int, bytes, bool], ...]
    """Requests without answer: id, sequence number, network function to data, given out."""
    undelivered: tuple[tuple[str, int, bytes], ...]
    """Events that nobody took: "request", "abandoned" or "reset", id, network function to data."""
    answers: tuple[bytes, ...]
    version: int = 1


@dataclass(slots=True)
class Open:
    """A request without answer."""

    sequence: int
    request: bytes
    """Network function, command, data."""
    given_out: bool = False


class Engine:
    """Engine on a latch that takes up to `outstanding` requests at a time."""

    def __init__(self, latch: Latch, *, outstanding: int = 8, response_time: int = RESPONSE_TIME) -> None:
        if not 1 <= outstanding <= MOST_OUTSTANDING:
            raise ConfigError(f"{outstanding} requests at a time: it must be 1 to {MOST_OUTSTANDING}")
        if not 1 <= response_time <= LONGEST_RESPONSE_TIME:
            raise ConfigError(
                f"response time {response_time}: it must be 1 to {LONGEST_RESPONSE_TIME} seconds"
            )
        self._latch = latch
        self.outstanding = outstanding
        self.response_time = response_time
        self._id = 0
        self._open: dict[int, Open] = {}
        self._answers: deque[bytes] = deque()
        self._events: deque[EngineEvent] = deque()
        self.wake: Callable[[], None] = ignore
        """Called when there is an event, as the last thing that a host's access does."""
        latch.reset()
        latch.host_asked = self._host_asked
        latch.host_took = self._host_took
        latch.host_reset = self._host_reset

    def reset(self) -> None:
        """As after power-on: what was under way is forgotten."""
        for event in [event for event in self._events if isinstance(event, RequestReceived)]:
            self._events.remove(event)
        for id_, entry in self._open.items():
            if entry.given_out:
                self._events.append(RequestAbandoned(id_))
        self._open.clear()
        self._answers.clear()
        self._latch.reset()
        if self._events:
            self.wake()

    def next_event(self) -> EngineEvent | None:
        """What happened next, oldest first; None when nothing is left."""
        if not self._events:
            return None
        event = self._events.popleft()
        if isinstance(event, RequestReceived) and event.id in self._open:
            self._open[event.id].given_out = True
        return event

    def unanswered(self) -> tuple[RequestReceived, ...]:
        """Requests that were given out and wait for their answers, oldest first."""
        return tuple(received(id_, entry.request) for id_, entry in self._open.items() if entry.given_out)

    def respond(self, id_: int, response: bytes) -> bool:
        """Answer, completion code first; False when nobody waits for an answer with this id."""
        entry = self._open.get(id_)
        if entry is None or not entry.given_out:
            return False
        del self._open[id_]
        self._answer(entry, response)
        self._take()
        if self._events:
            self.wake()
        return True

    def forget(self, id_: int) -> None:
        """No answer comes, or none in time: the host will ask again.  [IPMI 11.9]"""
        if self._open.pop(id_, None) is not None:
            self._take()
            if self._events:
                self.wake()

    def set_attention(self, attention: bool, interrupt: bool) -> None:
        """SMS_ATN, and whether its rise interrupts."""
        self._latch.set_attention(attention, interrupt)

    def set_interrupt(self, enabled: bool) -> None:
        """Global Enables: they do not count here, B2H_IRQ_EN does."""
        self._latch.set_interrupt(enabled)

    @property
    def oem(self) -> bool:
        """OEM0, which the host sets."""
        return bool(self._latch.control & OEM0)

    def clear_oem(self) -> None:
        """Clear OEM0."""
        self._latch.write_bmc_control(OEM0)

    def export(self) -> EngineState:
        """The present state."""
        return EngineState(
            id=self._id,
            open=tuple((id_, e.sequence, e.request, e.given_out) for id_, e in self._open.items()),
            undelivered=tuple(_plain(event) for event in self._events),
            answers=tuple(self._answers),
        )

    def restore(self, state: EngineState) -> None:
        """Become what was exported; the latch is restored by itself."""
        self._id = state.id
        self._open = {id_: Open(sequence, request, out) for id_, sequence, request, out in state.open}
        self._answers = deque(state.answers)
        self._events.clear()
        for kind, id_, request in state.undelivered:
            if kind == "request":
                self._events.append(received(id_, request))
            else:
                self._events.append(RequestAbandoned(id_) if kind == "abandoned" else ResetRequested())

    # From the host.

    def _host_asked(self) -> None:
        self._take()
        if self._events:
            self.wake()

    def _host_took(self) -> None:
        self._offer()
        self._take()
        if self._events:
            self.wake()

    def _is_full(self) -> bool:
        return len(self._open) + len(self._answers) >= self.outstanding

    def _take(self) -> None:
        """Take what is in the buffer, if there is room; say whether there is room for more."""
        latch = self._latch
        if latch.control & H2B_ATN and not self._is_full():
            latch.write_bmc_control(H2B_ATN)
            self._receive(latch.message)
        self._show_busy()

    def _show_busy(self) -> None:
        self._latch.set_busy(self._is_full())

    def _receive(self, message: bytes) -> None:
        """Execute a message, unless it is malformed."""
        length = message[0] if message else 0
        if not 3 <= length < len(message):
            return
        sequence, request = message[2], message[1:2] + message[3 : length + 1]
        if request[:2] == CAPABILITIES:
            self._answer(Open(sequence, request), self._capabilities())
        else:
            self._execute(sequence, request)

    def _execute(self, sequence: int, request: bytes) -> None:
        while self._id in self._open:
            self._id = self._id + 1 & 0xFF
        id_ = self._id
        self._id = id_ + 1 & 0xFF
        self._open[id_] = Open(sequence, request)
        self._events.append(received(id_, request))

    def _host_reset(self) -> None:
        self.reset()
        if not self._events or not isinstance(self._events[-1], ResetRequested):
            self._events.append(ResetRequested())
        self.wake()

    # To the host.

    def _capabilities(self) -> bytes:
        return GetBtInterfaceCapabilitiesResponse(
            outstanding_requests=self.outstanding,
            input_size=min(self._latch.capacity - 1, LONGEST),
            output_size=LONGEST,
            response_time=self.response_time,
            recommended_retries=0,
        ).encode()

    def _answer(self, entry: Open, response: bytes) -> None:
        if 3 + len(response) > LONGEST:
            response = bytes((CompletionCode.CANNOT_RETURN_BYTES,))
        self._answers.append(framed(entry, response))
        self._offer()

    def _offer(self) -> None:
        latch = self._latch
        if self._answers and not latch.control & (B2H_ATN | H_BUSY):
            latch.put(self._answers.popleft())
            latch.write_bmc_control(B2H_ATN)


def received(id_: int, request: bytes) -> RequestReceived:
    """The event that a request is."""
    return RequestReceived(id_, Message(request[0] >> 2, request[0] & 3, request[1], request[2:]))


def framed(entry: Open, response: bytes) -> bytes:
    """An answer as it stands in the buffer."""
    request = entry.request
    return bytes((3 + len(response) & 0xFF, request[0] | 4, entry.sequence, request[1])) + response


def _plain(event: EngineEvent) -> tuple[str, int, bytes]:
    if isinstance(event, RequestReceived):
        netfn, lun, command, data = event.message
        return "request", event.id, bytes((netfn << 2 | lun, command)) + data
    return ("abandoned", event.id, b"") if isinstance(event, RequestAbandoned) else ("reset", 0, b"")
