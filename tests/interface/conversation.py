"""A device, a driver before it and an echo behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from baseboard.interface.driver import DriverEvent
from baseboard.interface.seam import RequestReceived
from baseboard.ipmi.message import Context, Message


def echo(message: Message, context: Context) -> bytes:
    """Completion code 00h and the request's data, backwards."""
    return b"\x00" + message.data[::-1]


def answered(message: Message) -> tuple[int, int, int, bytes]:
    """What the driver should report."""
    return (message.netfn | 1, message.lun, message.command, echo(message, Context()))


def run(driver: Any, now: float = 0.0, *, each: Callable[[], None] = lambda: None) -> DriverEvent:
    """Let the driver go until there is an outcome; time passes when nothing else happens."""
    for _ in range(20_000):
        each()
        if not driver.step(now):
            deadline = driver.next_deadline()
            if deadline is not None:
                now = max(now, deadline)
        event: DriverEvent | None = driver.next_event()
        if event is not None:
            return event
    raise AssertionError(f"no outcome in phase {driver.phase}")


def pump(engine: Any) -> None:
    """Answer what waits, without a seam."""
    while (event := engine.next_event()) is not None:
        if isinstance(event, RequestReceived):
            engine.respond(event.id, echo(event.message, Context()))
