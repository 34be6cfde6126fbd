"""The state machines, every cell of the tables that live QEMU 7.2 gave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.spapr.devices import Core, Device, Dimm, PciFunction
from baseboard.spapr.drc import CPU, LMB, PCI, Connector, DrcKind, Input, Sense, State, make_connector
from baseboard.spapr.tree import Node

CORE = Core("c1", 1)
DIMM = Dimm("d1", 0, 0x4000_0000, 0x1000_0000)
CARD = PciFunction("p1", 0, 0, 8, 0, "virtio-rng-pci")
ROWS: dict[str, tuple[DrcKind, int, Device]] = {
    "CPU": (CPU, 1, CORE),
    "LMB": (LMB, 4, DIMM),
    "PCI": (PCI, 64, CARD),
}


class Owner:
    """A machine that writes down what connectors tell it."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.isolation = 0

    def may_isolate(self, connector: Connector) -> int:
        return self.isolation

    def released(self, connector: Connector, device: Device) -> None:
        self.log.append(f"released {device.id}")

    def refused(self, connector: Connector) -> None:
        self.log.append("refused")
        connector.unplug_requested = False

    def describe(self, connector: Connector) -> Node:
        return Node("nothing")


def connector_in(state: int, *, kind: str = "CPU", device: bool = True, leaving: bool = False) -> Connector:
    row, identifier, there = ROWS[kind]
    connector = make_connector(row, identifier, Owner(), "/")
    connector.state = State(state)
    connector.device = there if device else None
    connector.unplug_requested = leaving
    return connector


# fmt: off
LOGICAL = [
    # state  the guest says    leaving  status  state after
    (1, Input.ISOLATE,   False,  0, 1),
    (1, Input.ISOLATE,   True,   0, 1),
    (1, Input.UNISOLATE, False, -3, 1),
    (1, Input.UNISOLATE, True,  -3, 1),
    (1, Input.USABLE,    False,  0, 2),
    (1, Input.USABLE,    True,  -3, 1),
    (1, Input.UNUSABLE,  False,  0, 1),
    (1, Input.UNUSABLE,  True,   0, 1),
    (2, Input.ISOLATE,   False,  0, 2),
    (2, Input.ISOLATE,   True,   0, 2),
    (2, Input.UNISOLATE, False,  0, 3),
    (2, Input.UNISOLATE, True,   0, 3),
    (2, Input.USABLE,    False,  0, 2),
    (2, Input.USABLE,    True,   0, 2),
    (2, Input.UNUSABLE,  False,  0, 1),
    (2, Input.UNUSABLE,  True,   0, 1),
    (3, Input.ISOLATE,   False, -3, 3),
    (3, Input.ISOLATE,   True,  -3, 3),
    (3, Input.UNISOLATE, False,  0, 3),
    (3, Input.UNISOLATE, True,   0, 3),
    (3, Input.USABLE,    False,  0, 3),
    (3, Input.USABLE,    True,   0, 3),
    (3, Input.UNUSABLE,  False, -3, 3),
    (3, Input.UNUSABLE,  True,  -3, 3),
    (4, Input.ISOLATE,   False,  0, 2),
    (4, Input.ISOLATE,   True,   0, 2),
    (4, Input.UNISOLATE, False,  0, 4),
    (4, Input.UNISOLATE, True,   0, 4),
    (4, Input.USABLE,    False,  0, 4),
    (4, Input.USABLE,    True,   0, 4),
    (4, Input.UNUSABLE,  False, -3, 4),
    (4, Input.UNUSABLE,  True,  -3, 4),
]
PHYSICAL = [
    (6, Input.ISOLATE,   False,  0, 6),
    (6, Input.ISOLATE,   True,   0, 6),
    (6, Input.UNISOLATE, False,  0, 7),
    (6, Input.UNISOLATE, True,   0, 7),
    (7, Input.ISOLATE,   False, -3, 7),
    (7, Input.ISOLATE,   True,  -3, 7),
    (7, Input.UNISOLATE, False,  0, 7),
    (7, Input.UNISOLATE, True,   0, 7),
    (8, Input.ISOLATE,   False,  0, 6),
    (8, Input.ISOLATE,   True,   0, 6),
    (8, Input.UNISOLATE, False,  0, 8),
    (8, Input.UNISOLATE, True,   0, 8),
]
# fmt: on


@pytest.mark.parametrize(("state", "way", "leaving", "status", "after"), LOGICAL)
def test_logical_table(state: int, way: Input, leaving: bool, status: int, after: int) -> None:
    connector = connector_in(state, leaving=leaving)
    assert (connector.step(way), connector.state) == (status, after)


@pytest.mark.parametrize(("state", "way", "leaving", "status", "after"), PHYSICAL)
def test_physical_table(state: int, way: Input, leaving: bool, status: int, after: int) -> None:
    connector = connector_in(state, kind="PCI", leaving=leaving)
    assert (connector.step(way), connector.state) == (status, after)


