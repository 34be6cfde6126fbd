"""The users that an instance starts with: names and limits from the options, passwords from their files."""

from __future__ import annotations

from typing import NamedTuple

from baseboard.errors import ConfigError
from baseboard.fleet.options import Options
from baseboard.ipmi.privilege import Privilege
from baseboard.store.password import Password, first_password, read_password

FIRST_USER = 2
"""User 1 is the null user.  [IPMI 6.9]"""


class Login(NamedTuple):
    """What `Users.provision` wants to know."""

    user_id: int
    name: bytes
    password: Password
    limit: Privilege


def logins(options: Options) -> tuple[Login, ...]:
    """All of them, the first one first; its password is made when it has none.  Raises ConfigError."""
    path = options.password_file
    password = read_password(path) if path else first_password(options.state)
    first = Login(FIRST_USER, options.user.encode(), password, options.limit)
    others = (
        Login(number, user.name.encode(), read_password(user.password_file), user.limit)
        for number, user in enumerate(options.further_users, FIRST_USER + 1)
    )
    found = (first, *others)
    names = [login.name for login in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two users have the name {name.decode()!r}")
    return found
