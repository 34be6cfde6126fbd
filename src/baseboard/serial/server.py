"""The serial port in front of a controller: characters in, characters out.  [IPMI chapter 14]

Theory of operation
-------------------
A start character (A0h) begins a packet of Basic Mode; every other character outside a packet is typed into a
line of Terminal Mode. So both modes are there at once, each as far as the serial parameters switch it on
[IPMI Table 25-4, parameter 3], and an answer has the form of its request.

Without a session a request has the privilege `open_privilege`: by default none, with which one can do nothing
but log in. A session ends by command, when nothing comes in for too long, and when the other end is gone, as
parameters 4 and 6 say.

The server is the table of its one session: hand it to the controller beside that of the LAN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import NamedTuple

from baseboard.errors import CommandError, DecodeError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.ipmb import BMC_ADDRESS, BusMessage
from baseboard.ipmi.message import Context, Handler, Message
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Channel, Privilege
from baseboard.ipmi.transport_serial import SerialParameter
from baseboard.serial.basic import HANDSHAKE, START, PacketReader, packet
from baseboard.serial.commands import AskHealth, Health, Login, Logout, Order, Show, Step, parse
from baseboard.serial.session import Authority, SerialLogin, SerialSession
from baseboard.serial.terminal import (
    LineReader,
    TerminalSettings,
    between_brackets,
    decode_hexadecimal,
    encode_hexadecimal,
)

BASIC, TERMINAL = 0x01, 0x04
"""Bits of parameter 3."""
ON_INACTIVITY, ON_LOSS = 0x02, 0x01
"""Bits of parameter 6."""
INACTIVITY_UNIT = 30.0
GET_SESSION_CHALLENGE = NetFn.APP << 8 | 0x39
ACTIVATE_SESSION = NetFn.APP << 8 | 0x3A
BRIDGED = 0x01
"""In the sequence byte of Terminal Mode: the answer to a bridged request."""
SHORTEST_MESSAGE = 3


class Mode(Enum):
    """How whoever is there speaks."""

    BASIC = auto()
    TERMINAL = auto()


class Port(NamedTuple):
    """What the server asks of its controller."""

    handler: Handler
    authority: Authority
    parameter: Callable[[int], bytes]
    """Data of a serial/modem configuration parameter."""
    health: Callable[[], Health]
    random: Callable[[int], bytes]


class SerialServer:
    """One serial port; satisfies `SessionTable`."""

    capacity = 1
    offers_ipmi15 = False
    port = 0

    def __init__(self, port: Port, open_privilege: Privilege = Privilege.NONE) -> None:
        self._port = port
        self._open_privilege = open_privilege
        self.login = SerialLogin(port.authority, port.random)
        self._packets = PacketReader()
        self._lines = LineReader()
        self._output = bytearray()
        self._mode = Mode.TERMINAL
        self._last_used = 0.0
        self.session: SerialSession | None = None
        self.faults = 0
        """Packets and messages that were none."""

    # Characters.

    def receive_data(self, data: bytes, now: float) -> None:
        """Characters came."""
        if not self._port.authority.policy(Channel.SERIAL).enabled:
            return
        self._last_used = now
        modes = self._port.parameter(SerialParameter.CONNECTION_MODE)[0]
        settings = self._terminal
        for character in data:
            if character == START or self._packets.inside:
                message = self._packets.take(character)
                if message is not None and modes & BASIC:
                    self._receive_packet(message, now)
            elif modes & TERMINAL:
                line = self._lines.take(character, settings)
                self._output += self._lines.echo
                self._lines.echo.clear()
                if line is not None:
                    self._receive_line(line, now)
                    settings = self._terminal

    def data_to_send(self) -> bytes:
        """What is to be sent; and forget it."""
        data = bytes(self._output)
        self._output.clear()
        return data

    def lost(self) -> None:
        """The other end is gone."""
        self._packets, self._lines = PacketReader(), LineReader()
        self._output.clear()
        if self._port.parameter(SerialParameter.SESSION_TERMINATION)[0] & ON_LOSS:
            self.session = None

    def send_bridged(self, response: BusMessage) -> None:
        """The answer to a request that was sent on."""
        if self._mode is Mode.BASIC:
            self._output += packet(response.encode())
            return
        head = bytes(
            (response.netfn << 2 | response.to_lun, response.sequence << 2 | BRIDGED, response.command)
        )
        self._say(encode_hexadecimal(head + response.data))

    # Basic Mode.

    def _receive_packet(self, data: bytes, now: float) -> None:
        self._output.append(HANDSHAKE)
        try:
            request = BusMessage.decode(data)
        except DecodeError:
            self.faults += 1
            return
        if request.to_address != BMC_ADDRESS or request.netfn & 1:
            self.faults += 1
            return
        self._mode = Mode.BASIC
        message = Message(request.netfn, request.to_lun, request.command, request.data)
        self._output += packet(request.response(self._execute(message, now)).encode())

    # Terminal Mode.

    def _receive_line(self, line: bytes, now: float) -> None:
        self._mode = Mode.TERMINAL
        inside = between_brackets(line)
        if inside is not None:
            words = inside.split()
            if words[:1] == ["SYS"]:
                self._receive_words(words[1:], now)
            else:
                self._receive_hexadecimal(inside, now)
        if self._terminal.handshake:
            self._say(b"[SYS]")

    def _receive_hexadecimal(self, text: str, now: float) -> None:
        data = decode_hexadecimal(text)
        if data is None or len(data) < SHORTEST_MESSAGE:
            self.faults += 1
            self._refuse(CompletionCode.LENGTH_INVALID)
            return
        netfn_lun, sequence, command = data[:3]
        if netfn_lun & 0x04 or sequence & 3:
            self._refuse(CompletionCode.INVALID_FIELD)
            return
        message = Message(netfn_lun >> 2, netfn_lun & 3, command, data[3:])
        answer = self._execute(message, now)
        self._say(encode_hexadecimal(bytes((netfn_lun | 0x04, sequence, command)) + answer))

    def _receive_words(self, words: Sequence[str], now: float) -> None:
        try:
            step = parse(words)
        except DecodeError:
            self._refuse(CompletionCode.INVALID_COMMAND)
            return
        try:
            self._obey(step, now)
        except CommandError as error:
            self._refuse(error.code)

    def _obey(self, step: Step, now: float) -> None:
        match step:
            case Login(name, password):
                self.session = self.login.log_in(name.encode(), password.encode(), now)
                self._accept()
            case Logout():
                self.session = None
                self._accept()
            case Show(text):
                self._accept(text)
            case AskHealth(verbose):
                self._tell_health(verbose)
            case Order(message, shows_data):
                answer = self._execute(message, now)
                if answer[0]:
                    raise CommandError(answer[0])
                self._accept(answer[1:].hex(" ").upper() if shows_data else "")

    def _tell_health(self, verbose: bool) -> None:
        if self._privilege < Privilege.USER:
            raise CommandError(CompletionCode.INSUFFICIENT_PRIVILEGE)
        health = self._port.health()
        if not verbose:
            self._accept(health.terse())
            return
        for line in health.verbose():
            self._say(line.encode())
        self._accept()

    def _accept(self, text: str = "") -> None:
        self._say(f"[OK {text}]".encode() if text else b"[OK]")

    def _refuse(self, code: int) -> None:
        self._say(f"[ERR {code:02X}]".encode())

    def _say(self, line: bytes) -> None:
        self._output += line + self._terminal.output_newline

    @property
    def _terminal(self) -> TerminalSettings:
        return TerminalSettings.decode(self._port.parameter(SerialParameter.TERMINAL_MODE))

    # Both.

    @property
    def _privilege(self) -> Privilege:
        return self._open_privilege if self.session is None else self.session.privilege

    def _execute(self, message: Message, now: float) -> bytes:
        name = message.netfn << 8 | message.command
        try:
            if name == GET_SESSION_CHALLENGE:
                return self.login.challenge(message.data, now)
            if name == ACTIVATE_SESSION:
                self.session, answer = self.login.activate(message.data, now)
                return answer
        except CommandError as error:
            return bytes((error.code,))
        context = Context(Channel.SERIAL, self._privilege, now, self.session, self)
        return self._port.handler(message, context)

    # The table of its session.

    def find(self, session_id: int) -> SerialSession | None:
        """The open session with this id."""
        return next((session for session in self.active() if session.id == session_id), None)

    def by_handle(self, handle: int) -> SerialSession | None:
        """The open session with this handle."""
        return next((session for session in self.active() if session.handle == handle), None)

    def active(self) -> Sequence[SerialSession]:
        """The one, or nothing."""
        return () if self.session is None else (self.session,)

    def close_session(self, session_id: int) -> bool:
        """Close it; False when there is no such session."""
        if self.find(session_id) is None:
            return False
        self.session = None
        return True

    def close_sessions_of(self, user_id: int, but: int | None = None) -> None:
        """Close the session of a user whose password or access has changed, `but` this one."""
        if self.session is not None and self.session.user_id == user_id and self.session.id != but:
            self.session = None

    def close_all(self) -> None:
        """Close it, whoever has it."""
        self.session = None

    # Time.

    def next_deadline(self) -> float | None:
        """When a session has been idle for too long."""
        units = self._port.parameter(SerialParameter.SESSION_INACTIVITY_TIMEOUT)[0] & 0x0F
        ends = self._port.parameter(SerialParameter.SESSION_TERMINATION)[0] & ON_INACTIVITY
        if self.session is None or not units or not ends:
            return None
        return self._last_used + units * INACTIVITY_UNIT

    def handle_deadline(self, now: float) -> None:
        """Close a session that has been idle for too long."""
        deadline = self.next_deadline()
        if deadline is not None and deadline <= now:
            self.session = None
