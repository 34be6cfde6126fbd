"""Serial over LAN: the BMC's end of the payload.  [IPMI 15]

Theory of operation
-------------------
Between a machine's serial port and one console stand two independent directions, each with one packet
under way at most: `sol_sender` towards the console, `sol_receiver` towards the machine. The engine
joins them: which session has SOL, what the serial port's lines show, and what is told to whom.

The lines: with the startup handshake CTS and DCD stay deasserted until the console's first packet, which
may be the acknowledgement of our first; afterwards each numbered packet says what they are to be. While CTS
is deasserted the machine is not read (`wants_output`). Without a console the machine is read and
nobody listens.

Choices that the specification leaves: acknowledgements travel alone; who lost SOL to another session is told
so, and told again when it goes on sending.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from baseboard.errors import DecodeError, LocalProtocolError
from baseboard.ipmi.value import Value
from baseboard.lan import sol_packet as bits
from baseboard.lan.sol_packet import HEADER, MAXIMUM_CHARACTERS, SolPacket
from baseboard.lan.sol_receiver import Receiver
from baseboard.lan.sol_sender import Sender, SolTiming

INBOUND_SIZE: Final = 255
"""Largest payload that a console is to send: pyghmi takes it for the number of characters."""
OUTBOUND_SIZE: Final = HEADER + MAXIMUM_CHARACTERS


class SolEvent(Value):
    """Base of what the engine tells the shell."""


class CharactersReceived(SolEvent):
    """The console sent these to the machine."""

    data: bytes


class BreakReceived(SolEvent):
    """The machine is to see a break."""


class WakeReceived(SolEvent):
    """The machine is to see ring or wake."""


class InputFlushed(SolEvent):
    """What waits for the machine is to be forgotten."""


class ControlChanged(SolEvent):
    """The lines that the machine's port sees: clear to send, and carrier detect with data set ready."""

    cts: bool
    dcd: bool


class SolPayload(NamedTuple):
    """A payload for the LAN server to send."""

    session_id: int
    data: bytes
    encrypted: bool
    authenticated: bool


class Console:
    """The session that has SOL."""

    __slots__ = ("authenticated", "encrypted", "handshake", "receiver", "sender", "session_id")

    def __init__(self, session_id: int, encrypted: bool, authenticated: bool, handshake: bool) -> None:
        self.session_id = session_id
        self.encrypted = encrypted
        self.authenticated = authenticated
        self.handshake = handshake
        """Nothing was heard of it yet, and it wanted the lines deasserted until then."""
        self.sender: Sender
        self.receiver: Receiver


