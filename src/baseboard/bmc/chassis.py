"""The chassis: is the machine on, why, and what is asked of it.  [IPMI chapter 28]

Theory of operation
-------------------
A handler answers at once and emits `PowerRequested`; a back end does it and then tells what has become
true: `power_changed`, `machine_reset`, `power_failed`. Only what a back end tells changes the power state,
whether somebody asked for it or the guest shut itself down. Each change is logged in the SEL.

ON and OFF are emitted even when the machine is in that state already: the back end takes requests one
after the other, and one that is still under way may be about to change it. What needs a running machine
(cycle, reset, diagnostic interrupt) is refused while it is off, and so is what the back end cannot do at
all: D5h, before anything is sent.  [IPMI 28.3]

Kept over a restart of the controller: the last state (for the power restore policy), the restart cause,
the last power event, the power-on hours and everything that a Set command writes.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, IntFlag
from typing import NamedTuple

from baseboard.bmc.boot_options import BootOptions
from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.events import Event, IdentifyChanged, PowerAction, PowerRequested, RestartCause
from baseboard.bmc.well_known import (
    BUTTON_SENSOR,
    CRITICAL_INTERRUPT,
    OPERATING_SYSTEM_STOP,
    POWER_UNIT_SENSOR,
    RESTART_SENSOR,
)
from baseboard.errors import CommandError
from baseboard.ipmi.chassis import (
    GetChassisCapabilitiesResponse,
    GetChassisStatusResponse,
    SetChassisCapabilitiesRequest,
)
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.value import Value

ROOM = "chassis"
ALL_ACTIONS = frozenset(PowerAction)
MINUTES_PER_COUNT = 60
POH_STEP = 360.0
"""Seconds of power-on time after which they are written down."""


class RestorePolicy(IntEnum):
    """What to do when power returns.  [IPMI 28.8]"""

    STAY_OFF = 0
    PREVIOUS = 1
    ALWAYS_ON = 2
    NO_CHANGE = 3


class IdentifyState(IntEnum):
    """[IPMI Table 28-3]"""

    OFF = 0
    TIMED = 1
    INDEFINITE = 2


class LastEvent(IntFlag):
    """Byte 3 of Get Chassis Status."""

    ON_BY_COMMAND = 0x10
    DOWN_BY_FAULT = 0x08
    AC_FAILED = 0x01


class Button(IntEnum):
    """Bits of Set Front Panel Enables."""

    POWER = 0
    RESET = 1
    DIAGNOSTIC_INTERRUPT = 2
    STANDBY = 3


# fmt: off
class Occurrence(NamedTuple):
    """An event of the sensor-specific kind (6Fh).  [IPMI Table 42-3]"""

    sensor_type:   int
    sensor_number: int
    offset:        int
    deassertion:   bool = False

POWER_OFF         = Occurrence(0x09, POWER_UNIT_SENSOR, 0x00)
POWER_NOT_OFF     = Occurrence(0x09, POWER_UNIT_SENSOR, 0x00, deassertion=True)
POWER_CYCLE       = Occurrence(0x09, POWER_UNIT_SENSOR, 0x01)
AC_LOST           = Occurrence(0x09, POWER_UNIT_SENSOR, 0x04)
CONTROL_FAILURE   = Occurrence(0x09, POWER_UNIT_SENSOR, 0x05)
POWER_FAILURE     = Occurrence(0x09, POWER_UNIT_SENSOR, 0x06)
POWER_UP          = Occurrence(0x1D, RESTART_SENSOR, 0x00)
HARD_RESET        = Occurrence(0x1D, RESTART_SENSOR, 0x01)
SOFTWARE_RESET    = Occurrence(0x1D, RESTART_SENSOR, 0x06)
DIAGNOSTIC        = Occurrence(0x13, CRITICAL_INTERRUPT, 0x00)
RUN_TIME_STOP     = Occurrence(0x20, OPERATING_SYSTEM_STOP, 0x01)
POWER_BUTTON      = Occurrence(0x14, BUTTON_SENSOR, 0x00)
RESET_BUTTON      = Occurrence(0x14, BUTTON_SENSOR, 0x02)
# fmt: on

NEEDS_POWER = frozenset({PowerAction.CYCLE, PowerAction.RESET, PowerAction.DIAGNOSTIC_INTERRUPT})

Log = Callable[[int, int, int, bool, bytes, float], None]
"""`Bmc.platform_event`: sensor type, sensor number, event type, deassertion, event data, now."""


class ChassisSettings(Value, kw_only=True):
    """What a configuration may say of the chassis."""

    power_restore_policy: RestorePolicy = RestorePolicy.PREVIOUS
    power_cycle_interval: int = 1
    """Seconds, 0-255."""
    starts_on: bool = True
    """The "previous state" of the very first start."""


class Chassis:
    """State of the machine's power and front panel."""

    room = ROOM

    def __init__(
        self,
        settings: ChassisSettings,
        changes: Changes,
        boot_options: BootOptions,
        emit: Callable[[Event], None],
        log: Log,
    ) -> None:
        self._changes = changes
        self._boot_options = boot_options
        self._emit = emit
        self._log = log
        self.possible_actions: frozenset[PowerAction] = ALL_ACTIONS
        """What the back end can do now; it keeps this up to date."""
        self.listeners: list[Callable[[bool, float], None]] = []
        """Called with (the machine runs, now) at each power change and at each reset."""
        self.power_is_on = False
        self._previously_on: bool | None = None
        self._starts_on = settings.starts_on
        self.control_fault = False
        self.power_fault = False
        self.fan_fault = False
        self.drive_fault = False
        self.intrusion = False
        self.power_restore_policy = settings.power_restore_policy
        self.power_cycle_interval = settings.power_cycle_interval
        """Seconds; what 0 means is the back end's."""
        self.buttons_disabled = 0
        self.restart_cause = RestartCause.UNKNOWN
        self.restart_channel = 0
        self._last_event = 0
        self._control_channel = 0
        self._identify = IdentifyState.OFF
        self._identify_until: float | None = None
        self._on_time = 0.0
        self._on_since: float | None = None
        self.capabilities = GetChassisCapabilitiesResponse(
            power_interlock=False,
            diagnostic_interrupt=True,
            front_panel_lockout=True,
            intrusion_sensor=True,
            fru_device_address=0x20,
            sdr_device_address=0x20,
            sel_device_address=0x20,
            system_management_device_address=0x20,
        )

    def restore(self, rows: Rows) -> None:
        """Take back what was kept."""
        self._previously_on = rows.get("power_is_on")
        self.power_restore_policy = RestorePolicy(rows.get("power_restore_policy", self.power_restore_policy))
        self.power_cycle_interval = int(rows.get("power_cycle_interval", self.power_cycle_interval))
        self.buttons_disabled = int(rows.get("buttons_disabled", 0))
        self.restart_cause = RestartCause(rows.get("restart_cause", RestartCause.UNKNOWN))
        self.restart_channel = int(rows.get("restart_channel", 0))
        self._last_event = int(rows.get("last_event", 0))
        self._on_time = float(rows.get("on_time", 0.0))
        if (capabilities := rows.get("capabilities")) is not None:
            self.capabilities = GetChassisCapabilitiesResponse.decode(bytes.fromhex(capabilities))

    @property
    def was_on(self) -> bool:
        """The machine's last known state, also of the time before a restart of the controller."""
        return bool(self._previously_on)

    def _put(self, key: str, value: int | float | str) -> None:
        self._changes.put(ROOM, key, value)

    def _record(self, what: Occurrence, now: float) -> None:
        data = bytes((what.offset, 0xFF, 0xFF))
        self._log(what.sensor_type, what.sensor_number, 0x6F, what.deassertion, data, now)

    # -- asked by commands ---------------------------------------------------------------------------

    def control(self, action: PowerAction, channel: int, now: float) -> None:
        """Chassis Control and Chassis Reset.  [IPMI 28.3, 28.4]"""
        if not self.supports(action):
            raise CommandError(CompletionCode.NOT_IN_PRESENT_STATE, f"{action.name} is impossible now")
        self._boot_options.control_received(now)
        self._control_channel = channel
        if action in self.possible_actions:
            self._emit(PowerRequested(action))

    def supports(self, action: PowerAction) -> bool:
        """Whether this can be done now, or is the case already."""
        if action in NEEDS_POWER and not self.power_is_on:
            return False
        if action in self.possible_actions:
            return True
        return self.power_is_on == (action is PowerAction.ON) and action not in NEEDS_POWER

    def status(self) -> GetChassisStatusResponse:
        """[IPMI 28.2]"""
        return GetChassisStatusResponse(
            power_restore_policy=self.power_restore_policy,
            power_control_fault=self.control_fault,
            power_fault=self.power_fault,
            interlock=False,
            power_overload=False,
            power_is_on=self.power_is_on,
            last_on_by_command=bool(self._last_event & LastEvent.ON_BY_COMMAND),
            last_down_by_fault=bool(self._last_event & LastEvent.DOWN_BY_FAULT),
            last_down_by_interlock=False,
            last_down_by_overload=False,
            ac_failed=bool(self._last_event & LastEvent.AC_FAILED),
            identify_supported=True,
            identify_state=self._identify,
            fan_fault=self.fan_fault,
            drive_fault=self.drive_fault,
            front_panel_lockout=self.buttons_disabled & 0x03 == 0x03,
            intrusion=self.intrusion,
            buttons_allowed=0x0F,
            buttons_disabled=self.buttons_disabled,
        )

    def identify(self, interval: int, indefinitely: bool, now: float) -> None:
        """The identify light; an interval of 0 switches it off.  [IPMI 28.5]"""
        if indefinitely:
            self._set_identify(IdentifyState.INDEFINITE, None)
        elif interval:
            self._set_identify(IdentifyState.TIMED, now + interval)
        else:
            self._set_identify(IdentifyState.OFF, None)

    def reset(self, cold: bool, now: float) -> None:
        """A reset of the controller: the identify light goes off; the machine runs on."""
        self._set_identify(IdentifyState.OFF, None)

    def _set_identify(self, state: IdentifyState, until: float | None) -> None:
        if (state is IdentifyState.OFF) != (self._identify is IdentifyState.OFF):
            self._emit(IdentifyChanged(state is not IdentifyState.OFF))
        self._identify, self._identify_until = state, until

    def set_buttons_disabled(self, buttons: int) -> None:
        """Bits by `Button`.  [IPMI 28.6]"""
        self.buttons_disabled = buttons
        self._put("buttons_disabled", buttons)

    def set_capabilities(self, request: SetChassisCapabilitiesRequest) -> None:
        """[IPMI 28.7]"""
        self.capabilities = self.capabilities.replace(**vars(request))
        self._put("capabilities", self.capabilities.encode()[1:].hex())

    def set_power_restore_policy(self, policy: int) -> None:
        """3 leaves it as it is.  [IPMI 28.8]"""
        if policy > RestorePolicy.NO_CHANGE:
            raise CommandError(CompletionCode.INVALID_FIELD, f"no power restore policy {policy}")
        if policy != RestorePolicy.NO_CHANGE:
            self.power_restore_policy = RestorePolicy(policy)
            self._put("power_restore_policy", policy)

    def set_power_cycle_interval(self, seconds: int) -> None:
        """[IPMI 28.9]"""
        self.power_cycle_interval = seconds
        self._put("power_cycle_interval", seconds)

    def power_on_hours(self, now: float) -> int:
        """Whole counts of `MINUTES_PER_COUNT` that the machine was on.  [IPMI 28.14]"""
        return int(self._power_on_time(now) / 60 / MINUTES_PER_COUNT) & 0xFFFF_FFFF

    def press(self, button: Button, now: float) -> bool:
        """Somebody pushed a button of the front panel; False: it is disabled."""
        if self.buttons_disabled >> button & 1:
            return False
        if button is Button.POWER:
            self._record(POWER_BUTTON, now)
            action = PowerAction.SOFT if self.power_is_on else PowerAction.ON
            self._emit(PowerRequested(action, RestartCause.POWER_BUTTON))
        elif button is Button.RESET:
            self._record(RESET_BUTTON, now)
            if self.power_is_on:
                self._emit(PowerRequested(PowerAction.RESET, RestartCause.RESET_BUTTON))
        elif button is Button.DIAGNOSTIC_INTERRUPT and self.power_is_on:
            self._emit(PowerRequested(PowerAction.DIAGNOSTIC_INTERRUPT))
        return True

    # -- told by the back end ------------------------------------------------------------------------

    def found(self, on: bool, now: float) -> None:
        """How the machine is as the controller starts. One that lost power is treated as the policy says."""
        was_on = self._starts_on if self._previously_on is None else self._previously_on
        if on:
            self._set_power(True, now)
            return
        if self._previously_on:
            self._set_last_event(self._last_event & LastEvent.ON_BY_COMMAND | LastEvent.AC_FAILED)
            self._record(AC_LOST, now)
        if PowerAction.ON not in self.possible_actions:
            return
        if self.power_restore_policy is RestorePolicy.ALWAYS_ON:
            self._emit(PowerRequested(PowerAction.ON, RestartCause.ALWAYS_RESTORE))
        elif self.power_restore_policy is RestorePolicy.PREVIOUS and was_on:
            self._emit(PowerRequested(PowerAction.ON, RestartCause.RESTORE_PREVIOUS))

    def power_changed(
        self,
        on: bool,
        now: float,
        cause: RestartCause = RestartCause.UNKNOWN,
        *,
        cycle: bool = False,
        fault: bool = False,
    ) -> None:
        """The machine went on for this cause; or off: as half of a power cycle, or by a fault of its own."""
        if on == self.power_is_on:
            return
        self._set_power(on, now)
        self.control_fault = self.control_fault and fault
        self.power_fault = fault and not on
        event = self._last_event
        if on:
            self._set_restart_cause(cause)
            by_command = cause is RestartCause.CHASSIS_CONTROL
            event = event & ~LastEvent.ON_BY_COMMAND | (LastEvent.ON_BY_COMMAND if by_command else 0)
            self._boot_options.machine_started(cause)
            if not cycle:
                self._record(POWER_NOT_OFF, now)
            self._record(POWER_UP, now)
        else:
            event = event & LastEvent.ON_BY_COMMAND | (LastEvent.DOWN_BY_FAULT if fault else 0)
            self._boot_options.machine_stopped()
            if fault:
                self._record(POWER_FAILURE, now)
            self._record(POWER_CYCLE if cycle else POWER_OFF, now)
        self._set_last_event(event)
        self._tell(on, now)

    def machine_reset(self, now: float, cause: RestartCause) -> None:
        """The machine went through a reset without losing power."""
        if not self.power_is_on:
            return
        self._set_restart_cause(cause)
        self._boot_options.machine_started(cause)
        self._record(SOFTWARE_RESET if cause is RestartCause.SOFT_RESET else HARD_RESET, now)
        self._tell(True, now)

    def power_failed(self, now: float) -> None:
        """The machine did not do what was asked of its power."""
        self.control_fault = True
        self._record(CONTROL_FAILURE, now)

    def diagnostic_interrupted(self, now: float) -> None:
        """A diagnostic interrupt (NMI) was delivered."""
        self._record(DIAGNOSTIC, now)

    def operating_system_stopped(self, now: float) -> None:
        """The guest's system panicked."""
        self._record(RUN_TIME_STOP, now)

    def _set_power(self, on: bool, now: float) -> None:
        self._keep_time(now)
        self._on_since = now if on else None
        self.power_is_on = on
        if on != self._previously_on:
            self._previously_on = on
            self._put("power_is_on", on)

    def _set_restart_cause(self, cause: RestartCause) -> None:
        self.restart_cause = cause
        self.restart_channel = self._control_channel if cause is RestartCause.CHASSIS_CONTROL else 0
        self._put("restart_cause", cause)
        self._put("restart_channel", self.restart_channel)

    def _set_last_event(self, event: int) -> None:
        self._last_event = int(event)
        self._put("last_event", self._last_event)

    def _tell(self, on: bool, now: float) -> None:
        for listener in self.listeners:
            listener(on, now)

    # -- time ----------------------------------------------------------------------------------------

    def _power_on_time(self, now: float) -> float:
        return self._on_time + (now - self._on_since if self._on_since is not None else 0.0)

    def _keep_time(self, now: float) -> None:
        if self._on_since is not None:
            self._on_time = self._power_on_time(now)
            self._on_since = now
            self._put("on_time", self._on_time)

    def next_deadline(self) -> float | None:
        """The end of a timed identify, or the next time to write down the power-on time."""
        if self._on_since is None:
            return self._identify_until
        step = self._on_since + POH_STEP
        return step if self._identify_until is None else min(step, self._identify_until)

    def handle_deadline(self, now: float) -> None:
        """Do what was due."""
        if self._identify_until is not None and self._identify_until <= now:
            self._set_identify(IdentifyState.OFF, None)
        if self._on_since is not None and self._on_since + POH_STEP <= now:
            self._keep_time(now)
