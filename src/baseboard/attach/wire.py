"""A controller on the VM wire, as firmware for an event loop: ipmi_sim, another baseboard, a real one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from baseboard.aio.endpoint import Address
from baseboard.aio.extern import ExternPort
from baseboard.attach.firmware import Deliver
from baseboard.bmc.extern import Extern
from baseboard.bmc.extern_seam import ExternSeam
from baseboard.host.registers import Counters, Outcome
from baseboard.host.seam import (
    Answered,
    AttentionChanged,
    FirmwareFound,
    FirmwareLost,
    HostOrdered,
    InterruptChanged,
)
from baseboard.interface.seam import EngineEvent, RequestAbandoned, RequestReceived
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Message
from baseboard.vm.protocol import Operation

FLAG = "vm"
_ENDS: Mapping[int | None, Outcome] = {
    CompletionCode.TIMEOUT: Outcome.TIMED_OUT,
    CompletionCode.INITIALIZING: Outcome.LOST,
}


def _nobody() -> None:
    pass


class _Requests:
    """What `ExternSeam` takes for the engine of a system interface: here hosts are behind it."""

    def __init__(self, firmware: WireFirmware) -> None:
        self.wake: Callable[[], None] = _nobody
        self._firmware = firmware
        self._events: deque[EngineEvent] = deque()

    def put(self, event: EngineEvent) -> None:
        self._events.append(event)
        self.wake()

    def next_event(self) -> EngineEvent | None:
        return self._events.popleft() if self._events else None

    def respond(self, id_: int, response: bytes) -> bool:
        self._firmware.answered(id_, response)
        return True

    def set_attention(self, attention: bool, interrupt: bool) -> None:
        self._firmware.attention(attention)

    def set_interrupt(self, enabled: bool) -> None:
        self._firmware.say(InterruptChanged(enabled))

    def unanswered(self) -> tuple[RequestReceived, ...]:
        return ()


class _Port(ExternPort):
    """Tells when the controller comes and goes."""

    changed: Callable[[bool], None]

    def attach(self, connection: Any) -> bool:
        attached = super().attach(connection)
        if attached:
            self.changed(True)
        return attached

    def detach(self, connection: Any) -> None:
        was = self.connected
        super().detach(connection)
        if was and not self.connected:
            self.changed(False)


class WireFirmware:
    """The controller at this address."""

    tells_orders = True

    def __init__(self, address: Address) -> None:
        self._address = address
        self._requests = _Requests(self)
        self._seam = ExternSeam(self._requests, Extern(), operate=self._ordered)
        self._port = _Port(address, self._seam, flag=FLAG)
        self._port.changed = self._changed
        self._counters = Counters()
        self._attention = False
        self._deliver: Deliver

    async def start(self, deliver: Deliver) -> None:
        """Connect, or listen.  Raises ConfigError."""
        self._deliver = deliver
        deliver(FirmwareLost(f"nobody is at {self._address} yet"))
        await self._port.start()

    async def close(self) -> None:
        """Hang up."""
        await self._port.close()

    def submit(self, id_: int, message: Message, now: float) -> None:
        """Ask."""
        self._counters.requests += 1
        self._requests.put(RequestReceived(id_, message))

    def abandon(self, id_: int, now: float) -> None:
        """No answer to this request is wanted any more."""
        self._counters.abandoned += 1
        self._requests.put(RequestAbandoned(id_))

    def found(self) -> dict[str, Any]:
        """What there is."""
        return {"wire": self._address.stream, "connected": self._port.connected}

    def counters(self) -> dict[str, int]:
        """What happened since the beginning."""
        return self._counters.as_dict()

    def answered(self, id_: int, data: bytes) -> None:
        """An answer, or what stands for one."""
        alone = data[0] if len(data) == 1 else None
        self._counters.count(_ENDS.get(alone, Outcome.ANSWERED))
        self.say(Answered(id_, data))

    def attention(self, attention: bool) -> None:
        """The controller's attention bit."""
        if attention != self._attention:
            self._attention = attention
            self._counters.attentions += attention
            self.say(AttentionChanged(attention))

    def say(self, event: Any) -> None:
        """Tell the host."""
        self._deliver(event)

    def _ordered(self, operation: Operation) -> None:
        self.say(HostOrdered(operation))

    def _changed(self, connected: bool) -> None:
        if connected:
            self.say(FirmwareFound(f"a controller at {self._address}"))
        else:
            self._counters.resets += 1
            self.say(FirmwareLost(f"the controller at {self._address} hung up"))
