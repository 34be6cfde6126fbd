"""The firmware firewall: which commands a channel offers, and which are switched off.  [IPMI 21]

What there is, is read from the command tables that the core dispatches by; so a table and what is told of it
cannot differ. Commands can be disabled for a channel and LUN; so can, of a command that does several things,
each of these ("sub-functions"). Both last until they are enabled again. A disabled command is answered D4h, a
disabled sub-function D6h.  [IPMI 5.2, Table 5-2]

Not to be disabled is what anybody needs who wants to find this out and change it: Get Device ID, the commands
of this chapter, and those by which sessions begin and end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from baseboard.bmc.changes import Changes, Rows
from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

if TYPE_CHECKING:
    from baseboard.bmc.core import Command, CommandTable

ROOM = "firewall"

NOT_CONFIGURABLE = 0x80
"""Of Set Command Enables and Set Command Sub-function Enables.  [IPMI 21.7, 21.9]"""

LUNS = 4
HALF = 128
"""Commands in one mask."""

ALWAYS_ON = {NetFn.APP: frozenset((0x01, *range(0x09, 0x0E), *range(0x38, 0x3D), *range(0x60, 0x65)))}


class Place(NamedTuple):
    """Where a command belongs: a channel, a network function with its owner, a LUN."""

    channel: int
    netfn: int
    owner: int
    """Defining body of a group extension; -1 where the network function has only one owner, or for all."""
    lun: int


SUB_FUNCTIONS: dict[tuple[int, int, int], tuple[int, Callable[[bytes], int]]] = {
    # net function, owner, command: mask of all, and which one a request's data ask for
    (NetFn.CHASSIS, -1, 0x02): (0x3F, lambda data: 1 << (data[0] & 0x0F) if data else 0),
}
"""Chassis Control: sub-function n is the action n.  [IPMI 28.3, Appendix H]"""


class Firewall:
    """What is disabled, by place and command."""

    room = ROOM

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._rows: dict[tuple[int, int], dict[int, Command[Any]]] = {}
        self._disabled: dict[Place, int] = {}  # a bit for each command
        self._disabled_parts: dict[tuple[Place, int], int] = {}
        self.active = False
        """Whether anything is disabled at all: if not, the core need not ask."""

    def watch(self, tables: Iterable[CommandTable]) -> None:
        """These are the commands; the core tells."""
        self._rows = {}
        for table in tables:
            owner = -1 if table.group is None else table.group
            rows = self._rows.setdefault((int(table.netfn), owner), {})
            rows.update((row.number, row) for row in table.commands if row.handler is not None)

    def restore(self, rows: Rows) -> None:
        """Take back what was disabled."""
        for key, value in rows.items():
            *place, command = map(int, key.split("."))
            where = Place(*place)
            if command < 0:
                self._disabled[where] = int(value, 16)
            else:
                self._disabled_parts[where, command] = int(value)
        self._refresh()

    def refusal(self, message: Message, context: Context) -> int:
        """The completion code that keeps a request from its handler; 0: it may pass."""
        netfn, lun, command, data = message
        owner = data[0] if netfn == NetFn.GROUP_EXTENSION and data else -1
        place = Place(context.channel, netfn, owner, lun)
        if self._disabled.get(place, 0) >> command & 1:
            return CompletionCode.INSUFFICIENT_PRIVILEGE
        parts = self._disabled_parts.get((place, command), 0)
        if parts:
            _, wanted = SUB_FUNCTIONS[netfn, owner, command]
            if parts & wanted(data):
                return CompletionCode.SUB_FUNCTION_DISABLED
        return 0

    # Network functions and LUNs

    def functions(self, channel: int, lun: int, sessions: bool) -> int:
        """Pairs of network functions with commands: bit n is 2n and 2n + 1."""
        pairs = 0
        for netfn, owner in self._rows:
            if self.supported(Place(channel, netfn, owner, lun), sessions):
                pairs |= 1 << (netfn >> 1)
        return pairs

    def restricted(self, channel: int, lun: int) -> bool:
        """Whether something is disabled there."""
        places = [*self._disabled, *(place for place, _ in self._disabled_parts)]
        return any(place.channel == channel and place.lun == lun for place in places)

    # Commands.  Masks of 256 bits.

    def supported(self, place: Place, sessions: bool) -> int:
        """Commands that there are; on a channel with sessions, without those that no session may send."""
        mask = 0
        for row in self._commands(place):
            if place.lun in row.luns and not (sessions and row.privilege > Privilege.OEM):
                mask |= 1 << row.number
        return mask

    def configurable(self, place: Place, sessions: bool) -> int:
        """Commands that can be disabled."""
        if place.netfn == NetFn.GROUP_EXTENSION and place.owner < 0:
            return 0  # whose?
        fixed: int = sum(1 << number for number in ALWAYS_ON.get(NetFn(place.netfn), ()))
        return self.supported(place, sessions) & ~fixed

    def enabled(self, place: Place, sessions: bool) -> int:
        """Commands that can be used now."""
        return self.supported(place, sessions) & ~self._disabled.get(place, 0)

    def set_enabled(self, place: Place, half: int, mask: int, sessions: bool) -> None:
        """Replace one half of the enables.  Raises CommandError when a fixed bit is not as it must be."""
        window = ((1 << HALF) - 1) << half * HALF
        wanted = mask << half * HALF
        supported, configurable = self.supported(place, sessions), self.configurable(place, sessions)
        if (wanted ^ supported) & ~configurable & window:
            raise CommandError(NOT_CONFIGURABLE, "a command that is not there, or that is always on")
        disabled = (self._disabled.get(place, 0) & ~window) | (configurable & window & ~wanted)
        self._keep(place, -1, disabled, f"{disabled:x}")
        if disabled:
            self._disabled[place] = disabled
        else:
            self._disabled.pop(place, None)
        self._refresh()

    # Sub-functions.  Masks of 32 bits.

    def parts(self, place: Place, command: int) -> int:
        """Sub-functions of a command: all of them can be disabled."""
        if not any(row.number == command for row in self._commands(place)):
            raise CommandError(CompletionCode.NOT_PRESENT, f"there is no command {command:02X}h")
        all_of_them, _ = SUB_FUNCTIONS.get((place.netfn, place.owner, command), (0, None))
        return all_of_them

    def enabled_parts(self, place: Place, command: int) -> int:
        """Those that can be used now."""
        return self.parts(place, command) & ~self._disabled_parts.get((place, command), 0)

    def set_enabled_parts(self, place: Place, command: int, mask: int) -> None:
        """Replace the enables of a command's sub-functions."""
        parts = self.parts(place, command)
        if mask & ~parts:
            raise CommandError(NOT_CONFIGURABLE, "a sub-function that is not there")
        disabled = parts & ~mask
        self._keep(place, command, disabled, disabled)
        if disabled:
            self._disabled_parts[place, command] = disabled
        else:
            self._disabled_parts.pop((place, command), None)
        self._refresh()

    # Inside.

    def _commands(self, place: Place) -> Iterator[Command[Any]]:
        for (netfn, owner), rows in self._rows.items():
            if netfn == place.netfn and (owner == place.owner or place.owner < 0):
                yield from rows.values()

    def _keep(self, place: Place, command: int, disabled: int, value: int | str) -> None:
        key = ".".join(map(str, (*place, command)))
        if disabled:
            self._changes.put(ROOM, key, value)
        else:
            self._changes.delete(ROOM, key)

    def _refresh(self) -> None:
        self.active = bool(self._disabled or self._disabled_parts)
