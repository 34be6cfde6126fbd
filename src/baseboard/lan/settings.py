"""What may be said about the LAN server that is no user's and no channel's property."""

from __future__ import annotations

from baseboard.ipmi.value import Value

MOST_SESSIONS = 63
"""Get Session Info and Get Channel Info count sessions in six bits.  [IPMI 22.20, 22.24]"""


class LanSettings(Value, kw_only=True):
    """Bounds, times and choices of one LAN server."""

    sessions: int = MOST_SESSIONS
    """Open sessions at a time, at most 63."""
    session_timeout: float = 60.0
    """Seconds without a packet after which a session is closed.  [IPMI 6.12.15]"""
    half_open: int = 256
    """Log-ins that are under way at a time; the oldest makes room. They never take a session's place."""
    half_open_per_source: int = 64
    """The same for one network address."""
    half_open_timeout: float = 10.0
    """Seconds that a log-in may take."""
    hide_unknown_users: bool = False
    """RAKP 2 goes on with an unknown user as if there were one, so that names cannot be probed."""
    announce_dcmi: bool = False
    """The presence pong names DCMI's enterprise number instead of ASF's.  [DCMI 6.1.1]"""
