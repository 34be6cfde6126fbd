"""The exceptions, named for whose fault it is.

A peer's bytes are wrong (`DecodeError`); a command is refused (`CommandError`); our own code asked
a machine for something impossible now (`LocalProtocolError`); the user can fix it (`ConfigError`).
"""

from __future__ import annotations


class BaseboardError(Exception):
    """Base of every error that this package raises on purpose."""


class DecodeError(BaseboardError):
    """Bytes from a peer, a guest or a file are not what they should be."""


class CommandError(BaseboardError):
    """A command is answered with this completion code; the only way in which a handler refuses.

    `data` follows the completion code in the few answers where the specification wants data beside
    a code other than 00h.
    """

    def __init__(self, code: int, reason: str = "", data: bytes = b"") -> None:
        super().__init__(f"{code:02X}h {reason}".rstrip())
        self.code = code
        self.reason = reason
        self.data = data


class LocalProtocolError(BaseboardError):
    """Our own code asked a machine for something that is impossible in its present state."""


class ConfigError(BaseboardError):
    """The user can fix it: the text says where, what was found and what is allowed."""
