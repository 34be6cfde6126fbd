"""The host's end of BT.  [IPMI 11.6.1, 11.7]

Theory of operation
-------------------
Requests wait in a queue until B_BUSY and H2B_ATN are 0, and are then written; up to `outstanding` of them may
be open. Whenever B2H_ATN is set, an answer is read and belongs to the open request with its sequence number,
network function and command; one that belongs to none is dropped, for it is late or from an earlier driver.

A request that is not answered within `timeout` is sent again, as often as `retries` says, with a new
sequence number. One that cannot even be written in that time fails: the BMC is stuck, and `reset` may help.
Time is looked at after each answer, too: a BMC that sets B2H_ATN for ever is no reason to read for ever.

H_BUSY is toggled by writing it, so it is read before: a BMC that was reset meanwhile has cleared it. BT_CTRL
with a pulse bit set is no BT_CTRL: nothing is there, or not yet.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from baseboard.errors import ConfigError
from baseboard.interface.bt.registers import (
    B2H_ATN,
    B2H_IRQ,
    B2H_IRQ_EN,
    B_BUSY,
    BMC_HWRST,
    CLR_RD_PTR,
    CLR_WR_PTR,
    H2B_ATN,
    H_BUSY,
    SMS_ATN,
)
from baseboard.interface.driver import Driver, Registers, TransferFailed, answers, encoded
from baseboard.ipmi.message import Message

TIMEOUT = 5.0
RETRIES = 1
LONGEST = 254
"""Bytes of request without sequence number, which the length byte counts, too."""
MOST_OUTSTANDING = 64
CONTROL, BUFFER, MASK = 0, 1, 2
"""Offsets of the registers."""


@dataclass(slots=True)
class _Request:
    message: bytes
    """Network function, command, data."""
    deadline: float
    tries: int = 0


class BtDriver(Driver):
    """One driver; any number of requests."""

    def __init__(
        self,
        registers: Registers,
        *,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        outstanding: int = 1,
    ) -> None:
        super().__init__()
        self._registers = registers
        self._timeout = timeout
        self._retries = retries
        if not 1 <= outstanding <= MOST_OUTSTANDING:
            raise ConfigError(f"{outstanding} requests at a time: it must be 1 to {MOST_OUTSTANDING}")
        self._outstanding = outstanding
        self._waiting: deque[_Request] = deque()
        self._open: dict[int, _Request] = {}
        self._sequence = 0

    @property
    def phase(self) -> str:
        """What is under way, for people."""
        return f"{len(self._waiting)} waiting, {len(self._open)} open"

    def begin(self) -> None:
        """Once, before the first request: the pointers, H_BUSY and what an earlier driver left."""
        self._set_busy(False)
        self._registers.write(CONTROL, CLR_WR_PTR | SMS_ATN)

    def reset(self) -> None:
        """Reset the BMC's end."""
        self._registers.write(MASK, BMC_HWRST)

    def enable_interrupt(self, enabled: bool) -> None:
        """B2H_IRQ_EN."""
        self._registers.write(MASK, B2H_IRQ | (B2H_IRQ_EN if enabled else 0))

    def acknowledge_interrupt(self) -> bool:
        """Clear B2H_IRQ; whether it was set."""
        mask = self._registers.read(MASK)
        if mask & B2H_IRQ:
            self._registers.write(MASK, mask & ~BMC_HWRST)
        return bool(mask & B2H_IRQ)

    def attention(self) -> bool:
        """Whether SMS_ATN was up; clears it."""
        if not self._registers.read(CONTROL) & SMS_ATN:
            return False
        self._registers.write(CONTROL, SMS_ATN)
        return True

    def send_request(self, message: Message, now: float) -> None:
        """Ask as soon as the BMC takes it; what the length byte cannot count fails at once."""
        request = encoded(message)
        if len(request) > LONGEST:
            self._events.append(
                TransferFailed(None, f"a request of {len(request)} bytes: BT takes {LONGEST}")
            )
        else:
            self._waiting.append(_Request(request, now + self._timeout))

    def abort(self, now: float) -> None:
        """Give all requests up; BT has no way to tell the BMC, and late answers are dropped."""
        for _ in (*self._open, *self._waiting):
            self._events.append(TransferFailed(None, "aborted"))
        self._open.clear()
        self._waiting.clear()

    def next_deadline(self) -> float | None:
        """When the first of all requests has waited too long."""
        deadlines = [request.deadline for request in (*self._waiting, *self._open.values())]
        return min(deadlines, default=None)

    def step(self, now: float) -> bool:
        """Do the next thing; False when the BMC is not ready for any."""
        control = self._registers.read(CONTROL)
        there = not control & (CLR_RD_PTR | CLR_WR_PTR)
        if there and control & B2H_ATN:
            self._read()
            self._give_up(now)
            return True
        if self._give_up(now):
            return True
        free = there and not control & (B_BUSY | H2B_ATN)
        if self._waiting and free and len(self._open) < self._outstanding:
            self._write(self._waiting.popleft(), now)
            return True
        return False

    def _write(self, request: _Request, now: float) -> None:
        write = self._registers.write
        sequence = self._sequence + 1 & 0xFF
        while sequence in self._open:
            sequence = sequence + 1 & 0xFF
        self._sequence = sequence
        message = request.message
        write(CONTROL, CLR_WR_PTR)
        for byte in bytes((len(message) + 1, message[0], sequence)) + message[1:]:
            write(BUFFER, byte)
        write(CONTROL, H2B_ATN)
        request.deadline = now + self._timeout
        request.tries += 1
        self._open[sequence] = request

    def _read(self) -> None:
        read, write = self._registers.read, self._registers.write
        self._set_busy(True)
        write(CONTROL, B2H_ATN)
        write(CONTROL, CLR_RD_PTR)
        length = read(BUFFER)
        answer = bytes(read(BUFFER) for _ in range(length))
        self._set_busy(False)
        if length < 4:
            return
        sequence, answer = answer[1], answer[:1] + answer[2:]
        request = self._open.get(sequence)
        if request is not None and answers(answer, request.message):
            del self._open[sequence]
            self._report(answer)

    def _set_busy(self, busy: bool) -> None:
        if bool(self._registers.read(CONTROL) & H_BUSY) != busy:
            self._registers.write(CONTROL, H_BUSY)

    def _give_up(self, now: float) -> bool:
        late = [sequence for sequence, request in self._open.items() if now >= request.deadline]
        for sequence in late:
            request = self._open.pop(sequence)
            if request.tries > self._retries:
                self._events.append(TransferFailed(None, "no answer"))
            else:
                request.deadline = now + self._timeout
                self._waiting.append(request)
        stuck = [request for request in self._waiting if now >= request.deadline]
        for request in stuck:
            self._waiting.remove(request)
            self._events.append(TransferFailed(None, "the BMC takes no request"))
        return bool(late or stuck)
