"""Users: names, passwords and what each may do on each channel.  [IPMI 6.9, 22.26-22.30]

User 1 is the null user: its name is empty and fixed, and it is disabled until somebody enables it.
A name may be given to several users with different limits; who logs in by name alone gets the first of
them [IPMI 13.20]. The user that the configuration provisions is only the start: what commands change is
durable, each of name, password, enable and access for itself, and stands above it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from baseboard.bmc.changes import Changes, Rows, kept_bytes
from baseboard.bmc.events import Event, UserChanged
from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.privilege import Channel, Privilege
from baseboard.ipmi.value import Value

ROOM = "users"

MAXIMUM_USERS = 16
NULL_USER = 1
NAME_SIZE = 16

PASSWORD_TEST_FAILED = 0x80
PASSWORD_TEST_WRONG_SIZE = 0x81

LIMITS = frozenset((*range(Privilege.CALLBACK, Privilege.OEM + 1), Privilege.NO_ACCESS))
"""Levels that Set User Access may give."""


class UserAccess(Value):
    """What a user may do on one channel."""

    limit: Privilege = Privilege.NO_ACCESS
    ipmi_messaging: bool = False
    link_authentication: bool = False
    callback_only: bool = False
    session_limit: int = 0
    """Simultaneous sessions; 0: as many as the controller has."""


NO_ACCESS = UserAccess()


@dataclass(slots=True)
class User:
    """One user; trailing zeros of name and password are taken off."""

    user_id: int
    name: bytes = b""
    password: bytes = field(default=b"", repr=False)
    password_size: int = 16
    """16 or 20, as it was set."""
    enabled: bool = False
    access: dict[int, UserAccess] = field(default_factory=dict)
    """By channel."""


class Users:
    """All users of the controller."""

    room = ROOM

    def __init__(self, changes: Changes, emit: Callable[[Event], None]) -> None:
        self._changes = changes
        self._emit = emit
        self._users = {user_id: User(user_id) for user_id in range(1, MAXIMUM_USERS + 1)}
        self._kept: set[str] = set()  # keys of durable rows: the configuration does not touch these

    def __iter__(self) -> Iterator[User]:
        """In order of user id."""
        return iter(self._users.values())

    def restore(self, rows: Rows) -> None:
        """Take back what commands had changed."""
        for key, value in rows.items():
            user_id, _, aspect = key.partition(".")
            user = self._users.get(int(user_id))
            if user is None:
                continue
            self._kept.add(key)
            if aspect == "name":
                user.name = kept_bytes(value, *range(NAME_SIZE + 1))
            elif aspect == "enabled":
                user.enabled = bool(value)
            elif aspect == "password":
                size, password = value
                user.password_size, user.password = size, kept_bytes(password, *range(size + 1))
            else:
                limit, messaging, link, callback, sessions = value
                user.access[int(aspect.removeprefix("access."))] = UserAccess(
                    Privilege(limit), messaging, link, callback, sessions
                )

    def provision(
        self,
        user_id: int,
        name: bytes,
        password: bytes,
        limit: Privilege = Privilege.ADMINISTRATOR,
        channel: int = Channel.LAN,
    ) -> None:
        """Make an enabled user as the configuration says, under what commands have changed.

        Before or after `restore`, it is the same. A password of more than 16 bytes is one of 20.
        """
        user = self.user(user_id)
        if f"{user_id}.name" not in self._kept:
            user.name = name
        if f"{user_id}.password" not in self._kept:
            user.password, user.password_size = password, 20 if len(password) > 16 else 16
        if f"{user_id}.enabled" not in self._kept:
            user.enabled = True
        if f"{user_id}.access.{channel}" not in self._kept:
            user.access[channel] = UserAccess(limit, ipmi_messaging=True)

    def user(self, user_id: int) -> User:
        """The user with this id.  Raises CommandError."""
        user = self._users.get(user_id)
        if user is None:
            raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"no user {user_id}")
        return user

    def access(self, user_id: int, channel: int) -> UserAccess:
        """What the user may do on the channel."""
        return self.user(user_id).access.get(channel, NO_ACCESS)

    def enabled_count(self) -> int:
        """How many users are enabled."""
        return sum(user.enabled for user in self)

    def set_access(
        self,
        user_id: int,
        channel: int,
        limit: int,
        rights: tuple[bool, bool, bool] | None = None,
        session_limit: int | None = None,
        by_session: int | None = None,
    ) -> None:
        """Set User Access; `rights` are messaging, link authentication, callback only; None: as they are."""
        user = self.user(user_id)
        if limit not in LIMITS:
            raise CommandError(CompletionCode.INVALID_FIELD, f"no privilege level {limit}")
        old = user.access.get(channel, NO_ACCESS)
        new = old.replace(limit=Privilege(limit))
        if rights is not None:
            new = new.replace(
                ipmi_messaging=rights[0], link_authentication=rights[1], callback_only=rights[2]
            )
        if session_limit is not None:
            new = new.replace(session_limit=session_limit)
        user.access[channel] = new
        row = [
            int(new.limit),
            new.ipmi_messaging,
            new.link_authentication,
            new.callback_only,
            new.session_limit,
        ]
        self._keep(user_id, f"access.{channel}", row, old != new, by_session)

    def set_name(self, user_id: int, name: bytes, by_session: int | None = None) -> None:
        """Set User Name; the name ends at its first zero."""
        user = self.user(user_id)
        name = name.partition(b"\0")[0]
        if user_id == NULL_USER:
            if name:
                raise CommandError(CompletionCode.INVALID_FIELD, "user 1 is the null user for good")
            return
        changed = user.name != name
        user.name = name
        self._keep(user_id, "name", name.hex(), changed, by_session)

    def set_enabled(self, user_id: int, enabled: bool, by_session: int | None = None) -> None:
        """Enable or disable a user on all channels."""
        user = self.user(user_id)
        changed = user.enabled != enabled
        user.enabled = enabled
        self._keep(user_id, "enabled", enabled, changed, by_session)

    def set_password(self, user_id: int, password: bytes, by_session: int | None = None) -> None:
        """Set a password of 16 or 20 bytes, padded with zeros."""
        user = self.user(user_id)
        size, password = len(password), password.rstrip(b"\0")
        changed = (user.password_size, user.password) != (size, password)
        user.password_size, user.password = size, password
        self._keep(user_id, "password", [size, password.hex()], changed, by_session)

    def test_password(self, user_id: int, password: bytes) -> None:
        """Compare with the stored one, in the same time whatever differs.  Raises CommandError."""
        user = self.user(user_id)
        if len(password) != user.password_size:
            raise CommandError(PASSWORD_TEST_WRONG_SIZE, f"user {user_id}: the password has another size")
        if not hmac.compare_digest(password, user.password.ljust(user.password_size, b"\0")):
            raise CommandError(PASSWORD_TEST_FAILED, f"user {user_id}: the password is another one")

    def _keep(self, user_id: int, aspect: str, value: Any, changed: bool, by_session: int | None) -> None:
        key = f"{user_id}.{aspect}"
        self._kept.add(key)
        self._changes.put(ROOM, key, value)
        if changed:
            self._emit(UserChanged(user_id, by_session))
