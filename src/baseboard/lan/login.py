"""Opening an RMCP+ session: Open Session, RAKP 1-4.  [IPMI 13.15-13.24]

Theory of operation
-------------------
Each Open Session Request makes an `Opening` in the pool of log-ins under way. Its id becomes the session's.

    OPENED      Open Session was answered; waits for RAKP 1
    CHALLENGED  RAKP 2 carried our proof; waits for RAKP 3, or for another RAKP 1
    DECIDED     RAKP 2 said no, or RAKP 4 yes or no; only repeats it

Every message may arrive twice. One that is byte for byte the last of its kind gets the same bytes again,
also after the decision; that is why a decided opening stays until it expires. Our random number belongs to
the opening, so that a console that sent RAKP 1 twice may go on with either answer.

The order of the checks and the status of each are those of the specification; where it leaves a choice,
the status is one with which clients say something useful:
* an explicit level above what the cipher suite and the channel allow is 0Ah, level 0 gets the highest;
* a role above what was granted is 09h, with which pyghmi steps down;
* a role above the user's own limit is accepted with the name-only look-up and caps the session; the look-up
  by name and level finds no such user, 0Dh.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from baseboard.errors import DecodeError
from baseboard.ipmi.privilege import Privilege
from baseboard.lan.authority import Account, Authority
from baseboard.lan.ciphers import (
    SUITES,
    Authentication,
    Confidentiality,
    Integrity,
    is_equal,
)
from baseboard.lan.half_open import HalfOpen, source_of
from baseboard.lan.opening import Opening, Phase
from baseboard.lan.rakp import (
    ALGORITHM_PAYLOAD_LENGTH,
    MOST_NAME,
    NAME_ONLY_LOOKUP,
    NULL_PAYLOAD_LENGTH,
    ROLE,
    OpenSessionRequest,
    OpenSessionResponse,
    Rakp1,
    Rakp2,
    Rakp3,
    Rakp4,
    Refusal,
    Status,
    additional_key,
    algorithm_payloads,
    rakp2_code,
    rakp3_code,
    rakp4_code,
    session_integrity_key,
)
from baseboard.lan.session import NOBODY, Sessions
from baseboard.lan.session20 import Session20
from baseboard.lan.settings import LanSettings

LEAST_WITH_ID = 8  # bytes of a request that has tag and session id, so that it can be refused


class Refused(Exception):
    """A log-in message is answered with this status."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.name)
        self.status = status


# fmt: off
_KINDS: tuple[tuple[type[Authentication] | type[Integrity] | type[Confidentiality], Status], ...] = (
    (Authentication,  Status.INVALID_AUTHENTICATION_ALGORITHM),
    (Integrity,       Status.INVALID_INTEGRITY_ALGORITHM),
    (Confidentiality, Status.INVALID_CONFIDENTIALITY_ALGORITHM),
)
# fmt: on


