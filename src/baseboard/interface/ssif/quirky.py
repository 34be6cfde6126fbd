"""Target and engine with the quirks of QEMU's SSIF."""

from __future__ import annotations

from collections.abc import Mapping

from baseboard.interface.bus.smbus import LONGEST_BLOCK
from baseboard.interface.overlay import overlaid, spread, with_actions_of
from baseboard.interface.ssif.engine import CAPACITY, STEPS, Engine, Input, Phase, Steps
from baseboard.interface.ssif.parts import Command
from baseboard.interface.ssif.quirks import Quirk
from baseboard.interface.ssif.target import ADDRESS, BEHIND_THE_END, READS, Target
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.netfn import NetFn

_CAPABILITIES = bytes((NetFn.APP << 2, 0x57))
_QEMUS_CAPABILITIES = bytes.fromhex("00 00 80 ff ff")
_LONGEST_WRITE = 2 + LONGEST_BLOCK
_BUFFER = 1 + LONGEST_BLOCK


class QuirkyTarget(Target):
    """A target with quirks.

    One that always acknowledges has a buffer of a count and a block, and a place in it: a read that brings
    no block goes on from there.
    """

    def __init__(self, address: int = ADDRESS, *, pec: bool = True, quirks: Quirk) -> None:
        super().__init__(address, pec=pec and Quirk.NO_PACKET_ERROR_CODES not in quirks)
        self._always = Quirk.ALWAYS_ACKNOWLEDGES in quirks
        self._without_count = Quirk.END_WITHOUT_COUNT in quirks
        self._alerts = Quirk.NO_ALERT not in quirks
        if self._always:
            self._outgoing = bytes(_BUFFER)

    def set_alert(self, alert: bool) -> None:
        super().set_alert(alert and self._alerts)

    def rewind(self) -> None:
        """A request was executed, or an answer has come: what is in the buffer is read from its beginning."""
        self._position = 0

    def start(self, read: bool) -> bool:
        if not self._always:
            return super().start(read)
        self._finish()
        if not read:
            self._written.clear()
            self._writing = True
        return True

    def write(self, byte: int) -> bool:
        if not self._always:
            return super().write(byte)
        if self._writing and len(self._written) < _LONGEST_WRITE:
            self._written.append(byte & 0xFF)
        return True

    def stop(self) -> None:
        if not self._always:
            super().stop()
        else:
            self._finish()

    def _finish(self) -> None:
        written, writing = self._written, self._writing
        without_count = self._without_count and not self._refused and len(written) == 1
        if not self._always:
            super()._finish()
            if writing and without_count and written[0] not in READS:
                self.wrote(written[0], b"")
            return
        self._writing = False
        if not writing or not written:
            return
        command, *rest = written
        if command in READS:
            block = self.read_block(command, bytes(rest))
            if block is not None:
                self._outgoing = (bytes((len(block),)) + block + self._outgoing[1 + len(block) :])[:_BUFFER]
                self._position = 0
        elif without_count or (rest and rest[0] == len(rest) - 1):
            self.wrote(command, bytes(rest[1:]))

    def read(self) -> int:
        if not self._always or self._position < _BUFFER:
            return super().read()
        return BEHIND_THE_END


class QuirkyEngine(Engine):
    """An engine with quirks."""

    def __init__(self, target: QuirkyTarget, quirks: Quirk, *, capacity: int = CAPACITY) -> None:
        super().__init__(target, capacity=capacity)
        self._quirks = quirks
        self._rewind = target.rewind
        self._steps = with_actions_of(QuirkyEngine, overlaid(STEPS, ROWS, quirks))

    def _accepts(self, command: int) -> bool:
        stays = Quirk.MESSAGE_STAYS in self._quirks and bool(self._request.data)
        return stays or super()._accepts(command)

    def _wrote(self, command: int, block: bytes) -> None:
        short = len(block) < 2 and command in (Command.WRITE, Command.WRITE_START)
        known = command in tuple(Command)
        if known and not (short and Quirk.LENIENT_START in self._quirks):
            super()._wrote(command, block)

    @property
    def _readable(self) -> bool:
        return bool(self._answer.data) if Quirk.ANSWER_STAYS in self._quirks else super()._readable

    def _seek(self, parameters: bytes) -> bool:
        if Quirk.RETRY_BY_POSITION not in self._quirks:
            return super()._seek(parameters)
        return self._readable and bool(parameters) and self._answer.seek(parameters[0])

    def _give(self, head: bytes, response: bytes) -> None:
        super()._give(head, response)
        self._rewind()

    def _too_long(self, answer: bytes) -> bytes:
        if Quirk.ANSWER_CUT not in self._quirks:
            return super()._too_long(answer)
        return answer[:2] + bytes((CompletionCode.REQUEST_TRUNCATED,)) + answer[3:CAPACITY]

    def _discard(self) -> None:
        if Quirk.ANSWER_STAYS not in self._quirks:
            super()._discard()
        else:
            self._request.start()
            self._overlong = False

    # Actions.

    def _begin(self, block: bytes) -> Input | None:
        if Quirk.LENIENT_START not in self._quirks:
            return super()._begin(block)
        self._discard()
        self._collect(block)
        return None

    def _collect(self, block: bytes) -> Input | None:
        super()._collect(block)
        dropped = self._overlong and Quirk.OVERLONG_DROPPED in self._quirks
        return Input.MALFORMED if dropped else None

    def _end(self, block: bytes) -> Input | None:
        self._collect(block)
        if self._overlong and Quirk.OVERLONG_DROPPED in self._quirks:
            return Input.MALFORMED
        message = self._request.data
        by_code = Quirk.CAPABILITIES_BY_CODE in self._quirks and message[:2] == _CAPABILITIES
        self._answer.put(b"", self._answer.following)
        self._rewind()
        if by_code and not self._overlong:
            head = bytes((message[0] | 4, message[1]))
            self._give(head, self._capabilities_by_code(bytes(message[2:])))
            return None
        return super()._end(b"")

    def _capabilities_by_code(self, data: bytes) -> bytes:
        if not data:
            return bytes((CompletionCode.LENGTH_INVALID,))
        if data[0] & 0x0F:
            return bytes((CompletionCode.INVALID_FIELD,))
        return _QEMUS_CAPABILITIES


_FINISHED = (Phase.WAITING, Phase.ANSWERED)
# fmt: off
ROWS: Mapping[Quirk, Steps] = {
    # in phases       the host writes      the engine         next phase
    Quirk.MESSAGE_STAYS: spread(
        (_FINISHED,   Input.MIDDLE,        Engine._collect,   Phase.COLLECTING),
        (_FINISHED,   Input.SHORT_MIDDLE,  Engine._end,       Phase.WAITING),
        (_FINISHED,   Input.END,           Engine._end,       Phase.WAITING),
    ),
}
# fmt: on
