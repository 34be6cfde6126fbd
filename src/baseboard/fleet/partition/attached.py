"""The control socket of a partition whose guest is a real one, in QEMU."""

from __future__ import annotations

import time
from collections import deque
from functools import partial
from typing import Any

from baseboard.attach.live_machine import LiveMachine
from baseboard.fleet.control import Methods
from baseboard.fleet.partition.methods import METHODS
from baseboard.fleet.partition.partition import MOST_NOTICES

_NOT_HERE = frozenset(
    # The guest is reset, and makes its calls, in QEMU; its tools run in it; its TPM is QEMU's.
    {"reset", "rtas", "hcall", "cards", "replay", "plug.tpm", "plug.nvdimm"}
)


class AttachedPartition:
    """As `Partition`, for the methods that are left; nothing is kept, as the guest and QEMU know it all."""

    def __init__(self, machine: LiveMachine) -> None:
        self.machine = machine
        self.notices: deque[dict[str, Any]] = deque(maxlen=MOST_NOTICES)
        self._told = 0
        machine.on_event = self._tell

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def handled(self, now: float) -> None:
        """Nothing is kept."""

    def _tell(self, name: str, data: dict[str, Any]) -> None:
        self._told += 1
        self.notices.append({"number": self._told, "event": name, "data": data})


def attached_methods(partition: AttachedPartition) -> Methods:
    """The table for one, as `ControlServer` wants it."""
    return {
        method.name: partial(method.call, partition) for method in METHODS if method.name not in _NOT_HERE
    }
