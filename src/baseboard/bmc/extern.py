"""A controller that lives elsewhere, reached over the VM wire: what QEMU calls `ipmi-bmc-extern`.

Theory of operation
-------------------
Requests come from a system interface with ids of its own, and each of them is answered, whatever the other
end does:

    C6h    the request is longer than 300 bytes, or its answer is
    C0h    too many are open
    D2h    nobody is connected, or the connection was lost before the answer came
    C3h    no answer in 4 s

A request leaves when the shell takes it with `data_to_send`. One that has not left when it is answered so, or
is given up, never will: a peer that does not read costs answers of C3h and no memory.

An answer counts when id, network function and command are those of an open request. Anything else (a late
answer, a wrong checksum, fewer than 5 bytes, an escape before the terminator) changes nothing, the time-out
neither. Ids on the wire count up over 256 and are not those of the interface, so that a late answer finds
nobody.

On connecting, version and capabilities go out, and a reset of the machine that nobody was told of. What the
controller orders without its having been offered is ignored.

A state that is exported goes on elsewhere, and the connection does not: what was on the wire is answered
D2h there and attention goes, as when a connection is lost. Requests that had not left wait for a controller
as long as they have time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from baseboard.interface.state import Exported
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Message
from baseboard.vm.framing import LONGEST_MESSAGE, Fault
from baseboard.vm.link import MachineLink
from baseboard.vm.protocol import (
    NEEDED,
    AttentionReceived,
    Capability,
    Operation,
    OperationReceived,
    ResponseReceived,
)

TIMEOUT = 4.0
"""Seconds.  [QEMU 5.1 to 11.1]"""
MOST_OPEN = 64
LONGEST_DATA = LONGEST_MESSAGE - 4
QEMU = Capability(0x3F)
"""What QEMU offers."""


def _answer(code: CompletionCode) -> bytes:
    return bytes((code,))


_TOO_LONG = _answer(CompletionCode.REQUEST_TRUNCATED)
_BUSY = _answer(CompletionCode.NODE_BUSY)
_NOBODY = _answer(CompletionCode.INITIALIZING)
_TIMED_OUT = _answer(CompletionCode.TIMEOUT)


class Answered(NamedTuple):
    """The answer to the request with this id of the interface, completion code first."""

    id: int
    data: bytes


ExternEvent = Answered | AttentionReceived | OperationReceived


@dataclass(frozen=True, slots=True)
class ExternState(Exported):
    """Everything that is kept beside the connection."""

    capabilities: int
    timeout: float
    open: tuple[tuple[int, tuple[int, int, int, bytes], float, bool], ...]
    """Id, the message, seconds left, and whether it was on the wire; the oldest first."""
    undelivered: tuple[tuple[str, int, bytes], ...]
    """Events that nobody took: "answered", id and answer; "attention", bit 0 the bit and bit 1 its interrupt;
    "operation" and its code."""
    attention: bool
    untold_reset: bool
    faults: tuple[tuple[str, int], ...]
    version: int = 1


class _Open:
    """A request that waits for its answer."""

    __slots__ = ("deadline", "message", "wire_id")

    def __init__(self, message: Message, deadline: float) -> None:
        self.message = message
        self.deadline = deadline
        self.wire_id: int | None = None
        """None: it has not left."""


class Extern:
    """The machine's end, from the interface to the wire."""

    def __init__(self, capabilities: Capability = QEMU, *, timeout: float = TIMEOUT) -> None:
        self.capabilities = capabilities
        self.faults: dict[Fault, int] = dict.fromkeys(Fault, 0)
        """Malformed frames of all connections so far."""
        self._timeout = timeout
        self._link: MachineLink | None = None
        self._open: dict[int, _Open] = {}
        """By id of the interface, the oldest first."""
        self._on_wire: dict[int, int] = {}
        """By id on the wire: id of the interface."""
        self._attention = False
        self._untold_reset = False
        self._events: deque[ExternEvent] = deque()

    # The interface's side.

    def request(self, id_: int, message: Message, now: float) -> None:
        """The interface asks; its ids of open requests differ."""
        self.abandon(id_)
        if len(message.data) > LONGEST_DATA:
            self._events.append(Answered(id_, _TOO_LONG))
        elif self._link is None:
            self._events.append(Answered(id_, _NOBODY))
        elif len(self._open) >= MOST_OPEN:
            self._events.append(Answered(id_, _BUSY))
        else:
            self._open[id_] = _Open(message, now + self._timeout)

    def abandon(self, id_: int) -> None:
        """The interface does not take an answer to this request any more."""
        open_ = self._open.pop(id_, None)
        if open_ is not None and open_.wire_id is not None:
            self._on_wire.pop(open_.wire_id, None)

    def machine_reset(self) -> None:
        """The machine was reset: the controller is told, when there is one."""
        self._untold_reset = True

    def next_event(self) -> ExternEvent | None:
        """What happened next, oldest first; None when nothing is left."""
        return self._events.popleft() if self._events else None

    def knows(self, id_: int) -> bool:
        """Whether this request waits, or its answer does."""
        return id_ in self._open or any(
            isinstance(event, Answered) and event.id == id_ for event in self._events
        )

    # What the store keeps.

    def export(self, now: float) -> ExternState:
        """The present state, in the middle of whatever is under way."""
        return ExternState(
            capabilities=self.capabilities.value,
            timeout=self._timeout,
            open=tuple(
                (
                    id_,
                    (open_.message.netfn, open_.message.lun, open_.message.command, open_.message.data),
                    max(open_.deadline - now, 0.0),
                    open_.wire_id is not None,
                )
                for id_, open_ in self._open.items()
            ),
            undelivered=tuple(_plain(event) for event in self._events),
            attention=self._attention,
            untold_reset=self._untold_reset,
            faults=tuple((fault.name, count) for fault, count in self._all_faults().items()),
        )

    @classmethod
    def from_state(cls, state: ExternState, now: float) -> Extern:
        """One that goes on where the exported one was, without its connection."""
        extern = cls(Capability(state.capabilities), timeout=state.timeout)
        extern.faults.update((Fault[name], count) for name, count in state.faults)
        extern._untold_reset = state.untold_reset
        extern._events.extend(_event(*plain) for plain in state.undelivered)
        for id_, message, left, on_wire in state.open:
            if on_wire:
                extern._events.append(Answered(id_, _NOBODY))
            else:
                extern._open[id_] = _Open(Message(*message), now + left)
        if state.attention:
            extern._events.append(AttentionReceived(False, False))
        return extern

    # The wire's side.

    @property
    def connected(self) -> bool:
        """Whether a controller is there."""
        return self._link is not None

    def connect(self) -> None:
        """A connection begins."""
        self.disconnect()
        self._link = MachineLink()
        self._link.greet()
        self._link.send_capabilities(self.capabilities)

    def disconnect(self) -> None:
        """The connection is gone: open requests are answered, and attention goes."""
        if self._link is None:
            return
        self.faults = self._all_faults()
        self._link = None
        for id_ in self._open:
            self._events.append(Answered(id_, _NOBODY))
        self._open.clear()
        self._on_wire.clear()
        if self._attention:
            self._attention = False
            self._events.append(AttentionReceived(False, False))

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the controller."""
        link = self._link
        if link is None:
            return
        link.receive_data(data)
        while (event := link.next_event()) is not None:
            if isinstance(event, ResponseReceived):
                self._receive_response(event)
            elif isinstance(event, AttentionReceived):
                if self.capabilities & Capability.ATTENTION:
                    self._attention = event.attention
                    self._events.append(event)
            elif isinstance(event, OperationReceived) and self.capabilities & NEEDED[event.operation]:
                self._events.append(event)

    def data_to_send(self) -> bytes:
        """Bytes for the controller; requests leave here and not before."""
        link = self._link
        if link is None:
            return b""
        if self._untold_reset:
            self._untold_reset = False
            link.send_reset()
        if len(self._on_wire) < len(self._open):
            for id_, open_ in self._open.items():
                if open_.wire_id is None:
                    open_.wire_id = wire_id = link.send_request(open_.message)
                    self._on_wire[wire_id] = id_
        return link.data_to_send()

    def next_deadline(self) -> float | None:
        """When to call `handle_deadline`; None: never as things stand."""
        for open_ in self._open.values():
            return open_.deadline
        return None

    def handle_deadline(self, now: float) -> None:
        """Answer what was not answered in time."""
        for id_ in [id_ for id_, open_ in self._open.items() if open_.deadline <= now]:
            self.abandon(id_)
            self._events.append(Answered(id_, _TIMED_OUT))

    def _all_faults(self) -> dict[Fault, int]:
        now = self._link.faults if self._link is not None else {}
        return {fault: count + now.get(fault, 0) for fault, count in self.faults.items()}

    def _receive_response(self, response: ResponseReceived) -> None:
        id_ = self._on_wire.get(response.id)
        if id_ is not None:
            self.abandon(id_)
            self._events.append(Answered(id_, response.data))


def _plain(event: ExternEvent) -> tuple[str, int, bytes]:
    if isinstance(event, Answered):
        return "answered", event.id, event.data
    if isinstance(event, AttentionReceived):
        return "attention", event.attention | event.interrupt << 1, b""
    return "operation", event.operation.value, b""


def _event(kind: str, number: int, data: bytes) -> ExternEvent:
    if kind == "answered":
        return Answered(number, data)
    if kind == "attention":
        return AttentionReceived(bool(number & 1), bool(number & 2))
    return OperationReceived(Operation(number))
