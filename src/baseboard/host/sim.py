"""A host that nobody has to boot: power, POST codes, what a server's firmware asks at start-up, and scripts.

Theory of operation
-------------------
`HostSim` has power, and boots when it comes on: the steps of `BOOT` one after the other, each a POST code and
perhaps a request, as a server's firmware (BIOS) has them. What the BMC orders (`orders`) switches it off,
resets it, and so on; Chassis Control or its owner switches it on.

A `Script` is run step by step. A step that does not come true in time ends the script, with what was expected
and what came instead, in words that say where.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from baseboard.host.orders import order, switches_on
from baseboard.host.script import ORDER_NAMES, Script, Step
from baseboard.host.seam import (
    Answered,
    AttentionChanged,
    FirmwareFound,
    FirmwareLost,
    HostOrdered,
    InterruptChanged,
    Responder,
    ResponderEvent,
)
from baseboard.ipmi.message import Message
from baseboard.ipmi.netfn import NetFn
from baseboard.vm.protocol import Operation

POST_CODES = 256
"""As many are kept."""


class BootStep(NamedTuple):
    """What a server's firmware does at this point."""

    post_code: int
    message: Message | None


# fmt: off
BOOT = (  # POST codes as in UEFI's platform initialization: SEC, PEI, DXE, BDS, the operating system
    #        POST   asks the BMC
    BootStep(0x01,  None),
    BootStep(0x10,  Message(NetFn.APP, 0, 0x01)),                          # Get Device ID
    BootStep(0x15,  Message(NetFn.APP, 0, 0x04)),                          # Get Self Test Results
    BootStep(0x30,  Message(NetFn.APP, 0, 0x2F)),                          # Get BMC Global Enables
    BootStep(0x60,  Message(NetFn.STORAGE, 0, 0x48)),                      # Get SEL Time
    BootStep(0x92,  Message(NetFn.CHASSIS, 0, 0x09, b"\x05\0\0")),         # Get System Boot Options: flags
    BootStep(0xA0,  Message(NetFn.APP, 0, 0x06, b"\x80\x7f")),             # Set ACPI Power State: S0/G0
    BootStep(0xAA,  None),
)
# fmt: on


class StepDone(NamedTuple):
    """A step of the script has come true."""

    number: int
    step: Step
    answer: bytes


class StepFailed(NamedTuple):
    """A step has not, and the script has ended."""

    number: int
    step: Step
    reason: str


class Asked(NamedTuple):
    """A request of `ask` was answered."""

    message: Message
    answer: bytes


class PowerChanged(NamedTuple):
    """The host went on or off."""

    on: bool


class Posted(NamedTuple):
    """The host wrote a POST code."""

    code: int


SimEvent = StepDone | StepFailed | Asked | PowerChanged | Posted


