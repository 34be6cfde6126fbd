"""A host that is another virtual machine: its `ipmi-bmc-extern` on one side, firmware on the other.

Theory of operation
-------------------
It is the VM wire's controller end, with a `Responder` for a controller. Requests go to the firmware in the
order in which they came, and each is answered with its own id:

    as the firmware answers, when it does in time
    C3h    it did not: the machine would give up by itself after 4 s  [QEMU 5.1 to 11.1]
    C6h    the answer does not fit into the wire's 300 bytes
    D2h    the firmware was reset meanwhile, or is not up yet
    FFh    the BMC is gone

Orders go along the wire: what the firmware accepted by Chassis Control (`orders`), after the answer to it.
Attention is passed on, as an interrupt when the firmware's Global Enables have one. What they are is asked
when the firmware appears, and followed in what the host sets.

A machine that went away or was reset does not want its answers any more: its requests are abandoned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from baseboard.host.orders import INTERRUPTS, order
from baseboard.host.seam import (
    Answered,
    AttentionChanged,
    FirmwareFound,
    FirmwareLost,
    HostOrdered,
    InterruptChanged,
    Responder,
    ResponderEvent,
)
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Message
from baseboard.ipmi.netfn import NetFn
from baseboard.vm.framing import Fault
from baseboard.vm.link import ControllerLink
from baseboard.vm.protocol import CapabilitiesReceived, Capability, MachineReset, RequestReceived

PATIENCE = 3.5
"""Seconds. The machine's 4 s began before the request reached us."""
CAPACITY = 64
GET_GLOBAL_ENABLES = Message(NetFn.APP, 0, 0x2F)

_TIMED_OUT = bytes((CompletionCode.TIMEOUT,))
_BUSY = bytes((CompletionCode.NODE_BUSY,))


class Exchanged(NamedTuple):
    """A request of the host's and what it was answered, for whoever looks on."""

    message: Message
    answer: bytes
    seconds: float


