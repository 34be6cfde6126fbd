"""set-indicator and get-sensor-state, of connectors only.  [LoPAR 7.3.5]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.drc import Input
from baseboard.spapr.status import NO_SUCH_INDICATOR, SUCCESS

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

ISOLATION_STATE = 9001
DR_INDICATOR = 9002
ALLOCATION_STATE = 9003
DR_ENTITY_SENSE = 9003

# fmt: off
_INPUTS = {
    # indicator           value  what the connector is told
    (ISOLATION_STATE,     0):    Input.ISOLATE,
    (ISOLATION_STATE,     1):    Input.UNISOLATE,
    (ALLOCATION_STATE,    0):    Input.UNUSABLE,
    (ALLOCATION_STATE,    1):    Input.USABLE,  # 2 exchange and 3 recover are not provided
}
# fmt: on
_REFUSED = (NO_SUCH_INDICATOR,)
_NOTHING = (NO_SUCH_INDICATOR, 0)


def set_indicator(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    indicator, index, value = arguments
    connector = machine.connectors.get(index)
    if connector is None:
        return _REFUSED
    if indicator == DR_INDICATOR:
        return (connector.set_indicator(value),)
    way = _INPUTS.get((indicator, value))
    return _REFUSED if way is None else (connector.step(way),)


def get_sensor_state(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    """On any failure the state is 0."""
    sensor, index = arguments
    connector = machine.connectors.get(index)
    if connector is None or sensor != DR_ENTITY_SENSE:
        return _NOTHING
    return SUCCESS, connector.entity_sense()
