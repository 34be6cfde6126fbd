"""Session sequence numbers: which of them are new.  [IPMI 6.12.13; 6.12.14]"""

from __future__ import annotations

MASK = 0xFFFF_FFFF


class Window:
    """Accepts each number once, up to `above` beyond the highest accepted and `below` behind it.

    0 is never a number of a session. Before the first packet nothing at or below `highest` is new.
    """

    __slots__ = ("_mask", "above", "below", "highest", "seen")

    def __init__(self, above: int, below: int, highest: int = 0) -> None:
        self.above = above
        self.below = below
        self.highest = highest
        self._mask = (1 << (below + 1)) - 1
        self.seen = self._mask
        """Bit n: highest - n was accepted, or is from before the session."""

    def accept(self, sequence: int) -> bool:
        """Whether `sequence` is new; it is not any more then."""
        ahead = (sequence - self.highest) & MASK
        if not sequence:
            return False
        if 0 < ahead <= self.above:
            self.seen = (self.seen << ahead | 1) & self._mask
            self.highest = sequence
            return True
        behind = -ahead & MASK
        if behind > self.below or self.seen >> behind & 1:
            return False
        self.seen |= 1 << behind
        return True


def window_15(first: int) -> Window:
    """Of an IPMI 1.5 session whose first inbound sequence number is `first`.  [IPMI 6.12.14]"""
    return Window(8, 8, (first - 1) & MASK)


def window_plus() -> Window:
    """Of one sequence number space of an RMCP+ session: they begin at 1, but clients skip some."""
    return Window(15, 16)


def next_sequence(sequence: int) -> int:
    """The number after `sequence`; 0 is left out."""
    return sequence + 1 if sequence < MASK else 1
