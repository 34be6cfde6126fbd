"""The sessions of several channels as one table."""

from __future__ import annotations

from collections.abc import Sequence

from baseboard.ipmi.message import Session, SessionTable

MOST_SLOTS = 63
"""Get Session Info has six bits for them."""


class AllSessions:
    """Implements `SessionTable` over others; the first is the LAN's."""

    def __init__(self, lan: SessionTable, *others: SessionTable) -> None:
        self._tables = (lan, *others)
        self.capacity = min(MOST_SLOTS, sum(table.capacity for table in self._tables))

    @property
    def offers_ipmi15(self) -> bool:
        """The LAN does."""
        return self._tables[0].offers_ipmi15

    @offers_ipmi15.setter
    def offers_ipmi15(self, offers: bool) -> None:
        self._tables[0].offers_ipmi15 = offers

    @property
    def port(self) -> int:
        """The LAN's."""
        return self._tables[0].port

    @port.setter
    def port(self, port: int) -> None:
        self._tables[0].port = port

    def find(self, session_id: int) -> Session | None:
        """The open session with this id."""
        return next((found for table in self._tables if (found := table.find(session_id))), None)

    def by_handle(self, handle: int) -> Session | None:
        """The open session with this handle."""
        return next((found for table in self._tables if (found := table.by_handle(handle))), None)

    def active(self) -> Sequence[Session]:
        """All, table by table."""
        return [session for table in self._tables for session in table.active()]

    def close_session(self, session_id: int) -> bool:
        """Close one; False when there is no such session."""
        return any(table.close_session(session_id) for table in self._tables)
