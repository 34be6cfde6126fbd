"""A controller to talk to in bytes: netFn/LUN and command first, completion code third in the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from baseboard.bmc import Bmc, Core, Settings
from baseboard.bmc.changes import DELETED
from baseboard.bmc.core import CommandTable
from baseboard.bmc.events import Event
from baseboard.ipmi import Channel, Context, Message, Privilege


@dataclass
class ASession:
    """A session as handlers see it."""

    id: int = 0x1234
    handle: int = 1
    user_id: int = 2
    privilege: Privilege = Privilege.ADMINISTRATOR
    maximum_privilege: Privilege = Privilege.ADMINISTRATOR
    authenticated: bool = True
    encrypted: bool = True


class Conversation:
    """One controller and what it is asked."""

    def __init__(self, *tables: CommandTable, settings: Settings | None = None) -> None:
        self.tables = tables
        self.settings = settings or Settings()
        self.rooms: dict[str, dict[str, Any]] = {}
        self.start()

    def start(self) -> None:
        """Begin again with what is on the disk."""
        self.bmc = Bmc(self.settings)
        self.core = Core(self.bmc, self.tables)
        self.bmc.restore(self.rooms)

    def restart(self) -> None:
        """The process ends, and another one takes over what the first had kept."""
        cleared, rows = self.bmc.changes.take()
        for room in cleared:
            self.rooms.pop(room, None)
        for (room, key), value in rows.items():
            kept = self.rooms.setdefault(room, {})
            if value is DELETED:
                kept.pop(key, None)
            else:
                kept[key] = value
        self.start()

    def ask(
        self, text: str, privilege: int = Privilege.SYSTEM, channel: int = Channel.SYSTEM_INTERFACE
    ) -> str:
        """Send a request, return the answer; both in hexadecimal."""
        netfn_lun, command, *data = bytes.fromhex(text)
        session: Any = ASession() if channel == Channel.LAN else None
        context = Context(channel=channel, privilege=privilege, session=session)
        answer = self.core.handle(Message(netfn_lun >> 2, netfn_lun & 3, command, bytes(data)), context)
        return bytes((netfn_lun | 4, command, *answer)).hex(" ")

    def over_lan(self, text: str, privilege: int = Privilege.ADMINISTRATOR) -> str:
        """The same in a session on channel 1."""
        return self.ask(text, privilege, Channel.LAN)

    def events(self) -> list[Event]:
        """What the controller told since the last time."""
        return list(iter(self.bmc.next_event, None))
