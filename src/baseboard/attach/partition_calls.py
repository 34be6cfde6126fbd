"""Who answers an RTAS call of a real guest: our platform, the machine below it, or both for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from baseboard.attach.real_memory import Draft, RealMemory
from baseboard.spapr.drc import CPU, LMB, PHB
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.rtas import TOKENS, subject


class Mode(Enum):
    """What we do with calls."""

    RECORD = "record"
    """Look on."""
    COMPARE = "compare"
    """Answer beside QEMU, and tell where we differ; its answer is the guest's."""
    OVERRIDE = "override"
    """Our answer is the guest's."""


class Answerer(Enum):
    """Whose answer a guest gets."""

    OURS = "ours"
    QEMU = "qemu"
    FAULT = "fault"
    """Ours, from the fault plan; QEMU does not hear of the call."""


# fmt: off
ANSWERERS = {
    # service                     when our answers count  why
    "check-exception":            Answerer.OURS,
    "event-scan":                 Answerer.OURS,
    "set-indicator":              Answerer.OURS,
    "get-sensor-state":           Answerer.OURS,
    "ibm,configure-connector":    Answerer.OURS,
    "set-power-level":            Answerer.OURS,
    "get-power-level":            Answerer.OURS,
    "ibm,get-system-parameter":   Answerer.OURS,
    "ibm,set-system-parameter":   Answerer.OURS,
    "display-character":          Answerer.QEMU,         # its console
    "get-time-of-day":            Answerer.QEMU,         # its clock, which the guest has set
    "set-time-of-day":            Answerer.QEMU,
    "power-off":                  Answerer.QEMU,         # its processors, and whether they run
    "system-reboot":              Answerer.QEMU,
    "query-cpu-stopped-state":    Answerer.QEMU,
    "start-cpu":                  Answerer.QEMU,
    "stop-self":                  Answerer.QEMU,
    "ibm,os-term":                Answerer.QEMU,
}
# fmt: on
"""Services that are not here are QEMU's: PCI configuration, interrupts, NVRAM."""
ENDS = frozenset({"stop-self", "power-off", "system-reboot", "ibm,os-term"})
"""Services that need not come back."""


class Answer(NamedTuple):
    """What is to become of a call."""

    who: Answerer
    results: tuple[int, ...] = ()
    writes: Sequence[tuple[int, bytes]] = ()
    """What our platform wants in the guest's memory."""


class Answers:
    """Our platform's, to the calls of a guest with this memory."""

    def __init__(
        self, machine: PseriesMachine, memory: RealMemory, mode: Mode, changed: dict[str, Answerer]
    ) -> None:
        """`changed` is what differs from the table."""
        self._machine = machine
        self._memory = memory
        self._mode = mode
        self._table = ANSWERERS | changed

    def to(self, service: str, arguments: Sequence[int], results: int) -> Answer:
        """Our platform acts on it, if it is one that it is to answer."""
        if self._mode is Mode.RECORD or service not in TOKENS:
            return Answer(Answerer.QEMU)
        index, sensor = subject(self._memory, service, arguments)
        if self._table.get(service) is not Answerer.OURS or not self._knows(index):
            planned = (
                self._machine.faults.take(service, index, sensor) if self._mode is Mode.OVERRIDE else None
            )
            return Answer(Answerer.QEMU) if planned is None else Answer(Answerer.FAULT, (planned,)[:results])
        before, taken = self._machine.memory, self._machine.faults.taken
        draft = self._machine.memory = Draft(self._memory)
        try:
            cells = self._machine.rtas.call(service, tuple(arguments), results)
        finally:
            self._machine.memory = before
        who = Answerer.OURS if self._machine.faults.taken == taken else Answerer.FAULT
        return Answer(who, tuple(int(cell) for cell in cells), tuple(draft.writes))

    def _knows(self, index: int | None) -> bool:
        """Of connectors, those with something in them that we know of: the guest's cards are QEMU's."""
        if index is None or (connector := self._machine.connectors.get(index)) is None:
            return True
        if self._mode is Mode.COMPARE and connector.kind in (CPU, LMB, PHB):
            return True
        return connector.device is not None