class SolEngine:
    """Serial over LAN with one instance: bytes and `now` in, payloads and events out."""

    def __init__(self, timing: Callable[[], SolTiming] = SolTiming) -> None:
        self._timing = timing
        self.port = 623
        """UDP port that Activate Payload's answer names; the shell sets it."""
        self.malformed = 0
        """Payloads that were no SOL packets."""
        self._events: deque[SolEvent] = deque()
        self._payloads: list[SolPayload] = []
        self._console: Console | None = None
        self._former: Console | None = None
        self._status = bits.UNAVAILABLE
        self._paused = False
        self._cts, self._dcd = True, False

    # The payload commands.

    @property
    def session_id(self) -> int | None:
        """The session that has SOL now."""
        return None if self._console is None else self._console.session_id

    @property
    def encrypted(self) -> bool:
        """Whether its payloads are encrypted."""
        return self._console is not None and self._console.encrypted

    @property
    def authenticated(self) -> bool:
        """Whether its payloads are authenticated."""
        return self._console is not None and self._console.authenticated

    def activate(
        self, session_id: int, *, encrypted: bool, authenticated: bool, handshake: bool, now: float
    ) -> None:
        """Give SOL to a session.  Raises LocalProtocolError when another has it."""
        if self._console is not None:
            raise LocalProtocolError("SOL is active already")
        console = self._console = Console(session_id, encrypted, authenticated, handshake)
        console.sender = Sender(self._timing, self._send, self._status, now)
        console.receiver = Receiver(self._acknowledge, self._operate, self._deliver)
        if self._paused:
            console.receiver.pause()
        self._former = None
        self._set_control(cts=not handshake, dcd=not handshake)

    def deactivate(self, *, notify: bool) -> None:
        """Take SOL from its session; `notify` when it is not the session itself that asked."""
        if self._console is None:
            return
        if notify:
            self._send(_DEACTIVATED)
        self._former, self._console = self._console, None
        self._set_control(cts=True, dcd=False)

    def set_encrypted(self, encrypted: bool) -> None:
        """Suspend/Resume Payload Encryption."""
        if self._console is not None:
            self._console.encrypted = encrypted

    # What the LAN server brings.

    def receive_payload(self, session_id: int, data: bytes, now: float) -> None:
        """A SOL payload came in a session."""
        try:
            packet = SolPacket.decode(data)
        except DecodeError:
            self.malformed += 1
            return
        console = self._console
        if console is None or session_id != console.session_id:
            self._remind(session_id, packet)
            return
        console.sender.silent = False
        if console.handshake:
            console.handshake = False
            self._set_control(cts=True, dcd=True)
        if packet.acknowledged:
            console.sender.receive_acknowledgement(packet, now)
        if packet.number:
            console.receiver.receive(packet, now)

    def session_closed(self, session_id: int, now: float) -> None:
        """The LAN server closed a session."""
        if session_id == self.session_id:
            self.deactivate(notify=False)
        if self._former is not None and session_id == self._former.session_id:
            self._former = None

    # What the serial port brings.

    def receive_output(self, data: bytes, now: float) -> None:
        """Characters came from the machine."""
        if self._console is not None and data:
            self._console.sender.feed(data, now)

    def receive_break(self, now: float) -> None:
        """A break came from the machine."""
        if self._console is not None:
            self._console.sender.tell(bits.BREAK_SEEN, now)

    def serial_connected(self, now: float) -> None:
        """Somebody is at the serial port's other end."""
        self._change_status(0, now)
        self.resume_writing(now)

    def serial_lost(self, now: float) -> None:
        """Nobody is there any longer."""
        self._change_status(bits.UNAVAILABLE, now)
        self.resume_writing(now)

    def pause_writing(self) -> None:
        """The serial side takes no more for now."""
        self._paused = True
        if self._console is not None:
            self._console.receiver.pause()

    def resume_writing(self, now: float) -> None:
        """The serial side takes characters again."""
        self._paused = False
        if self._console is not None:
            self._console.receiver.resume(now)

    # What the shell takes.

    @property
    def wants_output(self) -> bool:
        """Whether the machine's characters are to be read now."""
        if self._console is None or self._console.sender.silent:
            return True
        return self._cts and not self._console.sender.full

    def next_event(self) -> SolEvent | None:
        """What happened next, oldest first; None when nothing is left."""
        return self._events.popleft() if self._events else None

    def payloads_to_send(self) -> list[SolPayload]:
        """What is to leave now, in order."""
        payloads, self._payloads = self._payloads, []
        return payloads

    def next_deadline(self) -> float | None:
        """When `handle_deadline` wants to be called; None: never as things stand."""
        if self._console is None:
            return None
        deadlines = (self._console.sender.next_deadline(), self._console.receiver.next_deadline())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def handle_deadline(self, now: float) -> None:
        """Do what was due at or before `now`."""
        if self._console is not None:
            self._console.receiver.handle_deadline(now)
            self._console.sender.handle_deadline(now)

    # What the two directions ask for.

    def _send(self, packet: SolPacket, console: Console | None = None) -> None:
        to = console or self._console
        if to is not None:
            self._payloads.append(SolPayload(to.session_id, packet.encode(), to.encrypted, to.authenticated))

    def _acknowledge(self, packet: SolPacket) -> None:
        self._send(SolPacket(0, packet.number, len(packet.characters), self._status))

    def _deliver(self, characters: bytes) -> None:
        if not self._status & bits.UNAVAILABLE:
            self._events.append(CharactersReceived(characters))

    def _operate(self, flags: int, now: float) -> None:
        if self._console is not None and flags & bits.FLUSH_OUTBOUND:
            self._console.sender.flush(now)
        if self._console is not None and flags & bits.FLUSH_INBOUND:
            self._console.receiver.flush()
            self._events.append(InputFlushed())
        if flags & bits.RING:
            self._events.append(WakeReceived())
        if flags & bits.BREAK:
            self._events.append(BreakReceived())
        self._set_control(cts=not flags & bits.PAUSE, dcd=not flags & bits.DROP)

    def _set_control(self, *, cts: bool, dcd: bool) -> None:
        if (cts, dcd) != (self._cts, self._dcd):
            self._cts, self._dcd = cts, dcd
            self._events.append(ControlChanged(cts, dcd))

    def _change_status(self, status: int, now: float) -> None:
        if status != self._status:
            self._status = status
            if self._console is not None:
                self._console.sender.status = status
                self._console.sender.tell(0, now)

    def _remind(self, session_id: int, packet: SolPacket) -> None:
        """Who lost SOL and has not noticed is told again."""
        if packet.number and self._former is not None and self._former.session_id == session_id:
            self._send(_DEACTIVATED, self._former)


_DEACTIVATED: Final = SolPacket(flags=bits.DEACTIVATING)
