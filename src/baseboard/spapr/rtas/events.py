"""check-exception and event-scan: event logs, in the guest's hands.  [LoPAR 7.3.3, 10.2]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.choices import Choice
from baseboard.spapr.events import shortened
from baseboard.spapr.guest_memory import BadAddress
from baseboard.spapr.status import NOTHING_FOUND, PARAMETER_ERROR, SUCCESS

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine


def check_exception(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    """The oldest log of the classes in the mask. Vector, interrupt and urgency are not looked at.  [QEMU 7.2]

    It is cut to the buffer. When the buffer is not the guest's memory the log stays where it is.
    """
    mask, buffer, room = arguments[2], arguments[4], arguments[5]
    log = machine.events.peek(mask)
    if log is None:
        return (NOTHING_FOUND,)
    if Choice.WHOLE_SECTIONS in machine.choices:
        log = shortened(log, room)
    elif Choice.WHOLE_EVENT_LOG not in machine.choices:
        log = log[:room]
    try:
        machine.memory.write(buffer, log)
    except BadAddress:
        return (PARAMETER_ERROR,)
    machine.events.take(mask)
    return (SUCCESS,)


def event_scan(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    """All events interrupt, none waits to be found."""
    return (NOTHING_FOUND,)
