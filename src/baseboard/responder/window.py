"""A window of registers as firmware reaches it: rows of a table, and any width of access.

A row says what a register keeps; what happens beyond that is a reader or a writer of the device's. Nothing
happens beyond it unless the register's lowest byte is touched. What no row covers reads 0 and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from baseboard.errors import ConfigError

Reader = Callable[[], int]
Writer = Callable[[int], None]


class Row(NamedTuple):
    """One register."""

    offset: int
    name: str
    reset: int
    kept: int
    """The bits that keep what firmware writes."""
    meaning: str


class Window:
    """Registers of `word` bytes each."""

    def __init__(self, rows: Sequence[Row], word: int) -> None:
        self._rows = rows
        self._word = word
        self._full = (1 << 8 * word) - 1
        self.values = {row.offset: row.reset for row in rows}
        """What each register keeps, by its offset."""
        self._kept = {row.offset: row.kept for row in rows}
        if len(self.values) != len(rows) or any(row.offset % word for row in rows):
            raise ConfigError("two rows of a register window overlap")
        self._readers: dict[int, Reader] = {}
        self._writers: dict[int, Writer] = {}

    def act(self, offset: int, reader: Reader | None, writer: Writer | None) -> None:
        """What the register at this offset does; a writer is called when the register keeps its new value."""
        if reader is not None:
            self._readers[offset] = reader
        if writer is not None:
            self._writers[offset] = writer

    def read(self, offset: int, size: int) -> int:
        """Firmware reads `size` bytes."""
        if size == self._word and (fast := self._readers.get(offset)) is not None:
            return fast()
        value = 0
        for word, lanes, shift in self._words(offset, size):
            reader = self._readers.get(word) if lanes & 0xFF else None
            content = self.values.get(word, 0) if reader is None else reader()
            value |= (content & lanes) << shift if shift >= 0 else (content & lanes) >> -shift
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """Firmware writes `size` bytes."""
        if size == self._word and self._kept.get(offset) == 0:
            fast = self._writers.get(offset)
            if fast is not None:
                fast(value & self._full)
            return
        for word, lanes, shift in self._words(offset, size):
            part = (value >> shift if shift >= 0 else value << -shift) & lanes
            kept = self._kept.get(word, 0) & lanes
            if kept:
                self.values[word] = self.values[word] & ~kept | part & kept
            if lanes & 0xFF and word in self._writers:
                self._writers[word](part)

    def forget(self) -> None:
        """Every register as after reset."""
        for row in self._rows:
            self.values[row.offset] = row.reset

    def kept_values(self) -> tuple[int, ...]:
        """What the registers keep, in the order of the rows."""
        return tuple(self.values[row.offset] for row in self._rows)

    def keep_values(self, values: Sequence[int]) -> None:
        """Become what `kept_values` gave."""
        for row, value in zip(self._rows, values, strict=True):
            self.values[row.offset] = value

    def _words(self, offset: int, size: int) -> Iterator[tuple[int, int, int]]:
        """Each word that is touched: its offset, the bits touched, how far left they are in the access."""
        word = offset - offset % self._word
        while word < offset + size:
            shift = 8 * (word - offset)
            bits = (1 << 8 * size) - 1
            lanes = (bits >> shift if shift >= 0 else bits << -shift) & self._full
            yield word, lanes, shift
            word += self._word


def rows_by_name(rows: Sequence[Row]) -> Mapping[str, int]:
    """Offsets by name."""
    return {row.name: row.offset for row in rows}
