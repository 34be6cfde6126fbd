"""The SMBus end of SSIF: bytes into blocks, blocks into bytes, and what is not acknowledged.

Both ends see one object. The bus calls `start`, `write`, `read` and `stop`; the BMC's end is an engine of
ours, or a register window that firmware drives, which sets the three hooks.

    accepts(command)           whether a block write with this command is due
    wrote(command, block)      one has come, whole and with the right packet error code if it had one
    read_block(command, parameters)
                               the block to read, or None: there is none yet, and the read is not acknowledged
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from baseboard.interface.bus.smbus import LONGEST_BLOCK, packet_error_code
from baseboard.interface.registers import ignore_level
from baseboard.interface.ssif.parts import Command
from baseboard.interface.state import Exported

ADDRESS = 0x10
"""20h as IPMI writes it."""
READS = frozenset((Command.READ, Command.READ_NEXT, Command.RETRY))
BEHIND_THE_END = 0xFF
_LONGEST_PARAMETERS = 2


@dataclass(frozen=True, slots=True)
class TargetState(Exported):
    """Everything that a target keeps."""

    address: int
    pec: bool
    written: bytes
    writing: bool
    refused: bool
    outgoing: bytes
    position: int
    alert: bool
    version: int = 1


def _refuse(command: int) -> bool:
    return False


def _drop(command: int, block: bytes) -> None:
    pass


def _nothing(command: int, parameters: bytes) -> bytes | None:
    return None


class Target:
    """One target; `pec`: packet error codes are checked and given."""

    def __init__(self, address: int = ADDRESS, *, pec: bool = True) -> None:
        self.address = address
        self.pec = pec
        self.accepts: Callable[[int], bool] = _refuse
        self.wrote: Callable[[int, bytes], None] = _drop
        self.read_block: Callable[[int, bytes], bytes | None] = _nothing
        self.acknowledged: Callable[[], None] = lambda: None
        self.alert = False
        self.alert_changed: Callable[[bool], None] = ignore_level
        self._written = bytearray()
        """Since the start: command, count, block, packet error code."""
        self._writing = False
        self._refused = False
        self._outgoing = b""
        self._position = 0

    # What the bus does.

    def start(self, read: bool) -> bool:
        """A start or repeated start with our address."""
        if not read:
            self._finish()
            self._written.clear()
            self._writing = True
            self._refused = False
            return True
        written = self._written
        self._outgoing = b""
        self._position = 0
        if not self._writing or self._refused or not written or written[0] not in READS:
            self._writing = False
            return False
        self._writing = False
        block = self.read_block(written[0], bytes(written[1:]))
        if block is None:
            return False
        answer = bytes((len(block),)) + block
        if self.pec:
            head = bytes((self.address << 1, *written, self.address << 1 | 1))
            answer += bytes((packet_error_code(head + answer),))
        self._outgoing = answer
        return True

    def write(self, byte: int) -> bool:
        """The host wrote a byte."""
        if not self._writing or self._refused:
            return False
        byte &= 0xFF
        self._written.append(byte)
        if not self._is_due():
            self._refused = True
        return not self._refused

    def _is_due(self) -> bool:
        """Whether what was written so far is what may come."""
        written = self._written
        command = written[0]
        if command in READS:
            return len(written) <= 1 + _LONGEST_PARAMETERS
        if len(written) == 1:
            return self.accepts(command)
        count = written[1]
        if count > LONGEST_BLOCK:
            return False
        extra = len(written) - 2 - count
        if extra <= 0:
            return True
        expected = packet_error_code(bytes((self.address << 1, *written[:-1])))
        return self.pec and extra == 1 and written[-1] == expected

    def read(self) -> int:
        """The host reads a byte."""
        position = self._position
        if position >= len(self._outgoing):
            return BEHIND_THE_END
        self._position = position + 1
        return self._outgoing[position]

    def stop(self) -> None:
        """The transfer is over."""
        self._finish()
        self._outgoing = b""

    def _finish(self) -> None:
        written = self._written
        complete = self._writing and not self._refused and len(written) > 1
        self._writing = False
        if complete and written[0] == Command.RETRY:
            self.wrote(Command.RETRY, bytes(written[1:]))
        elif complete and written[0] not in READS and len(written) >= 2 + written[1]:
            self.wrote(written[0], bytes(written[2 : 2 + written[1]]))

    def alert_acknowledged(self) -> None:
        """The host has read our address from the alert response address."""
        self.acknowledged()

    # What the BMC does.

    def set_alert(self, alert: bool) -> None:
        """Pull SMBALERT# or let it go."""
        if alert != self.alert:
            self.alert = alert
            self.alert_changed(alert)

    # What the store keeps.

    def export(self) -> TargetState:
        """The present state."""
        return TargetState(
            address=self.address,
            pec=self.pec,
            written=bytes(self._written),
            writing=self._writing,
            refused=self._refused,
            outgoing=self._outgoing,
            position=self._position,
            alert=self.alert,
        )

    def restore(self, state: TargetState) -> None:
        """Become what was exported; an alert line that is connected later is told by its owner."""
        self.address, self.pec = state.address, state.pec
        self._written[:] = state.written
        self._writing, self._refused = state.writing, state.refused
        self._outgoing, self._position = state.outgoing, state.position
        self.alert = state.alert
