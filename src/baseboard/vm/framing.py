"""Where a message ends and what is inside: the special bytes of the VM wire.  [README.vm]

    A0h   all bytes before it are an IPMI message
    A1h   all bytes before it are a command to the other end
    AAh   the next byte stands for itself with bit 4 cleared: A0h, A1h and AAh are sent AAh B0h, B1h, BAh

Theory of operation
-------------------
A terminator ends a frame wherever it stands, also after AAh, so that a receiver finds its feet at the next
terminator whatever was lost. Whole buffers are searched and replaced; nothing loops over bytes. What is
malformed is counted by kind and forgotten.
"""

from __future__ import annotations

import re
from enum import StrEnum

MESSAGE_END = b"\xa0"
COMMAND_END = b"\xa1"
ESCAPE = b"\xaa"

LONGEST_MESSAGE = 302
"""Id, 300 bytes of message and checksum, as QEMU's end has it."""
_LONGEST_FRAME = 2 * LONGEST_MESSAGE
"""The same with every byte escaped."""
_LONGEST_BEGINNING = 2 * 3
"""Id, netFn/LUN and command, every byte escaped."""

_TERMINATOR = re.compile(rb"([\xa0\xa1])")
_ESCAPED = re.compile(rb"\xaa+(.)", re.DOTALL)
_CLEARED = [bytes((byte & ~0x10,)) for byte in range(256)]


class Fault(StrEnum):
    """Kinds of malformed frames."""

    CHECKSUM = "checksum"
    """A message whose bytes do not sum to 0."""
    SHORT = "short"
    """A message or command with too few bytes."""
    OVERLONG = "overlong"
    """More than 300 bytes of message; dropped up to the terminator."""
    ESCAPE = "escape"
    """AAh right before the terminator."""
    UNKNOWN = "unknown"
    """A command that this end does not know."""


def escape(data: bytes) -> bytes:
    """`data` without special bytes."""
    return data.replace(b"\xaa", b"\xaa\xba").replace(b"\xa0", b"\xaa\xb0").replace(b"\xa1", b"\xaa\xb1")


def frame_message(data: bytes) -> bytes:
    """Id, netFn/LUN, command and data as they go out: with checksum, escapes and terminator."""
    return escape(data + bytes((-sum(data) & 0xFF,))) + MESSAGE_END


def frame_command(data: bytes) -> bytes:
    """A command and its data as they go out."""
    return escape(data) + COMMAND_END


class Deframer:
    """Takes bytes as they come, gives frames: (terminator, unescaped bytes before it)."""

    __slots__ = ("_beginning", "_dropping", "_partial", "faults", "overlong")

    def __init__(self) -> None:
        self._partial = b""
        self._dropping = False
        self._beginning = b""
        self.overlong: list[bytes] = []
        """First three bytes of messages that were too long, for whoever answers them; he empties it."""
        self.faults: dict[Fault, int] = dict.fromkeys(Fault, 0)
        """How many malformed frames of each kind were survived."""

    def receive_data(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """The frames that `data` completes, in order."""
        pieces = _TERMINATOR.split(self._partial + data if self._partial else data)
        partial = pieces.pop()
        frames: list[tuple[bytes, bytes]] = []
        for i in range(0, len(pieces), 2):
            frame = pieces[i]
            if self._dropping:
                self._dropping = False
                self._drop(pieces[i + 1], self._beginning)
                continue
            if ESCAPE in frame and len(frame) <= _LONGEST_FRAME:
                if frame.endswith(ESCAPE):
                    self.faults[Fault.ESCAPE] += 1
                    continue
                frame = _ESCAPED.sub(_clear_bit_4, frame)
            if len(frame) > LONGEST_MESSAGE:
                self.faults[Fault.OVERLONG] += 1
                self._drop(pieces[i + 1], pieces[i])
                continue
            frames.append((pieces[i + 1], frame))
        if len(partial) > _LONGEST_FRAME and not self._dropping:
            self._dropping = True
            self._beginning = partial[:_LONGEST_BEGINNING]
            self.faults[Fault.OVERLONG] += 1
        self._partial = b"" if self._dropping else partial
        return frames

    def _drop(self, end: bytes, frame: bytes) -> None:
        if end == MESSAGE_END:
            self.overlong.append(_ESCAPED.sub(_clear_bit_4, frame[:_LONGEST_BEGINNING])[:3])


def _clear_bit_4(match: re.Match[bytes]) -> bytes:
    return _CLEARED[match[1][0]]
