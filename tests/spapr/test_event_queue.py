"""What waits, for whom, and which interrupts say so."""

from __future__ import annotations

import pytest

from baseboard.errors import ConfigError
from baseboard.spapr.events import ADD, EventQueue, HotplugEvent, decode, event_sources_node
from baseboard.spapr.events.queue import EPOW_CLASS, HOTPLUG_CLASS, MOST_WAITING

ANY = 0xFFFF_FFFF


class Guest:
    """Counts interrupts."""

    def __init__(self) -> None:
        self.raised: list[int] = []
        self.queue = EventQueue(clock=lambda: 0.0, interrupt=self.raised.append)

    def interrupts(self) -> list[int]:
        raised, self.raised[:] = list(self.raised), []
        return raised


@pytest.fixture
def guest() -> Guest:
    return Guest()


def index(log: bytes | None) -> int | None:
    assert log is not None
    event = decode(log).event
    return event.index if isinstance(event, HotplugEvent) else None


def test_a_guest_that_negotiated_nothing_gets_all_as_epow(guest: Guest) -> None:
    guest.queue.hotplug(5, ADD, index=0x4000_0018)
    assert guest.interrupts() == [0x1000]
    assert guest.queue.take(HOTPLUG_CLASS) is None
    assert index(guest.queue.take(EPOW_CLASS)) == 0x4000_0018
    assert guest.interrupts() == []
    assert guest.queue.take(ANY) is None


def test_hotplug_events_have_their_class_and_interrupt_once_negotiated(guest: Guest) -> None:
    guest.queue.negotiated(hotplug_events=True)
    guest.queue.power_down()
    guest.queue.hotplug(5, ADD, index=1)
    guest.queue.hotplug(5, ADD, index=2)
    assert guest.interrupts() == [0x1000, 0x1001, 0x1001]
    assert index(guest.queue.peek(HOTPLUG_CLASS)) == 1
    assert index(guest.queue.take(HOTPLUG_CLASS)) == 1
    assert guest.interrupts() == [0x1000, 0x1001]  # each class that still has something
    assert index(guest.queue.take(ANY)) is None
    assert guest.interrupts() == [0x1001]
    assert index(guest.queue.take(ANY)) == 2
    assert guest.interrupts() == []


def test_cas_keeps_warnings_and_drops_requests(guest: Guest) -> None:
    guest.queue.hotplug(1, ADD, index=1)
    guest.queue.power_down()
    guest.interrupts()
    guest.queue.negotiated(hotplug_events=True)
    assert guest.interrupts() == [0x1000]
    assert len(guest.queue) == 1
    assert guest.queue.take(HOTPLUG_CLASS) is None


def test_a_reset_drops_all_but_log_identifiers_go_on(guest: Guest) -> None:
    guest.queue.negotiated(hotplug_events=True)
    guest.queue.power_down()
    guest.queue.clear()
    assert (len(guest.queue), guest.queue.modern) == (0, False)
    guest.queue.power_down()
    log = guest.queue.take(ANY)
    assert log is not None
    assert decode(log).log_id == 1


def test_a_guest_that_never_asks_costs_no_more_memory(guest: Guest) -> None:
    for number in range(MOST_WAITING + 3):
        guest.queue.hotplug(5, ADD, index=number)
    assert len(guest.queue) == MOST_WAITING
    assert index(guest.queue.take(ANY)) == 3


def test_what_waits_survives(guest: Guest) -> None:
    guest.queue.negotiated(hotplug_events=True)
    guest.queue.power_down()
    guest.queue.hotplug(2, ADD, count=4, index=0x8000_0004)
    other = Guest()
    other.queue.restore(guest.queue.export())
    assert other.interrupts() == []
    assert index(other.queue.take(HOTPLUG_CLASS)) == 0x8000_0004
    assert other.interrupts() == [0x1000]
    assert other.queue.log_id == 2


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"modern": True, "log_id": 0, "waiting": [["other", "00"]]},
        {"modern": True, "log_id": 0, "waiting": [["epow", "zz"]]},
        {"modern": True, "log_id": "x", "waiting": []},
        {"modern": True, "log_id": 0, "waiting": 3},
    ],
)
def test_state_that_is_none_is_refused(guest: Guest, state: dict[str, object]) -> None:
    guest.queue.power_down()
    with pytest.raises(ConfigError, match="pending events"):
        guest.queue.restore(state)
    assert len(guest.queue) == 1


def test_event_sources() -> None:
    node = event_sources_node()
    assert node.cells("interrupt-ranges") == (0x1000, 1, 0x1001, 1)
    epow, hotplug = node.children
    assert (epow.name, epow.cells("interrupts")) == ("epow-events", (0x1000, 0))
    assert (hotplug.name, hotplug.cells("interrupts")) == ("hot-plug-events", (0x1001, 0))
