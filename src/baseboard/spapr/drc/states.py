"""What a connector does with the four things that a guest can tell it.

Theory of operation. A logical connector (core, memory, host bridge) is empty in UNUSABLE and ready in
CONFIGURED. A guest that adds makes it usable, unisolates it and fetches its device tree; one that removes
isolates it and makes it unusable. A physical one (a slot) knows only isolation: empty in POWER_ON, ready in
CONFIGURED_CARD. The request to unplug is no state: it is a flag that stands until the guest has brought the
connector to its empty state, refuses by unisolating again, or the machine is reset. Numbers are QEMU's; they
stand in its migration streams.

Each row: if `needs` answers a status, that is the answer and nothing happens. Else the state becomes `next`,
and then `then` is done.  [LoPAR 13.5.3.4, 13.7.3, 13.7.4; QEMU 7.2]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from baseboard.spapr.status import HARDWARE_ERROR, NO_SUCH_INDICATOR, PARAMETER_ERROR, SUCCESS

if TYPE_CHECKING:
    from baseboard.spapr.drc.connector import Connector


class State(IntEnum):
    """Where a connector stands."""

    UNUSABLE = 1
    AVAILABLE = 2
    UNISOLATED = 3
    CONFIGURED = 4
    PHYSICAL_AVAILABLE = 5  # nobody goes there
    POWER_ON = 6
    UNISOLATED_CARD = 7
    CONFIGURED_CARD = 8


class Input(IntEnum):
    """What a guest tells by set-indicator."""

    ISOLATE = 0
    UNISOLATE = 1
    UNUSABLE = 2
    USABLE = 3


class Sense(IntEnum):
    """What get-sensor-state tells of dr-entity-sense.  [LoPAR 13.5.3.3]"""

    EMPTY = 0
    PRESENT = 1
    UNUSABLE = 2
    EXCHANGE = 3
    RECOVER = 4


class Step(NamedTuple):
    """One row's answer."""

    next: State | None = None
    """None: as before."""
    needs: Callable[[Connector], int] | None = None
    then: Callable[[Connector], None] | None = None


def _never(connector: Connector) -> int:
    return PARAMETER_ERROR


def _wanted(connector: Connector) -> int:
    return SUCCESS if connector.device is not None and not connector.unplug_requested else NO_SUCH_INDICATOR


def _occupied(connector: Connector) -> int:
    return SUCCESS if connector.device is not None else NO_SUCH_INDICATOR


def _may_leave(connector: Connector) -> int:
    """Memory that nobody wants back is kept: drmgr tries any block when a number of them is to go."""
    if connector.kind.name == "LMB" and not connector.unplug_requested:
        return HARDWARE_ERROR
    return connector.owner.may_isolate(connector)


def _release(connector: Connector) -> None:
    if connector.unplug_requested:
        connector.release()


def _rewind(connector: Connector) -> None:
    connector.rewind()


def _refuse(connector: Connector) -> None:
    if connector.unplug_requested and connector.device is not None:
        connector.owner.refused(connector)


_S, _I = State, Input
_ALREADY = Step()
_REFUSED = Step(needs=_never)

# fmt: off
LOGICAL: Mapping[tuple[State, Input], Step] = {
    # in state         the guest says     next state      unless           and then
    (_S.UNUSABLE,     _I.ISOLATE):    _ALREADY,
    (_S.UNUSABLE,     _I.UNISOLATE):  _REFUSED,
    (_S.UNUSABLE,     _I.USABLE):     Step(_S.AVAILABLE,  _wanted),
    (_S.UNUSABLE,     _I.UNUSABLE):   _ALREADY,
    (_S.AVAILABLE,    _I.ISOLATE):    _ALREADY,
    (_S.AVAILABLE,    _I.UNISOLATE):  Step(_S.UNISOLATED, None,            _rewind),
    (_S.AVAILABLE,    _I.USABLE):     _ALREADY,
    (_S.AVAILABLE,    _I.UNUSABLE):   Step(_S.UNUSABLE,   None,            _release),
    (_S.UNISOLATED,   _I.ISOLATE):    _REFUSED,
    (_S.UNISOLATED,   _I.UNISOLATE):  Step(None,          None,            _refuse),
    (_S.UNISOLATED,   _I.USABLE):     _ALREADY,
    (_S.UNISOLATED,   _I.UNUSABLE):   _REFUSED,
    (_S.CONFIGURED,   _I.ISOLATE):    Step(_S.AVAILABLE,  _may_leave),
    (_S.CONFIGURED,   _I.UNISOLATE):  Step(None,          None,            _refuse),
    (_S.CONFIGURED,   _I.USABLE):     _ALREADY,
    (_S.CONFIGURED,   _I.UNUSABLE):   _REFUSED,
}

PHYSICAL: Mapping[tuple[State, Input], Step] = {
    (_S.POWER_ON,        _I.ISOLATE):    _ALREADY,
    (_S.POWER_ON,        _I.UNISOLATE):  Step(_S.UNISOLATED_CARD, _occupied,   _rewind),
    (_S.UNISOLATED_CARD, _I.ISOLATE):    _REFUSED,
    (_S.UNISOLATED_CARD, _I.UNISOLATE):  _ALREADY,
    (_S.CONFIGURED_CARD, _I.ISOLATE):    Step(_S.POWER_ON,        None,        _release),
    (_S.CONFIGURED_CARD, _I.UNISOLATE):  _ALREADY,
} | {
    # [LoPAR 13.5.3.4]: allocation is for logical connectors only.
    (state, way): _REFUSED for state in (_S.POWER_ON, _S.UNISOLATED_CARD, _S.CONFIGURED_CARD)
    for way in (_I.USABLE, _I.UNUSABLE)
}

CONFIGURABLE = {
    # where configure-connector answers   and where its end leads
    _S.UNISOLATED:                        _S.CONFIGURED,
    _S.CONFIGURED:                        _S.CONFIGURED,
    _S.UNISOLATED_CARD:                   _S.CONFIGURED_CARD,
    _S.CONFIGURED_CARD:                   _S.CONFIGURED_CARD,
}

LOGICAL_SENSE = {
    _S.UNUSABLE:    Sense.UNUSABLE,
    _S.AVAILABLE:   Sense.PRESENT,
    _S.UNISOLATED:  Sense.PRESENT,
    _S.CONFIGURED:  Sense.PRESENT,
}
# fmt: on
