"""The two ends of one connection.

Theory of operation
-------------------
A link lives as long as its connection: what the machine offers is told anew after each connect, and until
command 08h has come it offers nothing. Some machines never send it; they get answers and nothing else.

The controller's end keeps the attention bit and the interrupt enable as they should be and says them when
the machine can take them: at every change, and once as soon as its capabilities are known. The machine may
have been connected before, so nothing is taken as said.

A message is laid out

    byte   0    id, which the response repeats
           1    netFn << 2 | LUN; in the response with netFn + 1
           2    command
           3..  data; in the response the completion code first
           last checksum: all bytes sum to 0 modulo 256
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import ClassVar

from baseboard.errors import LocalProtocolError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Message
from baseboard.ipmi.netfn import NetFn
from baseboard.vm.framing import (
    COMMAND_END,
    LONGEST_MESSAGE,
    MESSAGE_END,
    Deframer,
    Fault,
    frame_command,
    frame_message,
)
from baseboard.vm.protocol import (
    NEEDED,
    VERSION,
    AttentionReceived,
    CapabilitiesReceived,
    Capability,
    Code,
    LinkEvent,
    MachineReset,
    Operation,
    OperationReceived,
    RequestReceived,
    ResponseReceived,
    VersionReceived,
)

_LONGEST_DATA = LONGEST_MESSAGE - 4
_TRUNCATED = b"\xc6"
_TO_NOTHING = bytes((NetFn.APP + 1 << 2, 0x00, CompletionCode.NODE_BUSY))

Row = tuple[int, Callable[[bytes], LinkEvent]]
"""A command that an end takes: how many data bytes it needs, and the event that it is."""


def _ordered(operation: Operation) -> Callable[[bytes], LinkEvent]:
    return lambda data: OperationReceived(operation)


class _Link:
    """What both ends share: frames in, events out; frames out."""

    SHORTEST: ClassVar[int]
    """Bytes of the shortest message that this end takes, checksum included."""
    COMMANDS: ClassVar[Mapping[int, Row]]
    """By code."""

    def __init__(self) -> None:
        self._deframer = Deframer()
        self._events: deque[LinkEvent] = deque()
        self._output: list[bytes] = []
        self.faults = self._deframer.faults

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the other end."""
        for end, frame in self._deframer.receive_data(data):
            if end == MESSAGE_END:
                if len(frame) < self.SHORTEST:
                    self.faults[Fault.SHORT] += bool(frame)  # nothing but a terminator resynchronizes
                elif sum(frame) & 0xFF:
                    self.faults[Fault.CHECKSUM] += 1
                else:
                    self._receive_message(frame)
            elif frame:
                self._receive_command(frame)
        if self._deframer.overlong:
            for beginning in self._deframer.overlong:
                self._receive_overlong(beginning)
            self._deframer.overlong.clear()

    def next_event(self) -> LinkEvent | None:
        """What happened next, oldest first; None when nothing is left."""
        return self._events.popleft() if self._events else None

    def data_to_send(self) -> bytes:
        """Bytes for the other end; they are forgotten here."""
        output = self._output
        if len(output) == 1:
            return output.pop()
        data = b"".join(output)
        output.clear()
        return data

    def greet(self) -> None:
        """Say our version; the first thing on a connection."""
        self._command(Code.VERSION, VERSION)

    def _command(self, *data: int) -> None:
        self._output.append(frame_command(bytes(data)))

    def _receive_message(self, frame: bytes) -> None:
        raise NotImplementedError

    def _receive_overlong(self, beginning: bytes) -> None:
        """A message was too long: dropped, but these are its id, netFn/LUN and command."""

    def _receive_command(self, frame: bytes) -> None:
        row = self.COMMANDS.get(frame[0])
        if row is None:
            self.faults[Fault.UNKNOWN] += 1
            return
        needed, event = row
        if len(frame) <= needed:
            self.faults[Fault.SHORT] += 1
            return
        self._events.append(event(frame[1:]))


