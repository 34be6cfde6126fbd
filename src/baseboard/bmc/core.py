"""The one dispatch that serves every interface: command table, then handler.

`Core.handle` takes a request and its circumstances and returns completion code and data. The table, not
the handler, checks existence (C1h), LUN (C2h), privilege (D4h) and length (C7h), in the order that
[IPMI 5.2] suggests; the firmware firewall (D4h, D6h) comes after privilege. A handler takes a decoded
request and returns a response, or raises `CommandError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from baseboard.errors import CommandError, DecodeError
from baseboard.ipmi.codec import Request, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

if TYPE_CHECKING:
    from baseboard.bmc.base import Controller
    from baseboard.bmc.controller import Bmc

Q = TypeVar("Q", bound=Request)

ANY_LUN = frozenset((0, 1, 2, 3))
BMC_LUN = frozenset((0,))


class Command(NamedTuple, Generic[Q]):
    """One row of a command table (Appendix G); without a handler it states why there is none."""

    number: int
    privilege: Privilege
    request: type[Q]
    handler: Callable[[Bmc, Q, Context], Response] | None
    luns: frozenset[int] = BMC_LUN
    reason: str = ""


class CommandTable(NamedTuple):
    """The commands of one network function, in command-number order.

    `group` is the defining body's byte of a group extension (netfn 2Ch), which is the first data byte of
    its requests and responses; the core takes it off and puts it on.  [IPMI 5.1, Table 5-1]
    """

    netfn: NetFn
    commands: tuple[Command[Any], ...]
    group: int | None = None

    def only(self, *numbers: int) -> CommandTable:
        """These commands of it."""
        return self._replace(commands=tuple(row for row in self.commands if row.number in numbers))

    def without(self, *numbers: int) -> CommandTable:
        """All commands but these."""
        return self._replace(commands=tuple(row for row in self.commands if row.number not in numbers))


def _answer(code: int) -> bytes:
    return bytes((code,))


_INVALID_COMMAND = _answer(CompletionCode.INVALID_COMMAND)
_INVALID_FOR_LUN = _answer(CompletionCode.INVALID_FOR_LUN)
_INSUFFICIENT_PRIVILEGE = _answer(CompletionCode.INSUFFICIENT_PRIVILEGE)
_LENGTH_INVALID = _answer(CompletionCode.LENGTH_INVALID)
_UNSPECIFIED = _answer(CompletionCode.UNSPECIFIED)

Fault = Callable[[Message, Exception], None]


class Core:
    """Dispatch over one controller's state.

    `on_fault` is told of an error of our own in a handler, which is answered FFh; without it the error
    goes up, as tests want it.
    """

    def __init__(
        self, bmc: Controller, tables: Iterable[CommandTable], on_fault: Fault | None = None
    ) -> None:
        self.bmc = bmc
        bmc.port.handler = self.handle
        tables = tuple(tables)
        bmc.firewall.watch(tables)
        self._firewall = bmc.firewall
        self._on_fault = on_fault
        self._table: dict[int, Command[Any]] = {}
        self._groups: dict[int, dict[int, Command[Any]]] = {}
        for table in tables:
            rows = {row.number: row for row in table.commands if row.handler is not None}
            if table.group is not None:
                self._groups.setdefault(table.group, {}).update(rows)
            else:
                self._table.update((table.netfn << 8 | number, row) for number, row in rows.items())

    def handle(self, message: Message, context: Context) -> bytes:
        """Answer one request: completion code, then data."""
        netfn, lun, command, data = message
        row = self._table.get(netfn << 8 | command)
        if row is None:
            if netfn == NetFn.GROUP_EXTENSION:
                return self._handle_group(message, context)
            return _INVALID_COMMAND
        return self._execute(row, lun, data, message, context)

    def needed_privilege(self, message: Message) -> Privilege | None:
        """What a command needs; None: the tables do not have it."""
        row = self._table.get(message.netfn << 8 | message.command)
        if row is None and message.netfn == NetFn.GROUP_EXTENSION and message.data:
            row = self._groups.get(message.data[0], {}).get(message.command)
        return row.privilege if row is not None else None

    def _handle_group(self, message: Message, context: Context) -> bytes:
        """Take the group byte off, answer, put it on again.  An unknown body is C1h with its byte."""
        _, lun, command, data = message
        if not data:
            return _INVALID_COMMAND
        group = data[:1]
        row = self._groups.get(data[0], {}).get(command)
        if row is None:
            return _INVALID_COMMAND + group
        answer = self._execute(row, lun, data[1:], message, context)
        return answer[:1] + group + answer[1:]

    def _execute(self, row: Command[Any], lun: int, data: bytes, message: Message, context: Context) -> bytes:
        if lun and lun not in row.luns:
            return _INVALID_FOR_LUN
        if context.privilege < row.privilege:
            return _INSUFFICIENT_PRIVILEGE
        if self._firewall.active and (refusal := self._firewall.refusal(message, context)):
            return _answer(refusal)
        try:
            request = row.request.decode(data)
        except DecodeError:
            return _LENGTH_INVALID
        try:
            handler: Any = row.handler
            answer: bytes = handler(self.bmc, request, context).encode()
        except CommandError as error:
            return bytes((error.code,)) + error.data
        except Exception as error:
            if self._on_fault is None:
                raise
            self._on_fault(message, error)
            return _UNSPECIFIED
        return answer
