"""Log-ins under way: a small pool that fills up without harm.

Whoever can send a packet can start a log-in. So these are kept apart from the sessions, few, for seconds,
and bounded for each source: a flood from one address pushes out its own entries only, and a flood from
many pushes out the oldest, never a session.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar


class Entry(Protocol):
    """A log-in under way."""

    id: int
    source: Hashable
    expires: float


E = TypeVar("E", bound=Entry)


def source_of(address: Hashable) -> Hashable:
    """The network address without its port."""
    return address[0] if isinstance(address, tuple) and address else address


class HalfOpen(Generic[E]):
    """At most `limit` entries, `limit_per_source` of one source; all live equally long."""

    def __init__(self, limit: int, limit_per_source: int) -> None:
        self._limit = limit
        self._limit_per_source = limit_per_source
        self._entries: dict[int, E] = {}  # in order of age
        self._sources: dict[Hashable, dict[int, None]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, entry_id: int) -> bool:
        return entry_id in self._entries

    def add(self, entry: E) -> None:
        """Keep `entry`; the oldest of its source, or of all, makes room."""
        own = self._sources.get(entry.source)
        if own is not None and len(own) >= self._limit_per_source:
            self.remove(next(iter(own)))
        elif len(self._entries) >= self._limit:
            self.remove(next(iter(self._entries)))
        self._entries[entry.id] = entry
        self._sources.setdefault(entry.source, {})[entry.id] = None

    def find(self, entry_id: int, now: float) -> E | None:
        """The entry with this id unless it has expired."""
        entry = self._entries.get(entry_id)
        return entry if entry is not None and now < entry.expires else None

    def latest_of(self, source: Hashable) -> E | None:
        """The youngest entry of a source."""
        own = self._sources.get(source)
        return self._entries[next(reversed(own))] if own else None

    def remove_where(self, condition: Callable[[E], bool]) -> None:
        """Forget all for which `condition` holds."""
        for entry in [entry for entry in self._entries.values() if condition(entry)]:
            self.remove(entry.id)

    def remove(self, entry_id: int) -> None:
        """Forget one; it may be gone already."""
        entry = self._entries.pop(entry_id, None)
        if entry is None:
            return
        own = self._sources[entry.source]
        del own[entry_id]
        if not own:
            del self._sources[entry.source]

    def next_deadline(self) -> float | None:
        """When the oldest expires."""
        return next(iter(self._entries.values())).expires if self._entries else None

    def expire(self, now: float) -> None:
        """Forget what has expired."""
        while self._entries:
            oldest = next(iter(self._entries.values()))
            if now < oldest.expires:
                return
            self.remove(oldest.id)
