"""Chassis commands as conversations in bytes; what the back end tells; what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.bmc import Bmc, Core, Settings
from baseboard.bmc.boot_options import ROOM as BOOT_OPTIONS
from baseboard.bmc.boot_options import BootOptions
from baseboard.bmc.changes import Changes
from baseboard.bmc.chassis import ROOM, Button, Chassis, ChassisSettings, RestorePolicy
from baseboard.bmc.events import Event, IdentifyChanged, PowerAction, PowerRequested, RestartCause
from baseboard.bmc.handlers import chassis as handlers
from baseboard.ipmi import Context, Message, Privilege

ON, OFF, CYCLE, RESET, NMI, SOFT = (
    PowerAction.ON,
    PowerAction.OFF,
    PowerAction.CYCLE,
    PowerAction.RESET,
    PowerAction.DIAGNOSTIC_INTERRUPT,
    PowerAction.SOFT,
)
CONTROL = RestartCause.CHASSIS_CONTROL


class Bench:
    """A controller with the chassis commands alone, and what came out of it."""

    def __init__(self, on: bool = False) -> None:
        self.bmc = Bmc(Settings())
        self.core = Core(self.bmc, (handlers.TABLE,))
        self.now = 0.0
        if on:
            self.bmc.chassis.power_changed(True, 0.0)
        self.requests()

    def send(self, text: str, privilege: int = Privilege.SYSTEM, channel: int = 1) -> str:
        netfn_lun, command, *data = bytes.fromhex(text)
        context = Context(channel=channel, privilege=privilege, now=self.now)
        return self.core.handle(Message(netfn_lun >> 2, netfn_lun & 3, command, bytes(data)), context).hex(
            " "
        )

    def events(self) -> list[Event]:
        events = []
        while (event := self.bmc.next_event()) is not None:
            events.append(event)
        return events

    def requests(self) -> list[PowerRequested]:
        return [event for event in self.events() if isinstance(event, PowerRequested)]


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("00 00", "00 07 20 20 20 20 20", id="get chassis capabilities"),
        pytest.param("00 01", "00 21 00 40 f0", id="get chassis status"),
        pytest.param("00 02", "c7", id="chassis control without an action"),
        pytest.param("00 02 06", "cc", id="chassis control 6"),
        pytest.param("00 02 0f", "cc", id="chassis control 15"),
        pytest.param("00 03", "00", id="chassis reset"),
        pytest.param("00 04 00 00 00", "c7", id="identify, too long"),
        pytest.param("00 06 03", "00 07", id="which restore policies there are"),
        pytest.param("00 06 04", "cc", id="restore policy 4"),
        pytest.param("00 07", "00 00 00", id="restart cause"),
        pytest.param("00 0a", "c7", id="front panel enables without data"),
        pytest.param("00 0c", "c1", id="unknown command"),
        pytest.param("00 0f", "00 3c 00 00 00 00", id="power-on hours"),
        pytest.param("01 01", "c2", id="wrong LUN"),
    ],
)
def test_conversation(request_: str, response: str) -> None:
    assert Bench(on=True).send(request_) == response


@pytest.mark.parametrize(
    ("command", "level"),
    [
        ("00 01", Privilege.USER),
        ("00 02 01", Privilege.OPERATOR),
        ("00 04", Privilege.OPERATOR),
        ("00 06 03", Privilege.OPERATOR),
        ("00 07", Privilege.USER),
        ("00 08 00 00", Privilege.OPERATOR),
        ("00 09 05 00 00", Privilege.OPERATOR),
        ("00 0a 00", Privilege.ADMINISTRATOR),
        ("00 0b 05", Privilege.ADMINISTRATOR),
        ("00 0f", Privilege.USER),
    ],
)
def test_privileges(command: str, level: Privilege) -> None:
    assert Bench().send(command, privilege=level)[:2] == "00"
    assert Bench().send(command, privilege=level - 1) == "d4"


@pytest.mark.parametrize("action", list(PowerAction))
def test_control_leaves_as_an_event(action: PowerAction) -> None:
    bench = Bench(on=True)
    assert bench.send(f"00 02 {action:02x}") == "00"
    assert bench.requests() == [PowerRequested(action, CONTROL)]
    assert bench.bmc.chassis.power_is_on, "the state is what the back end says, not what was asked"


@pytest.mark.parametrize(
    ("action", "response", "asked"),
    [
        (ON, "00", True),
        (OFF, "00", True),
        (SOFT, "00", True),
        (CYCLE, "d5", False),
        (RESET, "d5", False),
        (NMI, "d5", False),
    ],
)
def test_control_while_off(action: PowerAction, response: str, asked: bool) -> None:
    bench = Bench()
    assert bench.send(f"00 02 {action:02x}") == response
    assert bool(bench.requests()) == asked


def test_control_that_the_back_end_cannot_do() -> None:
    bench = Bench(on=True)
    bench.bmc.chassis.possible_actions = frozenset({RESET})
    assert [bench.send(f"00 02 {action:02x}") for action in (OFF, CYCLE, SOFT, NMI)] == ["d5"] * 4
    assert bench.send("00 02 01") == "00", "it is on already"
    assert not bench.requests()
    assert bench.send("00 02 03") == "00"
    assert bench.requests() == [PowerRequested(RESET)]


def test_status_follows_the_back_end() -> None:
    bench = Bench()
    chassis = bench.bmc.chassis
    assert bench.send("00 01") == "00 20 00 40 f0"
    chassis.power_changed(True, 1.0, CONTROL)
    assert bench.send("00 01") == "00 21 10 40 f0"
    chassis.power_changed(False, 2.0)
    assert bench.send("00 01") == "00 20 10 40 f0"
    chassis.power_changed(True, 3.0, RestartCause.POWER_BUTTON)
    assert bench.send("00 01") == "00 21 00 40 f0"
    chassis.power_changed(False, 4.0, fault=True)
    assert bench.send("00 01") == "00 28 08 40 f0"
    chassis.power_failed(5.0)
    assert bench.send("00 01") == "00 38 08 40 f0"
    chassis.power_changed(True, 6.0, CONTROL)
    assert bench.send("00 01") == "00 21 18 40 f0"


def test_restart_cause_and_its_channel() -> None:
    bench = Bench(on=True)
    chassis = bench.bmc.chassis
    bench.send("00 02 03", channel=1)
    chassis.machine_reset(1.0, CONTROL)
    assert bench.send("00 07") == "00 01 01"
    chassis.machine_reset(2.0, RestartCause.WATCHDOG)
    assert bench.send("00 07") == "00 04 00"
    bench.send("00 02 02", channel=15)
    chassis.power_changed(False, 3.0, cycle=True)
    assert bench.send("00 07") == "00 04 00"
    chassis.power_changed(True, 4.0, CONTROL, cycle=True)
    assert bench.send("00 07") == "00 01 0f"


def test_identify_is_timed() -> None:
    bench = Bench(on=True)
    chassis = bench.bmc.chassis
    chassis.power_changed(False, 0.0)
    bench.events()
    assert bench.send("00 04") == "00"
    assert bench.send("00 01")[9:11] == "50"
    assert bench.events() == [IdentifyChanged(True)]
    assert chassis.next_deadline() == 15.0
    bench.now = 10.0
    bench.send("00 04 08")
    assert chassis.next_deadline() == 18.0
    chassis.handle_deadline(18.0)
    assert bench.events() == [IdentifyChanged(False)]
    assert bench.send("00 01")[9:11] == "40"
    bench.send("00 04 05 01")
    assert bench.send("00 01")[9:11] == "60"
    assert chassis.next_deadline() is None
    bench.send("00 04 00")
    assert bench.send("00 01")[9:11] == "40"


def test_front_panel() -> None:
    bench = Bench(on=True)
    assert bench.bmc.chassis.press(Button.RESET, 1.0)
    assert bench.requests() == [PowerRequested(RESET, RestartCause.RESET_BUTTON)]
    assert bench.send("00 0a 03") == "00"
    assert bench.send("00 01") == "00 21 00 42 f3", "power and reset disabled is a lock-out"
    assert not bench.bmc.chassis.press(Button.RESET, 1.0)
    assert not bench.bmc.chassis.press(Button.POWER, 1.0)
    assert not bench.requests()


def test_capabilities_are_settable_where_the_specification_lets_them() -> None:
    bench = Bench()
    assert bench.send("00 05 ff 22 24 26 28 2a") == "00"
    assert bench.send("00 00") == "00 07 22 24 26 28 2a"
    assert bench.send("00 05 00 20 20 20 20") == "00"
    assert bench.send("00 00") == "00 04 20 20 20 20 20"


def test_power_on_hours() -> None:
    bench = Bench()
    chassis = bench.bmc.chassis
    chassis.power_changed(True, 100.0)
    bench.now = 100.0 + 3599.0
    assert bench.send("00 0f") == "00 3c 00 00 00 00"
    bench.now = 100.0 + 2 * 3600.0
    assert bench.send("00 0f") == "00 3c 02 00 00 00"
    chassis.power_changed(False, bench.now)
    bench.now += 1e6
    assert bench.send("00 0f") == "00 3c 02 00 00 00"


class Ledger:
    """A chassis alone, with the rows that it kept and the events that it logged."""

    def __init__(self, rows: dict[str, Any] | None = None, settings: ChassisSettings | None = None) -> None:
        self.changes = Changes()
        self.rows = rows if rows is not None else {}
        self.emitted: list[Event] = []
        self.logged: list[tuple[int, int, bool]] = []
        boot_options = BootOptions(self.changes)
        self.chassis = Chassis(
            settings or ChassisSettings(), self.changes, boot_options, self.emitted.append, self._log
        )
        self.chassis.restore(self.rows)

    def _log(
        self, sensor_type: int, number: int, event_type: int, deassertion: bool, data: bytes, now: float
    ) -> None:
        assert event_type == 0x6F
        assert len(data) == 3
        self.logged.append((sensor_type, data[0], deassertion))

    def restarted(self) -> Ledger:
        _, rows = self.changes.take()
        kept = {key: value for (room, key), value in rows.items() if room == ROOM}
        return Ledger(self.rows | kept)


def test_what_is_kept() -> None:
    first = Ledger()
    first.chassis.found(False, 0.0)
    first.chassis.power_changed(True, 10.0, RestartCause.PEF_POWER_CYCLE)
    first.chassis.set_power_restore_policy(2)
    first.chassis.set_power_cycle_interval(9)
    first.chassis.set_buttons_disabled(5)
    first.chassis.handle_deadline(10.0 + 3600.0)
    second = first.restarted().chassis
    assert second.power_on_hours(0.0) == 1
    assert second.restart_cause is RestartCause.PEF_POWER_CYCLE
    assert second.power_restore_policy is RestorePolicy.ALWAYS_ON
    assert second.power_cycle_interval == 9
    assert second.buttons_disabled == 5


@pytest.mark.parametrize(
    ("policy", "was_on", "asked"),
    [
        (RestorePolicy.STAY_OFF, True, None),
        (RestorePolicy.PREVIOUS, True, RestartCause.RESTORE_PREVIOUS),
        (RestorePolicy.PREVIOUS, False, None),
        (RestorePolicy.ALWAYS_ON, False, RestartCause.ALWAYS_RESTORE),
    ],
)
def test_power_restore_policy(policy: RestorePolicy, was_on: bool, asked: RestartCause | None) -> None:
    ledger = Ledger({"power_is_on": was_on, "power_restore_policy": policy})
    ledger.chassis.found(False, 0.0)
    assert ledger.emitted == ([PowerRequested(ON, asked)] if asked else [])
    assert ledger.logged == ([(0x09, 4, False)] if was_on else [])
    assert ledger.chassis.status().ac_failed == was_on


@pytest.mark.parametrize("starts_on", [True, False])
def test_the_very_first_start(starts_on: bool) -> None:
    ledger = Ledger(settings=ChassisSettings(starts_on=starts_on))
    ledger.chassis.found(False, 0.0)
    assert bool(ledger.emitted) == starts_on
    assert ledger.logged == []


def test_a_machine_that_ran_on_is_taken_over_silently() -> None:
    ledger = Ledger({"power_is_on": True, "restart_cause": RestartCause.WATCHDOG})
    ledger.chassis.found(True, 5.0)
    assert ledger.chassis.power_is_on
    assert ledger.chassis.restart_cause is RestartCause.WATCHDOG
    assert (ledger.emitted, ledger.logged) == ([], [])


def test_what_is_logged() -> None:
    ledger = Ledger()
    chassis = ledger.chassis
    runs: list[tuple[bool, float]] = []
    chassis.listeners.append(lambda on, now: runs.append((on, now)))
    chassis.power_changed(True, 1.0, CONTROL)
    chassis.power_changed(True, 2.0, CONTROL)
    chassis.machine_reset(3.0, CONTROL)
    chassis.machine_reset(4.0, RestartCause.SOFT_RESET)
    chassis.power_changed(False, 5.0, cycle=True)
    chassis.power_changed(True, 6.0, CONTROL, cycle=True)
    chassis.diagnostic_interrupted(7.0)
    chassis.operating_system_stopped(8.0)
    chassis.power_changed(False, 9.0, fault=True)
    chassis.machine_reset(10.0, CONTROL)
    chassis.power_failed(11.0)
    assert ledger.logged == [
        (0x09, 0, True),
        (0x1D, 0, False),
        (0x1D, 1, False),
        (0x1D, 6, False),
        (0x09, 1, False),
        (0x1D, 0, False),
        (0x13, 0, False),
        (0x20, 1, False),
        (0x09, 6, False),
        (0x09, 0, False),
        (0x09, 5, False),
    ]
    assert runs == [(True, 1.0), (True, 3.0), (True, 4.0), (False, 5.0), (True, 6.0), (False, 9.0)]


@given(st.lists(st.tuples(st.integers(0, 0x0F), st.binary(max_size=20), st.booleans()), max_size=20))
def test_any_bytes_are_answered(messages: list[tuple[int, bytes, bool]]) -> None:
    bmc = Bmc(Settings())
    core = Core(bmc, (handlers.TABLE,))
    for command, data, on in messages:
        bmc.chassis.power_changed(on, 0.0)
        assert core.handle(Message(0, 0, command, data), Context())
    _, rows = bmc.changes.take()
    again = Bmc(Settings())
    for room in (ROOM, BOOT_OPTIONS):
        kept = {key: value for (name, key), value in rows.items() if name == room}
        again.restore({room: kept})
    assert again.chassis.capabilities == bmc.chassis.capabilities
    assert [again.boot_options.get(n, 0) for n in range(1, 8)] == [
        bmc.boot_options.get(n, 0) for n in range(1, 8)
    ]
