"""One RMCP+ log-in under way: what is kept between Open Session Request and RAKP 3."""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum, auto

from baseboard.ipmi.privilege import Privilege
from baseboard.lan.authority import Account
from baseboard.lan.ciphers import SUITES
from baseboard.lan.half_open import source_of
from baseboard.lan.rakp import Rakp1


class Phase(Enum):
    """How far a log-in is."""

    OPENED = auto()
    CHALLENGED = auto()
    DECIDED = auto()


class Opening:
    """One log-in under way."""

    __slots__ = (
        "account",
        "address",
        "answer",
        "console_id",
        "expires",
        "granted",
        "id",
        "phase",
        "rakp1",
        "random_c",
        "request",
        "source",
        "suite",
    )

    def __init__(self, opening_id: int, address: Hashable, expires: float, random_c: bytes) -> None:
        self.id = opening_id
        self.address = address
        self.source = source_of(address)
        self.expires = expires
        self.random_c = random_c
        self.phase = Phase.OPENED
        self.console_id = 0
        self.suite = SUITES[0]
        self.granted = Privilege.NONE
        self.account: Account | None = None
        self.rakp1: Rakp1 | None = None
        self.request = b""
        """The last request payload that was answered, and its answer."""
        self.answer = b""

    def is_of(self, user_id: int) -> bool:
        """Whether this user is logging in."""
        return self.account is not None and self.account.user_id == user_id
