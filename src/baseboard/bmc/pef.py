"""Platform event filtering: what follows from an event.  [IPMI chapter 17]

Theory of operation
-------------------
Every event that is logged, or would have been, comes here as a record and is held against the enabled
filters. All that match give their actions together; the most severe gives the severity. What is done
[IPMI Table 17-1]: the first of power off, power cycle, reset and diagnostic interrupt that is wanted
and enabled (parameter 2), then the alerts, which wait until the power is off.

Events *wait* instead while filtering is held:

    startup delay            after a power-up or reset of the machine, if parameter 1 asks for it
    postpone timer runs      software armed it, and there is an event that it has not processed; it stops
                             when software says that it has (Set Last Processed Event ID)
    disabled for now         by Arm PEF Postpone Timer, until the machine is switched off

What waits when the controller ends is found again in the log, behind the last processed event. With
filtering off (parameter 1) events pass by unseen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import ceil

from baseboard.bmc.alerts import Alerts
from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.chassis import Chassis
from baseboard.bmc.events import Event, PowerAction, PowerRequested, RestartCause
from baseboard.bmc.pef_filters import matches
from baseboard.bmc.pef_parameters import ROOM, PefParameters
from baseboard.bmc.sel import Sel
from baseboard.bmc.well_known import SYSTEM_EVENT_SENSOR
from baseboard.ipmi.records.sel import SYSTEM_EVENT, UNSPECIFIED, SystemEvent
from baseboard.ipmi.sensor_pef import FilterAction, GetLastProcessedEventResponse, PefControl
from baseboard.ipmi.sensor_types import SENSOR_SPECIFIC
from baseboard.ipmi.storage_sdr import LAST

__all__ = ["ROOM", "Pef"]

MOST_WAITING = 4096
"""Events; what comes while so many wait is not filtered."""
POWER_DOWN = 10.0
"""Seconds that alerts wait at most for the power to go off."""

NOT_LOGGED = 0x0000
EMPTY = 0xFFFF

TIMER_OFF, DISABLED_FOR_NOW, ONLY_READ = 0x00, 0xFE, 0xFF

SYSTEM_EVENT_TYPE = 0x12
PEF_ACTION = 4
"""Offset of the System Event sensor: actions are about to be taken.  [IPMI Table 42-3]"""
DATA_2_IS_SPECIFIC = 0xC0

_CONTROLLER, _SOFTWARE = "last.controller", "last.software"

SUPPORTED = int(
    FilterAction.ALERT
    | FilterAction.POWER_OFF
    | FilterAction.RESET
    | FilterAction.POWER_CYCLE
    | FilterAction.DIAGNOSTIC_INTERRUPT
)
"""Actions that there are: no OEM action, and no other chassis to control over ICMB."""

# fmt: off
POWER = (
    # in order of priority               what the chassis does            why the machine starts again
    (FilterAction.POWER_OFF,             PowerAction.OFF,                  RestartCause.UNKNOWN),
    (FilterAction.POWER_CYCLE,           PowerAction.CYCLE,                RestartCause.PEF_POWER_CYCLE),
    (FilterAction.RESET,                 PowerAction.RESET,                RestartCause.PEF_RESET),
    (FilterAction.DIAGNOSTIC_INTERRUPT,  PowerAction.DIAGNOSTIC_INTERRUPT, RestartCause.UNKNOWN),
)
# fmt: on

Report = Callable[[int, int, int, bool, bytes, float], None]


class Pef:
    """The filtering of one controller."""

    room = ROOM

    def __init__(
        self,
        parameters: PefParameters,
        alerts: Alerts,
        changes: Changes,
        sel: Sel,
        chassis: Chassis,
        emit: Callable[[Event], None],
        report: Report,
    ) -> None:
        self.parameters = parameters
        self.alerts = alerts
        self._changes = changes
        self._sel = sel
        self._chassis = chassis
        self._emit = emit
        self._report = report
        self._waiting: deque[tuple[int, bytes]] = deque()  # record id or NOT_LOGGED, record
        self._processing = False
        self._postpone = TIMER_OFF
        self._postponed_until: float | None = None
        self._startup_until: float | None = None
        self._last_by_controller: int | None = None
        self._last_by_software = NOT_LOGGED

    # -- its life ------------------------------------------------------------------------------------

    def restore(self, rows: Rows) -> None:
        """Take back the parameters and the last processed events."""
        self._last_by_controller = rows.get(_CONTROLLER)
        self._last_by_software = rows.get(_SOFTWARE, NOT_LOGGED)
        self.parameters.restore({key: rows[key] for key in rows if not key.startswith("last.")})

    def begin(self, now: float) -> None:
        """The controller starts: go on behind the last processed event."""
        if not self._enabled:
            return
        if self._last_by_controller is None:
            self._skip()
            return
        processed = {self._last_by_controller, self._last_by_software}
        unprocessed: deque[tuple[int, bytes]] = deque(maxlen=MOST_WAITING)
        for record in reversed([*self._sel]):
            record_id = int.from_bytes(record[:2], "little")
            if record_id in processed:
                self._waiting = unprocessed
                break
            unprocessed.appendleft((record_id, record))
        self._process(now)

    def reset(self, cold: bool, now: float) -> None:
        """A reset of the controller: timers are off, nothing is on its way."""
        self.parameters.reset()
        self.alerts.reset()
        self._stop_postponing()
        self._process(now)

    def power_changed(self, on: bool, now: float) -> None:
        """The machine was started, reset or switched off."""
        self._startup_until = None
        if on:
            control = self.parameters.control
            if control & PefControl.STARTUP_DELAY:
                self._startup_until = now + self.parameters.startup_delay
            if control & PefControl.ALERT_STARTUP_DELAY:
                self.alerts.hold(now + self.parameters.alert_startup_delay)
        else:
            self._stop_postponing()
            self.alerts.release(now)
        self._process(now)

    # -- asked by commands ---------------------------------------------------------------------------

    def set_parameter(self, number: int, data: bytes, now: float) -> None:
        """Write a configuration parameter.  Raises CommandError."""
        was_enabled = self._enabled
        self.parameters.set(number, data)
        if self._enabled and not was_enabled:
            self._skip()
        elif not self._enabled:
            self._waiting.clear()

    def postpone(self, timeout: int, now: float) -> int:
        """Arm PEF Postpone Timer; the present countdown.  [IPMI 30.2]"""
        if timeout != ONLY_READ:
            self._postpone = timeout
            self._postponed_until = None
            self._count_down(now)
            self._process(now)
        if self._postponed_until is None:
            return self._postpone
        return max(ceil(self._postponed_until - now), 0)

    def last_processed(self) -> GetLastProcessedEventResponse:
        """[IPMI 30.6]"""
        last = EMPTY
        if len(self._sel):
            last = int.from_bytes(self._sel.get(LAST)[0][:2], "little")
        return GetLastProcessedEventResponse(
            last_addition=self._sel.last_addition,
            last_record=last,
            last_by_software=self._last_by_software,
            last_by_controller=self._last_by_controller or NOT_LOGGED,
        )

    def set_last_processed(self, by_controller: bool, record_id: int, now: float) -> None:
        """Events up to this one wait no longer.  [IPMI 30.5]  Raises CommandError."""
        if record_id not in (NOT_LOGGED, EMPTY):
            self._sel.get(record_id)
        if by_controller:
            self._keep_last(record_id)
        else:
            self._last_by_software = record_id
            self._changes.put(ROOM, _SOFTWARE, record_id)
        if any(waiting == record_id for waiting, _ in self._waiting):
            while self._waiting.popleft()[0] != record_id:
                pass
        if not self._waiting:
            self._postponed_until = None

    # -- events --------------------------------------------------------------------------------------

    def event(self, record: bytes, logged: bool, now: float) -> None:
        """A record was logged, or should have been."""
        if not self._enabled or len(self._waiting) >= MOST_WAITING:
            return
        self._waiting.append((int.from_bytes(record[:2], "little") if logged else NOT_LOGGED, record))
        self._count_down(now)
        self._process(now)

    def log_cleared(self) -> None:
        """The SEL was cleared, and its ids begin anew."""
        self._waiting.clear()
        self._postponed_until = None
        self._keep_last(NOT_LOGGED)
        self._last_by_software = NOT_LOGGED
        self._changes.put(ROOM, _SOFTWARE, NOT_LOGGED)

    @property
    def _enabled(self) -> bool:
        return bool(self.parameters.control & PefControl.ENABLED)

    def _process(self, now: float) -> None:
        """Take events as long as nothing holds them; one that an action makes waits for its turn."""
        if self._processing:
            return
        self._processing = True
        try:
            while self._waiting and not self._is_held(now):
                record_id, record = self._waiting.popleft()
                self._keep_last(record_id)
                if record[2] == SYSTEM_EVENT:
                    self._filter(SystemEvent.decode(record), now)
        finally:
            self._processing = False

    def _filter(self, event: SystemEvent, now: float) -> None:
        """Hold one event against the filters, and act."""
        if _is_about_ourselves(event):
            return
        hits = [(number, one) for number, one in self.parameters.filters if matches(one, event)]
        if not hits:
            return
        severity = max(one.severity for _, one in hits)
        wanted = 0
        policies: dict[int, int] = {}  # policy set: the first filter that wants it
        for number, one in hits:
            wanted |= one.actions
            if one.actions & FilterAction.ALERT and self.parameters.policy_set(one.policy):
                policies.setdefault(one.policy, number)
        if not policies:
            wanted &= ~FilterAction.ALERT
        wanted &= self.parameters.actions & SUPPORTED
        power = next((row for row in POWER if wanted & row[0] and self._is_possible(row[1])), None)
        alerts = wanted & FilterAction.ALERT
        if (power or alerts) and self.parameters.control & PefControl.EVENT_MESSAGES:
            self._tell(alerts | (power[0] if power else 0), now)
        if power is not None:
            self._emit(PowerRequested(power[1], power[2]))
            if power[1] is PowerAction.OFF:
                self.alerts.hold(now + POWER_DOWN)
        if alerts:
            for policy, number in policies.items():
                self.alerts.raise_(policy, number, event, severity, now)

    def _is_possible(self, action: PowerAction) -> bool:
        chassis = self._chassis
        return chassis.power_is_on and action in chassis.possible_actions

    def _tell(self, actions: int, now: float) -> None:
        """An event about the actions, before they are taken.  [IPMI Table 42-3, 12h]"""
        data = bytes((DATA_2_IS_SPECIFIC | PEF_ACTION, actions, UNSPECIFIED))
        self._report(SYSTEM_EVENT_TYPE, SYSTEM_EVENT_SENSOR, SENSOR_SPECIFIC, False, data, now)

    def _keep_last(self, record_id: int) -> None:
        self._last_by_controller = record_id
        self._changes.put(ROOM, _CONTROLLER, record_id)

    def _skip(self) -> None:
        """What is in the log now is of no interest."""
        last = self.last_processed().last_record
        self._keep_last(NOT_LOGGED if last == EMPTY else last)

    # -- time ----------------------------------------------------------------------------------------

    def _is_held(self, now: float) -> bool:
        return (
            self._postpone == DISABLED_FOR_NOW
            or self._postponed_until is not None
            or (self._startup_until is not None and now < self._startup_until)
        )

    def _count_down(self, now: float) -> None:
        """An armed timer counts while there is something that software has not processed."""
        armed = TIMER_OFF < self._postpone < DISABLED_FOR_NOW
        if armed and self._waiting and self._postponed_until is None:
            self._postponed_until = now + self._postpone

    def _stop_postponing(self) -> None:
        self._postpone = TIMER_OFF
        self._postponed_until = None

    def next_deadline(self) -> float | None:
        """The end of the postpone timer or of the startup delay, and what the alerts have."""
        soonest = self.alerts.next_deadline()
        for deadline in (self._postponed_until, self._startup_until):
            if deadline is not None and (soonest is None or deadline < soonest):
                soonest = deadline
        return soonest

    def handle_deadline(self, now: float) -> None:
        """Do what was due."""
        if self._postponed_until is not None and self._postponed_until <= now:
            self._stop_postponing()
        if self._startup_until is not None and self._startup_until <= now:
            self._startup_until = None
        self._process(now)
        self.alerts.handle_deadline(now)


def _is_about_ourselves(event: SystemEvent) -> bool:
    """Actions that follow from this would follow from themselves."""
    return (
        event.sensor_type == SYSTEM_EVENT_TYPE
        and event.event_type == SENSOR_SPECIFIC
        and event.sensor_number == SYSTEM_EVENT_SENSOR
        and event.event_data[0] & 0x0F == PEF_ACTION
    )
