"""An answer as the host reads it: part by part, in order or from where it says.  [IPMI 12.3, 12.5]"""

from __future__ import annotations

from baseboard.interface.ssif.parts import LAST_PART, read_parts


class Answer:
    """What there is to read; nothing at first."""

    def __init__(self) -> None:
        self.put(b"", 0)

    def put(self, data: bytes, following: int = 1) -> None:
        """A whole answer, or none; `following` is the part that a read of the next one brings."""
        self.data = data
        self.parts = read_parts(data) if data else ()
        self.following = following

    def take(self) -> bytes | None:
        """The following part; None behind the last."""
        if self.following >= len(self.parts):
            return None
        part = self.parts[self.following]
        self.following += 1
        return part

    def seek(self, number: int) -> bool:
        """Whether there is a part with this place, from 0; it follows then."""
        found = number < len(self.parts)
        if found:
            self.following = number
        return found

    def seek_block(self, number: int) -> bool:
        """The same with the block number that the part has: FFh for the last, and none for the first."""
        return self.seek(len(self.parts) - 1 if number == LAST_PART else number + 1)
