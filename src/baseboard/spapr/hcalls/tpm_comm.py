"""H_TPM_COMM: an ultravisor's way to the TPM.  [uv-hcalls]

    r4  operation: 1 execute, 2 close the session
    r5  address of the command   r6  its size, at most 4096
    r7  address for the response r8  room there, at least 4096

The first execute opens the session. It lasts until it is closed, the machine is reset or the proxy is
unplugged; a link that fails is closed too, so that the next execute opens it anew.
"""

from __future__ import annotations

from baseboard.spapr.guest_memory import BadAddress, GuestMemory
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
from baseboard.spapr.tpm import MAXIMUM, TpmError, TpmLink, check_command

EXECUTE, CLOSE_SESSION = 1, 2
ADDRESS_MASK = (1 << 60) - 1
"""Bits above are not looked at.  [QEMU 7.2]"""

Result = tuple[int, int | None]
"""r3, and r4 or None where that stays as it was."""


class TpmSession:
    """The one session of a machine's proxy."""

    def __init__(self, link: TpmLink | None) -> None:
        self._link = link
        self.is_open = False
        self.failure: TpmError | None = None
        """Why the last execute answered H_RESOURCE."""

    def call(self, memory: GuestMemory, arguments: tuple[int, ...]) -> Result:
        """Checks in the order in which QEMU makes them; its H_P2 and H_P4 are only in the document."""
        operation, source, size, target, room = arguments
        if operation == CLOSE_SESSION:
            self.close()
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
            response = self._execute(command)
        except TpmError as error:
            self.failure = error
            self.close()
            return H_RESOURCE, None
        memory.write(target & ADDRESS_MASK, response)
        return H_SUCCESS, len(response)

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


NO_PROXY: Result = H_FUNCTION, None
