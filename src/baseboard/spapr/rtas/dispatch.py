"""Calls: an argument block in the guest's memory, or plain numbers, to a service and back.  [LoPAR 7.2.7]

    token, number of arguments, number of results, arguments, results: 32-bit big-endian cells

A service that is called with other counts than its own answers -3 and nothing else. Results are only
written as far as the block has room for them by its own count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from baseboard.spapr.call_log import recorded
from baseboard.spapr.guest_memory import BadAddress, GuestMemory, read_cells, write_cells
from baseboard.spapr.rtas.service import BY_NAME, BY_TOKEN, Cells, Service
from baseboard.spapr.status import PARAMETER_ERROR

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

RTAS, H_RTAS = "rtas", "h_rtas"
"""Their entries in a call log."""
H_SUCCESS = 0
H_PARAMETER = -4
_MASK = 0xFFFF_FFFF
_HEAD = 12
_WRONG = (PARAMETER_ERROR,)


class Rtas:
    """A machine's services."""

    def __init__(self, machine: PseriesMachine) -> None:
        self._machine = machine

    def call(
        self, service: str | int, arguments: Sequence[int] = (), results: int = 1, cpu: int = 0
    ) -> Cells:
        """By name or token. What comes back is as long as what the service writes; statuses are signed."""
        machine = self._machine
        if machine.log is not None:
            given = list(arguments)
            return recorded(
                machine,
                RTAS,
                [service, given, results, cpu],
                {},
                lambda: self.call(service, given, results, cpu),
            )
        row = BY_NAME.get(service) if isinstance(service, str) else BY_TOKEN.get(service)
        if row is None:
            return _WRONG[:results]
        return self._run(row, len(arguments), tuple([cell & _MASK for cell in arguments]), results, cpu)

    def call_block(self, address: int, cpu: int = 0) -> int:
        """H_RTAS: `address` is that of the argument block; what comes back is the hypercall's own status."""
        machine = self._machine
        if machine.log is not None:
            return recorded(machine, H_RTAS, [address, cpu], {}, lambda: self.call_block(address, cpu))
        memory = machine.memory
        try:
            token, count, results = read_cells(memory, address, 3)
            row = BY_TOKEN.get(token)
            after = address + _HEAD + 4 * count
            if row is None:
                if results:
                    write_cells(memory, after, PARAMETER_ERROR)
                return H_PARAMETER
            given = read_cells(memory, address + _HEAD, min(count, row.most))
            memory.read(after, 4 * min(results, row.results or 1))  # there is room, before anything happens
            cells = self._run(row, count, given, results, cpu)
            if cells:
                write_cells(memory, after, *cells)
        except BadAddress:
            return H_PARAMETER
        return H_SUCCESS

    def _run(self, row: Service, count: int, given: Cells, results: int, cpu: int) -> Cells:
        machine = self._machine
        if not row.arguments:
            given = (*given, 0, 0, 0)[: row.most]
        elif count not in row.arguments or results != row.results:
            return row.wrong[:results]
        if machine.faults:
            status = machine.faults.take(row.name, *subject(machine.memory, row.name, given))
            if status is not None:
                return (status,)[:results]
        return row.handler(machine, given, cpu)[:results]


def subject(memory: GuestMemory, service: str, arguments: Sequence[int]) -> tuple[int | None, int | None]:
    """What a call is about: the index of a connector or domain, and the kind of sensor or indicator.

    A call of too few arguments is about nothing.
    """
    match service:
        case "set-indicator" | "get-sensor-state" if len(arguments) > 1:
            return arguments[1], arguments[0]
        case "set-power-level" | "get-power-level" if arguments:
            return arguments[0], None
        case "ibm,configure-connector" if arguments:
            try:
                return read_cells(memory, arguments[0], 1)[0], None
            except BadAddress:
                return None, None
    return None, None
