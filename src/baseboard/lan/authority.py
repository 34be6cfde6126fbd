"""What the LAN asks the controller about users and policy.

The controller implements `Authority` over its users, channels and LAN parameters; tests implement it
with a table. Nothing here is secret by itself, but an `Account` carries a password: it has no repr of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from baseboard.ipmi.privilege import Privilege


@dataclass(frozen=True, slots=True)
class Account:
    """A user that may log in on a channel.

    `password` is as stored: up to 20 bytes, trailing zeros taken off. `limit` is min(user limit, channel
    limit). `fits_ipmi15` is False for a password stored as 20 bytes, with which no IPMI 1.5 session can be
    opened.  [IPMI 22.30]
    """

    user_id: int
    name: bytes
    password: bytes = field(repr=False)
    limit: Privilege
    fits_ipmi15: bool = True


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """What Set Channel Access and the LAN parameters say of the channel.  [IPMI 22.22; 23.2]

    `authentication_types` has, for each privilege level from CALLBACK to OEM, the bit mask of the IPMI 1.5
    authentication types that are enabled (bit 0 none, 1 MD2, 2 MD5, 4 straight password). The 0 mask
    everywhere means that no IPMI 1.5 session can be opened at all.
    """

    enabled: bool
    """Access mode is not "disabled"."""
    limit: Privilege
    per_message_authentication: bool
    user_level_authentication: bool
    authentication_types: tuple[int, int, int, int, int]


class LoginStatus(NamedTuple):
    """Bits 2:0 of the status in Get Channel Authentication Capabilities.  [IPMI 22.13, Table 22-15]"""

    anonymous: bool
    """Bit 0: the null user is enabled and has no password."""
    null_names: bool
    """Bit 1: the null user is enabled and has a password."""
    other_names: bool
    """Bit 2: a user with a name is enabled."""


class Authority(Protocol):
    """Who may log in, with what, to do what."""

    @property
    def guid(self) -> bytes:
        """System GUID, 16 bytes in packet order."""

    @property
    def channel_key(self) -> bytes:
        """K_G, 20 bytes; b"" when it is not set (all zeros): one-key log-in."""

    def policy(self, channel: int) -> ChannelPolicy:
        """The channel's rules now."""

    def cipher_suite_limit(self, channel: int, suite: int) -> Privilege:
        """Highest level that a session with this cipher suite may have; NO_ACCESS: the suite is off."""

    def cipher_suites(self, channel: int) -> tuple[int, ...]:
        """Ids of the suites that are on, preferred first."""

    def account(self, channel: int, name: bytes, privilege: Privilege | None) -> Account | None:
        """The enabled user with this name and access to the channel.

        `privilege` None is the name-only look-up; else the user must also have exactly this limit
        [IPMI 13.20, RAKP Message 1, role byte]. The first in order of user id is taken. The null user is the
        empty name, and only found when user 1 is enabled.
        """

    def session_limit_reached(self, user_id: int, channel: int, open_sessions: int) -> bool:
        """Whether the user has as many sessions as its limit allows (0: no limit)."""

    def login_status(self, channel: int) -> LoginStatus:
        """Which kinds of users could log in on the channel now."""
