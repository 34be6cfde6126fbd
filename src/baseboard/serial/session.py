"""Who is logged in on the serial port: one session, and no session header.  [IPMI 14, 22.16, 22.17]

In Basic Mode the two commands of IPMI 1.5 open it: Get Session Challenge, then Activate Session, whose
challenge field carries the password itself or its digest, as no header has an authentication code. In
Terminal Mode it is SYS PWD. Whoever logs in again takes the place of the session before. After three wrong
passwords in a row nobody is let in for a while.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from baseboard.errors import CommandError, DecodeError
from baseboard.ipmi.app_session import (
    ActivateSessionRequest,
    ActivateSessionResponse,
    GetSessionChallengeRequest,
    GetSessionChallengeResponse,
)
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.privilege import Channel, Privilege

HANDLE = 0xFE
"""Sessions of the LAN count from 1 up."""
UNKNOWN_USER, NULL_USER_DISABLED = 0x81, 0x82
INVALID_SESSION_ID, PRIVILEGE_EXCEEDS_LIMIT = 0x85, 0x86
NONE, MD5, PASSWORD = 0, 2, 4
NOBODY = 0
CODE_LENGTH = 16
MOST_FAILURES = 3
LOCKOUT = 30.0
"""Seconds."""
CHALLENGE_LIFE = 60.0


class Account(Protocol):
    """A user that may log in here."""

    @property
    def user_id(self) -> int:
        """Its number."""

    @property
    def password(self) -> bytes:
        """As stored: up to 20 bytes."""

    @property
    def limit(self) -> Privilege:
        """min(user limit, channel limit)."""

    @property
    def fits_ipmi15(self) -> bool:
        """Its password has 16 bytes at most."""


class Policy(Protocol):
    """What the channel's settings say."""

    @property
    def enabled(self) -> bool:
        """Access mode is not "disabled"."""

    @property
    def limit(self) -> Privilege:
        """The channel's."""

    @property
    def authentication_types(self) -> tuple[int, int, int, int, int]:
        """For each level from Callback to OEM, a mask of types."""


class Authority(Protocol):
    """Who may log in."""

    def policy(self, channel: int) -> Policy:
        """The channel's rules now."""

    def account(self, channel: int, name: bytes, privilege: Privilege | None) -> Account | None:
        """The enabled user with this name and access to the channel."""


class SerialSession:
    """Satisfies `baseboard.ipmi.message.Session`."""

    rmcp_plus = encrypted = authenticated = False
    console_ip, console_mac, console_port = bytes(4), bytes(6), 0

    def __init__(self, session_id: int, user_id: int, limit: Privilege, privilege: Privilege) -> None:
        self.id = session_id
        self.handle = HANDLE
        self.user_id = user_id
        self.privilege = privilege
        self.maximum_privilege = limit
        self.channel: int = Channel.SERIAL


@dataclass(slots=True)
class _Challenge:
    id: int
    kind: int
    account: Account
    challenge: bytes
    expires: float


