"""A hypercall's number and registers to its handler, and r3 and r4 back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from baseboard.errors import DecodeError
from baseboard.spapr.call_log import recorded
from baseboard.spapr.cas import NoCommonProcessor, negotiate, read_architecture
from baseboard.spapr.hcalls import terminal, tpm_comm
from baseboard.spapr.hcalls.codes import H_FUNCTION, H_HARDWARE, H_PARAMETER, H_SUCCESS
from baseboard.spapr.hcalls.result import Result
from baseboard.spapr.tpm import TpmLink

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

HCALL = "hcall"
"""Its entry in a call log."""
_REGISTER = (1 << 64) - 1
_ARGUMENTS = 5
"""r4 to r8: what a handler gets; what the caller leaves out is 0."""


class Hypervisor:
    """What answers the guest's hypercalls for a machine. `tpm` stands behind the machine's proxy."""

    def __init__(self, machine: PseriesMachine, *, tpm: TpmLink | None = None) -> None:
        self.machine = machine
        self.use_tpm(tpm)

    def use_tpm(self, tpm: TpmLink | None) -> None:
        """Another TPM from now on; no session is open."""
        self.machine.on_tpm_close()
        self.session = tpm_comm.TpmSession(tpm)
        self.machine.on_tpm_execute, self.machine.on_tpm_close = self.session.execute, self.session.close

    def call(self, number: int, *arguments: int, cpu: int = 0) -> tuple[int, int]:
        """r3, signed, and r4. `arguments` are r4 and what follows; `cpu` the number of the calling
        processor.
        """
        return hypercall(self.machine, number, arguments, cpu)


def hypercall(
    machine: PseriesMachine, number: int, arguments: tuple[int, ...], cpu: int = 0
) -> tuple[int, int]:
    """As `Hypervisor.call`; a TPM is where the machine's callbacks say."""
    given = tuple([argument & _REGISTER for argument in arguments[:_ARGUMENTS]])
    given += (0,) * (_ARGUMENTS - len(given))
    if machine.log is None:
        return _run(machine, number, given, cpu)
    return recorded(machine, HCALL, [number, list(given), cpu], {}, lambda: _run(machine, number, given, cpu))


def _run(machine: PseriesMachine, number: int, given: tuple[int, ...], cpu: int) -> tuple[int, int]:
    row = BY_NUMBER.get(number)
    if row is None:
        return H_FUNCTION, given[0]
    if machine.faults:
        planned = machine.faults.take(row.name, given[0], None)
        if planned is not None:
            return planned, given[0]
    status, value = row.handler(machine, given, cpu)
    return status, given[0] if value is None else value


def h_rtas(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> Result:
    return machine.rtas.call_block(arguments[0], cpu=cpu), None


def h_cas(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> Result:
    """r4 the guest's vectors, r5 where the answer goes, r6 how much room is there."""
    vectors, target, room = arguments[:3]
    try:
        guest = read_architecture(machine.memory, vectors)
        negotiate(machine, guest, target, room)
    except NoCommonProcessor:
        return H_HARDWARE, None
    except DecodeError:
        return H_PARAMETER, None
    return H_SUCCESS, None


class Hypercall(NamedTuple):
    """One row."""

    number: int
    name: str
    handler: Callable[[PseriesMachine, tuple[int, ...], int], Result]


# fmt: off
CALLS = (
    #         number  name               handler
    Hypercall(0x0058, "H_PUT_TERM_CHAR", terminal.h_put_term_char),
    Hypercall(0xEF10, "H_TPM_COMM",      tpm_comm.h_tpm_comm),
    Hypercall(0xF000, "H_RTAS",          h_rtas),
    Hypercall(0xF002, "H_CAS",           h_cas),
)
# fmt: on
BY_NUMBER = {row.number: row for row in CALLS}
BY_NAME = {row.name: row for row in CALLS}
