"""The request of an interface that takes one at a time: its bytes, its id, and who has it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from baseboard.interface.registers import ignore
from baseboard.interface.seam import EngineEvent, RequestAbandoned, RequestReceived
from baseboard.interface.state import Exported
from baseboard.ipmi.message import Message


@dataclass(frozen=True, slots=True)
class RequestState(Exported):
    """Everything that is kept of it."""

    data: bytes
    id: int
    submitted: bool
    given_out: bool
    abandoned: tuple[int, ...]
    version: int = 1


class OneRequest:
    """From the first byte that the host writes to the answer."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.data = bytearray()
        """Network function, command, data, as far as they have come."""
        self.wake: Callable[[], None] = ignore
        self._id = 0
        self._submitted = False
        self._given_out = False
        self._abandoned: deque[int] = deque()

    def start(self) -> None:
        """A new request begins; what was under way is given up."""
        self.abandon()
        self.data.clear()

    def add(self, data: bytes) -> bool:
        """More bytes; False, and nothing added, when there is no room."""
        if len(self.data) + len(data) > self.capacity:
            return False
        self.data += data
        return True

    def submit(self) -> None:
        """It is complete."""
        self._submitted = True

    def abandon(self) -> None:
        """The host does not want an answer any more."""
        if self._given_out:
            self._abandoned.append(self._id)
        if self._submitted:
            self._close()

    def answered(self, id_: int) -> bytes | None:
        """An answer has come: network function and command to begin it with; None when nobody wants it."""
        if not self._given_out or id_ != self._id:
            return None
        self._close()
        return bytes((self.data[0] | 4, self.data[1]))

    def _close(self) -> None:
        self._submitted = self._given_out = False
        self._id = self._id + 1 & 0xFF

    @property
    def waiting(self) -> bool:
        """Whether there is an event."""
        return bool(self._abandoned) or (self._submitted and not self._given_out)

    def next_event(self) -> EngineEvent | None:
        """What happened next, oldest first; None when nothing is left."""
        if self._abandoned:
            return RequestAbandoned(self._abandoned.popleft())
        if not self._submitted or self._given_out:
            return None
        self._given_out = True
        return self._event()

    def unanswered(self) -> tuple[RequestReceived, ...]:
        """The request that was given out and waits for its answer."""
        return (self._event(),) if self._given_out else ()

    def _event(self) -> RequestReceived:
        data = self.data
        return RequestReceived(self._id, Message(data[0] >> 2, data[0] & 3, data[1], bytes(data[2:])))

    def export(self) -> RequestState:
        """The present state."""
        return RequestState(
            bytes(self.data), self._id, self._submitted, self._given_out, tuple(self._abandoned)
        )

    def restore(self, state: RequestState) -> None:
        """Become what was exported."""
        self.data[:] = state.data
        self._id = state.id
        self._submitted = state.submitted
        self._given_out = state.given_out
        self._abandoned = deque(state.abandoned)