@pytest.mark.parametrize("state", [6, 7, 8])
@pytest.mark.parametrize("way", [Input.USABLE, Input.UNUSABLE])
def test_allocation_is_not_for_slots(state: int, way: Input) -> None:
    connector = connector_in(state, kind="PCI")
    assert (connector.step(way), connector.state) == (-3, state)


def test_nothing_attached_cannot_be_used() -> None:
    assert connector_in(1, device=False).step(Input.USABLE) == -3
    assert connector_in(6, kind="PCI", device=False).step(Input.UNISOLATE) == -3


def test_memory_that_nobody_wants_back_is_not_isolated() -> None:
    connector = connector_in(4, kind="LMB")
    assert (connector.step(Input.ISOLATE), connector.state) == (-1, 4)
    connector.unplug_requested = True
    assert (connector.step(Input.ISOLATE), connector.state) == (0, 2)


def test_owner_can_forbid_isolation() -> None:
    connector = connector_in(4)
    connector.owner.isolation = -9000  # type: ignore[attr-defined]  # the test's own Owner
    assert (connector.step(Input.ISOLATE), connector.state) == (-9000, 4)


@pytest.mark.parametrize(
    ("state", "way", "kind"),
    [
        pytest.param(2, Input.UNUSABLE, "CPU", id="unusable"),
        pytest.param(8, Input.ISOLATE, "PCI", id="isolated slot"),
    ],
)
def test_requested_unplug_is_complete_in_the_empty_state(state: int, way: Input, kind: str) -> None:
    connector = connector_in(state, kind=kind, leaving=True)
    connector.step(way)
    assert connector.device is None
    assert not connector.unplug_requested
    assert connector.owner.log == ["released c1" if kind == "CPU" else "released p1"]  # type: ignore[attr-defined]  # as above


@pytest.mark.parametrize("state", [3, 4])
def test_unisolating_what_is_to_go_is_a_refusal(state: int) -> None:
    connector = connector_in(state, leaving=True)
    assert connector.step(Input.UNISOLATE) == 0
    assert connector.owner.log == ["refused"]  # type: ignore[attr-defined]  # as above


def test_unisolating_a_card_refuses_nothing() -> None:
    connector = connector_in(8, kind="PCI", leaving=True)
    connector.step(Input.UNISOLATE)
    assert connector.unplug_requested
    assert connector.owner.log == []  # type: ignore[attr-defined]  # as above


@pytest.mark.parametrize(
    ("state", "device", "sense"),
    [(1, True, 2), (1, False, 2), (2, True, 1), (3, True, 1), (4, True, 1)],
)
def test_logical_sense(state: int, device: bool, sense: int) -> None:
    assert connector_in(state, device=device).entity_sense() == sense


@pytest.mark.parametrize("state", [6, 7, 8])
def test_physical_sense_is_whether_something_is_there(state: int) -> None:
    assert connector_in(state, kind="PCI").entity_sense() is Sense.PRESENT
    assert connector_in(state, kind="PCI", device=False).entity_sense() is Sense.EMPTY


def test_lamp() -> None:
    connector = connector_in(8, kind="PCI")
    assert [connector.set_indicator(value) for value in (0, 1, 2, 3, 4, 0xFFFF_FFFF)] == [0, 0, 0, 0, -3, -3]
    assert connector.indicator == 3
    connector.settle()
    assert connector.indicator == 1
    assert connector_in(4).set_indicator(1) == -3


@pytest.mark.parametrize(
    ("kind", "state", "ready", "empty"), [("CPU", 2, 4, 1), ("LMB", 3, 4, 1), ("PCI", 7, 8, 6)]
)
def test_settling(kind: str, state: int, ready: int, empty: int) -> None:
    connector = connector_in(state, kind=kind)
    connector.settle()
    assert connector.state == ready
    connector = connector_in(state, kind=kind, leaving=True)
    connector.settle()
    assert (connector.state, connector.device) == (empty, None)


def test_what_the_guest_never_took_goes_at_once() -> None:
    connector = connector_in(1)
    connector.request_unplug()
    assert connector.device is None
    connector = connector_in(4)
    connector.request_unplug()
    assert connector.device is CORE


@given(kind=st.sampled_from(["CPU", "LMB", "PCI"]), ways=st.lists(st.sampled_from([*Input, "unplug"])))
def test_walks_stay_in_the_kinds_own_states(kind: str, ways: list[Input | str]) -> None:
    connector = connector_in(6 if kind == "PCI" else 1, kind=kind)
    device = connector.device
    for way in ways:
        if isinstance(way, Input):
            assert connector.step(way) in (0, -1, -3)
        elif connector.device is not None:
            connector.request_unplug()
        assert connector.state in ((6, 7, 8) if kind == "PCI" else (1, 2, 3, 4))
        if connector.device is None:  # nothing is half released
            assert connector.state == connector.EMPTY
            assert not connector.unplug_requested
            connector.attach(device)  # type: ignore[arg-type]  # it was there at the start
