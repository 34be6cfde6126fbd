"""The watchdog: uses, actions, interrupts, and what time does to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.bmc.commands import TABLES
from baseboard.bmc.controller import Bmc
from baseboard.bmc.core import Core
from baseboard.bmc.events import (
    AttentionChanged,
    Event,
    NmiRequested,
    PowerAction,
    PowerRequested,
    RestartCause,
)
from baseboard.bmc.handlers import watchdog as handlers
from baseboard.bmc.settings import Settings
from baseboard.bmc.watchdog import Watchdog
from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.privilege import Privilege


class Bench:
    """A controller with its watchdog; what it would log is written down here."""

    def __init__(self) -> None:
        self.bmc = Bmc(Settings())
        self.logged: list[str] = []
        self.bmc.watchdog = self.watchdog = Watchdog(self.bmc.emit, self.bmc.messaging, self._log)
        self.core = Core(self.bmc, (handlers.TABLE, *TABLES))
        self.now = 1000.0

    def _log(self, kind: int, number: int, event: int, deassertion: bool, data: bytes, now: float) -> None:
        assert (kind, event, deassertion, len(data), now) == (0x23, 0x6F, False, 3, self.now)
        self.logged.append(data.hex(" "))

    def ask(self, text: str, privilege: int = Privilege.SYSTEM) -> str:
        netfn_lun, command, *data = bytes.fromhex(text)
        context = Context(privilege=privilege, now=self.now)
        return self.core.handle(Message(netfn_lun >> 2, 0, command, bytes(data)), context).hex(" ")

    def after(self, seconds: float) -> list[Event]:
        """Let time pass, calling at every deadline as the shell does; the events that came."""
        end = self.now + seconds
        while (deadline := self.watchdog.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.watchdog.handle_deadline(self.now)
        self.now = end
        return self.events()

    def events(self) -> list[Event]:
        events = []
        while (event := self.bmc.next_event()) is not None:
            events.append(event)
        return events


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_timer_that_was_never_set(bench: Bench) -> None:
    assert bench.ask("18 22") == "80"
    assert bench.ask("18 25") == "00 00 00 00 00 00 00 00 00"
    assert bench.watchdog.next_deadline() is None


# fmt: off
REFUSED = [
    pytest.param("00 00 00 00 0a 00", id="use 0"),
    pytest.param("06 00 00 00 0a 00", id="use 6"),
    pytest.param("07 00 00 00 0a 00", id="use 7"),
    pytest.param("04 04 00 00 0a 00", id="action 4"),
    pytest.param("04 11 01 00 64 00", id="SMI: there is none"),
    pytest.param("04 41 01 00 64 00", id="interrupt 4"),
    pytest.param("04 31 0b 00 64 00", id="pre-timeout of 11 s in 10 s"),
]
ACTIONS = [
    pytest.param(0, "c0", None,              id="none"),
    pytest.param(1, "c1", PowerAction.RESET, id="hard reset"),
    pytest.param(2, "c2", PowerAction.OFF,   id="power down"),
    pytest.param(3, "c3", PowerAction.CYCLE, id="power cycle"),
]
# fmt: on


@pytest.mark.parametrize("data", REFUSED)
def test_what_there_is_not_is_refused_and_changes_nothing(bench: Bench, data: str) -> None:
    assert bench.ask(f"18 24 {data}") == "cc"
    assert bench.ask("18 22") == "80"


@pytest.mark.parametrize("data", ["", "04 01 00 00 0a", "04 01 00 00 0a 00 00"])
def test_length(bench: Bench, data: str) -> None:
    assert bench.ask(f"18 24 {data}") == "c7"


def test_privileges(bench: Bench) -> None:
    assert bench.ask("18 24 04 01 00 00 0a 00", Privilege.USER) == "d4"
    assert bench.ask("18 22", Privilege.USER) == "d4"
    assert bench.ask("18 25", Privilege.USER).startswith("00")
    assert bench.ask("18 24 04 01 00 00 0a 00", Privilege.OPERATOR) == "00"


@pytest.mark.parametrize("use", range(1, 6))
@pytest.mark.parametrize(("action", "event", "power"), ACTIONS)
def test_expiry(bench: Bench, use: int, action: int, event: str, power: PowerAction | None) -> None:
    assert bench.ask(f"18 24 {use:02x} {action:02x} 00 00 1e 00") == "00"  # 3.0 s
    assert bench.ask("18 25") == f"00 {use:02x} {action:02x} 00 00 1e 00 1e 00"
    assert bench.after(100) == []  # set is not started
    assert bench.ask("18 22") == "00"
    assert bench.ask("18 25") == f"00 {use | 0x40:02x} {action:02x} 00 00 1e 00 1e 00"
    assert bench.after(2.9) == []
    assert bench.ask("18 25") == f"00 {use | 0x40:02x} {action:02x} 00 00 1e 00 01 00"
    expected = [] if power is None else [PowerRequested(power, RestartCause.WATCHDOG)]
    assert bench.after(0.1) == expected
    assert bench.logged == [f"{event} {use:02x} ff"]
    assert bench.ask("18 25") == f"00 {use:02x} {action:02x} 00 {1 << use:02x} 1e 00 00 00"
    assert bench.ask("18 22") == "00"  # starts again
    assert bench.after(3) == expected


def test_flags_of_several_uses_are_cleared_one_by_one(bench: Bench) -> None:
    for use in (1, 2, 4):
        bench.ask(f"18 24 {use:02x} 00 00 00 01 00")
        bench.ask("18 22")
        bench.after(1)
    assert bench.ask("18 25") == "00 04 00 00 16 01 00 00 00"
    bench.ask("18 24 04 00 00 02 01 00")
    assert bench.ask("18 25") == "00 04 00 00 14 01 00 01 00"
    bench.ask("18 24 04 00 00 ff 01 00")
    assert bench.ask("18 25") == "00 04 00 00 00 01 00 01 00"


def test_a_count_of_0_expires_at_once(bench: Bench) -> None:
    bench.ask("18 24 04 01 00 00 00 00")
    bench.ask("18 22")
    assert bench.after(0) == [PowerRequested(PowerAction.RESET, RestartCause.WATCHDOG)]


def test_messaging_interrupt(bench: Bench) -> None:
    bench.ask("18 2e 09")
    bench.events()
    bench.ask("18 24 04 31 02 00 64 00")  # 2 s before 10 s
    bench.ask("18 22")
    assert bench.after(7.9) == []
    assert bench.after(0.1) == [AttentionChanged(True, True)]
    assert bench.logged == ["c8 34 ff"]
    assert bench.ask("18 31") == "00 08"
    assert bench.ask("18 25") == "00 44 31 02 00 64 00 14 00"
    assert bench.ask("18 30 08") == "00"
    assert bench.events() == [AttentionChanged(False, False)]
    assert bench.after(2) == [PowerRequested(PowerAction.RESET, RestartCause.WATCHDOG)]
    assert bench.logged == ["c8 34 ff", "c1 34 ff"]


def test_nmi(bench: Bench) -> None:
    bench.ask("18 24 04 20 02 00 64 00")
    bench.ask("18 22")
    assert bench.after(8) == [AttentionChanged(True, False), NmiRequested()]
    assert bench.logged == ["c8 24 ff"]
    assert bench.ask("18 31") == "00 08"


def test_the_interval_of_an_interrupt_that_is_none_does_not_matter(bench: Bench) -> None:
    assert bench.ask("18 24 04 00 ff 00 0a 00") == "00"
    bench.ask("18 22")
    assert bench.after(1) == []
    assert bench.logged == ["c0 04 ff"]


def test_a_pretimeout_of_the_whole_time_interrupts_at_once(bench: Bench) -> None:
    bench.ask("18 24 04 30 0a 00 64 00")
    bench.ask("18 22")
    assert bench.after(0) == [AttentionChanged(True, False)]


def test_once_the_pretimeout_is_reached_only_set_helps(bench: Bench) -> None:
    """[IPMI 27.5]; Linux sets the timer anew after a pre-timeout, because it knows."""
    bench.ask("18 24 04 31 02 00 64 00")
    bench.ask("18 22")
    bench.after(8.5)
    assert bench.ask("18 22") == "00"
    assert bench.ask("18 25").endswith("64 00 0f 00")
    assert bench.ask("18 24 04 31 02 00 64 00") == "00"
    assert bench.ask("18 31") == "00 00"
    assert bench.after(10) == [AttentionChanged(False, False)]
    bench.ask("18 22")
    assert bench.after(8) == [AttentionChanged(True, False)]


def test_reset_puts_both_deadlines_off(bench: Bench) -> None:
    bench.ask("18 24 04 31 02 00 64 00")
    for _ in range(5):
        bench.ask("18 22")
        assert bench.after(7) == []
    assert bench.after(1) == [AttentionChanged(True, False)]


def test_set_stops_and_dont_stop_goes_on_from_the_new_value(bench: Bench) -> None:
    bench.ask("18 24 04 01 00 00 64 00")
    bench.ask("18 22")
    bench.after(5)
    bench.ask("18 24 44 01 00 00 c8 00")
    assert bench.ask("18 25") == "00 44 01 00 00 c8 00 c8 00"
    bench.after(5)
    assert bench.ask("18 25") == "00 44 01 00 00 c8 00 96 00"
    bench.ask("18 24 04 01 00 00 64 00")
    assert bench.ask("18 25") == "00 04 01 00 00 64 00 64 00"
    bench.ask("18 24 44 01 00 00 64 00")  # does not start one that stands
    assert bench.ask("18 25") == "00 04 01 00 00 64 00 64 00"
    assert bench.after(1000) == []


def test_dont_log_holds_until_the_next_expiry(bench: Bench) -> None:
    """[IPMI 27.3]"""
    bench.ask("18 24 84 30 01 00 14 00")
    assert bench.ask("18 25") == "00 84 30 01 00 14 00 14 00"
    bench.ask("18 22")
    bench.after(2)
    assert bench.logged == []
    assert bench.ask("18 25") == "00 04 30 01 10 14 00 00 00"
    bench.ask("18 22")
    bench.after(2)
    assert bench.logged == ["c8 34 ff", "c0 34 ff"]


@pytest.mark.parametrize("on", [False, True])
def test_a_reset_or_power_off_of_the_machine_stops_it(bench: Bench, on: bool) -> None:
    bench.ask("18 24 04 01 00 00 64 00")
    bench.ask("18 22")
    bench.after(4)
    bench.watchdog.power_changed(on, bench.now)
    assert bench.after(100) == []
    assert bench.ask("18 25") == "00 04 01 00 00 64 00 3c 00"
    assert bench.ask("18 22") == "00"
    assert bench.ask("18 25") == "00 44 01 00 00 64 00 64 00"


def test_the_chassis_stops_it() -> None:
    bmc = Bmc(Settings())
    core = Core(bmc, TABLES)
    bmc.chassis.power_changed(True, 0.0)
    context = Context(now=1.0)
    core.handle(Message(6, 0, 0x24, bytes.fromhex("04 01 00 00 64 00")), context)
    core.handle(Message(6, 0, 0x22), context)
    assert bmc.watchdog.next_deadline() == 11.0
    bmc.chassis.machine_reset(2.0, RestartCause.RESET_BUTTON)
    assert bmc.watchdog.next_deadline() is None


def test_cold_reset_forgets_it_and_warm_reset_does_not(bench: Bench) -> None:
    bench.ask("18 24 04 01 00 00 64 00")
    bench.ask("18 22")
    bench.watchdog.reset(False, bench.now)
    assert bench.watchdog.next_deadline() is not None
    bench.watchdog.reset(True, bench.now)
    assert bench.watchdog.next_deadline() is None
    assert bench.ask("18 22") == "80"


def test_late_is_not_never(bench: Bench) -> None:
    """The process was stopped past both deadlines: both things happen, in order."""
    bench.ask("18 24 04 32 02 00 64 00")
    bench.ask("18 22")
    bench.now += 60
    bench.watchdog.handle_deadline(bench.now)
    assert bench.events() == [
        AttentionChanged(True, False),
        PowerRequested(PowerAction.OFF, RestartCause.WATCHDOG),
    ]
    assert bench.logged == ["c8 34 ff", "c2 34 ff"]
    assert bench.watchdog.next_deadline() is None


requests = st.one_of(
    st.tuples(st.just(0x24), st.binary(min_size=6, max_size=6)),
    st.tuples(st.sampled_from([0x22, 0x25]), st.just(b"")),
)


@given(st.lists(st.tuples(requests, st.floats(0, 700)), max_size=20))
def test_any_settings_at_any_time_keep_the_counts_in_order(
    steps: list[tuple[tuple[int, bytes], float]],
) -> None:
    bench = Bench()
    for (number, data), wait in steps:
        bench.ask(f"18 {number:02x} {data.hex()}")
        bench.after(wait)
        state = bench.watchdog.state(bench.now)
        assert 0 <= state.present_countdown <= state.initial_countdown
        assert state.running == (bench.watchdog.next_deadline() is not None)