class SerialLogin:
    """Opens sessions; the server keeps them."""

    def __init__(self, authority: Authority, random: Callable[[int], bytes]) -> None:
        self.on_refusal: Callable[[int, int, float], None] = lambda channel, user_id, now: None
        """Told of channel, user (0: unknown) and time of a wrong name or password."""
        self._authority = authority
        self._random = random
        self._pending: _Challenge | None = None
        self._failures = 0
        self._locked_until = 0.0

    def challenge(self, data: bytes, now: float) -> bytes:
        """Get Session Challenge: completion code and data.  Raises CommandError."""
        try:
            request = GetSessionChallengeRequest.decode(data)
        except DecodeError as error:
            raise CommandError(CompletionCode.LENGTH_INVALID, str(error)) from None
        kind, name = request.authentication_type, request.name.rstrip(b"\0")
        types = self._authority.policy(Channel.SERIAL).authentication_types
        if kind not in (NONE, MD5, PASSWORD) or not any(mask >> kind & 1 for mask in types):
            raise CommandError(CompletionCode.INVALID_FIELD, "authentication type is not enabled")
        account = self._authority.account(Channel.SERIAL, name, None)
        if account is None or not account.fits_ipmi15:
            self.on_refusal(Channel.SERIAL, NOBODY, now)
            raise CommandError(UNKNOWN_USER if name else NULL_USER_DISABLED, "no such user")
        challenge = _Challenge(self._new_id(), kind, account, self._random(CODE_LENGTH), now + CHALLENGE_LIFE)
        self._pending = challenge
        return GetSessionChallengeResponse(
            temporary_session_id=challenge.id, challenge=challenge.challenge
        ).encode()

    def activate(self, data: bytes, now: float) -> tuple[SerialSession, bytes]:
        """Activate Session: the session, and completion code and data.  Raises CommandError."""
        try:
            request = ActivateSessionRequest.decode(data)
        except DecodeError as error:
            raise CommandError(CompletionCode.LENGTH_INVALID, str(error)) from None
        pending, self._pending = self._pending, None
        if pending is None or pending.expires < now or request.authentication_type != pending.kind:
            raise CommandError(INVALID_SESSION_ID, "no challenge was asked for")
        self._check_lock(now)
        right = hmac.compare_digest(request.challenge, _code(pending, request.challenge))
        self._check(right, pending.account.user_id, now)
        level = request.maximum_privilege
        policy = self._authority.policy(Channel.SERIAL)
        if not Privilege.CALLBACK <= level <= Privilege.OEM:
            raise CommandError(CompletionCode.INVALID_FIELD, f"no privilege level {level}")
        enabled = policy.authentication_types[level - 1] >> pending.kind & 1
        if level > min(pending.account.limit, policy.limit) or not enabled:
            raise CommandError(PRIVILEGE_EXCEEDS_LIMIT, "above the limit")
        limit = Privilege(level)
        session = SerialSession(self._new_id(), pending.account.user_id, limit, min(Privilege.USER, limit))
        answer = ActivateSessionResponse(
            authentication_type=NONE, session_id=session.id, inbound_sequence=0, maximum_privilege=level
        )
        return session, answer.encode()

    def log_in(self, name: bytes, password: bytes, now: float) -> SerialSession:
        """SYS PWD: a person gets all that the user may do at once.  Raises CommandError D4h."""
        self._check_lock(now)
        account = self._authority.account(Channel.SERIAL, name, None)
        stored = account.password if account is not None else self._random(CODE_LENGTH)
        right = hmac.compare_digest(password, stored)  # also without a user, that the time tells nothing
        self._check(account is not None and right, NOBODY if account is None else account.user_id, now)
        assert account is not None
        limit = min(account.limit, self._authority.policy(Channel.SERIAL).limit)
        if limit is Privilege.NO_ACCESS:
            raise CommandError(CompletionCode.INSUFFICIENT_PRIVILEGE, "the user has no access")
        return SerialSession(self._new_id(), account.user_id, limit, limit)

    def _check_lock(self, now: float) -> None:
        if now < self._locked_until:
            raise CommandError(CompletionCode.INSUFFICIENT_PRIVILEGE, "too many wrong passwords")

    def _check(self, right: bool, user_id: int, now: float) -> None:
        if right:
            self._failures = 0
            return
        self.on_refusal(Channel.SERIAL, user_id, now)
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            self._failures = 0
            self._locked_until = now + LOCKOUT
        raise CommandError(CompletionCode.INSUFFICIENT_PRIVILEGE, "wrong name or password")

    def _new_id(self) -> int:
        return int.from_bytes(self._random(4), "little") or 1


def _code(pending: _Challenge, given: bytes) -> bytes:
    """What the challenge field must be.  [IPMI 22.17.1]"""
    password = pending.account.password[:CODE_LENGTH].ljust(CODE_LENGTH, b"\0")
    if pending.kind == PASSWORD:
        return password
    if pending.kind == NONE:
        return given
    data = password + pending.id.to_bytes(4, "little") + pending.challenge + password
    return hashlib.new("md5", data, usedforsecurity=False).digest()
