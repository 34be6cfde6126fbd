"""What every chassis back end offers, and how it tells the controller what is true.

A back end is asked by `perform`, which returns at once: Chassis Control has been answered by then, and the
console polls Get Chassis Status. What has become true it tells through `Reports`, whoever caused it: an
order of ours, the guest, somebody on the host, or a fault. Orders are done one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from baseboard.bmc.boot_options import BootChoice, BootOptions
from baseboard.bmc.chassis import Chassis
from baseboard.bmc.events import PowerAction, RestartCause


class Backend(Protocol):
    """A chassis: the machine's power, as far as it can be reached."""

    last_error: str | None
    """Why the last thing that failed did so, and what to do about it; None: nothing has failed."""

    async def start(self) -> None:
        """Find out how the machine is and report it (`Reports.found`).  Raises ConfigError."""

    def perform(self, action: PowerAction, cause: RestartCause) -> None:
        """Order this; it is done after what was ordered before."""

    async def settled(self) -> None:
        """Wait until every order is done."""

    async def close(self) -> None:
        """Stop. A machine that the back end owns stops with it."""


class Reports:
    """The controller's chassis as a back end sees it.

    `changed(now)` is called after each report: whoever owns the controller commits what changed, passes its
    events on and looks at its deadlines.
    """

    def __init__(
        self,
        chassis: Chassis,
        boot_options: BootOptions,
        clock: Callable[[], float],
        changed: Callable[[float], None],
        shortest_off: float = 1.0,
    ) -> None:
        self._chassis = chassis
        self._boot_options = boot_options
        self._clock = clock
        self._changed = changed
        self._shortest_off = shortest_off

    @property
    def was_on(self) -> bool:
        """The machine's state as the controller last knew it."""
        return self._chassis.was_on

    @property
    def power_cycle_interval(self) -> float:
        """Seconds that the machine stays off in a power cycle; one at the least.  [IPMI 28.3]"""
        return max(self._shortest_off, self._chassis.power_cycle_interval)

    def possible(self, actions: frozenset[PowerAction]) -> None:
        """What can be done from now on; everything else is refused before it is ordered."""
        self._chassis.possible_actions = actions

    def found(self, on: bool) -> None:
        """How the machine is at the start. The power restore policy may order it on."""
        now = self._clock()
        self._chassis.found(on, now)
        self._changed(now)

    def power_changed(
        self,
        on: bool,
        cause: RestartCause = RestartCause.UNKNOWN,
        *,
        cycle: bool = False,
        fault: bool = False,
    ) -> None:
        """The machine went on, or off."""
        now = self._clock()
        self._chassis.power_changed(on, now, cause, cycle=cycle, fault=fault)
        self._changed(now)

    def machine_reset(self, cause: RestartCause) -> None:
        """The machine went through a reset."""
        now = self._clock()
        self._chassis.machine_reset(now, cause)
        self._changed(now)

    def power_failed(self) -> None:
        """An order could not be carried out."""
        now = self._clock()
        self._chassis.power_failed(now)
        self._changed(now)

    def diagnostic_interrupted(self) -> None:
        """The machine got its diagnostic interrupt."""
        now = self._clock()
        self._chassis.diagnostic_interrupted(now)
        self._changed(now)

    def operating_system_stopped(self) -> None:
        """The guest's system panicked."""
        now = self._clock()
        self._chassis.operating_system_stopped(now)
        self._changed(now)

    def next_boot(self, cause: RestartCause) -> BootChoice | None:
        """What a start for this cause is to boot from; it is not used up yet."""
        self._boot_options.machine_started(cause)
        self._changed(self._clock())
        return self._boot_options.choice

    def boot_used(self, choice: BootChoice | None, cause: RestartCause) -> None:
        """That start was made. What was chosen since then is left for the next one."""
        if choice is not None and choice == self._boot_options.choice:
            self._boot_options.take(cause)
            self._changed(self._clock())
