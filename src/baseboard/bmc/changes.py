"""What must be on disk before an answer leaves.

State objects write every durable change here, as rows of (room, key, value). The shell takes the rows
after each request and commits them before it sends the answer: what was acknowledged survives. At the
start each object gets its rows back through its `restore`.

A room is one object's name ("sel", "users"); keys and values are its own business, values are plain
JSON data (str, int, float, bool, None, list, dict; bytes as hexadecimal text).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baseboard.errors import DecodeError

Rows = Mapping[str, Any]
"""One room's durable state, by key."""

DELETED: Any = object()
"""Value of a row that is to be removed."""


def kept_bytes(value: Any, *sizes: int) -> bytes:
    """Bytes of a row.  Raises DecodeError when they are not of one of these sizes (none: of any)."""
    data = bytes.fromhex(value)
    if sizes and len(data) not in sizes:
        raise DecodeError(f"{len(data)} bytes, {' or '.join(map(str, sizes))} were written")
    return data


class Changes:
    """Durable changes since they were last taken; a later change of the same row replaces the earlier."""

    __slots__ = ("_cleared", "pending")

    def __init__(self) -> None:
        self.pending: dict[tuple[str, str], Any] = {}
        self._cleared: list[str] = []

    def put(self, room: str, key: str, value: Any) -> None:
        """Keep `value` under (room, key)."""
        self.pending[room, key] = value

    def delete(self, room: str, key: str) -> None:
        """Remove (room, key)."""
        self.pending[room, key] = DELETED

    def clear(self, room: str) -> None:
        """Remove every row of a room."""
        for row in [row for row in self.pending if row[0] == room]:
            del self.pending[row]
        self._cleared.append(room)

    def __bool__(self) -> bool:
        return bool(self.pending or self._cleared)

    def take(self) -> tuple[list[str], dict[tuple[str, str], Any]]:
        """Rooms to empty first, then rows to write; and forget them."""
        taken = self._cleared, self.pending
        self._cleared, self.pending = [], {}
        return taken

    def put_back(self, taken: tuple[list[str], dict[tuple[str, str], Any]]) -> None:
        """What was taken could not be written: it comes before whatever has changed since."""
        cleared, rows = taken
        self.pending = {
            row: value for row, value in rows.items() if row[0] not in self._cleared
        } | self.pending
        self._cleared = cleared + self._cleared
