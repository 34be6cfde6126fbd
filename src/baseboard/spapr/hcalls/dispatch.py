"""A hypercall's number and registers to its handler, and r3 and r4 back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from baseboard.errors import DecodeError
from baseboard.spapr.cas import negotiate, read_architecture
from baseboard.spapr.hcalls.codes import H_FUNCTION, H_PARAMETER, H_SUCCESS
from baseboard.spapr.hcalls.tpm_comm import NO_PROXY, Result, TpmSession
from baseboard.spapr.tpm import TpmLink
from baseboard.spapr.vector5 import PLATFORM, Option

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

_REGISTER = (1 << 64) - 1
_ARGUMENTS = 5
"""r4 to r8: what a handler gets; what the caller leaves out is 0."""


class Hypervisor:
    """What answers the guest's hypercalls for a machine. `tpm` stands behind the machine's proxy."""

    def __init__(
        self,
        machine: PseriesMachine,
        *,
        tpm: TpmLink | None = None,
        offered: tuple[Option, ...] = PLATFORM,
    ) -> None:
        self.machine = machine
        self.session = TpmSession(tpm)
        self.offered = offered
        machine.on_tpm_close = self.session.close

    def call(self, number: int, *arguments: int, cpu: int = 0) -> tuple[int, int]:
        """r3, signed, and r4. `arguments` are r4 and what follows; `cpu` the number of the calling
        processor.
        """
        given = tuple([argument & _REGISTER for argument in arguments[:_ARGUMENTS]])
        given += (0,) * (_ARGUMENTS - len(given))
        row = CALLS.get(number)
        status, value = row.handler(self, given, cpu) if row is not None else (H_FUNCTION, None)
        return status, given[0] if value is None else value


def h_rtas(hypervisor: Hypervisor, arguments: tuple[int, ...], cpu: int) -> Result:
    return hypervisor.machine.rtas.call_block(arguments[0], cpu=cpu), None


def h_cas(hypervisor: Hypervisor, arguments: tuple[int, ...], cpu: int) -> Result:
    """r4 the guest's vectors, r5 where the answer goes, r6 how much room is there."""
    machine = hypervisor.machine
    vectors, target, room = arguments[:3]
    try:
        guest = read_architecture(machine.memory, vectors)
        negotiate(machine, guest, target, room, offered=hypervisor.offered)
    except DecodeError:
        return H_PARAMETER, None
    return H_SUCCESS, None


def h_tpm_comm(hypervisor: Hypervisor, arguments: tuple[int, ...], cpu: int) -> Result:
    if hypervisor.machine.tpm_proxy is None:
        return NO_PROXY
    return hypervisor.session.call(hypervisor.machine.memory, arguments)


class Hypercall(NamedTuple):
    """One row."""

    number: int
    name: str
    handler: Callable[[Hypervisor, tuple[int, ...], int], Result]


# fmt: off
CALLS = {row.number: row for row in (
    #         number  name          handler
    Hypercall(0xEF10, "H_TPM_COMM", h_tpm_comm),
    Hypercall(0xF000, "H_RTAS",     h_rtas),
    Hypercall(0xF002, "H_CAS",      h_cas),
)}
# fmt: on
