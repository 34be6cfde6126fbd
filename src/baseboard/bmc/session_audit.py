"""Log-ins that fail, as events of the Session Audit sensor.  [IPMI Table 42-3, 2Ah]

Anybody who can send a datagram can fail to log in. So that nobody can fill the log in that way, there is an
allowance for a burst, which comes back one by one; what exceeds it is not logged. Log-ins that succeed are
no events: a client that polls opens a session each time, and would push everything else out of the log.
"""

from __future__ import annotations

from collections.abc import Callable

from baseboard.bmc.well_known import SESSION_AUDIT
from baseboard.ipmi.sensor_types import SENSOR_SPECIFIC

SESSION_AUDIT_TYPE = 0x2A
INVALID_NAME_OR_PASSWORD = 2
DATA_2_AND_3_ARE_SPECIFIC = 0xF0

BURST = 10
RECOVERY = 60.0
"""Seconds until one more may be logged."""

Report = Callable[[int, int, int, bool, bytes, float], None]


class SessionAudit:
    """The events, and the allowance."""

    def __init__(self, enabled: bool, report: Report, now: float) -> None:
        self._enabled = enabled
        self._report = report
        self._allowed = float(BURST)
        self._counted_at = now

    def refused(self, channel: int, user_id: int, now: float) -> None:
        """A log-in had a wrong name (user 0) or password."""
        self._allowed = min(BURST, self._allowed + (now - self._counted_at) / RECOVERY)
        self._counted_at = now
        if not self._enabled or self._allowed < 1:
            return
        self._allowed -= 1
        data = bytes((DATA_2_AND_3_ARE_SPECIFIC | INVALID_NAME_OR_PASSWORD, user_id & 0x3F, channel & 0x0F))
        self._report(SESSION_AUDIT_TYPE, SESSION_AUDIT, SENSOR_SPECIFIC, False, data, now)
