"""The SEL clock: the only wall time in the controller.  [IPMI 31.10, 31.11, 37.1]"""

from __future__ import annotations

from baseboard.bmc.changes import Changes, Rows

ROOM = "clock"
UTC_OFFSET_UNSPECIFIED = 0x7FF


class Clock:
    """Wall time from monotonic `now`, as the host's clock says and as Set SEL Time shifts it."""

    room = ROOM

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._host_offset = 0.0
        self._shift = 0
        self.utc_offset = UTC_OFFSET_UNSPECIFIED
        """Minutes; 7FFh: unspecified."""

    def restore(self, rows: Rows) -> None:
        """Take back what was kept."""
        self._shift = int(rows.get("shift", 0))
        self.utc_offset = int(rows.get("utc_offset", UTC_OFFSET_UNSPECIFIED))

    def synchronize(self, wall: float, now: float) -> None:
        """Tell what the host's wall clock shows at `now`; the shell does so at the start and at times."""
        self._host_offset = wall - now

    def time(self, now: float) -> int:
        """Seconds since 1970-01-01 00:00 as a SEL timestamp, 32 bits."""
        return int(now + self._host_offset + self._shift) & 0xFFFF_FFFF

    def set_time(self, seconds: int, now: float) -> None:
        """Set SEL Time."""
        self._shift = seconds - int(now + self._host_offset)
        self._changes.put(ROOM, "shift", self._shift)

    def set_utc_offset(self, minutes: int) -> None:
        """Set SEL Time UTC Offset."""
        self.utc_offset = minutes
        self._changes.put(ROOM, "utc_offset", minutes)
