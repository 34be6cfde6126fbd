"""H_TPM_COMM: an ultravisor's way to the TPM.  [uv-hcalls]

    r4  operation: 1 execute, 2 close the session
    r5  address of the command   r6  its size, at most 4096
    r7  address for the response r8  room there, at least 4096

The first execute opens the session. It lasts until it is closed, the machine is reset or the proxy is
unplugged; a link that fails is closed too, so that the next execute opens it anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.guest_memory import BadAddress
from baseboard.spapr.hcalls.codes import (
    H_FUNCTION,
    H_P2,
    H_P3,
    H_P4,
    H_P5,
    H_PARAMETER,
    H_RESOURCE,
    H_SUCCESS,
)
from baseboard.spapr.hcalls.result import Result
from baseboard.spapr.tpm import MAXIMUM, TpmError, TpmLink, check_command

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

EXECUTE, CLOSE_SESSION = 1, 2
ADDRESS_MASK = (1 << 60) - 1
"""Bits above are not looked at.  [QEMU 7.2]"""


def h_tpm_comm(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> Result:
    """Checks in the order in which QEMU makes them; its H_P2 and H_P4 are only in the document."""
    if machine.tpm_proxy is None:
        return H_FUNCTION, None
    operation, source, size, target, room = arguments
    memory = machine.memory
    if operation == CLOSE_SESSION:
        machine.on_tpm_close()
        return H_SUCCESS, None
    if operation != EXECUTE:
        return H_PARAMETER, None
    if size > MAXIMUM:
        return H_P3, None
    if room < MAXIMUM:
        return H_P5, None
    try:
        command = memory.read(source & ADDRESS_MASK, size)
    except BadAddress:
        return H_P2, None
    try:
        memory.read(target & ADDRESS_MASK, MAXIMUM)
    except BadAddress:
        return H_P4, None
    try:
        response = machine.on_tpm_execute(command)
    except TpmError:
        return H_RESOURCE, None
    memory.write(target & ADDRESS_MASK, response)
    return H_SUCCESS, len(response)


class TpmSession:
    """The one session of a machine's proxy."""

    def __init__(self, link: TpmLink | None) -> None:
        self._link = link
        self.is_open = False
        self.failure: TpmError | None = None
        """Why the last execute answered H_RESOURCE."""

    def execute(self, command: bytes) -> bytes:
        """Raises `TpmError`; then there is no session any more."""
        try:
            return self._execute(command)
        except TpmError as error:
            self.failure = error
            self.close()
            raise

    def close(self) -> None:
        if self.is_open and self._link is not None:
            self.is_open = False
            self._link.close()

    def _execute(self, command: bytes) -> bytes:
        if self._link is None:
            raise TpmError("no TPM is configured")
        if not self.is_open:
            self._link.open()
            self.is_open = True
        check_command(command)
        response = self._link.exchange(command)
        if len(response) > MAXIMUM:
            raise TpmError(f"a response of {len(response)} bytes; {MAXIMUM} are allowed")
        return response
