"""The guest's clock: the platform's, and what a guest added to it.  [LoPAR 7.3.2]

set-time-of-day takes any numbers and carries what is too much into the next larger unit: day 30 of a
February is a day of March.  [QEMU 7.2] Only a time before the year 1 or after 9999 is refused; a
clock that has gone on to such a time cannot be read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from baseboard.spapr.status import HARDWARE_ERROR, PARAMETER_ERROR, SUCCESS

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS = 1_000_000_000


def get_time_of_day(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    seconds = machine.time_of_day()
    try:
        time = _EPOCH + timedelta(seconds=seconds // 1)
    except (ValueError, OverflowError):
        return (HARDWARE_ERROR,)
    nanoseconds = int(seconds % 1 * _NANOSECONDS)
    return SUCCESS, time.year, time.month, time.day, time.hour, time.minute, time.second, nanoseconds


def set_time_of_day(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    """The nanoseconds are not looked at."""
    year, month, day, hour, minute, second = (_signed(cell) for cell in arguments[:6])
    years, month = divmod(month - 1, 12)
    try:
        time = datetime(year + years, month + 1, 1, tzinfo=UTC)
        time += timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second)
        offset = int((time - _EPOCH).total_seconds() - machine.clock() // 1)
    except (ValueError, OverflowError):
        return (PARAMETER_ERROR,)
    machine.clock_offset = offset
    machine.tell("RTC_CHANGE", {"offset": offset, "qom-path": "/machine/rtc"})
    return (SUCCESS,)


def _signed(cell: int) -> int:
    return cell - (1 << 32) if cell >> 31 else cell
