"""What passes between the rooms: one request, and in what circumstances it came.

A request is a `Message`; the answer to it is plain bytes, completion code first. Nothing here knows
how either is framed: checksums, sequence numbers and sessions stay in `lan/`, `vm/` and `interface/`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from baseboard.ipmi.privilege import Channel, Privilege


class Message(NamedTuple):
    """A request as it stands on every interface.  [IPMI 5.3]"""

    netfn: int
    """Even network function code, 00h-3Eh."""
    lun: int
    """Responder's LUN, 0-3."""
    command: int
    data: bytes = b""


class Session(Protocol):
    """What a command handler may see and change of the session that its request came in."""

    id: int
    """The id that we gave (managed system session id)."""
    handle: int
    """Session handle, 01h-FFh, as Get Session Info shows it."""
    user_id: int
    privilege: Privilege
    """The level in force; never above `maximum_privilege`."""
    maximum_privilege: Privilege
    """min(user limit, channel limit, cipher suite limit, level requested at the opening)."""
    rmcp_plus: bool
    """Opened by RMCP+: other payloads than IPMI messages can be activated in it."""
    encrypted: bool
    """Its cipher suite has a confidentiality algorithm."""
    authenticated: bool
    """Its cipher suite has an integrity algorithm."""
    channel: int
    """The channel that it was opened on."""

    @property
    def console_ip(self) -> bytes:
        """IPv4 address of the console, most significant byte first; zeros when it has none."""

    @property
    def console_mac(self) -> bytes:
        """Ethernet address of the console; zeros when it is not known."""

    @property
    def console_port(self) -> int:
        """UDP port of the console."""


class SessionTable(Protocol):
    """The open sessions, as command handlers see them."""

    capacity: int
    """Sessions that can be open at a time."""
    offers_ipmi15: bool
    """IPMI 1.5 sessions can be opened here, as far as the channel's policy goes."""
    port: int
    """The UDP port that answers."""

    def find(self, session_id: int) -> Session | None:
        """The open session with this id."""

    def by_handle(self, handle: int) -> Session | None:
        """The open session with this handle."""

    def active(self) -> Sequence[Session]:
        """All, the oldest first."""

    def close_session(self, session_id: int) -> bool:
        """Close one; False when there is no such session."""


class NoSessions:
    """The session table of a controller without a LAN."""

    capacity = 0
    offers_ipmi15 = False
    port = 0

    def find(self, session_id: int) -> Session | None:
        """None."""
        return None

    def by_handle(self, handle: int) -> Session | None:
        """None."""
        return None

    def active(self) -> Sequence[Session]:
        """Nothing."""
        return ()

    def close_session(self, session_id: int) -> bool:
        """There is none to close."""
        return False


@dataclass(slots=True)
class Context:
    """The circumstances of one request.

    One object serves a whole connection or session: the shell only sets `now` for each request.
    """

    channel: int = Channel.SYSTEM_INTERFACE
    privilege: int = Privilege.SYSTEM
    now: float = 0.0
    """Monotonic seconds."""
    session: Session | None = None
    peer: object = None
    """Whom to answer later: the link of a system interface or the address of a console."""


Handler = Callable[[Message, Context], bytes]
"""Takes a request, returns completion code and data. Never raises, never waits."""