class Login:
    """The log-ins of one server: request payload in, response payload out."""

    def __init__(
        self,
        authority: Authority,
        sessions: Sessions,
        pool: HalfOpen[Opening],
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

    # ---------------------------------------------------------------------------------- Open Session

    def open_session(self, payload: bytes, address: Hashable, now: float) -> bytes | None:
        """Answer an Open Session Request."""
        if len(payload) < LEAST_WITH_ID:
            return None
        repeated = self._pool.latest_of(source_of(address))
        if (
            repeated is not None
            and repeated.phase is Phase.OPENED
            and (repeated.request, repeated.address) == (payload, address)
            and now < repeated.expires
        ):
            return repeated.answer
        try:
            request = OpenSessionRequest.decode(payload)
        except DecodeError:
            return _refusal(payload[0], Status.ILLEGAL_PARAMETER, int.from_bytes(payload[4:8], "little"))
        try:
            suite_id, granted = self._negotiate(request, address)
        except Refused as refused:
            return _refusal(request.tag, refused.status, request.console_session_id)
        opening = Opening(self._new_id(), address, now + self._settings.half_open_timeout, self._random(16))
        opening.console_id = request.console_session_id
        opening.suite = SUITES[suite_id]
        opening.granted = granted
        opening.request = payload
        opening.answer = OpenSessionResponse(
            tag=request.tag,
            status=Status.OK,
            privilege=granted,
            console_session_id=request.console_session_id,
            managed_session_id=opening.id,
            algorithms=algorithm_payloads(*opening.suite),
        ).encode()
        self._pool.add(opening)
        return opening.answer

    def _negotiate(self, request: OpenSessionRequest, address: Hashable) -> tuple[int, Privilege]:
        """The cipher suite and the level to open with."""
        if request.privilege > Privilege.OEM:
            raise Refused(Status.INVALID_ROLE)
        if not request.console_session_id:
            raise Refused(Status.INVALID_SESSION_ID)
        wanted = [
            _proposal(payload.kind, payload.length, payload.algorithm, kind)
            for kind, payload in enumerate(request.algorithms)
        ]
        suite_id = self._choose(wanted)
        limit = min(
            self._authority.cipher_suite_limit(self._channel, suite_id),
            self._authority.policy(self._channel).limit,
        )
        if request.privilege > limit:
            raise Refused(Status.UNAUTHORIZED_ROLE)
        if not self._sessions.has_room(address):
            raise Refused(Status.INSUFFICIENT_RESOURCES)
        return suite_id, Privilege(request.privilege) if request.privilege else limit

    def _choose(self, wanted: list[int | None]) -> int:
        """The first enabled suite that has the algorithms wanted; None stands for any."""
        for suite_id in self._authority.cipher_suites(self._channel):
            suite = SUITES.get(suite_id)
            if suite is None or self._authority.cipher_suite_limit(self._channel, suite_id) in (
                Privilege.NONE,
                Privilege.NO_ACCESS,
            ):
                continue
            if all(want is None or want == have for want, have in zip(wanted, suite, strict=True)):
                return suite_id
        raise Refused(Status.NO_CIPHER_SUITE_MATCH)

    # ---------------------------------------------------------------------------------------- RAKP 1

    def rakp1(self, payload: bytes, now: float) -> bytes | None:
        """Answer RAKP Message 1 with RAKP Message 2."""
        if len(payload) < LEAST_WITH_ID:
            return None
        opening = self._pool.find(int.from_bytes(payload[4:8], "little"), now)
        if opening is None:
            return _refusal(payload[0], Status.INVALID_SESSION_ID, 0)
        if opening.request == payload:
            return opening.answer
        if opening.phase is Phase.DECIDED:
            return _refusal(payload[0], Status.INACTIVE_SESSION_ID, opening.console_id)
        opening.request = payload
        try:
            opening.rakp1 = request = Rakp1.decode(payload)
            opening.account = self._look_up(request, opening)
        except DecodeError:
            opening.phase = Phase.DECIDED
            opening.answer = _refusal(payload[0], Status.ILLEGAL_PARAMETER, opening.console_id)
        except Refused as refused:
            opening.phase = Phase.DECIDED
            opening.answer = _refusal(payload[0], refused.status, opening.console_id)
            if refused.status is Status.UNAUTHORIZED_NAME:
                self._sessions.on_refusal(self._channel, NOBODY, now)
        else:
            opening.phase = Phase.CHALLENGED
            opening.answer = Rakp2(
                tag=request.tag,
                status=Status.OK,
                console_session_id=opening.console_id,
                random=opening.random_c,
                guid=self._authority.guid,
                code=self._rakp2_code(opening, request),
            ).encode()
        return opening.answer

    def _look_up(self, request: Rakp1, opening: Opening) -> Account | None:
        """The user; None for an unknown one that is not to be told from the others."""
        role = request.role & ROLE
        if not Privilege.CALLBACK <= role <= Privilege.OEM or role > opening.granted:
            raise Refused(Status.INVALID_ROLE)
        if request.name_length > MOST_NAME:
            raise Refused(Status.INVALID_NAME_LENGTH)
        if len(request.name) < request.name_length:
            raise Refused(Status.ILLEGAL_PARAMETER)
        level = None if request.role & NAME_ONLY_LOOKUP else Privilege(role)
        account = self._authority.account(self._channel, request.name[: request.name_length], level)
        if account is None or account.limit in (Privilege.NONE, Privilege.NO_ACCESS):
            if self._settings.hide_unknown_users and opening.suite.authentication:
                return None
            raise Refused(Status.UNAUTHORIZED_NAME)
        if self._has_all(account) or not self._sessions.has_room(opening.address):
            raise Refused(Status.INSUFFICIENT_RESOURCES)
        return account

    def _has_all(self, account: Account) -> bool:
        """The user has as many sessions as it may have."""
        open_sessions = self._sessions.count_of(account.user_id)
        return self._authority.session_limit_reached(account.user_id, self._channel, open_sessions)

    def _rakp2_code(self, opening: Opening, request: Rakp1) -> bytes:
        """Our proof; for an unknown user one that a key drawn now makes, which nobody can check."""
        return rakp2_code(
            opening.suite.authentication,
            self._random(20) if opening.account is None else opening.account.password,
            opening.console_id,
            opening.id,
            request.random,
            opening.random_c,
            self._authority.guid,
            request.role,
            request.name[: request.name_length],
        )

    # ---------------------------------------------------------------------------------------- RAKP 3

    def rakp3(self, payload: bytes, address: Hashable, now: float) -> bytes | None:
        """Answer RAKP Message 3 with RAKP Message 4; with it the session is open, or refused for good."""
        if len(payload) < LEAST_WITH_ID:
            return None
        opening = self._pool.find(int.from_bytes(payload[4:8], "little"), now)
        if opening is None:
            return _refusal(payload[0], Status.INVALID_SESSION_ID, 0)
        if opening.phase is Phase.DECIDED and opening.request == payload:
            return opening.answer
        if opening.phase is not Phase.CHALLENGED or opening.rakp1 is None:
            return _refusal(payload[0], Status.INACTIVE_SESSION_ID, opening.console_id)
        request = Rakp3.decode(payload)
        if request.status:
            self._pool.remove(opening.id)  # the console gave up  [IPMI 13.22]
            if request.status == Status.INVALID_INTEGRITY_CHECK_VALUE:  # its password is not ours
                self._tell_of_refusal(opening, now)
            return None
        opening.phase = Phase.DECIDED
        opening.request = payload
        try:
            code = self._decide(request, opening, opening.rakp1, address, now)
        except Refused as refused:
            opening.answer = _refusal(request.tag, refused.status, opening.console_id)
            if refused.status is Status.INVALID_INTEGRITY_CHECK_VALUE:
                self._tell_of_refusal(opening, now)
        else:
            opening.answer = Rakp4(
                tag=request.tag, status=Status.OK, console_session_id=opening.console_id, code=code
            ).encode()
        return opening.answer

    def _decide(self, request: Rakp3, opening: Opening, rakp1: Rakp1, address: Hashable, now: float) -> bytes:
        """Open the session and give the proof that we have the keys; or refuse."""
        account, suite = opening.account, opening.suite
        authentication = suite.authentication
        name = rakp1.name[: rakp1.name_length]
        if account is None:
            raise Refused(Status.INVALID_INTEGRITY_CHECK_VALUE)
        expected = rakp3_code(
            authentication, account.password, opening.random_c, opening.console_id, rakp1.role, name
        )
        if not is_equal(expected, request.code):
            raise Refused(Status.INVALID_INTEGRITY_CHECK_VALUE)
        if self._has_all(account) or not self._sessions.make_room(address):
            raise Refused(Status.INSUFFICIENT_RESOURCES)
        key = self._authority.channel_key or account.password
        sik = session_integrity_key(authentication, key, rakp1.random, opening.random_c, rakp1.role, name)
        self._sessions.add(
            Session20(
                opening.id,
                opening.console_id,
                suite,
                additional_key(authentication, sik, 1),
                additional_key(authentication, sik, 2),
                account.password,
                account.user_id,
                min(account.limit, opening.granted, Privilege(rakp1.role & ROLE)),
                self._channel,
                address,
                self._random,
                now,
            )
        )
        return rakp4_code(authentication, sik, rakp1.random, opening.id, self._authority.guid)

    def _tell_of_refusal(self, opening: Opening, now: float) -> None:
        """Somebody did not know the password."""
        user_id = NOBODY if opening.account is None else opening.account.user_id
        self._sessions.on_refusal(self._channel, user_id, now)


def _refusal(tag: int, status: Status, console_id: int) -> bytes:
    return Refusal(tag=tag, status=status, console_session_id=console_id).encode()


def _proposal(kind: int, length: int, algorithm: int, expected_kind: int) -> int | None:
    """The algorithm of one proposal; None when the choice is ours."""
    if kind != expected_kind:
        raise Refused(Status.INVALID_PAYLOAD_TYPE)
    if length == NULL_PAYLOAD_LENGTH:
        return None
    if length != ALGORITHM_PAYLOAD_LENGTH:
        raise Refused(Status.ILLEGAL_PARAMETER)
    algorithms, status = _KINDS[kind]
    if algorithm not in tuple(algorithms):
        raise Refused(status)
    return algorithm