@dataclass(slots=True)
class ExternCounters:
    """What passed since the beginning."""

    requests: int = 0
    answered: int = 0
    timed_out: int = 0
    busy: int = 0
    abandoned: int = 0
    orders: int = 0
    orders_refused: int = 0
    """The machine does not offer what the firmware ordered."""
    attentions: int = 0
    connections: int = 0

    def as_dict(self) -> dict[str, int]:
        """By name."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class _Open:
    request: RequestReceived
    began: float


def _unwatched(exchanged: Exchanged) -> None:
    pass


class HostExtern:
    """One machine's wire before one responder.

    With `infer`, what the firmware wants of the machine is seen by what it accepts; without, it says so.
    """

    def __init__(self, responder: Responder, *, infer: bool = True, patience: float = PATIENCE) -> None:
        self.counters = ExternCounters()
        self.faults: dict[Fault, int] = dict.fromkeys(Fault, 0)
        """Malformed frames of all connections so far."""
        self.watch: Callable[[Exchanged], None] = _unwatched
        """Told of each request that is answered."""
        self._responder = responder
        self._infer = infer
        self._patience = patience
        self._link: ControllerLink | None = None
        self._last_wire_id = 0xEF
        self._open: dict[int, _Open] = {}
        """By our id, the oldest first."""
        self._last_id = 0
        self._asking: int | None = None
        """Our id of Get BMC Global Enables, when that is under way."""
        self._attention = False
        self._interrupt = False

    # -- the machine's side --------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether a machine is there."""
        return self._link is not None

    @property
    def capabilities(self) -> Capability:
        """What it offers."""
        return self._link.capabilities if self._link is not None else Capability.NONE

    def connect(self, now: float) -> None:
        """A connection begins."""
        self.disconnect(now)
        self.counters.connections += 1
        self._link = ControllerLink(
            attention=self._attention,
            interrupt=self._interrupt,
            interrupt_enabled=self._interrupt,
            last_id=self._last_wire_id,
        )
        self._link.greet()

    def disconnect(self, now: float) -> None:
        """The connection is gone."""
        link = self._link
        if link is None:
            return
        for fault, count in link.faults.items():
            self.faults[fault] += count
        self._last_wire_id = link.last_id
        self._link = None
        self._abandon_all(now)

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes from the machine."""
        link = self._link
        if link is None:
            return
        link.receive_data(data)
        while (event := link.next_event()) is not None:
            if isinstance(event, RequestReceived):
                self._ask(link, event, now)
            elif isinstance(event, MachineReset):
                self._abandon_all(now)
            elif isinstance(event, CapabilitiesReceived):
                pass  # the link keeps them, and says attention and interrupt

    def data_to_send(self) -> bytes:
        """Bytes for the machine."""
        return self._link.data_to_send() if self._link is not None else b""

    # -- the firmware's side -------------------------------------------------------------------------

    def receive_event(self, event: ResponderEvent, now: float) -> None:
        """The firmware says something."""
        match event:
            case Answered(id_, data):
                self._answer(id_, data, now)
            case AttentionChanged(attention):
                self._attention = attention
                self.counters.attentions += attention
                self._say_attention()
            case InterruptChanged(enabled):
                self._set_interrupt(enabled)
            case HostOrdered():
                self._order(event)
            case FirmwareFound() if self._infer:
                self._asking = self._next_id()
                self._responder.submit(self._asking, GET_GLOBAL_ENABLES, now)
            case FirmwareLost():
                self._set_interrupt(False)

    def next_deadline(self) -> float | None:
        """When to call `handle_deadline`; None: never as things stand."""
        for open_ in self._open.values():
            return open_.began + self._patience
        return None

    def handle_deadline(self, now: float) -> None:
        """Answer what was not answered in time."""
        late = [id_ for id_, open_ in self._open.items() if open_.began + self._patience <= now]
        for id_ in late:
            self._responder.abandon(id_, now)
            self.counters.timed_out += 1
            self._reply(self._open.pop(id_), _TIMED_OUT, now)

    # -- inside --------------------------------------------------------------------------------------

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _ask(self, link: ControllerLink, request: RequestReceived, now: float) -> None:
        self.counters.requests += 1
        if len(self._open) >= CAPACITY:
            self.counters.busy += 1
            link.send_response(request, _BUSY)
            return
        id_ = self._next_id()
        self._open[id_] = _Open(request, now)
        self._responder.submit(id_, request.message, now)

    def _answer(self, id_: int, data: bytes, now: float) -> None:
        if id_ == self._asking:
            self._asking = None
            if data[:1] == b"\0" and len(data) > 1:
                self._set_interrupt(bool(data[1] & INTERRUPTS))
            return
        open_ = self._open.pop(id_, None)
        if open_ is None:
            return
        self.counters.answered += 1
        self._reply(open_, data, now)
        consequence = order(open_.request.message, data) if self._infer else None
        if consequence is not None:
            self.receive_event(consequence, now)

    def _reply(self, open_: _Open, data: bytes, now: float) -> None:
        if self._link is not None:
            self._link.send_response(open_.request, data)
        self.watch(Exchanged(open_.request.message, data, now - open_.began))

    def _order(self, event: HostOrdered) -> None:
        link = self._link
        if link is not None and link.can(event.operation):
            self.counters.orders += 1
            link.send_operation(event.operation)
        else:
            self.counters.orders_refused += 1

    def _set_interrupt(self, enabled: bool) -> None:
        if enabled == self._interrupt:
            return
        self._interrupt = enabled
        if self._link is not None:
            self._link.set_interrupt(enabled)
        if self._attention:
            self._say_attention()

    def _say_attention(self) -> None:
        if self._link is not None:
            self._link.set_attention(self._attention, self._interrupt)

    def _abandon_all(self, now: float) -> None:
        for id_ in self._open:
            self.counters.abandoned += 1
            self._responder.abandon(id_, now)
        self._open.clear()
