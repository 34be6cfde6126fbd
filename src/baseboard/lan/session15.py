"""IPMI 1.5 sessions: challenge, activation, and packets with their authentication codes.  [IPMI 6.12; 22.16]

Theory of operation
-------------------
Get Session Challenge makes a `Challenge` in the pool of log-ins under way, under a temporary session id.
Activate Session, sent in that temporary session, proves the password and opens the session under an id of
its own. Both commands belong to this layer, because they make sense nowhere else.

The response to Activate Session still has the temporary id, and the sequence number that the console asked
for; the next packet has that number + 1 (FreeIPMI takes the same number for a duplicate). When the response
is lost the console activates again: as long as the new session is untouched it gets the same one.

What a packet in the session must have [IPMI 6.11.3, 6.11.4]:
* per-message authentication on: the session's authentication type and a right code;
* off: type none will do;
* user-level authentication off: type none will do for commands that a User may give, and for no others.
A packet with a type other than these, or with a wrong code, is dropped and does not keep the session alive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from enum import IntEnum

from baseboard.errors import CommandError, DecodeError
from baseboard.ipmi.app_session import (
    ActivateSessionRequest,
    ActivateSessionResponse,
    GetSessionChallengeRequest,
    GetSessionChallengeResponse,
)
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.privilege import Privilege
from baseboard.lan.authority import Account, Authority, ChannelPolicy
from baseboard.lan.ciphers import Hash, is_equal
from baseboard.lan.half_open import HalfOpen, source_of
from baseboard.lan.rmcp import CODE_LENGTH_15, frame_15
from baseboard.lan.session import NOBODY, LanSession, Sessions
from baseboard.lan.settings import LanSettings
from baseboard.lan.window import next_sequence, window_15

GET_SESSION_CHALLENGE = 0x39
ACTIVATE_SESSION = 0x3A


class AuthenticationType(IntEnum):
    """[IPMI 22.13, Table 22-15]"""

    NONE = 0
    MD2 = 1
    MD5 = 2
    PASSWORD = 4


OFFERED = 1 << AuthenticationType.NONE | 1 << AuthenticationType.MD5 | 1 << AuthenticationType.PASSWORD
"""What we can do: nobody should do MD2 any more."""


# Completion codes of Get Session Challenge [IPMI 22.16] and of Activate Session [IPMI 22.17].
UNKNOWN_USER = 0x81
NULL_USER_DISABLED = 0x82
NO_SLOT = 0x81
NO_SLOT_FOR_USER = 0x82
SEQUENCE_OUT_OF_RANGE = 0x84
INVALID_SESSION_ID = 0x85
PRIVILEGE_EXCEEDS_LIMIT = 0x86


class Authenticator:
    """Makes the codes of one authentication type with one password.  [IPMI 22.17.1]"""

    __slots__ = ("_password", "_start", "kind")

    def __init__(self, kind: AuthenticationType, password: bytes) -> None:
        self.kind = kind
        self._password = password[:CODE_LENGTH_15].ljust(CODE_LENGTH_15, b"\x00")
        self._start: Hash = hashlib.new("md5", self._password, usedforsecurity=False)

    def code(self, session_id: int, sequence: int, message: bytes) -> bytes:
        """The authentication code of a packet; empty for type none."""
        if self.kind is AuthenticationType.NONE:
            return b""
        if self.kind is AuthenticationType.PASSWORD:
            return self._password
        md5 = self._start.copy()
        sequence_bytes = sequence.to_bytes(4, "little")
        md5.update(session_id.to_bytes(4, "little") + message + sequence_bytes + self._password)
        return md5.digest()


class Challenge:
    """A log-in under way; its id is the temporary session id."""

    __slots__ = ("account", "authenticator", "challenge", "expires", "id", "opened", "refused", "source")

    def __init__(
        self,
        challenge_id: int,
        account: Account,
        authenticator: Authenticator,
        challenge: bytes,
        source: Hashable,
        expires: float,
    ) -> None:
        self.id = challenge_id
        self.account = account
        self.authenticator = authenticator
        self.challenge = challenge
        self.source = source
        self.expires = expires
        self.opened: tuple[bytes, Session15, bytes] | None = None
        """Request data, the session that it opened, and the answer."""
        self.refused = False
        """A packet with a wrong code came in: those that repeat it are no news."""


class Session15(LanSession):
    """An open IPMI 1.5 session."""

    __slots__ = ("_authenticator", "_per_message", "_user_level", "used")

    def __init__(
        self,
        session_id: int,
        account: Account,
        authenticator: Authenticator,
        maximum_privilege: Privilege,
        policy: ChannelPolicy,
        channel: int,
        address: Hashable,
        now: float,
    ) -> None:
        super().__init__(session_id, account.user_id, maximum_privilege, channel, address, now)
        self._authenticator = authenticator
        self._per_message = policy.per_message_authentication
        self._user_level = policy.user_level_authentication
        self.authenticated = authenticator.kind is not AuthenticationType.NONE
        self.used = False
        """A packet of the session came in."""

    @property
    def packet_type(self) -> AuthenticationType:
        """The authentication type of packets in the session, as Activate Session announces it."""
        return self._authenticator.kind if self._per_message else AuthenticationType.NONE

    def privilege_of(self, kind: int, sequence: int, code: bytes, message: bytes) -> Privilege | None:
        """The level that a packet may use; None when the packet is to be dropped."""
        if kind == AuthenticationType.NONE and kind != self._authenticator.kind:
            if not self._per_message:
                level = self.privilege
            elif not self._user_level:
                level = min(self.privilege, Privilege.USER)
            else:
                return None
        elif kind == self._authenticator.kind and is_equal(
            self._authenticator.code(self.id, sequence, message), code
        ):
            level = self.privilege
        else:
            return None
        if not self.window.accept(sequence):
            return None
        self.used = True
        return level

    def seal(self, message: bytes, kind: int) -> bytes:
        """The next datagram to the console, of authentication type none or the session's own."""
        sequence = self.sequence
        self.sequence = next_sequence(sequence)
        code = self._authenticator.code(self.id, sequence, message) if kind else b""
        return frame_15(kind, sequence, self.id, code, message)


