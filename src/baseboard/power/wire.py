"""Power over the VM wire alone: somebody else owns the virtual machine.

On means that it is connected. The wire can switch a machine off, reset it, interrupt it and press its power
button, as far as the machine offers it; it cannot switch one on, so neither power-on nor power cycle is
possible. A watchdog or filter that wants a power cycle gets a reset, which is as near as the wire comes.

Boot flags are left for the machine's firmware to read over the system interface.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from baseboard.bmc.events import PowerAction, RestartCause
from baseboard.power.backend import Reports
from baseboard.vm.protocol import Operation

GRACE = 1.0
"""Seconds after our own start in which a machine that connects was running all the time."""
OWN_RESET = 2.0
"""Seconds after a reset of ours in which the machine's notice of a reset is that one."""

# fmt: off
OPERATIONS: Mapping[PowerAction, Operation] = {
    PowerAction.OFF:                   Operation.POWER_OFF,
    PowerAction.RESET:                 Operation.RESET,
    PowerAction.DIAGNOSTIC_INTERRUPT:  Operation.NMI,
    PowerAction.SOFT:                  Operation.GRACEFUL_SHUTDOWN,
}
# fmt: on


class Wire(Protocol):
    """One machine's wire, as `aio.vm.VmPort` is."""

    @property
    def connected(self) -> bool:
        """Whether the machine is there."""

    def can(self, operation: Operation) -> bool:
        """Whether it is there and offers this."""

    def operate(self, operation: Operation) -> bool:
        """Have it do this; False: it cannot."""


class WireMachine:
    """Back end for machines that others start. Several wires are one machine with several ends."""

    def __init__(self, reports: Reports, wires: Sequence[Wire]) -> None:
        self.last_error: str | None = None
        self._reports = reports
        self._wires = wires
        self._grace: asyncio.TimerHandle | None = None
        self._found = False
        self._reset_at: float | None = None

    async def start(self) -> None:
        """Give a machine that is running a moment to connect."""
        self._reports.possible(frozenset())
        self._grace = asyncio.get_running_loop().call_later(GRACE, self._find, False)
        self.wire_changed()  # one may be connected already

    async def settled(self) -> None:
        """Orders are done as they are given."""

    async def close(self) -> None:
        """Stop; the machine is not ours."""
        if self._grace is not None:
            self._grace.cancel()

    def perform(self, action: PowerAction, cause: RestartCause) -> None:
        """Send it along the wire."""
        if action is PowerAction.CYCLE:
            action = PowerAction.RESET
        operation = OPERATIONS.get(action)
        if operation is None or not any(wire.connected for wire in self._wires):
            return
        sent = [wire.operate(operation) for wire in self._wires]  # to every end, not only the first
        if not any(sent):
            self.last_error = (
                f"the machine does not offer {operation.name} on its wire; "
                "one that baseboard starts itself can do everything: baseboard run -- qemu-system-..."
            )
            self._reports.power_failed()
        elif action is PowerAction.RESET:
            self._reset_at = asyncio.get_running_loop().time()
            self._reports.machine_reset(cause)
        elif action is PowerAction.DIAGNOSTIC_INTERRUPT:
            self._reports.diagnostic_interrupted()

    def wire_changed(self) -> None:
        """A wire was connected or lost, or what its machine offers has become known."""
        possible = (
            action for action, operation in OPERATIONS.items() if any(w.can(operation) for w in self._wires)
        )
        self._reports.possible(frozenset(possible))
        on = any(wire.connected for wire in self._wires)
        if self._found:
            self._reports.power_changed(on)
        elif on:
            self._find(True)

    def machine_reset(self) -> None:
        """The machine says that it was reset."""
        now = asyncio.get_running_loop().time()
        if self._reset_at is not None and now - self._reset_at < OWN_RESET:
            self._reset_at = None
            return
        self._reports.machine_reset(RestartCause.SOFT_RESET)

    def _find(self, on: bool) -> None:
        self._found = True
        if self._grace is not None:
            self._grace.cancel()
        self._reports.found(on)
