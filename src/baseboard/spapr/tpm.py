"""What stands behind H_TPM_COMM: a link to a TPM 2.0, and the resource manager's last step.  [TPM2 Part 3]

Between guests' sessions nothing may be left in a TPM of three object slots. A kernel's /dev/tpmrm0 sees to
that; for any other link `ResourceManager` does it: at the end of a session, transient objects and loaded
sessions are flushed. Saved sessions stay, as their owners have them on disk.
"""

from __future__ import annotations

import struct
from typing import Protocol

from baseboard.errors import BaseboardError

HEADER_SIZE = 10
MAXIMUM = 4096
"""Of a command and of a response."""

_NO_SESSIONS = 0x8001
_GET_CAPABILITY, _FLUSH_CONTEXT = 0x17A, 0x165
_CAPABILITY_HANDLES = 1
_TRANSIENT, _LOADED_SESSION = 0x8000_0000, 0x0200_0000
_AT_ONCE = 64
_ROUNDS = 16


class TpmError(BaseboardError):
    """The TPM cannot be opened, does not answer, or answers nonsense. The text says which TPM and why."""


class TpmLink(Protocol):
    """Whole commands and whole responses. Each method raises `TpmError`."""

    def open(self) -> None: ...

    def exchange(self, command: bytes) -> bytes: ...

    def close(self) -> None:
        """Also when it is not open; does not fail."""


def announced_size(head: bytes) -> int:
    """The length that a command or response says it has, in its bytes 2 to 5."""
    return int.from_bytes(head[2:6], "big")


def check_command(command: bytes) -> None:
    """A link would wait for ever for the rest of a command that is longer than its bytes."""
    if len(command) < HEADER_SIZE or announced_size(command) != len(command):
        raise TpmError(f"a command of {len(command)} bytes announces {announced_size(command)}")


def no_tpm(command: bytes) -> bytes:
    """What stands behind a proxy that has none. Raises `TpmError`."""
    raise TpmError("no TPM is configured")


class ResourceManager:
    """A link that leaves nothing behind."""

    def __init__(self, link: TpmLink) -> None:
        self._link = link
        self._open = False

    def open(self) -> None:
        self._link.open()
        self._open = True

    def exchange(self, command: bytes) -> bytes:
        try:
            return self._link.exchange(command)
        except TpmError:
            self._open = False  # nothing more is asked of a TPM that is out of step
            raise

    def close(self) -> None:
        if self._open:
            self._open = False
            try:
                for kind in (_TRANSIENT, _LOADED_SESSION):
                    self._flush(kind)
            except TpmError:
                pass  # a TPM that has gone holds nothing for us
        self._link.close()

    def _flush(self, kind: int) -> None:
        """A TPM lists what it holds in answers of a few; what is flushed is not in the next."""
        for _ in range(_ROUNDS):
            handles = self._held(kind)
            if not handles:
                return
            for handle in handles:
                self._link.exchange(struct.pack(">HIII", _NO_SESSIONS, 14, _FLUSH_CONTEXT, handle))

    def _held(self, kind: int) -> tuple[int, ...]:
        command = struct.pack(
            ">HIIIII", _NO_SESSIONS, 22, _GET_CAPABILITY, _CAPABILITY_HANDLES, kind, _AT_ONCE
        )
        response = self._link.exchange(command)
        code, count = int.from_bytes(response[6:10], "big"), int.from_bytes(response[15:19], "big")
        if code or len(response) != 19 + 4 * count:
            return ()
        return struct.unpack(f">{count}I", response[19:])
