"""Which payloads a user may activate on a channel.  [IPMI 24.6, 24.7]

Only SOL exists, so only its bit is kept for each channel and user. It is set until somebody takes it away:
whether a user may have the console is first of all a matter of level.
"""

from __future__ import annotations

from baseboard.bmc.changes import Changes, Rows

ROOM = "payload_access"

SOL = 1 << 1
"""Bit of standard payload enables 1."""


class PayloadAccess:
    """The payloads of all users, by channel and user id."""

    room = ROOM

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._enables: dict[tuple[int, int], int] = {}

    def restore(self, rows: Rows) -> None:
        """Take back what commands had changed."""
        for key, enables in rows.items():
            channel, _, user_id = key.partition(".")
            self._enables[int(channel), int(user_id)] = int(enables)

    def get(self, channel: int, user_id: int) -> int:
        """Standard payload enables 1."""
        return self._enables.get((channel, user_id), SOL)

    def change(self, channel: int, user_id: int, mask: int, *, enable: bool) -> None:
        """Enable or disable the payloads that `mask` names."""
        old = self.get(channel, user_id)
        new = old | mask & SOL if enable else old & ~mask
        self._enables[channel, user_id] = new
        self._changes.put(ROOM, f"{channel}.{user_id}", new)
