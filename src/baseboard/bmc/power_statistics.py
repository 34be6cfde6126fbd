"""Watts over time: one sample a second for an hour, and what can be said of them.  [DCMI 6.6.1]"""

from __future__ import annotations

from collections import deque

from baseboard.ipmi.value import Value

KEPT = 3600.0
"""Seconds."""

_UNITS = (1, 60, 3600, 86_400)


class Statistics(Value):
    """Of one period, in watts."""

    current: int
    minimum: int
    maximum: int
    average: int


def period_code(seconds: int) -> int:
    """A period as DCMI writes it: unit in bits 7:6, number in bits 5:0."""
    unit = next(unit for unit in (3, 2, 1, 0) if seconds % _UNITS[unit] == 0 and seconds >= _UNITS[unit])
    return unit << 6 | seconds // _UNITS[unit]


def period_seconds(code: int) -> int:
    """And back."""
    return (code & 0x3F) * _UNITS[code >> 6]


class PowerStatistics:
    """The samples of the last hour."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque()
        self._current = 0.0

    def add(self, watts: float, now: float) -> None:
        """Measure."""
        self._current = watts
        self._samples.append((now, watts))
        while self._samples[0][0] <= now - KEPT:
            self._samples.popleft()

    def over(self, seconds: float, now: float) -> Statistics:
        """Of the last `seconds`, as far back as measured."""
        since, samples = now - seconds, []
        for time, watts in reversed(self._samples):
            if time <= since:
                break
            samples.append(watts)
        if not samples:
            samples = [self._current]
        average = sum(samples) / len(samples)
        numbers = (self._current, min(samples), max(samples), average)
        return Statistics(*(min(round(watts), 0xFFFF) for watts in numbers))
