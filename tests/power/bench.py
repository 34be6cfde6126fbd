"""A controller and its back end, put together as an instance does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from baseboard.bmc import Bmc, Core, Settings
from baseboard.bmc.boot_options import BootOptions
from baseboard.bmc.changes import Changes
from baseboard.bmc.chassis import ROOM, Chassis, ChassisSettings
from baseboard.bmc.events import Event, PowerAction, PowerRequested, RestartCause
from baseboard.bmc.handlers import chassis as handlers
from baseboard.ipmi import Context, Message
from baseboard.power.backend import Backend, Reports

ON, OFF, CYCLE, RESET, NMI, SOFT = (
    PowerAction.ON,
    PowerAction.OFF,
    PowerAction.CYCLE,
    PowerAction.RESET,
    PowerAction.DIAGNOSTIC_INTERRUPT,
    PowerAction.SOFT,
)


class Bench:
    """The chassis commands over a back end; what was logged is in `log`, as (sensor type, offset)."""

    def __init__(self, starts_on: bool = False, kept: dict[str, object] | None = None) -> None:
        self.bmc = Bmc(Settings())
        self.changes = Changes()
        self.log: list[tuple[int, int]] = []
        self.bmc.boot_options = BootOptions(self.changes)
        self.bmc.chassis = Chassis(
            ChassisSettings(starts_on=starts_on, power_cycle_interval=0),
            self.changes,
            self.bmc.boot_options,
            self._emit,
            self._log,
        )
        self.bmc.chassis.restore(kept or {})
        self.core = Core(self.bmc, (handlers.TABLE,))
        self.requests: list[PowerRequested] = []
        self.backend: Backend
        self.changed = asyncio.Event()
        self.reports = Reports(
            self.bmc.chassis,
            self.bmc.boot_options,
            asyncio.get_running_loop().time,
            self._pump,
            shortest_off=0.05,
        )

    def _emit(self, event: Event) -> None:
        if isinstance(event, PowerRequested):
            self.requests.append(event)

    def _log(
        self, kind: int, number: int, event_type: int, deassertion: bool, data: bytes, now: float
    ) -> None:
        self.log.append((kind, data[0] | 0x80 * deassertion))

    def _pump(self, now: float) -> None:
        while self.requests:
            request = self.requests.pop(0)
            self.backend.perform(request.action, request.cause)
        self.changed.set()

    def send(self, text: str) -> str:
        """One request and its answer; the orders that it made are given to the back end."""
        netfn_lun, command, *data = bytes.fromhex(text)
        context = Context(channel=1, now=asyncio.get_running_loop().time())
        answer = self.core.handle(Message(netfn_lun >> 2, 0, command, bytes(data)), context)
        self._pump(context.now)
        return answer.hex(" ")

    async def control(self, action: PowerAction) -> str:
        """Chassis Control, and all that it led to."""
        answer = self.send(f"00 02 {action:02x}")
        await self.backend.settled()
        return answer

    @property
    def is_on(self) -> bool:
        return self.bmc.chassis.power_is_on

    @property
    def cause(self) -> RestartCause:
        return self.bmc.chassis.restart_cause

    async def until(self, condition: Callable[[], bool], timeout: float = 10.0) -> None:
        """Wait for a report after which this is so."""
        async with asyncio.timeout(timeout):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    def kept(self) -> dict[str, object]:
        """What a next controller finds."""
        _, rows = self.changes.take()
        return {key: value for (room, key), value in rows.items() if room == ROOM}
