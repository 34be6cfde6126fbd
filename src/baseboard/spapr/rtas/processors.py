"""Processors: started and stopped by the guest, watched by the platform.  [LoPAR 7.3.8]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.status import HARDWARE_ERROR, PARAMETER_ERROR, SUCCESS

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

STOPPED = 0
NOT_STOPPED = 2


def query_stopped_state(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    (number,) = arguments
    if not machine.has_processor(number):
        return (PARAMETER_ERROR,)
    return SUCCESS, NOT_STOPPED if number in machine.running else STOPPED


def start(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    number, entry, argument = arguments
    if not machine.has_processor(number):
        return (PARAMETER_ERROR,)
    if number in machine.running:
        return (HARDWARE_ERROR,)
    machine.running.add(number)
    machine.on_start_processor(number, entry, argument)
    return (SUCCESS,)


def stop_self(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    """Does not come back, so that there is no result."""
    machine.running.discard(cpu)
    machine.on_stop_processor(cpu)
    return ()
