"""Hardware that a stock QEMU does not have, played for firmware that runs in it: traps at its registers.

Theory of operation
-------------------
A debugger's stub is added to the machine, and a watchpoint set on the device's registers, at each virtual
address where the firmware's system has them (`arm_pages`). QEMU stops before an access to them. The access is
done here, by the register model (`arm_access`, `trap_devices`), and the machine runs on behind it. Interrupts
go in by qtest. The host's end of the device, with its driver, is in this process, too: between two accesses
of the firmware it does all that it can.

Each stop and each start is also an event of QEMU's monitor, and there are those that others cause:

    RESET          the device is as after a reset, what was under way is lost (D2h). One that comes while an
                   access is done is repeated, for we have overwritten registers of the processor by then
    STOP, RESUME   time stands still. A `stop` that comes just while an access is done has no effect: QEMU
                   has stopped the machine already
    the end        AttachError; `attach.worker` attaches anew

Where the registers are is looked up, with the machine stopped for a moment: when we attach, while the
firmware has not enabled the device, and when it has been asked and does not come.

Of two processors that reach the device at the same moment one escapes: firmware has to use one (Linux:
`taskset 1`). When we are killed a watchpoint is left, which stops the machine at its next access; attaching
again takes it away.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from baseboard.attach.added import close_stub, open_qtest, open_stub
from baseboard.attach.binding import RESUMES, STOPS, Clock
from baseboard.attach.errors import AttachError
from baseboard.attach.gdb import GdbTimeout
from baseboard.attach.qmp import Qmp
from baseboard.attach.trap_chips import find_trapped
from baseboard.attach.trap_processor import TrappedProcessors
from baseboard.host.registers import PATIENCE, RegisterResponder
from baseboard.power.qmp import MonitorError

LOOK = 0.05
"""Seconds between two looks for firmware that has not enabled the device."""
UNTOUCHED = 0.25
"""Seconds after which firmware that has been asked, and does not come, is looked for."""
BURST = 64
"""Accesses and steps of a turn."""
LINGER = 0.001
"""Seconds in which the next access of a transfer is likely to come."""

RUNNING, NOT_STARTED = "running", "prelaunch"
STOPPED_BY_US = "debug"
"""At an access; also at the first one after somebody who was attached has been killed."""


class Trap:
    """One device of one machine. Raises AttachError, MonitorError and NotAttachable."""

    def __init__(
        self, path: Path, interface: str, *, channel: int | None = None, patience: float = PATIENCE
    ) -> None:
        self.clock = Clock()
        self.qmp = Qmp(path)
        self._closers: list[Callable[[], None]] = [self.qmp.close]
        """What `detach` calls, the last one first."""
        try:
            self._machine, self._chip = find_trapped(self.qmp, interface)
            self.device = device = self._chip.device()
            device.select(channel)
            self.responder = RegisterResponder(device.driver(patience), device.attention, patience=patience)
            self._qtest = open_qtest(self.qmp)
            self._closers.append(self._qtest.close)
            self._begin()
        except BaseException:
            self.detach()
            raise

    def _begin(self) -> None:
        device = self.device
        status = self.qmp.member("query-status", "status", str)
        self._runs = False
        """As the latest STOP or RESUME says."""
        self._resumed = False
        """A RESUME has come since others have stopped the machine."""
        self._reset: bool | None = None
        """A RESET that nothing was done about yet: whether it found the machine stopped."""
        self._fresh = False
        """Nothing was accessed since a RESET."""
        self._line: bool | None = None
        """As QEMU was told."""
        self._touched = self._looked = time.monotonic()
        self.responder.lost(f"the firmware has not enabled its {device.interface} interface yet", 0.0)
        self._closers.append(lambda: close_stub(self.qmp))
        self._gdb = open_stub(self.qmp)
        self._closers.append(self._let_go)
        memory = self._chip.memory
        end = memory + self.qmp.member("query-memory-size-summary", "base-memory", int)

        def read_memory(address: int, size: int) -> bytes | None:
            return self._qtest.b64read(address, size) if memory <= address <= end - size else None

        self._processors = TrappedProcessors(self._gdb, device, read_memory)
        self._processors.look()
        trace = device.trace(self._qtest)
        if trace or (trace is None and status != NOT_STARTED):
            device.adopt(self._qtest)
        if status in (RUNNING, STOPPED_BY_US):
            self._gdb.resume()
        else:
            self._stopped_by_others()
        self._supervise()
        self._tell_line()

    def found(self) -> dict[str, Any]:
        """What there is, for people and programs."""
        return {
            "machine": self._machine,
            "chip": self._chip.name,
            "port": "trapped",
            "interface": self.device.interface,
            **self.device.found(),
            "running": not self.clock.stopped,
        }

    def turn(self) -> bool:
        """Do what can be done now; False: there is nothing to do."""
        self._take_machine_events()
        if self._reset is not None and not (self._reset and self._gdb.running):
            self._was_reset()  # otherwise after the stop that was before it, and is still to be served
        if self.clock.stopped:
            if not self._resumed:
                return False
            self.clock.resume()
            self._take_over()
        steps = 0
        while steps < BURST and not self.clock.stopped:
            moved = self._serve_stop(0.0 if self.responder.idle else LINGER)
            moved |= self.responder.step(self.clock.now())
            self._tell_line()
            if not moved:
                break
            steps += 1
            if self.responder.says:
                break  # an answer is not to wait for what the firmware does behind it
        if self.responder.idle:
            self.responder.look()
        if not self.clock.stopped:
            self._supervise()
        return steps > 0

    def wait(self, timeout: float, also: Sequence[Any] = ()) -> None:
        """Until something may have to be done, one of `also` is readable, or the time is over."""
        if self.clock.stopped:
            limit = timeout
        elif not self.responder.there:
            limit = LOOK
        elif not self.responder.idle:
            deadline = self.responder.next_deadline()
            limit = UNTOUCHED if deadline is None else min(UNTOUCHED, deadline - self.clock.now())
        else:
            limit = timeout
        select.select([self._gdb, self.qmp, *also], [], [], max(0.0, min(timeout, limit)))

    def post(self, code: int) -> None:
        """The host writes a POST code."""
        self.device.post(code)

    def detach(self) -> None:
        """Leave the machine as it was, running or not; may be called again."""
        while self._closers:
            self._closers.pop()()

    # -- inside --------------------------------------------------------------------------------------

    def _let_go(self) -> None:
        try:
            if self._gdb.running:
                self._halt()
            self.device.leave(self._qtest)
            self.device.reset()
            self._tell_line()
        except AttachError:
            pass  # the machine is gone
        self._gdb.detach(running=not self.clock.stopped)
        try:
            if self.clock.stopped and self.qmp.member("query-status", "status", str) == STOPPED_BY_US:
                self.qmp.execute("cont")  # a step of `settle` has taken the place of the others' stop
                self.qmp.execute("stop")
        except (AttachError, MonitorError):
            pass

    def _take_machine_events(self) -> None:
        while (event := self.qmp.next_event()) is not None:
            if event.name in STOPS:
                self._runs = False
            elif event.name in RESUMES:
                self._runs = self._resumed = True
            elif event.name == "RESET":
                self._reset = not self._runs

    def _serve_stop(self, timeout: float) -> bool:
        if not self._gdb.readable(timeout):
            return False
        try:
            stop = self._gdb.wait(0.0)
        except GdbTimeout:
            return False
        if stop.watch is not None:
            self._serve_access()
            self._tell_line()
            self._gdb.resume()
            return True
        if self.qmp.member("query-status", "status", str) in (RUNNING, STOPPED_BY_US):
            self._take_over()  # it was somebody else's, and is over
        else:
            self._processors.settle()
            self._stopped_by_others()
        return True

    def _take_over(self) -> None:
        """Others have let it run. Until we do, QEMU 11.1 stops at accesses and does not say so."""
        self._gdb.halt()
        self._processors.settle()
        self._gdb.resume()

    def _stopped_by_others(self) -> None:
        self.clock.stop()
        self.qmp.execute("query-status")  # its answer is behind the events of this stop
        self._take_machine_events()
        self._resumed = self._runs

    def _serve_access(self) -> None:
        self._take_machine_events()
        if (reset := self._reset) is not None:
            self._was_reset()
            if reset:  # the processor is at its first instruction again
                return
        try:
            self._processors.access()
        except AttachError:
            self._take_machine_events()
            if self._reset is None and not self._fresh:
                raise  # otherwise it stopped at an access, and stands at its first instruction now
        else:
            self._take_machine_events()
            self._fresh = False
        self._touched = time.monotonic()
        if self._reset is not None:
            self.qmp.execute("system_reset")

    def _was_reset(self) -> None:
        self._reset = None
        self._fresh = True
        self.responder.lost("the BMC was reset", self.clock.now())
        self.device.reset()
        self._tell_line()
        self._look()

    def _look(self) -> bool:
        """Whether the device is where it was not before."""
        runs = self._gdb.running
        if runs:
            self._halt()
        moved = self._processors.look()
        self._looked = time.monotonic()
        if runs:
            self._gdb.resume()
        return moved

    def _halt(self) -> None:
        """Stop the machine, with no access about to happen."""
        if self._gdb.interrupt().watch is not None:
            self._serve_access()
        self._processors.settle()

    def _supervise(self) -> None:
        """Whether the firmware has the device enabled, and reaches it where we are."""
        device, responder, now = self.device, self.responder, time.monotonic()
        if device.chosen is None:
            if responder.there:
                what = f"the firmware has switched its {device.interface} interface off"
                responder.lost(what, self.clock.now())
            elif now >= self._looked + LOOK:
                self._find()
        elif not responder.idle and now >= max(self._touched, self._looked) + UNTOUCHED:
            self._look()
        if not responder.there and (chosen := device.chosen) is not None:
            responder.found(f"{chosen} of {self._machine} ({self._chip.name})", self.clock.now())

    def _find(self) -> None:
        self._looked = time.monotonic()
        trace = self.device.trace(self._qtest)
        if trace is False:
            return
        if self._look() or trace:
            self.device.adopt(self._qtest)

    def _tell_line(self) -> None:
        level = self.device.line
        if level != self._line:
            self._line = level
            self._qtest.set_irq_in(self._chip.controller, "unnamed-gpio-in", self._chip.line, int(level))
