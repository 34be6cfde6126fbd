"""Logs that the guest has not fetched, and the interrupts that say so.

Theory of operation. A log belongs to a class. A guest asks for classes by a mask and gets the oldest that
matches; while one is left in any class, that class's interrupt is raised again. A guest that has not
negotiated hot-plug events of their own (option vector 5, byte 6, bit 5) gets them in the class of EPOW and
by its interrupt. That is decided when it asks, so that negotiation also changes the class of what waits.
[LoPAR 10.2; QEMU 7.2]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from baseboard.errors import ConfigError
from baseboard.spapr.events.log import EpowEvent, Event, HotplugEvent, encode

# fmt: off
EPOW_CLASS,     EPOW_INTERRUPT    = 0x4000_0000, 0x1000
HOTPLUG_CLASS,  HOTPLUG_INTERRUPT = 0x1000_0000, 0x1001
# fmt: on
MOST_WAITING = 4096
"""Above that the oldest is lost: a guest that never asks will not be told everything."""


class _Waiting(NamedTuple):
    hotplug: bool
    log: bytes


class EventQueue:
    """`clock` gives seconds since 1970; `interrupt` is called with the number of one that is raised."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        interrupt: Callable[[int], None],
        native_log_id: bool = False,
    ) -> None:
        self.modern = False
        """Whether the guest takes hot-plug events of their own."""
        self.log_id = 0
        """Of the next log."""
        self._clock = clock
        self._interrupt = interrupt
        self._native_log_id = native_log_id
        self._waiting: list[_Waiting] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def hotplug(
        self, resource: int, action: int, *, index: int | None = None, count: int | None = None
    ) -> None:
        self.put(HotplugEvent(resource, action, index, count))

    def power_down(self) -> None:
        self.put(EpowEvent())

    def put(self, event: Event) -> None:
        log = encode(event, self.log_id, self._clock(), native_log_id=self._native_log_id)
        self.log_id = self.log_id + 1 & 0xFFFF_FFFF
        if len(self._waiting) == MOST_WAITING:
            del self._waiting[0]
        waiting = _Waiting(isinstance(event, HotplugEvent), log)
        self._waiting.append(waiting)
        self._interrupt(self._source(waiting)[1])

    def peek(self, mask: int) -> bytes | None:
        """The oldest log of the classes in the mask."""
        return next((waiting.log for waiting in self._waiting if self._source(waiting)[0] & mask), None)

    def take(self, mask: int) -> bytes | None:
        """The same, and it is the guest's now: what is left raises its interrupts again."""
        for place, waiting in enumerate(self._waiting):
            if self._source(waiting)[0] & mask:
                del self._waiting[place]
                self._raise_again()
                return waiting.log
        return None

    def clear(self) -> None:
        """A reset: nothing waits, and nothing is negotiated."""
        self._waiting.clear()
        self.modern = False

    def negotiated(self, *, hotplug_events: bool) -> None:
        """CAS: hot-plug requests are dropped, as the new device tree has what they are about; warnings
        stay.
        """
        self._waiting = [waiting for waiting in self._waiting if not waiting.hotplug]
        self.modern = hotplug_events
        self._raise_again()

    def export(self) -> dict[str, Any]:
        """For JSON."""
        logs = [["hotplug" if waiting.hotplug else "epow", waiting.log.hex()] for waiting in self._waiting]
        return {"modern": self.modern, "log_id": self.log_id, "waiting": logs}

    def restore(self, state: dict[str, Any]) -> None:
        """What `export` gave. Raises `ConfigError` and changes nothing."""
        try:
            waiting = [_Waiting({"hotplug": True, "epow": False}[kind], bytes.fromhex(log))
                       for kind, log in state["waiting"][-MOST_WAITING:]]  # fmt: skip
            modern, log_id = bool(state["modern"]), int(state["log_id"]) & 0xFFFF_FFFF
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"pending events: {error!r} in what should be as export() wrote it") from error
        self._waiting, self.modern, self.log_id = waiting, modern, log_id

    def _source(self, waiting: _Waiting) -> tuple[int, int]:
        """Its class and its interrupt."""
        if waiting.hotplug and self.modern:
            return HOTPLUG_CLASS, HOTPLUG_INTERRUPT
        return EPOW_CLASS, EPOW_INTERRUPT

    def _raise_again(self) -> None:
        for number in sorted({self._source(waiting)[1] for waiting in self._waiting}):
            self._interrupt(number)