class Activation:
    """The two commands that open IPMI 1.5 sessions on one server."""

    def __init__(
        self,
        authority: Authority,
        sessions: Sessions,
        pool: HalfOpen[Challenge],
        random: Callable[[int], bytes],
        new_id: Callable[[], int],
        settings: LanSettings,
        channel: int,
    ) -> None:
        self._authority = authority
        self._sessions = sessions
        self._pool = pool
        self._random = random
        self._new_id = new_id
        self._settings = settings
        self._channel = channel

    def challenge(self, data: bytes, address: Hashable, now: float) -> bytes:
        """Get Session Challenge: completion code and data."""
        try:
            request = GetSessionChallengeRequest.decode(data)
        except DecodeError:
            return bytes((CompletionCode.LENGTH_INVALID,))
        try:
            return self._challenge(request, address, now)
        except CommandError as error:
            if error.code in (UNKNOWN_USER, NULL_USER_DISABLED):
                self._sessions.on_refusal(self._channel, NOBODY, now)
            return bytes((error.code,))

    def _challenge(self, request: GetSessionChallengeRequest, address: Hashable, now: float) -> bytes:
        kind, name = request.authentication_type, request.name.rstrip(b"\x00")
        policy = self._authority.policy(self._channel)
        offered = [types >> kind & OFFERED >> kind & 1 for types in policy.authentication_types]
        if not any(offered):
            raise CommandError(CompletionCode.INVALID_FIELD, "authentication type is not enabled")
        account = self._authority.account(self._channel, name, None)
        if account is None or not account.fits_ipmi15 or account.limit is Privilege.NO_ACCESS:
            unknown = UNKNOWN_USER if name else NULL_USER_DISABLED
            raise CommandError(unknown, "no such user")
        challenge = Challenge(
            self._new_id(),
            account,
            Authenticator(AuthenticationType(kind), account.password),
            self._random(16),
            source_of(address),
            now + self._settings.half_open_timeout,
        )
        self._pool.add(challenge)
        return GetSessionChallengeResponse(
            temporary_session_id=challenge.id, challenge=challenge.challenge
        ).encode()

    def activate(
        self, challenge: Challenge, kind: int, code: bytes, message: bytes, address: Hashable, now: float
    ) -> tuple[bytes, int] | None:
        """Activate Session: the answer, and the session sequence number to send it with.

        None when the packet is to be dropped, as one with a wrong code is.
        """
        authenticator = challenge.authenticator
        if kind != authenticator.kind or not is_equal(authenticator.code(challenge.id, 0, message), code):
            if not challenge.refused:
                challenge.refused = True
                self._sessions.on_refusal(self._channel, challenge.account.user_id, now)
            return None
        try:
            request = ActivateSessionRequest.decode(message[6:-1])
        except DecodeError:
            return bytes((CompletionCode.LENGTH_INVALID,)), 0
        try:
            answer = self._activate(challenge, request, message[6:-1], address, now)
        except CommandError as error:
            answer = bytes((error.code,))
        return answer, request.outbound_sequence

    def _activate(
        self,
        challenge: Challenge,
        request: ActivateSessionRequest,
        data: bytes,
        address: Hashable,
        now: float,
    ) -> bytes:
        if challenge.opened is not None:
            asked, session, answer = challenge.opened
            if asked == data and not session.used and self._sessions.find(session.id) is session:
                return answer
            raise CommandError(INVALID_SESSION_ID, "the challenge was answered before")
        account, level = challenge.account, request.maximum_privilege
        policy = self._authority.policy(self._channel)
        if (
            request.authentication_type != challenge.authenticator.kind
            or not is_equal(request.challenge, challenge.challenge)
            or not Privilege.CALLBACK <= level <= Privilege.OEM
        ):
            raise CommandError(CompletionCode.INVALID_FIELD, "not the type, challenge or a level")
        if not request.outbound_sequence:
            raise CommandError(SEQUENCE_OUT_OF_RANGE, "0 is outside of a session")
        enabled = policy.authentication_types[level - 1] >> challenge.authenticator.kind & 1
        if level > min(account.limit, policy.limit) or not enabled:
            raise CommandError(PRIVILEGE_EXCEEDS_LIMIT, "above the limit")
        if not self._sessions.has_room(address):
            raise CommandError(NO_SLOT, "no session is free")
        open_sessions = self._sessions.count_of(account.user_id)
        if self._authority.session_limit_reached(account.user_id, self._channel, open_sessions):
            raise CommandError(NO_SLOT_FOR_USER, "the user has all its sessions")
        self._sessions.make_room(address)
        session = Session15(
            self._new_id(),
            account,
            challenge.authenticator,
            Privilege(level),
            policy,
            self._channel,
            address,
            now,
        )
        first = int.from_bytes(self._random(4), "little") or 1
        session.window = window_15(first)
        session.sequence = next_sequence(request.outbound_sequence)
        self._sessions.add(session)
        answer = ActivateSessionResponse(
            authentication_type=session.packet_type,
            session_id=session.id,
            inbound_sequence=first,
            maximum_privilege=level,
        ).encode()
        challenge.opened = data, session, answer
        return answer