class ControllerLink(_Link):
    """The controller's end."""

    SHORTEST = 4
    # fmt: off
    COMMANDS: ClassVar[Mapping[int, Row]] = {
        # code              data bytes  event
        Code.RESET:         (0,         lambda data: MachineReset()),
        Code.CAPABILITIES:  (1,         lambda data: CapabilitiesReceived(Capability(data[0]))),
        Code.VERSION:       (1,         lambda data: VersionReceived(data[0])),
    }
    # fmt: on

    def __init__(
        self,
        *,
        attention: bool = False,
        interrupt: bool = False,
        interrupt_enabled: bool = False,
        last_id: int = 0xEF,
    ) -> None:
        super().__init__()
        self.last_id = last_id
        """Of the latest request, on this connection or the one before it."""
        self.capabilities = Capability.NONE
        self._attention = attention, interrupt
        self._interrupt_enabled = interrupt_enabled

    def greet(self) -> None:
        """End what the machine may have kept of an earlier connection, and say our version.

        As QEMU 5.1 to 11.1: a half-received message and a pending AAh outlive a reconnection, and would
        make one thing with what comes next: a first byte 03h before our A1h powers the machine off. So an
        answer to nothing goes first. What was kept makes its checksum wrong, and by itself it is ignored
        for its id, far from those that are in use; bit 4 of the id is clear already. It also stops the
        4 s timer that QEMU starts for its own greeting, which ends in an answer with id FFh.
        """
        id_ = self.last_id + 0x80 & 0xEF
        self._output.append(frame_message(bytes((id_, *_TO_NOTHING))))
        super().greet()

    def _receive_message(self, frame: bytes) -> None:
        address = frame[1]
        self.last_id = frame[0]
        self._events.append(
            RequestReceived(frame[0], Message(address >> 2, address & 3, frame[2], frame[3:-1]))
        )

    def _receive_command(self, frame: bytes) -> None:
        super()._receive_command(frame)
        if frame[0] == Code.CAPABILITIES and len(frame) > 1:
            self.capabilities = Capability(frame[1])
            self._say_interrupt()
            self._say_attention()

    def send_response(self, request: RequestReceived, data: bytes) -> None:
        """Answer: completion code first. What no machine could take is answered C6h."""
        id_, (netfn, lun, command, _) = request
        if len(data) > _LONGEST_DATA:
            data = _TRUNCATED
        self._output.append(frame_message(bytes((id_, netfn << 2 | lun | 4, command)) + data))

    def can(self, operation: Operation) -> bool:
        """Whether the machine offers it on this connection."""
        return bool(self.capabilities & NEEDED[operation])

    def send_operation(self, operation: Operation) -> None:
        """Order it.  Raises LocalProtocolError when the machine does not offer it."""
        if not self.can(operation):
            raise LocalProtocolError(f"the machine does not offer {operation.name}")
        self._command(operation)

    def set_attention(self, attention: bool, interrupt: bool) -> None:
        """What the attention bit is from now on, and whether its rise interrupts."""
        self._attention = attention, interrupt
        self._say_attention()

    def set_interrupt(self, enabled: bool) -> None:
        """Whether the system interface interrupts at all."""
        if enabled != self._interrupt_enabled:
            self._interrupt_enabled = enabled
            self._say_interrupt()

    def withdraw(self) -> bool:
        """Take back the answers that have not left yet; whether there were any."""
        commands = [frame for frame in self._output if frame.endswith(COMMAND_END)]
        answers = len(self._output) - len(commands)
        self._output = commands
        return answers > 0

    def _say_attention(self) -> None:
        if not self.capabilities & Capability.ATTENTION:
            return
        attention, interrupt = self._attention
        if not attention:
            self._command(Code.ATTENTION_CLEAR)
        elif interrupt and self.capabilities & Capability.INTERRUPT:
            self._command(Code.ATTENTION_INTERRUPT)
        else:
            self._command(Code.ATTENTION)

    def _say_interrupt(self) -> None:
        operation = Operation.ENABLE_INTERRUPT if self._interrupt_enabled else Operation.DISABLE_INTERRUPT
        if self.can(operation):
            self._command(operation)


class MachineLink(_Link):
    """The machine's end."""

    SHORTEST = 5
    # fmt: off
    COMMANDS: ClassVar[Mapping[int, Row]] = {
        # code                     data bytes  event
        Code.ATTENTION_CLEAR:      (0,         lambda data: AttentionReceived(False, False)),
        Code.ATTENTION:            (0,         lambda data: AttentionReceived(True, False)),
        Code.ATTENTION_INTERRUPT:  (0,         lambda data: AttentionReceived(True, True)),
        Code.VERSION:              (1,         lambda data: VersionReceived(data[0])),
        **{operation:              (0,         _ordered(operation)) for operation in Operation},
    }
    # fmt: on

    def __init__(self) -> None:
        super().__init__()
        self._id = 0
        self._asked: dict[int, tuple[int, int]] = {}
        """By id of what waits for its answer: the answer's network function, and the command."""

    def _receive_message(self, frame: bytes) -> None:
        address = frame[1]
        if self._asked.get(frame[0]) != (address >> 2, frame[2]):
            return  # a late answer, or one to nothing
        del self._asked[frame[0]]
        self._events.append(ResponseReceived(frame[0], address >> 2, address & 3, frame[2], frame[3:-1]))

    def _receive_overlong(self, beginning: bytes) -> None:
        # As QEMU 5.1 to 11.1: an answer that is too long answers C6h.
        if len(beginning) == 3:
            self._receive_message(beginning + _TRUNCATED + b"\0")

    def send_request(self, message: Message) -> int:
        """Ask; returns the id that the response will have. Ids count up and come again after 256."""
        netfn, lun, command, data = message
        if len(data) > _LONGEST_DATA:
            raise LocalProtocolError(f"{len(data)} bytes do not fit into a message")
        id_ = self._id
        self._id = id_ + 1 & 0xFF
        self._asked[id_] = netfn | 1, command
        self._output.append(frame_message(bytes((id_, netfn << 2 | lun, command)) + data))
        return id_

    def send_capabilities(self, capabilities: Capability) -> None:
        """Say what this machine offers."""
        self._command(Code.CAPABILITIES, capabilities)

    def send_reset(self) -> None:
        """Say that this machine was reset."""
        self._command(Code.RESET)
