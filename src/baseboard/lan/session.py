"""A session on the LAN, of either kind, and the table of all.  [IPMI 6.12]"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from baseboard.ipmi.message import Context
from baseboard.ipmi.privilege import Privilege
from baseboard.lan.ciphers import FastKeys
from baseboard.lan.half_open import source_of
from baseboard.lan.repeats import Repeats
from baseboard.lan.settings import MOST_SESSIONS, LanSettings
from baseboard.lan.window import Window

SILENT = 3.0
"""Seconds without a packet after which a session makes room for another of the same network address."""

NOBODY = 0
"""Who fails to log in with an unknown name."""


class LanSession:
    """What both kinds of session have; satisfies `baseboard.ipmi.message.Session`."""

    __slots__ = (
        "address",
        "authenticated",
        "channel",
        "context",
        "encrypted",
        "fast",
        "handle",
        "id",
        "last_used",
        "maximum_privilege",
        "privilege",
        "repeats",
        "rmcp_plus",
        "sequence",
        "user_id",
        "window",
    )

    def __init__(
        self,
        session_id: int,
        user_id: int,
        maximum_privilege: Privilege,
        channel: int,
        address: Hashable,
        now: float,
    ) -> None:
        self.id = session_id
        self.handle = 0
        self.user_id = user_id
        self.maximum_privilege = maximum_privilege
        self.privilege = min(Privilege.USER, maximum_privilege)  # every session starts here [IPMI 6.8]
        self.channel = channel
        self.address = address
        self.last_used = now
        self.rmcp_plus = False
        self.encrypted = False
        self.authenticated = False
        self.fast: FastKeys | None = None
        self.sequence = 0
        """Outbound number of the last packet."""
        self.window: Window
        self.repeats = Repeats()
        self.context = Context(channel, self.privilege, now, self, address)

    @property
    def console_ip(self) -> bytes:
        """IPv4 address of the console, most significant byte first; zeros when it has none."""
        host = self.address[0] if isinstance(self.address, tuple) and self.address else None
        if not isinstance(host, str):
            return bytes(4)
        parts = host.removeprefix("::ffff:").split(".")
        if len(parts) != 4 or not all(part.isdecimal() and int(part) < 256 for part in parts):
            return bytes(4)
        return bytes(map(int, parts))

    @property
    def console_mac(self) -> bytes:
        """Ethernet address of the console: not known above UDP, zeros."""
        return bytes(6)

    @property
    def console_port(self) -> int:
        """UDP port of the console."""
        port = self.address[1] if isinstance(self.address, tuple) and len(self.address) > 1 else 0
        return port if isinstance(port, int) else 0


class PayloadReceiver(Protocol):
    """Takes the payloads of one type of all sessions, such as serial over LAN."""

    def receive_payload(self, session_id: int, data: bytes, now: float) -> None:
        """A payload came in this session, authenticated and decrypted."""

    def session_closed(self, session_id: int, now: float) -> None:
        """The session is gone; whatever was active in it is not any more."""


class Sessions:
    """The open sessions of one server; satisfies `baseboard.ipmi.message.SessionTable`."""

    def __init__(self, settings: LanSettings) -> None:
        self.sessions: dict[int, LanSession] = {}
        """By the id that we gave."""
        self.capacity = min(settings.sessions, MOST_SESSIONS)
        self.offers_ipmi15 = True
        """IPMI 1.5 sessions can be opened here, as far as the channel's policy goes."""
        self.port = 623
        """The UDP port that answers."""
        self.payloads: dict[int, PayloadReceiver] = {}
        """Who takes payloads other than IPMI messages, by payload type."""
        self.now = 0.0
        """When something last came in."""
        self.on_refusal: Callable[[int, int, float], None] = lambda channel, user_id, now: None
        """Told of each log-in with a wrong name (NOBODY's) or password."""

    def find(self, session_id: int) -> LanSession | None:
        """The open session with this id."""
        return self.sessions.get(session_id)

    def by_handle(self, handle: int) -> LanSession | None:
        """The open session with this handle."""
        return next((session for session in self.sessions.values() if session.handle == handle), None)

    def active(self) -> Sequence[LanSession]:
        """All, the oldest first."""
        return tuple(self.sessions.values())

    def count_of(self, user_id: int) -> int:
        """How many sessions a user has."""
        return sum(session.user_id == user_id for session in self.sessions.values())

    @property
    def is_full(self) -> bool:
        """No further session can be opened."""
        return len(self.sessions) >= self.capacity

    def has_room(self, address: Hashable) -> bool:
        """Whoever logs in from here can have a session."""
        return not self.is_full or self._silent(address) is not None

    def make_room(self, address: Hashable) -> bool:
        """The same for somebody whose password is right.

        Clients that are killed leave their sessions behind; when these are all, the one of the same network
        address that was silent for longest makes room, so that nobody is locked out until they time out.
        """
        if self.is_full:
            silent = self._silent(address)
            if silent is None:
                return False
            self.close_session(silent.id)
        return True

    def _silent(self, address: Hashable) -> LanSession | None:
        source, latest = source_of(address), self.now - SILENT
        candidates = [
            session
            for session in self.sessions.values()
            if session.last_used <= latest and source_of(session.address) == source
        ]
        return min(candidates, key=lambda session: session.last_used, default=None)

    def add(self, session: LanSession) -> None:
        """Open `session`, with the lowest handle that is free."""
        used = {other.handle for other in self.sessions.values()}
        session.handle = next(handle for handle in range(1, 256) if handle not in used)
        self.sessions[session.id] = session

    def close_session(self, session_id: int) -> bool:
        """Close one; False when there is no such session."""
        if self.sessions.pop(session_id, None) is None:
            return False
        for receiver in self.payloads.values():
            receiver.session_closed(session_id, self.now)
        return True

    def close_sessions_of(self, user_id: int, but: int | None = None) -> None:
        """Close the sessions of a user whose password or access has changed, `but` this one."""
        self._close_where(lambda session: session.user_id == user_id and session.id != but)

    def close_all(self) -> None:
        """Close every session."""
        self._close_where(lambda session: True)

    def _close_where(self, condition: Callable[[LanSession], bool]) -> None:
        for session in [session for session in self.sessions.values() if condition(session)]:
            self.close_session(session.id)
