"""One request and its answer, and what the steps of the BMC's end do to them and to the latch.

`steps` says which action follows which input; an action moves bytes, and returns a boundary when it came upon
one: no room, no command, the last byte.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from baseboard.interface.kcs.latch import Latch
from baseboard.interface.kcs.phases import Input
from baseboard.interface.kcs.registers import StatusCode
from baseboard.interface.seam import EngineEvent, RequestAbandoned, RequestReceived, request_size
from baseboard.ipmi.message import Message

Action = Callable[[Any, int], Input | None]
"""Takes the engine and the byte that the host wrote; returns a boundary that it came upon."""


class Transfer:
    """What is under way on a latch."""

    def __init__(self, latch: Latch, capacity: int) -> None:
        self._latch = latch
        self._request = bytearray(request_size(capacity))
        self._length = 0
        """Bytes written; counts on when the buffer is full."""
        self._response = b""
        self._position = 0
        self.error = int(StatusCode.NO_ERROR)
        """The status code that GET_STATUS brings."""
        self._id = 0
        self._given_out = False
        self._events: deque[EngineEvent] = deque()

    def next_event(self) -> EngineEvent | None:
        """What happened next, oldest first; None when nothing is left."""
        if not self._events:
            return None
        event = self._events.popleft()
        if isinstance(event, RequestReceived):
            self._given_out = True
        return event

    def unanswered(self) -> tuple[RequestReceived, ...]:
        """The request that was given out and waits for its answer."""
        return (self._received(),) if self._given_out else ()

    def _dummy(self) -> None:
        self._latch.put_output(0)

    def _forget_request(self) -> None:
        self._id = self._id + 1 & 0xFF
        self._given_out = False

    def _abandon(self) -> None:
        if self._given_out:
            self._events.append(RequestAbandoned(self._id))
        elif self._events and isinstance(self._events[-1], RequestReceived):
            self._events.pop()
        else:
            return
        self._forget_request()

    def _received(self) -> RequestReceived:
        request = self._request
        address = request[0]
        data = bytes(request[2 : self._length])
        return RequestReceived(self._id, Message(address >> 2, address & 3, request[1], data))

    def _refuse(self, code: StatusCode) -> None:
        self._abandon()
        self.error = int(code)
        self._dummy()

    # Actions.

    def _begin_write(self, value: int) -> None:
        self._abandon()
        self._length = 0
        self.error = 0
        self._latch.put_output(0)

    def _acknowledge(self, value: int) -> None:
        self._dummy()

    def _store(self, value: int) -> Input | None:
        length = self._length
        self._length = length + 1
        if length >= len(self._request):
            return Input.FULL
        self._request[length] = value
        self._latch.put_output(0)
        return None

    def _finish(self, value: int) -> Input | None:
        length = self._length
        self._length = length + 1
        if length >= len(self._request):
            return Input.FULL
        self._request[length] = value
        if not length:
            return Input.SHORT
        self._events.append(self._received())
        return None

    def _next_byte(self, value: int) -> Input | None:
        response = self._response
        position = self._position
        self._latch.put_output(response[position])
        self._position = position = position + 1
        return Input.EXHAUSTED if position == len(response) else None

    def _nothing(self, value: int) -> None:
        pass

    def _end(self, value: int) -> None:
        self._dummy()

    def _abort(self, value: int) -> None:
        self._abandon()
        self.error = int(StatusCode.ABORTED)
        self._dummy()

    def _give_status(self, value: int) -> None:
        self._latch.put_output(self.error)

    def _illegal(self, value: int) -> None:
        self._refuse(StatusCode.ILLEGAL_CONTROL)

    def _wrong_length(self, value: int) -> None:
        self._refuse(StatusCode.LENGTH)
