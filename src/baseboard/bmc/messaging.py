"""What system software and the controller pass each other.  [IPMI 22.1-22.8]

Theory of operation
-------------------
Three things wait for system software, and each has a message flag: messages in the receive message queue,
one event in the event message buffer, and the watchdog's pre-timeout. The attention bit of the system
interface is up while any flag is; whether its rise interrupts depends on what the Global Enables say of
the cause. `AttentionChanged` leaves when either differs from what it was.

The event message buffer keeps the oldest event until it is read; later ones go to the SEL alone. While it
is disabled it is empty, and its flag is 0.

Nothing here is durable: a controller that starts has the power-on defaults, and the software that had
something waiting in the old one asks again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from baseboard.bmc.events import AttentionChanged, Event, InterruptEnableChanged
from baseboard.errors import CommandError
from baseboard.ipmi.app_messaging import GlobalEnable, MessageFlag
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.ipmb import BusMessage
from baseboard.ipmi.privilege import Channel

POWER_ON_ENABLES = int(GlobalEnable.EVENT_LOGGING)
ENABLES = int(
    GlobalEnable.RECEIVE_QUEUE_INTERRUPT
    | GlobalEnable.EVENT_BUFFER_INTERRUPT
    | GlobalEnable.EVENT_BUFFER
    | GlobalEnable.EVENT_LOGGING
)
QUEUE_LENGTH = 16
"""Messages; at least two are asked for.  [IPMI 22.6]"""

_QUEUE = int(MessageFlag.RECEIVE_QUEUE)
_BUFFER = int(MessageFlag.EVENT_BUFFER)
_PRETIMEOUT = int(MessageFlag.WATCHDOG_PRETIMEOUT)
_QUEUE_INTERRUPT = int(GlobalEnable.RECEIVE_QUEUE_INTERRUPT)
_BUFFER_INTERRUPT = int(GlobalEnable.EVENT_BUFFER_INTERRUPT)
_BUFFER_ENABLE = int(GlobalEnable.EVENT_BUFFER)
_LOGGING = int(GlobalEnable.EVENT_LOGGING)


class QueuedMessage(NamedTuple):
    """One message for system software."""

    channel: int
    """Where it came from."""
    inferred_privilege: int
    """Level of the session that it came in; 0 where there are no sessions."""
    data: bytes
    """As Get Message gives it: without our own address, or with the session handle."""


class Messaging:
    """Global enables, message flags, receive message queue and event message buffer."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self.enables = POWER_ON_ENABLES
        self._queue: deque[QueuedMessage] = deque()
        self._event: bytes | None = None
        self._pretimeout = False
        self._refusing: set[int] = set()
        self._attention = False, False

    def reset(self, cold: bool, now: float) -> None:
        """Cold Reset: as after power-on. A warm one leaves the enables and what waits.  [IPMI 20.3]"""
        if not cold:
            return
        self._queue.clear()
        self._event = None
        self._pretimeout = False
        self._refusing.clear()
        self.set_enables(POWER_ON_ENABLES)

    def power_changed(self, on: bool, now: float) -> None:
        """The machine was reset, or its power changed: the enables are those of power-on.  [IPMI 22.1]"""
        self.set_enables(POWER_ON_ENABLES)

    @property
    def event_logging(self) -> bool:
        """Whether events go to the SEL. Platform Event over the system interface is logged all the same."""
        return bool(self.enables & _LOGGING)

    @property
    def interrupt_enabled(self) -> bool:
        """Whether the system interface may interrupt.

        Bit 0 enables the interface's own interrupts; bit 1 alone asks for those of the event message buffer,
        which reach the machine over the same line.
        """
        return bool(self.enables & (_QUEUE_INTERRUPT | _BUFFER_INTERRUPT))

    def set_enables(self, enables: int) -> None:
        """Set BMC Global Enables. There are no OEM functions to enable: CCh, as for the reserved bit."""
        if enables & ~ENABLES:
            raise CommandError(CompletionCode.INVALID_FIELD, f"enables {enables:02X}h: reserved or OEM bits")
        before = self.interrupt_enabled
        self.enables = enables
        if not enables & _BUFFER_ENABLE:
            self._event = None
        if before != self.interrupt_enabled:
            self._emit(InterruptEnableChanged(self.interrupt_enabled))
        self._update()

    @property
    def flags(self) -> int:
        """Message flags, `MessageFlag`."""
        return (
            (_QUEUE if self._queue else 0)
            | (_BUFFER if self._event is not None else 0)
            | (_PRETIMEOUT if self._pretimeout else 0)
        )

    def clear_flags(self, flags: int) -> None:
        """Clear Message Flags: what waits behind a flag is forgotten with it."""
        if flags & _QUEUE:
            self._queue.clear()
        if flags & _BUFFER:
            self._event = None
        if flags & _PRETIMEOUT:
            self._pretimeout = False
        self._update()

    def set_reception(self, channel: int, enabled: bool) -> None:
        """Enable Message Channel Receive: whether the queue takes messages from a channel."""
        if enabled:
            self._refusing.discard(channel)
        else:
            self._refusing.add(channel)

    def receives(self, channel: int) -> bool:
        """Whether the queue takes messages from a channel."""
        return channel not in self._refusing

    def check_queue(self, channel: int) -> None:
        """Refuse with D3h when a message from a channel could not be queued now."""
        if not self.receives(channel) or len(self._queue) >= QUEUE_LENGTH:
            raise CommandError(
                CompletionCode.DESTINATION_UNAVAILABLE, "the receive message queue takes no more"
            )

    def queue(self, message: QueuedMessage) -> None:
        """Put a message for system software into the queue; D3h when it is full or disabled."""
        self.check_queue(message.channel)
        self._queue.append(message)
        self._update()

    def receive(self, message: BusMessage) -> None:
        """A message for system software came on the bus; without room it is lost."""
        if self.receives(Channel.PRIMARY_IPMB) and len(self._queue) < QUEUE_LENGTH:
            self.queue(QueuedMessage(Channel.PRIMARY_IPMB, 0, message.encode()[1:]))

    def get_message(self) -> QueuedMessage:
        """Take the oldest message; 80h when there is none."""
        if not self._queue:
            raise CommandError(0x80, "the receive message queue is empty")
        message = self._queue.popleft()
        self._update()
        return message

    def event(self, record: bytes) -> None:
        """Offer an event, 16 bytes as in the SEL; kept if the buffer is enabled and empty."""
        if self.enables & _BUFFER_ENABLE and self._event is None:
            self._event = record
            self._update()

    def read_event(self) -> bytes:
        """Take the event; 80h when there is none."""
        record = self._event
        if record is None:
            raise CommandError(0x80, "the event message buffer is empty")
        self._event = None
        self._update()
        return record

    def set_watchdog_pretimeout(self, reached: bool) -> None:
        """The watchdog's pre-timeout interrupt occurred, or the timer was set anew."""
        self._pretimeout = reached
        self._update()

    def _update(self) -> None:
        flags, enables = self.flags, self.enables
        interrupt = bool(
            (flags & (_QUEUE | _PRETIMEOUT) and enables & _QUEUE_INTERRUPT)
            or (flags & _BUFFER and enables & _BUFFER_INTERRUPT)
        )
        attention = bool(flags), interrupt
        if attention != self._attention:
            self._attention = attention
            self._emit(AttentionChanged(*attention))
