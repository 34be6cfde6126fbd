"""Our LAN before firmware that somebody else wrote: `baseboard run --bmc-at`.

Sessions are ours, so everything that decides who may log in and how is answered here; everything else goes to
the firmware as a request of its system interface, where it counts as local software that may do anything. So
the privilege that a command needs is checked before: by our tables, and what they do not know needs
Administrator.

An answer is sent when it comes. What a console asks again meanwhile is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from baseboard.attach.firmware import Firmware
from baseboard.bmc.core import CommandTable, Core
from baseboard.bmc.handlers import channels, lan_configuration, payload, session, sol, users
from baseboard.host.seam import Answered, FirmwareFound, FirmwareLost, ResponderEvent
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege
from baseboard.lan.message import LanRequest
from baseboard.lan.server import LanServer

MOST_OPEN = 64
DEFERRED = b""
"""A handler's answer that means: later."""

# fmt: off
OURS: tuple[CommandTable, ...] = (
    session.TABLE,            # authentication, sessions, GUIDs in them  [IPMI 22.13 to 22.25]
    channels.TABLE,           # channel access and information
    users.TABLE,              # users, their access, passwords
    payload.TABLE,            # payloads of RMCP+
    lan_configuration.TABLE,  # our own LAN's parameters and statistics
    sol.TABLE,                # its serial over LAN
)
OURS_TOO = frozenset((
    (NetFn.APP, 0x08),        # Get Device GUID: as RAKP Message 2 has it
    (NetFn.APP, 0x37),        # Get System GUID
))
# fmt: on
_OURS = OURS_TOO | {(table.netfn, row.number) for table in OURS for row in table.commands}
_INSUFFICIENT_PRIVILEGE = bytes((CompletionCode.INSUFFICIENT_PRIVILEGE,))
_BUSY = bytes((CompletionCode.NODE_BUSY,))


class _Open(NamedTuple):
    session_id: int
    request: LanRequest


class FirmwareBridge:
    """One LAN before one firmware; all of it in the event loop."""

    def __init__(self, firmware: Firmware, core: Core, report: Callable[[str], None]) -> None:
        self._firmware = firmware
        self._core = core
        self._report = report
        self._server: LanServer | None = None
        self._flush: Callable[[], None]
        self._open: dict[int, _Open] = {}
        self._last_id = 0

    def attach(self, server: LanServer, flush: Callable[[], None]) -> None:
        """The LAN's server, and what sends its datagrams."""
        self._server = server
        self._flush = flush
        server.on_deferred = self._ask

    def handle(self, message: Message, context: Context) -> bytes:
        """Answer a request from the LAN, now or later."""
        if context.session is None or (message.netfn, message.command) in _OURS:
            return self._core.handle(message, context)
        needed = self._core.needed_privilege(message)
        if context.privilege < (Privilege.ADMINISTRATOR if needed is None else needed):
            return _INSUFFICIENT_PRIVILEGE
        return DEFERRED

    def deliver(self, event: ResponderEvent) -> None:
        """The firmware says something."""
        match event:
            case Answered(id_, data):
                open_ = self._open.pop(id_, None)
                if open_ is not None:
                    self._respond(open_, data)
            case FirmwareFound(what):
                self._report(f"the firmware answers on {what}")
            case FirmwareLost(reason):
                self._report(f"the firmware does not answer: {reason}")

    def _ask(self, session_id: int, request: LanRequest, now: float) -> None:
        open_ = _Open(session_id, request)
        if open_ in self._open.values():
            return  # the console asks again
        if len(self._open) >= MOST_OPEN:
            self._respond(open_, _BUSY)
            return
        self._last_id += 1
        self._open[self._last_id] = open_
        message = Message(request.netfn, request.lun, request.command, request.data)
        self._firmware.submit(self._last_id, message, now)

    def _respond(self, open_: _Open, data: bytes) -> None:
        if self._server is not None and self._server.respond(open_.session_id, open_.request, data):
            self._flush()
