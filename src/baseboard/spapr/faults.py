"""Fault plans: answers that a service or a hypercall gives instead of doing anything.

For what neither QEMU nor a healthy platform ever says: busy (-2), extended delays (9900 to 9905),
multi-level isolation (-9000), valid translations (-9001), hardware errors (-1), more memory needed (5).
Each answer is given once, in order; `"pass"` lets one call through. The state of the machine is as before.
Of a hypercall, `service` is its name (`H_TPM_COMM`), `index` its first argument, and answers are r3: H_BUSY
(1), H_LONG_BUSY_* (9900 to 9905), H_HARDWARE (-1).

    [[fault]]
    service = "set-indicator"
    index   = 0x10000001         # a connector's, or a power domain; without: any
    sensor  = 9001               # set-indicator and get-sensor-state; without: any
    answers = [-2, 9902, "pass", -1]
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from baseboard.errors import ConfigError

PASS = "pass"  # noqa: S105  # not a password
MOST_FAULTS = 256
MOST_ANSWERS = 4096
_KEYS = {"service", "index", "sensor", "answers"}


@dataclass(slots=True)
class Fault:
    """One queue of answers."""

    service: str
    answers: deque[int | str] = field(default_factory=deque)
    index: int | None = None
    sensor: int | None = None

    def concerns(self, service: str, index: int | None, sensor: int | None) -> bool:
        return (
            bool(self.answers)
            and service == self.service
            and self.index in (None, index)
            and self.sensor in (None, sensor)
        )

    def to_row(self) -> dict[str, Any]:
        row: dict[str, Any] = {"service": self.service, "answers": list(self.answers)}
        if self.index is not None:
            row["index"] = self.index
        if self.sensor is not None:
            row["sensor"] = self.sensor
        return row


class FaultPlan:
    """Faults in the order in which they are asked; the first that concerns a call answers it."""

    def __init__(self, services: Iterable[str]) -> None:
        """`services` are the names that can be used."""
        self._services = frozenset(services)
        self._faults: list[Fault] = []
        self.taken = 0
        """How many calls were answered by a fault."""

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, row: Mapping[str, Any]) -> None:
        """Raises `ConfigError`, and then nothing was added."""
        if unknown := row.keys() - _KEYS:
            raise ConfigError(f"fault: there is no {sorted(unknown)[0]!r}; use {', '.join(sorted(_KEYS))}")
        service, answers = row.get("service"), row.get("answers")
        if not isinstance(service, str) or service not in self._services:
            names = ", ".join(sorted(self._services))
            raise ConfigError(f"fault: service = {service!r}: use one of {names}")
        if not isinstance(answers, list) or not 1 <= len(answers) <= MOST_ANSWERS:
            raise ConfigError(f"fault: answers = {answers!r}: use a list of 1 to {MOST_ANSWERS} statuses")
        for answer in answers:
            if answer != PASS and not _number(answer, -(1 << 31), (1 << 31) - 1):
                raise ConfigError(f"fault: answer {answer!r}: use a status such as -2 or 9902, or {PASS!r}")
        for key in ("index", "sensor"):
            if key in row and not _number(row[key], 0, (1 << 32) - 1):
                raise ConfigError(f"fault: {key} = {row[key]!r}: use a number of 32 bits")
        if len(self._faults) >= MOST_FAULTS:
            raise ConfigError(f"fault: there are {MOST_FAULTS} already; remove some")
        self._faults.append(Fault(service, deque(answers), row.get("index"), row.get("sensor")))

    def clear(self) -> None:
        self._faults.clear()

    def take(self, service: str, index: int | None, sensor: int | None) -> int | None:
        """The status that this call answers, or None: it is done as always."""
        for fault in self._faults:
            if fault.concerns(service, index, sensor):
                answer = fault.answers.popleft()
                if not fault.answers:
                    self._faults.remove(fault)
                if isinstance(answer, str):
                    return None
                self.taken += 1
                return answer
        return None

    def to_rows(self) -> list[dict[str, Any]]:
        """What is left, as `add` takes it."""
        return [fault.to_row() for fault in self._faults]


def _number(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high
