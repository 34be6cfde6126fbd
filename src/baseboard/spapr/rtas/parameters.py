"""System parameters: three of them, and none can be set.  [LoPAR 7.3.16]"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from baseboard.spapr.guest_memory import BadAddress
from baseboard.spapr.nodes import HOST_THREADS
from baseboard.spapr.status import LENGTH_ERROR, NOT_AUTHORIZED, PARAMETER_ERROR, SUCCESS

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

SPLPAR_CHARACTERISTICS = 20
DIAGNOSTICS_RUN_MODE = 42
PARTITION_UUID = 48

_DISABLED = b"\0"
_LENGTH = 2
"""Bytes of the length before the value."""
_MIB = 1 << 20


def get_system_parameter(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    """The length is that of the whole value, the value is cut to the buffer."""
    number, buffer, room = arguments
    value = _value(machine, number)
    if value is None:
        return (PARAMETER_ERROR,)
    if room < _LENGTH:
        return (LENGTH_ERROR,)
    try:
        machine.memory.write(buffer, len(value).to_bytes(_LENGTH, "big") + value[: room - _LENGTH])
    except BadAddress:
        return (PARAMETER_ERROR,)
    return (SUCCESS,)


def set_system_parameter(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    known = _value(machine, arguments[0]) is not None
    return (NOT_AUTHORIZED if known else PARAMETER_ERROR,)


def _value(machine: PseriesMachine, number: int) -> bytes | None:
    settings = machine.settings
    if number == SPLPAR_CHARACTERISTICS:
        most = settings.possible_cores * settings.threads
        text = (
            f"MaxEntCap={most},DesMem={settings.ram // _MIB},DesProcs={settings.cores * settings.threads},"
            f"MaxPlatProcs={most},HostThrs={HOST_THREADS}"
        )
        return text.encode() + b"\0"
    if number == DIAGNOSTICS_RUN_MODE:
        return _DISABLED
    if number == PARTITION_UUID:
        return b"" if settings.uuid is None else UUID(settings.uuid).bytes
    return None