class HostSim:
    """A simulated host before one responder. `infer` as with `HostExtern`."""

    def __init__(self, responder: Responder, *, infer: bool = True, power: bool = False) -> None:
        self.power = power
        self.post_codes: deque[int] = deque(maxlen=POST_CODES)
        self.posted: Callable[[int], None] = lambda code: None
        """Called with each POST code when it is written: hardware of the BMC's may listen."""
        self.attention = False
        self.interrupt = False
        self.firmware: str | None = None
        """What answers; None: nobody."""
        self._responder = responder
        self._infer = infer
        self._last_id = 0
        self._open: dict[int, Message] = {}
        self._boot: deque[BootStep] = deque()
        self._boot_id: int | None = None
        self._script: Script | None = None
        self._number = 0
        self._repeated = 0
        self._step_id: int | None = None
        self._deadline: float | None = None
        self._orders: deque[Operation] = deque(maxlen=POST_CODES)
        self._events: deque[SimEvent] = deque()

    # -- what a user does ----------------------------------------------------------------------------

    def ask(self, message: Message, now: float) -> int:
        """Ask by hand; the answer comes as `Asked`."""
        self._last_id += 1
        self._open[self._last_id] = message
        self._responder.submit(self._last_id, message, now)
        return self._last_id

    def run(self, script: Script, now: float) -> None:
        """Begin a script; what has been ordered so far does not count."""
        self._script = script
        self._number = self._repeated = 0
        self._orders.clear()
        self._begin_step(now)

    def power_on(self, now: float) -> None:
        """Somebody presses the button."""
        if not self.power:
            self.power = True
            self._events.append(PowerChanged(True))
            self._start_boot(now)

    def power_off(self) -> None:
        """The mains, or a long press."""
        self._boot.clear()
        if self.power:
            self.power = False
            self._events.append(PowerChanged(False))

    @property
    def booting(self) -> bool:
        """Whether the boot flow is under way."""
        return bool(self._boot) or self._boot_id is not None

    def next_event(self) -> SimEvent | None:
        """What happened next, oldest first; None when nothing is left."""
        return self._events.popleft() if self._events else None

    def next_deadline(self) -> float | None:
        """When the present step of the script is late."""
        return self._deadline

    def handle_deadline(self, now: float) -> None:
        """The present step is late."""
        if self._deadline is None or now < self._deadline or self._script is None:
            return
        step = self._script.steps[self._number]
        if self._step_id is not None:
            self._responder.abandon(self._step_id, now)
            self._open.pop(self._step_id, None)
        self._fail(f"{_expected(step)}, and nothing came within {step.within:g} s")

    # -- what the firmware does ----------------------------------------------------------------------

    def receive_event(self, event: ResponderEvent, now: float) -> None:
        """The firmware says something."""
        match event:
            case Answered(id_, data):
                self._answered(id_, data, now)
            case AttentionChanged(attention):
                self.attention = attention
                self._look(now)
            case InterruptChanged(enabled):
                self.interrupt = enabled
            case HostOrdered(operation):
                self._ordered(operation, now)
            case FirmwareFound(what):
                self.firmware = what
            case FirmwareLost():
                self.firmware = None
                self.attention = False

    def _answered(self, id_: int, data: bytes, now: float) -> None:
        message = self._open.pop(id_, None)
        if message is None:
            return
        if self._infer:
            consequence = order(message, data)
            if consequence is not None:
                self.receive_event(consequence, now)
            elif switches_on(message, data):
                self.power_on(now)
        if id_ == self._boot_id:
            self._boot_id = None
            self._go_on_booting(now)
        elif id_ == self._step_id:
            self._step_id = None
            self._step_answered(data, now)
        else:
            self._events.append(Asked(message, data))

    def _ordered(self, operation: Operation, now: float) -> None:
        self._orders.append(operation)
        if operation in (Operation.POWER_OFF, Operation.GRACEFUL_SHUTDOWN):
            self.power_off()
        elif operation is Operation.RESET and self.power:
            self._start_boot(now)
        self._look(now)

    # -- the boot flow -------------------------------------------------------------------------------

    def _start_boot(self, now: float) -> None:
        self._boot = deque(BOOT)
        self._boot_id = None
        self._go_on_booting(now)

    def _go_on_booting(self, now: float) -> None:
        while self._boot and self._boot_id is None:
            step = self._boot.popleft()
            self.post_codes.append(step.post_code)
            self.posted(step.post_code)
            self._events.append(Posted(step.post_code))
            if step.message is not None:
                self._boot_id = self.ask(step.message, now)

    # -- the script ----------------------------------------------------------------------------------

    def _begin_step(self, now: float) -> None:
        script = self._script
        if script is None:
            return
        if self._number == len(script.steps):
            self._script = self._deadline = None
            return
        step = script.steps[self._number]
        self._deadline = now + step.within
        if step.message is not None:
            self._step_id = self.ask(step.message, now)
        else:
            self._look(now)

    def _step_answered(self, data: bytes, now: float) -> None:
        if self._script is None:
            return
        step = self._script.steps[self._number]
        if step.expect is not None and not step.expect.matches(data):
            self._fail(f"{_expected(step)}, and {data.hex(' ')} came")
            return
        self._step_done(step, data, now)

    def _look(self, now: float) -> None:
        """Whether a step that waits for something has come true."""
        if self._script is None or self._step_id is not None:
            return
        step = self._script.steps[self._number]
        if step.attention is not None and step.attention == self.attention:
            self._step_done(step, b"", now)
        elif step.ordered is not None and self._orders:
            operation = self._orders.popleft()
            if operation is step.ordered:
                self._step_done(step, b"", now)
            else:
                self._fail(f"{_expected(step)}, and {_in_words(operation)} was ordered")

    def _step_done(self, step: Step, data: bytes, now: float) -> None:
        self._repeated += 1
        if self._repeated == step.repeat:
            self._events.append(StepDone(self._number + 1, step, data))
            self._number += 1
            self._repeated = 0
        self._begin_step(now)

    def _fail(self, reason: str) -> None:
        assert self._script is not None
        step = self._script.steps[self._number]
        turn = f" (time {self._repeated + 1} of {step.repeat})" if step.repeat > 1 else ""
        self._events.append(StepFailed(self._number + 1, step, reason + turn))
        self._script = self._deadline = self._step_id = None


def _expected(step: Step) -> str:
    if step.message is not None:
        return f"{step.expect.text} was expected" if step.expect is not None else "an answer was expected"
    if step.attention is not None:
        return f"attention was expected to be {'up' if step.attention else 'down'}"
    return f"{_in_words(step.ordered) if step.ordered is not None else 'nothing'} was expected to be ordered"


def _in_words(operation: Operation) -> str:
    return ORDER_NAMES.get(operation, operation.name.lower())
