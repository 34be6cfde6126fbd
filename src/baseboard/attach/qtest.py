"""QEMU's qtest protocol, blocking: physical memory and interrupt lines of a running machine.  [QEMU 7.2]

One command a line, one line of answer: `OK`, `OK VALUE`, or `FAIL reason`. Between them QEMU tells of the
lines that are intercepted: `IRQ raise N`, `IRQ lower N`. Values are in the machine's byte order.

Despite its name it works beside any accelerator, while the machine runs. An access is done by the main loop
and has no CPU, so that a register whose device asks which CPU reads it (the banked part of a GIC) ends QEMU.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from baseboard.attach.channel import TIMEOUT, Channel
from baseboard.attach.errors import AttachError

LONGEST_LINE = 1 << 24
"""A whole MiB comes as one line of base64."""
MOST_CHANGES = 256


class LineChanged(NamedTuple):
    """An intercepted interrupt line changed."""

    number: int
    level: bool


class Qtest:
    """One connection, used from one thread. Every method raises AttachError."""

    def __init__(self, channel: Channel, timeout: float = TIMEOUT) -> None:
        self._channel = channel
        self._timeout = timeout
        self._buffer = bytearray()
        self._changes: deque[LineChanged] = deque(maxlen=MOST_CHANGES)

    @classmethod
    def connect(cls, path: Path, timeout: float = TIMEOUT) -> Qtest:
        """Connect to `-qtest unix:PATH,server=on,wait=off`."""
        return cls(Channel.connect(path, "QEMU's qtest", timeout), timeout)

    def __enter__(self) -> Qtest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def readb(self, address: int) -> int:
        """Read 8 bits."""
        return self._value(f"readb {address:#x}")

    def readw(self, address: int) -> int:
        """Read 16 bits."""
        return self._value(f"readw {address:#x}")

    def readl(self, address: int) -> int:
        """Read 32 bits."""
        return self._value(f"readl {address:#x}")

    def writeb(self, address: int, value: int) -> None:
        """Write 8 bits."""
        self._command(f"writeb {address:#x} {value:#x}")

    def writew(self, address: int, value: int) -> None:
        """Write 16 bits."""
        self._command(f"writew {address:#x} {value:#x}")

    def writel(self, address: int, value: int) -> None:
        """Write 32 bits."""
        self._command(f"writel {address:#x} {value:#x}")

    def b64read(self, address: int, size: int) -> bytes:
        """Read a block, at least one byte."""
        text = self._command(f"b64read {address:#x} {size:#x}")
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            data = b""
        if len(data) != size:
            raise AttachError(f"{self._channel.who}: {size} bytes were asked for, {text[:40]!r} came")
        return data

    def set_irq_in(self, path: str, name: str, number: int, level: int) -> None:
        """Set an input line of a device; unnamed inputs are called `unnamed-gpio-in`."""
        self._command(f"set_irq_in {path} {name} {number} {level}")

    def irq_intercept_in(self, path: str) -> None:
        """From now on tell changes of the device's inputs by `next_change`; one device for QEMU's life."""
        self._command(f"irq_intercept_in {path}")

    def irq_intercept_out(self, path: str) -> None:
        """The same for its outputs, which go nowhere else any more."""
        self._command(f"irq_intercept_out {path}")

    def next_change(self) -> LineChanged | None:
        """An intercepted line that changed, as far as it has been received; None when nothing is left."""
        while b"\n" in self._buffer or self._channel.readable():
            word, *rest = self._line(time.monotonic() + self._timeout)
            if word != "IRQ":
                raise AttachError(f"{self._channel.who}: unexpected {' '.join((word, *rest))[:80]!r}")
            self._changed(rest)
        return self._changes.popleft() if self._changes else None

    def close(self) -> None:
        """Hang up; may be called again."""
        self._channel.close()

    def _value(self, command: str) -> int:
        text = self._command(command)
        try:
            return int(text, 0)
        except ValueError:
            raise AttachError(f"{self._channel.who}: {command}: {text[:40]!r} is no number") from None

    def _command(self, text: str) -> str:
        deadline = time.monotonic() + self._timeout
        self._channel.send(text.encode() + b"\n", deadline)
        while True:
            word, *rest = self._line(deadline)
            if word == "OK":
                return rest[0] if rest else ""
            if word != "IRQ":
                raise AttachError(f"{self._channel.who}: {text}: {' '.join((word, *rest))[:80]}")
            self._changed(rest)

    def _changed(self, words: list[str]) -> None:
        try:
            direction, number = words
            self._changes.append(LineChanged(int(number), direction == "raise"))
        except ValueError:
            raise AttachError(f"{self._channel.who}: no interrupt line: {' '.join(words)[:80]!r}") from None

    def _line(self, deadline: float) -> list[str]:
        buffer = self._buffer
        searched = 0
        while (end := buffer.find(b"\n", searched)) < 0:
            searched = len(buffer)
            if searched > LONGEST_LINE:
                raise AttachError(f"{self._channel.who} sent a line of more than {LONGEST_LINE} bytes")
            buffer += self._channel.receive(deadline)
        line = buffer[:end]
        del buffer[: end + 1]
        return line.decode(errors="replace").split() or [""]
