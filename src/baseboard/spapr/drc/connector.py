"""A dynamic-reconfiguration connector: where something can be attached to the partition, or is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from baseboard.spapr.devices import Device
from baseboard.spapr.drc.kinds import POWER_DOMAIN, DrcKind
from baseboard.spapr.drc.states import LOGICAL, LOGICAL_SENSE, PHYSICAL, Input, Sense, State, Step
from baseboard.spapr.status import NO_SUCH_INDICATOR, SUCCESS
from baseboard.spapr.tree import Node


class Owner(Protocol):
    """The machine, as a connector sees it."""

    def may_isolate(self, connector: Connector) -> int:
        """A status: 0, or why not."""

    def released(self, connector: Connector, device: Device) -> None:
        """The guest, or a reset, let go of the device; the connector has none any more."""

    def refused(self, connector: Connector) -> None:
        """The guest does not give the device up."""

    def describe(self, connector: Connector) -> Node:
        """What configure-connector hands out."""


class Connector:
    """The common part; a guest's inputs are answered with a status and never raise."""

    STEPS: ClassVar[Mapping[tuple[State, Input], Step]]
    EMPTY: ClassVar[State]
    READY: ClassVar[State]

    __slots__ = (
        "device",
        "identifier",
        "index",
        "indicator",
        "kind",
        "name",
        "owner",
        "parent",
        "position",
        "state",
        "stream",
        "unplug_requested",
    )

    def __init__(self, kind: DrcKind, identifier: int, owner: Owner, parent: str) -> None:
        self.kind = kind
        self.identifier = identifier
        self.index = kind.drc_index(identifier)
        self.name = kind.connector_name(identifier)
        self.owner = owner
        self.parent = parent
        """Path of the node whose `ibm,drc-*` arrays it stands in."""
        self.state = self.EMPTY
        self.device: Device | None = None
        self.unplug_requested = False
        self.indicator = 0
        self.stream: tuple[Any, ...] = ()
        """What configure-connector hands out, while it does; see `configure_connector`."""
        self.position = 0

    @property
    def type(self) -> str:
        return self.kind.type

    @property
    def power_domain(self) -> int:
        return POWER_DOMAIN

    # What the guest does.

    def step(self, way: Input) -> int:
        """The status of set-indicator 9001 or 9003."""
        step = self.STEPS[self.state, way]
        if step.needs is not None and (status := step.needs(self)):
            return status
        if step.next is not None:
            self.state = step.next
        if step.then is not None:
            step.then(self)
        return SUCCESS

    def set_indicator(self, value: int) -> int:
        """The status of set-indicator 9002."""
        return NO_SUCH_INDICATOR

    def entity_sense(self) -> Sense:
        """Whether something is there."""
        raise NotImplementedError

    def rewind(self) -> None:
        """configure-connector starts again."""
        self.position = 0

    # What the platform does.

    def attach(self, device: Device) -> None:
        """Something is plugged in; the guest must still take it."""
        assert self.device is None, self.name
        assert self.state == self.EMPTY, self.name
        self.device = device

    def request_unplug(self) -> None:
        """The guest is to let go; what it does not hold goes at once."""
        self.unplug_requested = True
        if self.state == self.EMPTY:
            self.release()

    def release(self) -> None:
        """The device is gone."""
        device, self.device = self.device, None
        self.unplug_requested = False
        self.stream = ()
        self.rewind()
        if device is not None:
            self.owner.released(self, device)

    def settle(self) -> None:
        """As after a reset: a requested unplug is complete, what is there is ready."""
        if self.unplug_requested:
            self.release()
        self.state = self.EMPTY if self.device is None else self.READY
        self.rewind()

    def __repr__(self) -> str:
        return f"<{self.name} {self.index:#x} {self.state.name}{' leaving' if self.unplug_requested else ''}>"


class LogicalConnector(Connector):
    """Cores, memory, host bridges: what is allocated to a partition."""

    STEPS = LOGICAL
    EMPTY = State.UNUSABLE
    READY = State.CONFIGURED
    __slots__ = ()

    def entity_sense(self) -> Sense:
        return LOGICAL_SENSE[self.state]


class PhysicalConnector(Connector):
    """Slots: what somebody puts a card into. `indicator` is the lamp beside it: off, on, identify, action."""

    STEPS = PHYSICAL
    EMPTY = State.POWER_ON
    READY = State.CONFIGURED_CARD
    __slots__ = ()

    def entity_sense(self) -> Sense:
        return Sense.EMPTY if self.device is None else Sense.PRESENT

    def set_indicator(self, value: int) -> int:
        if not 0 <= value <= 3:
            return NO_SUCH_INDICATOR
        self.indicator = value
        return SUCCESS

    def settle(self) -> None:
        super().settle()
        self.indicator = 0 if self.device is None else 1


def make_connector(kind: DrcKind, identifier: int, owner: Owner, parent: str) -> Connector:
    """Of the class that the kind wants."""
    return (PhysicalConnector if kind.physical else LogicalConnector)(kind, identifier, owner, parent)
