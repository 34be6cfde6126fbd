"""Parameter 0 of LAN, system info and their like: a courtesy lock.  [IPMI 23.2, Table 23-4, parameter 0]

It keeps nobody from writing; it only tells a second client that a first one is at it. Roll-back, and so
"commit write", is not provided. A reset of the controller sets it back.
"""

from __future__ import annotations

from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode

PARAMETER_NOT_SUPPORTED = 0x80
SET_IN_PROGRESS = 0x81
READ_ONLY = 0x82

SET_COMPLETE = 0
IN_PROGRESS = 1


class SetInProgress:
    """The lock of one set of parameters."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = SET_COMPLETE

    def encode(self) -> bytes:
        """The parameter's data."""
        return bytes((self.state,))

    def set(self, data: bytes) -> None:
        """Write the parameter.  Raises CommandError."""
        if len(data) != 1:
            raise CommandError(CompletionCode.LENGTH_INVALID)
        state = data[0] & 0x03
        if state not in (SET_COMPLETE, IN_PROGRESS):
            raise CommandError(CompletionCode.INVALID_FIELD, "there is no roll-back to commit")
        if state == IN_PROGRESS == self.state:
            raise CommandError(SET_IN_PROGRESS, "another client has set-in-progress")
        self.state = state

    def reset(self) -> None:
        """The controller was reset."""
        self.state = SET_COMPLETE
