"""Power levels, the end of the machine and the console's first characters.  [LoPAR 7.3.6, 7.3.7, 7.3.9]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.drc import POWER_DOMAIN
from baseboard.spapr.guest_memory import BadAddress
from baseboard.spapr.status import HARDWARE_ERROR, PARAMETER_ERROR, SUCCESS

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

_FULL = 100
_LAST_WORDS = 511
"""Bytes that os-term looks at."""


def set_power_level(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    """The one domain is always at 100, whatever is asked for."""
    return (SUCCESS, _FULL) if arguments[0] == POWER_DOMAIN else (PARAMETER_ERROR,)


def get_power_level(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    return (SUCCESS, _FULL) if arguments[0] == POWER_DOMAIN else (PARAMETER_ERROR,)


def power_off(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    """The arguments say which events may switch on again; there are none."""
    machine.tell("SHUTDOWN", {"guest": True, "reason": "guest-shutdown"})
    return (SUCCESS,)


def system_reboot(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    """Whoever runs the machine resets it."""
    machine.tell("RESET", {"guest": True, "reason": "guest-reset"})
    return (SUCCESS,)


def os_term(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    """The argument is the address of the operating system's last words."""
    machine.tell("GUEST_PANICKED", {"action": "poweroff", "message": _text(machine, arguments[0])})
    return (SUCCESS,)


def _text(machine: PseriesMachine, address: int) -> str:
    length = _LAST_WORDS
    while length:
        try:
            return machine.memory.read(address, length).partition(b"\0")[0].decode("ascii", "replace")
        except BadAddress:
            length //= 2
    return ""


def display_character(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    if machine.on_character is None:
        return (HARDWARE_ERROR,)
    machine.on_character(arguments[0] & 0xFF)
    return (SUCCESS,)
