"""The LAN in front of a controller: datagrams in, datagrams out.  [IPMI chapter 13]

Theory of operation
-------------------
`receive_datagram` returns the direct answer; whatever else is to be sent (bridged answers, serial over LAN)
waits in `datagrams_to_send`. Whatever bytes arrive, it raises nothing and keeps nothing but what is bounded:
log-ins under way in two small pools, sessions up to their number.

    class ASF                  presence ping
    session id 0               commands of privilege "none", Get Session Challenge, Open Session, RAKP
    temporary id               Activate Session                                          (session15)
    id of an IPMI 1.5 session  commands                                                  (session15)
    id of an RMCP+ session     commands, or the payload of a `PayloadReceiver`            (session20)

A command in an RMCP+ session with HMAC and AES takes the fast path (`fast_path`).

A server is the table of its sessions: hand it to the controller as `bmc.sessions`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable

from baseboard.errors import DecodeError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context, Handler, Message
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Channel, Privilege
from baseboard.lan import fast_path
from baseboard.lan.authority import Authority
from baseboard.lan.fast_path import exchange
from baseboard.lan.half_open import HalfOpen
from baseboard.lan.login import Login
from baseboard.lan.message import LanRequest, decode_request, encode_response
from baseboard.lan.opening import Opening
from baseboard.lan.repeats import NOT_REPEATABLE
from baseboard.lan.rmcp import (
    ASF_ENTERPRISE,
    AUTHENTICATED,
    CLASS_ASF,
    CLASS_IPMI,
    CODE_LENGTH_15,
    DCMI_ENTERPRISE,
    ENCRYPTED,
    FORMAT_RMCP_PLUS,
    HEADER_15,
    HEADER_PLUS,
    MOST_MESSAGE_15,
    OPEN_SESSION_REQUEST,
    OPEN_SESSION_RESPONSE,
    PAYLOAD_IPMI,
    RAKP_1,
    RAKP_2,
    RAKP_3,
    RAKP_4,
    VERSION,
    acknowledge,
    answer_ping,
    frame_15,
    frame_plus,
)
from baseboard.lan.session import LanSession, Sessions
from baseboard.lan.session15 import (
    ACTIVATE_SESSION,
    GET_SESSION_CHALLENGE,
    Activation,
    AuthenticationType,
    Challenge,
    Session15,
)
from baseboard.lan.session20 import Session20
from baseboard.lan.settings import LanSettings

MOST_OUTSTANDING = 1024
"""Datagrams that wait to be sent; the oldest are dropped, as a network would."""


class LanServer(Sessions):
    """One LAN channel of a controller.

    `random(n)` gives n random bytes. `loopback` False switches IPMI 1.5 off whatever the channel's policy
    says; the policy may do that by itself.
    """

    def __init__(
        self,
        authority: Authority,
        handler: Handler,
        random: Callable[[int], bytes],
        settings: LanSettings | None = None,
        channel: int = Channel.LAN,
        loopback: bool = True,
    ) -> None:
        settings = settings or LanSettings()
        super().__init__(settings)
        self.settings = settings
        self.channel = channel
        self.handler = handler
        self._authority = authority
        self._random = random
        self.offers_ipmi15 = loopback
        self.on_deferred: Callable[[int, LanRequest, float], None] | None = None
        """Told of requests in sessions that the handler answers with nothing: `respond` comes later."""
        self._outbox: deque[tuple[bytes, Hashable]] = deque(maxlen=MOST_OUTSTANDING)
        self._sessionless = Context(channel, Privilege.NONE)
        self._openings: HalfOpen[Opening] = HalfOpen(settings.half_open, settings.half_open_per_source)
        self._challenges: HalfOpen[Challenge] = HalfOpen(settings.half_open, settings.half_open_per_source)
        self._login = Login(authority, self, self._openings, random, self._new_id, settings, channel)
        self._activation = Activation(
            authority, self, self._challenges, random, self._new_id, settings, channel
        )

    # ------------------------------------------------------------------------------------- datagrams

    def receive_datagram(self, data: bytes, address: Hashable, now: float) -> bytes | None:
        """Take a datagram; the answer to its sender, if there is one to be given at once."""
        self.now = now
        # Fast path: a command in a session with HMAC and AES. Everything else, and everything wrong
        # that it does not recognize for sure, goes the general way.
        if len(data) >= fast_path.LEAST and data[:5] == fast_path.START and self.on_deferred is None:
            kind, session_id, sequence, length = fast_path.HEADER.unpack_from(data)
            session = self.sessions.get(session_id)
            if session is not None and session.fast is not None and kind == fast_path.KIND:
                return exchange(
                    session, session.fast, self.handler, self._random, data, sequence, length, address, now
                )
        try:
            return self._receive(data, address, now)
        except DecodeError:
            return None

    def datagrams_to_send(self) -> list[tuple[bytes, Hashable]]:
        """Datagrams that are no direct answers, with their addresses; and forget them."""
        if not self._outbox:
            return []
        datagrams = list(self._outbox)
        self._outbox.clear()
        return datagrams

    def _receive(self, data: bytes, address: Hashable, now: float) -> bytes | None:
        """The general path."""
        if len(data) < 5 or data[0] != VERSION:
            return None
        kind = data[3]
        if kind == CLASS_ASF:
            acknowledgement = acknowledge(data)
            if acknowledgement is not None:
                self._outbox.append((acknowledgement, address))
            enterprise = DCMI_ENTERPRISE if self.settings.announce_dcmi else ASF_ENTERPRISE
            return answer_ping(data, enterprise)
        if kind != CLASS_IPMI:  # with ACK set it is an acknowledgement, which needs no answer
            return None
        if data[4] == FORMAT_RMCP_PLUS:
            return self._receive_plus(data, address, now)
        return self._receive_15(data, address, now)

    # ----------------------------------------------------------------------------------------- RMCP+

    def _receive_plus(self, data: bytes, address: Hashable, now: float) -> bytes | None:
        if len(data) < HEADER_PLUS.size:
            return None
        _, _, kind, session_id, _, length = HEADER_PLUS.unpack_from(data)
        if not session_id:
            payload = data[HEADER_PLUS.size : HEADER_PLUS.size + length]
            if len(payload) < length or kind & (ENCRYPTED | AUTHENTICATED):
                return None
            return self._receive_outside(kind, payload, address, now)
        session = self.sessions.get(session_id)
        if not isinstance(session, Session20):
            return None
        if not kind & AUTHENTICATED and session.address != address:
            return None  # nothing but its address tells the console from anybody else
        opened = session.open(data)
        if opened is None:
            return None
        payload_type, payload = opened
        session.last_used = now
        session.address = address
        if payload_type == PAYLOAD_IPMI:
            sequence = HEADER_PLUS.unpack_from(data)[4]
            response = self._respond(session, session.privilege, payload, sequence, now)
            return None if response is None else session.seal(PAYLOAD_IPMI, response)
        receiver = self.payloads.get(payload_type)
        if receiver is not None:
            receiver.receive_payload(session_id, payload, now)
        return None

    def _receive_outside(
        self, payload_type: int, payload: bytes, address: Hashable, now: float
    ) -> bytes | None:
        """An RMCP+ packet outside a session."""
        if not self._authority.policy(self.channel).enabled:
            return None
        if payload_type == PAYLOAD_IPMI:
            request = decode_request(payload)
            response = encode_response(request, self._handle_sessionless(request, address, now))
            return frame_plus(PAYLOAD_IPMI, response)
        if payload_type == OPEN_SESSION_REQUEST:
            answer, kind = self._login.open_session(payload, address, now), OPEN_SESSION_RESPONSE
        elif payload_type == RAKP_1:
            answer, kind = self._login.rakp1(payload, now), RAKP_2
        elif payload_type == RAKP_3:
            answer, kind = self._login.rakp3(payload, address, now), RAKP_4
        else:
            return None
        return None if answer is None else frame_plus(kind, answer)

    # -------------------------------------------------------------------------------------- IPMI 1.5

    def _receive_15(self, data: bytes, address: Hashable, now: float) -> bytes | None:
        if len(data) <= HEADER_15.size:
            return None
        _, kind, sequence, session_id = HEADER_15.unpack_from(data)
        start = HEADER_15.size + (CODE_LENGTH_15 if kind else 0)
        if len(data) <= start:
            return None
        code = data[HEADER_15.size : start]
        message = data[start + 1 : start + 1 + data[start]]
        if len(message) < data[start]:
            return None
        if not session_id:
            return self._receive_outside_15(kind, message, address, now)
        session = self.sessions.get(session_id)
        if isinstance(session, Session15):
            return self._receive_inside_15(session, kind, sequence, code, message, address, now)
        challenge = self._challenges.find(session_id, now)
        if challenge is not None:
            return self._activate_15(challenge, kind, code, message, address, now)
        return None

    def _receive_outside_15(self, kind: int, message: bytes, address: Hashable, now: float) -> bytes | None:
        request = decode_request(message)
        if kind != AuthenticationType.NONE or not self._authority.policy(self.channel).enabled:
            return None
        if self.offers_ipmi15 and _is(request, GET_SESSION_CHALLENGE):
            answer = self._activation.challenge(request.data, address, now)
        else:
            answer = self._handle_sessionless(request, address, now)
        return frame_15(kind, 0, 0, b"", encode_response(request, answer))

    def _activate_15(
        self, challenge: Challenge, kind: int, code: bytes, message: bytes, address: Hashable, now: float
    ) -> bytes | None:
        """A packet with a temporary session id; it can only be Activate Session."""
        request = decode_request(message)
        if not _is(request, ACTIVATE_SESSION):
            return None
        activated = self._activation.activate(challenge, kind, code, message, address, now)
        if activated is None:
            return None
        answer, sequence = activated
        response = encode_response(request, answer)
        sealed = challenge.authenticator.code(challenge.id, sequence, response)
        return frame_15(kind, sequence, challenge.id, sealed, response)

    def _receive_inside_15(
        self,
        session: Session15,
        kind: int,
        sequence: int,
        code: bytes,
        message: bytes,
        address: Hashable,
        now: float,
    ) -> bytes | None:
        if kind == AuthenticationType.NONE and session.address != address:
            return None  # nothing but its address tells the console from anybody else
        privilege = session.privilege_of(kind, sequence, code, message)
        if privilege is None:
            return None
        session.last_used = now
        session.address = address
        response = self._respond(session, privilege, message, sequence, now)
        return None if response is None else session.seal(response, kind)

    # -------------------------------------------------------------------------------------- commands

    def _handle_sessionless(self, request: LanRequest, address: Hashable, now: float) -> bytes:
        """Commands that need no session are executed, all others are refused (D4h) by the core."""
        context = self._sessionless
        context.now = now
        context.peer = address
        return self.handler(Message(request.netfn, request.lun, request.command, request.data), context)

    def _respond(
        self, session: LanSession, privilege: Privilege, message: bytes, sequence: int, now: float
    ) -> bytes | None:
        """Execute a message of a session, unless it is a repetition; the response message."""
        try:
            request = decode_request(message)
        except DecodeError:
            return None
        context = session.context
        context.now = now
        context.privilege = privilege
        repeatable = message[1] << 8 | request.command not in NOT_REPEATABLE
        answer = None if repeatable else session.repeats.find(message, sequence, now)
        if answer is None:
            command = Message(request.netfn, request.lun, request.command, request.data)
            answer = self.handler(command, context)
            if not answer and self.on_deferred is not None:
                self.on_deferred(session.id, request, now)
                return None
            if not repeatable:
                session.repeats.keep(message, answer, sequence, now)
        return _response(session, request, answer)

    def respond(self, session_id: int, request: LanRequest, answer: bytes) -> bool:
        """Answer a deferred request; False when there is no such session (any more)."""
        session = self.sessions.get(session_id)
        return session is not None and self.send_message(session_id, _response(session, request, answer))

    # ------------------------------------------------------------------------ what we send unasked

    def send_payload(
        self,
        session_id: int,
        payload_type: int,
        data: bytes,
        *,
        encrypted: bool = True,
        authenticated: bool = True,
    ) -> bool:
        """Send a payload in an RMCP+ session, protected as far as its cipher suite can.

        False when there is no such session (any more).
        """
        session = self.sessions.get(session_id)
        if not isinstance(session, Session20):
            return False
        datagram = session.seal(payload_type, data, encrypted=encrypted, authenticated=authenticated)
        self._outbox.append((datagram, session.address))
        return True

    def send_message(self, session_id: int, message: bytes) -> bool:
        """Send an IPMI message, checksums and all, in a session: the answer to a bridged request."""
        session = self.sessions.get(session_id)
        if isinstance(session, Session20):
            return self.send_payload(session_id, PAYLOAD_IPMI, message)
        if not isinstance(session, Session15):
            return False
        self._outbox.append((session.seal(message, session.packet_type), session.address))
        return True

    def protect_payload(self, session_id: int, payload_type: int, *, authenticated: bool) -> None:
        """Accept a payload type in a session as it was activated: with authentication, or without.

        Not told otherwise, payloads must be authenticated wherever the cipher suite can.
        """
        session = self.sessions.get(session_id)
        if isinstance(session, Session20):
            session.protect_payload(payload_type, authenticated=authenticated and session.authenticated)

    # ------------------------------------------------------------------------------------------ time

    def next_deadline(self) -> float | None:
        """When to call `handle_deadline`; possibly earlier than something really is due."""
        deadlines = [self._openings.next_deadline(), self._challenges.next_deadline()]
        if self.sessions:
            oldest = min(session.last_used for session in self.sessions.values())
            deadlines.append(oldest + self.settings.session_timeout)
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def handle_deadline(self, now: float) -> None:
        """Forget log-ins and close sessions of which nothing has been heard for too long."""
        self.now = now
        self._openings.expire(now)
        self._challenges.expire(now)
        latest = now - self.settings.session_timeout
        self._close_where(lambda session: session.last_used <= latest)

    def close_sessions_of(self, user_id: int, but: int | None = None) -> None:
        """Close sessions and log-ins of a user whose password or access has changed, `but` this session."""
        self._openings.remove_where(lambda opening: opening.is_of(user_id))
        self._challenges.remove_where(lambda challenge: challenge.account.user_id == user_id)
        super().close_sessions_of(user_id, but)

    def _new_id(self) -> int:
        """A session id that is neither 0 nor in use."""
        while True:
            number = int.from_bytes(self._random(4), "little")
            if number and not any(number in ids for ids in (self.sessions, self._openings, self._challenges)):
                return number


def _response(session: LanSession, request: LanRequest, answer: bytes) -> bytes:
    response = encode_response(request, answer)
    if not session.rmcp_plus and len(response) > MOST_MESSAGE_15:
        return encode_response(request, bytes((CompletionCode.CANNOT_RETURN_BYTES,)))
    return response


def _is(request: LanRequest, command: int) -> bool:
    return request.netfn == NetFn.APP and request.command == command and not request.lun
