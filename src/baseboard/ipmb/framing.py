"""Bus messages on a byte stream, as Linux' `/dev/ipmb-N` reads and writes them.

    length, rsSA, netFn/rsLUN, chk1, rqSA, rqSeq/rqLUN, cmd, data..., chk2

The length counts what follows it. It is the layout of `struct ipmb_msg` in Linux' ipmb_dev_int, so that what
is read from the device can be written to a stream, and the other way round.  [docs/reference/ipmb-socket.md]
"""

from __future__ import annotations

from collections.abc import Iterator

from baseboard.ipmi.ipmb import SHORTEST

LONGEST = 239
"""Bytes after the length: MAX_MSG_LEN of the Linux driver is 240 with it."""


def frame(message: bytes) -> bytes:
    """A message with its length in front."""
    assert len(message) <= LONGEST
    return bytes((len(message),)) + message


class Deframer:
    """Cuts a stream into messages; a length that no message has is skipped over, byte count and all."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.faults = 0
        """Frames of a length that no message has."""

    def receive_data(self, data: bytes) -> Iterator[bytes]:
        """Every message that `data` completes; their checksums are not looked at."""
        buffer = self._buffer
        buffer += data
        while buffer and len(buffer) > buffer[0]:
            length = buffer[0]
            message = bytes(buffer[1 : 1 + length])
            del buffer[: 1 + length]
            if SHORTEST <= length <= LONGEST:
                yield message
            else:
                self.faults += 1
