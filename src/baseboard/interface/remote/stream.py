"""Messages with a header of 16 bytes and file descriptors, on a Unix stream socket.

Descriptors come with the first byte of their message, and one piece of input never has those of two
messages: so those that came with a piece belong to the last message that begins in it, or else to the one
that it goes on with.  [unix(7), SCM_RIGHTS]
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from baseboard.errors import DecodeError
from baseboard.interface.bus.function import Function

HEADER_SIZE = 16
MOST_DESCRIPTORS = 16
"""With one message; more end the connection."""


class Descriptors(Protocol):
    """What can be done with the file descriptors that a peer sends."""

    def signal(self, descriptor: int) -> None:
        """Write 1 to an event counter; one that takes nothing is the peer's fault, and passed over."""

    def close(self, descriptor: int) -> None:
        """It is not needed any more."""


class MessageStream(ABC):
    """One connection. When `failure` says something, it is at its end and whatever else comes is ignored."""

    def __init__(self, function: Function, descriptors: Descriptors) -> None:
        self._function = function
        self._descriptors = descriptors
        self._partial = b""
        self._held: list[int] = []
        """Descriptors of the message that is not complete."""
        self._output: list[bytes] = []
        self.failure = ""

    def receive_data(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        """Bytes as they came, with what came along."""
        if self.failure:
            self._close(descriptors)
            return
        if self._partial:
            data = self._partial + data
        position, end = 0, len(data)
        waiting = list(descriptors)
        try:
            while end - position >= HEADER_SIZE:
                after = position + self._size(data, position)
                if after > end:
                    break
                held, self._held = self._held, []
                if waiting and after == end:
                    held += waiting
                    waiting = []
                try:
                    self._handle(data[position:after], held)
                finally:
                    self._close(held)
                position = after
            if len(self._held) + len(waiting) > MOST_DESCRIPTORS:
                raise DecodeError(f"more than {MOST_DESCRIPTORS} file descriptors with one message")
            self._held += waiting
        except DecodeError as error:
            self._close(waiting)
            self.fail(str(error))
            return
        self._partial = data[position:]

    def data_to_send(self) -> bytes:
        """What there is to say; it is taken as sent."""
        output = self._output
        if not output:
            return b""
        data = output[0] if len(output) == 1 else b"".join(output)
        output.clear()
        return data

    def fail(self, reason: str) -> None:
        """The peer keeps no protocol that we know: the connection is to be closed."""
        self.failure = reason
        self._partial = b""

    def disconnect(self) -> None:
        """The connection is gone: every descriptor is given back."""
        self._close(self._held)
        self._held = []

    def _close(self, descriptors: Sequence[int]) -> None:
        for descriptor in descriptors:
            self._descriptors.close(descriptor)

    @staticmethod
    def refusal(header: bytes) -> bytes:
        """What to say to a peer whose first message begins so, when another has the function."""
        return b""

    @abstractmethod
    def _size(self, data: bytes, position: int) -> int:
        """Bytes of the message whose header is there.  Raises DecodeError for what no message is."""

    @abstractmethod
    def _handle(self, message: bytes, descriptors: list[int]) -> None:
        """A whole message; descriptors that it takes out of the list it keeps.  Raises DecodeError."""
