"""The watchdog timer.  [IPMI chapter 27]

Theory of operation
-------------------
Set loads the timer and stops it, or with "don't stop" lets a running one go on from the new value; Reset
starts it from its initial countdown. Two deadlines follow: the pre-timeout interrupt, and the expiry with
its action. Once the pre-timeout is reached Reset changes nothing any more, only Set does  [IPMI 27.5].

Every expiry sets the flag of the timer's use, which stays until a Set clears it, logs an event of sensor
type 23h and ends "don't log"  [IPMI 27.3]. A reset or power-off of the machine stops the timer and leaves
its settings.

There is no SMI that we could raise in a virtual machine: that interrupt is refused (CCh).

Nothing here is durable: a controller that starts anew guards nothing until its timer is set again (Linux
sets it when it gets 80h).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil

from baseboard.bmc.events import Event, NmiRequested, PowerAction, PowerRequested, RestartCause
from baseboard.bmc.messaging import Messaging
from baseboard.bmc.well_known import WATCHDOG_SENSOR
from baseboard.errors import CommandError
from baseboard.ipmi.app_watchdog import (
    GetWatchdogTimerResponse,
    PretimeoutInterrupt,
    SetWatchdogTimerRequest,
    TimeoutAction,
    TimerUse,
)
from baseboard.ipmi.completion import CompletionCode

SENSOR_TYPE = 0x23  # Watchdog 2  [IPMI Table 42-3]
SENSOR_SPECIFIC = 0x6F
TIMER_INTERRUPT = 8  # event offset; the offset of an expiry is the number of its action
NEVER_SET = 0x80

Log = Callable[[int, int, int, bool, bytes, float], None]
"""`Bmc.platform_event`: sensor type, sensor number, event type, deassertion, event data, now."""

# fmt: off
ACTIONS: Mapping[int, PowerAction | None] = {
    TimeoutAction.NONE:        None,
    TimeoutAction.HARD_RESET:  PowerAction.RESET,
    TimeoutAction.POWER_DOWN:  PowerAction.OFF,
    TimeoutAction.POWER_CYCLE: PowerAction.CYCLE,
}
# fmt: on
USES = frozenset(TimerUse)
INTERRUPTS = frozenset((PretimeoutInterrupt.NONE, PretimeoutInterrupt.NMI, PretimeoutInterrupt.MESSAGING))

_UNSET = SetWatchdogTimerRequest(
    use=0,
    dont_stop=False,
    dont_log=False,
    action=TimeoutAction.NONE,
    interrupt=PretimeoutInterrupt.NONE,
    pretimeout_interval=0,
    expiration_flags=0,
    initial_countdown=0,
)


class Watchdog:
    """One timer: its settings, whether it runs, and what it does."""

    def __init__(self, emit: Callable[[Event], None], messaging: Messaging, log: Log) -> None:
        self._emit = emit
        self._messaging = messaging
        self._log = log
        self._settings = _UNSET
        self._dont_log = False
        self._expired = 0
        self._left = 0
        """Countdown while the timer is stopped, in 100 ms."""
        self._expires: float | None = None
        self._interrupts: float | None = None
        self._interrupted = False

    def reset(self, cold: bool, now: float) -> None:
        """Cold Reset: as after power-on. A warm one leaves the timer alone."""
        if not cold:
            return
        self._settings = _UNSET
        self._dont_log = False
        self._expired = 0
        self._left = 0
        self._halt()

    def power_changed(self, on: bool, now: float) -> None:
        """The machine was reset, or its power changed: the timer stops."""
        self.stop(now)

    @property
    def running(self) -> bool:
        """Whether it counts."""
        return self._expires is not None

    def set(self, request: SetWatchdogTimerRequest, now: float) -> None:
        """Set Watchdog Timer.  [IPMI 27.6]"""
        _check(request)
        goes_on = self.running and request.dont_stop
        self._settings = request
        self._dont_log = request.dont_log
        self._expired &= ~request.expiration_flags
        self._left = request.initial_countdown
        self._halt()
        self._messaging.set_watchdog_pretimeout(False)
        if goes_on:
            self._start(now)

    def restart(self, now: float) -> None:
        """Reset Watchdog Timer.  [IPMI 27.5]"""
        if self._settings is _UNSET:
            raise CommandError(NEVER_SET, "the watchdog was never set")
        if not self._interrupted:
            self._start(now)

    def stop(self, now: float) -> None:
        """Stop counting, keep the rest."""
        if self._expires is not None:
            self._left = self._countdown(now)
        self._halt()

    def state(self, now: float) -> GetWatchdogTimerResponse:
        """Get Watchdog Timer.  [IPMI 27.7]"""
        settings = self._settings
        return GetWatchdogTimerResponse(
            use=settings.use,
            running=self.running,
            dont_log=self._dont_log,
            action=settings.action,
            interrupt=settings.interrupt,
            pretimeout_interval=settings.pretimeout_interval,
            expiration_flags=self._expired,
            initial_countdown=settings.initial_countdown,
            present_countdown=self._countdown(now),
        )

    def next_deadline(self) -> float | None:
        """The pre-timeout, then the expiry."""
        return self._interrupts if self._interrupts is not None else self._expires

    def handle_deadline(self, now: float) -> None:
        """Interrupt, expire, or both when we are late."""
        if self._interrupts is not None and self._interrupts <= now:
            self._interrupt(now)
        if self._expires is not None and self._expires <= now:
            self._expire(now)

    def _start(self, now: float) -> None:
        settings = self._settings
        self._expires = now + settings.initial_countdown / 10
        if settings.interrupt != PretimeoutInterrupt.NONE:
            self._interrupts = self._expires - settings.pretimeout_interval

    def _halt(self) -> None:
        self._expires = self._interrupts = None
        self._interrupted = False

    def _countdown(self, now: float) -> int:
        if self._expires is None:
            return self._left
        left = ceil((self._expires - now) * 10 - 1e-6)
        return min(max(left, 0), self._settings.initial_countdown)

    def _interrupt(self, now: float) -> None:
        self._interrupts = None
        self._interrupted = True
        self._record(TIMER_INTERRUPT, now)
        self._messaging.set_watchdog_pretimeout(True)
        if self._settings.interrupt == PretimeoutInterrupt.NMI:
            self._emit(NmiRequested())

    def _expire(self, now: float) -> None:
        settings = self._settings
        self._left = 0
        self._halt()
        self._expired |= 1 << settings.use
        self._record(settings.action, now)
        self._dont_log = False
        action = ACTIONS[settings.action]
        if action is not None:
            self._emit(PowerRequested(action, RestartCause.WATCHDOG))

    def _record(self, offset: int, now: float) -> None:
        if self._dont_log:
            return
        settings = self._settings
        data = bytes((0xC0 | offset, settings.interrupt << 4 | settings.use, 0xFF))
        self._log(SENSOR_TYPE, WATCHDOG_SENSOR, SENSOR_SPECIFIC, False, data, now)


def _check(request: SetWatchdogTimerRequest) -> None:
    """CCh for what there is not, and for an interrupt that would come before the start."""
    if request.use not in USES:
        raise CommandError(CompletionCode.INVALID_FIELD, f"no timer use {request.use}")
    if request.action not in ACTIONS:
        raise CommandError(CompletionCode.INVALID_FIELD, f"no timeout action {request.action}")
    if request.interrupt not in INTERRUPTS:
        raise CommandError(CompletionCode.INVALID_FIELD, f"no pre-timeout interrupt {request.interrupt}")
    if request.interrupt and request.pretimeout_interval * 10 > request.initial_countdown:
        raise CommandError(CompletionCode.INVALID_FIELD, "the pre-timeout is longer than the timeout")
