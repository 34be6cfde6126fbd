"""The table of services: names, tokens, counts of cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from baseboard.spapr.rtas import clock, connectors, events, indicators, parameters, power, processors
from baseboard.spapr.status import PARAMETER_ERROR

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

Cells = tuple[int, ...]
Handler = Callable[["PseriesMachine", Cells, int], Cells]
"""The machine, the arguments as unsigned cells, the number of the calling processor; results, of which the
first is the status. Results that a handler leaves out are not written."""

FIRST_TOKEN = 0x2000
DISPLAY_CHARACTER = 0xA
"""A second token of display-character, which early Linux uses."""


class Service(NamedTuple):
    """One row."""

    number: int
    name: str
    arguments: tuple[int, ...]
    """How many are allowed; none: any number, and what is missing is 0."""
    results: int | None
    """None: any."""
    handler: Handler
    wrong: Cells = (PARAMETER_ERROR,)
    """What wrong counts are answered with."""

    @property
    def token(self) -> int:
        return FIRST_TOKEN + self.number

    @property
    def most(self) -> int:
        """How many arguments the handler looks at."""
        return max(self.arguments) if self.arguments else 3


# fmt: off
SERVICES = (  # counts are checked as QEMU 7.2 does
    #       number  name                           arguments  results  handler
    Service(0x00,   "display-character",           (),        None,    power.display_character),
    Service(0x01,   "get-time-of-day",             (0,),      8,       clock.get_time_of_day),
    Service(0x02,   "set-time-of-day",             (7,),      1,       clock.set_time_of_day),
    Service(0x03,   "power-off",                   (2,),      1,       power.power_off),
    Service(0x04,   "system-reboot",               (0,),      1,       power.system_reboot),
    Service(0x05,   "query-cpu-stopped-state",     (1,),      2,       processors.query_stopped_state),
    Service(0x06,   "start-cpu",                   (3,),      1,       processors.start),
    Service(0x07,   "stop-self",                   (),        None,    processors.stop_self),
    Service(0x08,   "ibm,get-system-parameter",    (),        None,    parameters.get_system_parameter),
    Service(0x09,   "ibm,set-system-parameter",    (),        None,    parameters.set_system_parameter),
    Service(0x0E,   "check-exception",             (6, 7),    1,       events.check_exception),
    Service(0x0F,   "event-scan",                  (4,),      1,       events.event_scan),
    Service(0x1A,   "set-indicator",               (3,),      1,       indicators.set_indicator),
    Service(0x1B,   "set-power-level",             (2,),      2,       power.set_power_level),
    Service(0x1C,   "get-power-level",             (1,),      2,       power.get_power_level),
    Service(0x1D,   "get-sensor-state",            (2,),      2,       indicators.get_sensor_state,
            wrong=(PARAMETER_ERROR, 0)),
    Service(0x1E,   "ibm,configure-connector",     (2,),      1,       connectors.configure),
    Service(0x1F,   "ibm,os-term",                 (),        None,    power.os_term),
)
# fmt: on
BY_TOKEN = {service.token: service for service in SERVICES} | {DISPLAY_CHARACTER: SERVICES[0]}
BY_NAME = {service.name: service for service in SERVICES}
TOKENS = {service.name: service.token for service in SERVICES}
"""Properties of the device tree's `/rtas`."""
