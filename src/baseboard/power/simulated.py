"""A machine that is nothing but its power state: the default chassis.

Its firmware starts from whatever was chosen and uses the choice up. It runs on while the controller is
restarted, as a real machine does.

A guest may be attached to its system interface all the same (that is what the QEMU options that
`baseboard run` prints do): then it is told to do what the simulated machine does, as far as it offers it.
Whoever wants the guest's own state to count uses `power/wire.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from baseboard.bmc.boot_options import BootChoice
from baseboard.bmc.events import PowerAction, RestartCause
from baseboard.power.backend import Reports
from baseboard.power.orders import Orders
from baseboard.power.wire import OPERATIONS, Wire

SOFT_DELAY = 2.0
"""Seconds that the imagined system takes to shut down."""


class SimulatedMachine:
    """Back end without a machine."""

    def __init__(self, reports: Reports, wires: Sequence[Wire] = (), soft_delay: float = SOFT_DELAY) -> None:
        self.last_error: str | None = None
        self.is_on = False
        self.booted: BootChoice | None = None
        """What the last start was told to boot from."""
        self._reports = reports
        self._wires = wires
        self._soft_delay = soft_delay
        self._orders = Orders(self._carry_out)

    async def start(self) -> None:
        """It is as it was."""
        self.is_on = self._reports.was_on
        self._reports.found(self.is_on)

    def perform(self, action: PowerAction, cause: RestartCause) -> None:
        """Order this; it is done after what was ordered before."""
        self._orders.put(action, cause)

    async def settled(self) -> None:
        """Wait until every order is done."""
        await self._orders.settled()

    async def close(self) -> None:
        """Stop imagining."""
        await self._orders.close()

    async def _carry_out(self, action: PowerAction, cause: RestartCause) -> None:
        if action is PowerAction.ON:
            if not self.is_on:
                self._power_on(cause)
            return
        if not self.is_on:
            return
        operation = OPERATIONS[PowerAction.RESET if action is PowerAction.CYCLE else action]
        for wire in self._wires:
            wire.operate(operation)
        if action is PowerAction.OFF:
            self._power_off()
        elif action is PowerAction.SOFT:
            await asyncio.sleep(self._soft_delay)
            self._power_off()
        elif action is PowerAction.CYCLE:
            self._power_off(cycle=True)
            await asyncio.sleep(self._reports.power_cycle_interval)
            self._power_on(cause, cycle=True)
        elif action is PowerAction.RESET:
            self._boot(cause)
            self._reports.machine_reset(cause)
        else:
            self._reports.diagnostic_interrupted()

    def _boot(self, cause: RestartCause) -> None:
        self.booted = self._reports.next_boot(cause)
        self._reports.boot_used(self.booted, cause)

    def _power_on(self, cause: RestartCause, cycle: bool = False) -> None:
        self._boot(cause)
        self.is_on = True
        self._reports.power_changed(True, cause, cycle=cycle)

    def _power_off(self, cycle: bool = False) -> None:
        self.is_on = False
        self._reports.power_changed(False, cycle=cycle)
