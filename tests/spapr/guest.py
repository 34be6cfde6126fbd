"""A guest's side of the calls, for tests: argument blocks, work areas, the usual sequences."""

from __future__ import annotations

from typing import Any

from baseboard.spapr.guest_memory import ByteMemory, read_cells, write_cells
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.rtas import TOKENS

MIB = 1 << 20
GIB = 1 << 30
BLOCK, AREA, LOG = 0x1000, 0x10000, 0x20000


def make_machine(**settings: Any) -> PseriesMachine:
    """One core of four, 1 GiB of 4, one host bridge."""
    usual: dict[str, Any] = {"cores": 1, "max_cores": 4, "ram": GIB, "max_ram": 4 * GIB, "slots": 8}
    return PseriesMachine(**(usual | settings), memory=ByteMemory(MIB))


class Guest:
    """Calls by argument blocks, as a kernel makes them; statuses are signed."""

    def __init__(self, machine: PseriesMachine) -> None:
        self.machine = machine
        self.told: list[tuple[str, Any]] = []
        machine.on_event = lambda name, data: self.told.append((name, data.get("device")))

    def call(self, service: str, *arguments: int, results: int = 1) -> tuple[int, ...]:
        memory = self.machine.memory
        write_cells(
            memory, BLOCK, TOKENS[service], len(arguments), results, *arguments, *[0xEEEEEEEE] * results
        )
        assert self.machine.rtas.call_block(BLOCK) == 0
        cells = read_cells(memory, BLOCK + 12 + 4 * len(arguments), results)
        return tuple(cell - (1 << 32) if cell >> 31 else cell for cell in cells)

    def set(self, indicator: int, index: int, value: int) -> int:
        return self.call("set-indicator", indicator, index, value)[0]

    def sense(self, index: int) -> tuple[int, ...]:
        return self.call("get-sensor-state", 9003, index, results=2)

    def take(self, index: int) -> None:
        """Up to where configure-connector answers."""
        if index >> 28 != 4:
            assert self.set(9003, index, 1) == 0
        assert self.set(9001, index, 1) == 0

    def give_back(self, index: int) -> None:
        assert self.set(9001, index, 0) == 0
        if index >> 28 != 4:
            assert self.set(9003, index, 0) == 0

    def configure_once(self, index: int, area: int = AREA, extent: int = 0) -> int:
        write_cells(self.machine.memory, area, index, 0)
        return self.call("ibm,configure-connector", area, extent)[0]

    def configure(self, index: int) -> list[tuple[int, str]]:
        """Statuses and names to the end."""
        pieces = []
        while True:
            status = self.configure_once(index)
            name = b""
            if status in (1, 2, 3):
                page = self.machine.memory.read(AREA, 4096)
                at = int.from_bytes(page[8:12], "big")
                name = page[at : page.index(0, at)]
            pieces.append((status, name.decode()))
            if status <= 0:
                return pieces
