"""A QEMU process that is the machine: power on starts it, power off ends it.

Theory of operation
-------------------
The process is the truth: while it lives the machine is on, and its end, for whatever reason, is off. What
QEMU says through its monitor only tells the reasons apart. Reset, power button and NMI go through the
monitor; every command has a deadline, and a QEMU that misses one is hung: a reset then becomes an end by
SIGKILL and a new start, and power off goes from `quit` by way of SIGTERM to SIGKILL. So a process stopped
with SIGSTOP is reset or cut off within seconds.

A start is: process, monitor, BMC connected (`wired`), and only then are the processors let go.

A boot device for one start is QEMU's own `-boot once=`, which a reset inside the machine ends. Where that
is not what the next reset should boot from (somebody chose again, or the choice had to be made with boot
indexes), a reset starts the process anew.

SeaBIOS resets the machine once or twice more right after a reset: what comes within `SETTLING` is the same
reset.

The process is not made to die with us. Killed and restarted, baseboard takes over the running machine; a
clean stop of baseboard ends it, as Ctrl-C ends a QEMU in a terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baseboard.bmc.boot_options import BootChoice, BootDevice
from baseboard.bmc.events import PowerAction, RestartCause
from baseboard.errors import ConfigError
from baseboard.power.backend import Reports
from baseboard.power.line import QemuLine
from baseboard.power.monitor import Monitor, MonitorError
from baseboard.power.orders import Orders
from baseboard.power.process import LOG, Process, forget, last_words, recall

SETTLING = 2.0
NEEDS_CONT = frozenset({"prelaunch", "guest-panicked", "internal-error", "io-error", "shutdown", "watchdog"})
"""Run states in which a machine that was reset, or taken over, would stay stopped."""

# fmt: off
RESET_CAUSES = {
    # QMP's reason            who
    "guest-reset":            RestartCause.SOFT_RESET,
    "host-qmp-system-reset":  RestartCause.RESET_BUTTON,  # somebody else on the host: ours is known
    "host-ui":                RestartCause.RESET_BUTTON,
}
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds until QEMU counts as hung."""

    start: float = 15.0
    wired: float = 3.0
    command: float = 3.0
    quit: float = 3.0
    terminate: float = 1.0
    kill: float = 5.0


class QemuMachine:
    """Back end that owns a QEMU process. Its files are in `directory`, one machine in each.

    `wired()` says whether the BMC's wire to QEMU is connected.
    """

    def __init__(
        self,
        line: QemuLine,
        directory: Path,
        reports: Reports,
        wired: Callable[[], bool] = lambda: True,
        deadlines: Deadlines | None = None,
    ) -> None:
        self.last_error: str | None = None
        self._line = line
        self._directory = directory
        self._reports = reports
        self._wired = wired
        self._deadlines = deadlines or Deadlines()
        self._orders = Orders(self._carry_out)
        self._process: Process | None = None
        self._monitor: Monitor | None = None
        self._ending = False
        """The end of the process is our own doing, and told by whoever does it."""
        self._shutdown_reason: str | None = None
        self._hangs = False
        """It missed the deadline of its last reset."""
        self._reset_seen = asyncio.Event()
        self._ignore_resets_until = 0.0
        self._after_reset: BootChoice | None = None
        """What a reset inside the process boots from."""
        self._watchers: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return self._process.pid if self._process is not None else None

    # -- the interface of a back end -----------------------------------------------------------------

    async def start(self) -> None:
        """Take over the process that an earlier baseboard left, if there is one."""
        found = recall(self._directory, self._line.qmp)
        if found is None:
            self._reports.found(False)
            return
        process, notes = found
        self._after_reset = _choice(notes)
        self._own(process)
        try:
            await self._connect(process, self._deadlines.command)
            await self._let_go(self._deadlines.command)
        except MonitorError as error:  # one that hangs is still a machine that is on
            self.last_error = f"QEMU, process {process.pid}: {error}"
        self._reports.found(True)

    def perform(self, action: PowerAction, cause: RestartCause) -> None:
        """Order this; it is done after what was ordered before."""
        self._orders.put(action, cause)

    async def settled(self) -> None:
        """Wait until every order is done."""
        await self._orders.settled()

    async def ready(self) -> None:
        """Wait for the orders of the start.  Raises ConfigError when QEMU could not be started."""
        await self.settled()
        if self._process is None and self.last_error is not None:
            raise ConfigError(self.last_error)

    async def close(self) -> None:
        """End QEMU; the controller keeps in mind that the machine was on."""
        await self._orders.close()
        await self._end()
        await self._forget_watchers()

    async def leave(self) -> None:
        """Stop and leave QEMU running, to be taken over by the next back end."""
        await self._orders.close()
        await self._forget_watchers()
        if self._monitor is not None:
            await self._monitor.close()
        if self._process is not None:
            self._process.close()
            self._process = None

    # -- orders --------------------------------------------------------------------------------------

    async def _carry_out(self, action: PowerAction, cause: RestartCause) -> None:
        if action is PowerAction.ON:
            if self._process is None and await self._begin(cause):
                self._reports.power_changed(True, cause)
        elif self._process is not None:
            await self._ACTIONS[action](self, cause)

    async def _off(self, cause: RestartCause) -> None:
        if await self._end():
            self._reports.power_changed(False)

    async def _cycle(self, cause: RestartCause) -> None:
        if not await self._end():
            return
        self._reports.power_changed(False, cycle=True)
        await asyncio.sleep(self._reports.power_cycle_interval)
        if await self._begin(cause):
            self._reports.power_changed(True, cause, cycle=True)

    async def _reset(self, cause: RestartCause) -> None:
        choice = self._reports.next_boot(cause)
        self._hangs = False
        self._ending = True  # with -no-reboot, or when it crashes now, it is started anew
        if choice == self._after_reset and await self._reset_inside():
            self._running()
            self._reports.machine_reset(cause)
        else:
            await self._start_anew(cause)

    async def _reset_inside(self) -> bool:
        """A reset by the monitor; False: QEMU hangs, or ends instead (-no-reboot)."""
        self._reset_seen.clear()
        self._ignore_resets_until = asyncio.get_running_loop().time() + SETTLING
        process = self._process
        try:
            await self._execute("system_reset")
            async with asyncio.timeout(self._deadlines.command):
                await self._reset_seen.wait()
            await self._let_go(self._deadlines.command)
        except (MonitorError, TimeoutError):
            self._hangs = True
            return False
        return process is not None and not process.exited.done()

    async def _start_anew(self, cause: RestartCause) -> None:
        """A reset that takes a new process; to the console it is a reset all the same."""
        if not await self._end(at_once=self._hangs):
            return
        if await self._begin(cause):
            self._reports.machine_reset(cause)
        else:
            self._reports.power_changed(False, fault=True)

    async def _interrupt(self, cause: RestartCause) -> None:
        try:
            await self._execute("inject-nmi")
        except MonitorError as error:
            self._fail(f"diagnostic interrupt: {error}")
        else:
            self._reports.diagnostic_interrupted()

    async def _press_button(self, cause: RestartCause) -> None:
        try:
            await self._execute("system_powerdown")
        except MonitorError as error:
            self._fail(f"soft power off: {error}; power off or reset works without QEMU's help")

    _ACTIONS = {
        PowerAction.OFF: _off,
        PowerAction.CYCLE: _cycle,
        PowerAction.RESET: _reset,
        PowerAction.DIAGNOSTIC_INTERRUPT: _interrupt,
        PowerAction.SOFT: _press_button,
    }

    def _fail(self, reason: str) -> None:
        self.last_error = reason
        self._reports.power_failed()

    # -- the process ---------------------------------------------------------------------------------

    async def _begin(self, cause: RestartCause) -> bool:
        """Start QEMU and let it run; False: it could not be started, and `last_error` says why."""
        choice = self._reports.next_boot(cause)
        command = self._line.starting(choice)
        try:
            process = Process.spawn(command, self._directory / LOG)
        except OSError as error:
            self._fail(f"{command[0]}: {error.strerror}; check the program and its permissions")
            return False
        lasting = choice is not None and (choice.persistent or self._line.indexed)
        self._after_reset = choice if lasting else None
        process.remember(self._directory, _notes(self._after_reset))
        self._own(process)
        self._ending = True  # until it runs, its end is a failed start and nothing else
        try:
            await self._connect(process, self._deadlines.start)
            await self._wait_wired(process)
            await self._let_go(self._deadlines.start)
        except MonitorError as error:
            words = await self._failed_start(process)
            self._fail(f"{command[0]} did not start: {words or error}; see {self._directory / LOG}")
            return False
        self.last_error = None
        self._reports.boot_used(choice, cause)
        self._running()
        return True

    def _running(self) -> None:
        """From here on the end of the process is news."""
        self._ending = False
        process = self._process
        if process is not None and process.exited.done():
            self._watch_end(process)

    async def _failed_start(self, process: Process) -> str:
        await self._end()
        return last_words(self._directory)

    def _own(self, process: Process) -> None:
        self._process = process
        self._ending = False
        self._shutdown_reason = None
        self._monitor = Monitor(self._line.qmp, self._on_event)
        process.exited.add_done_callback(lambda _: self._watch_end(process))
        self._watch(self._keep_connected(process, self._monitor))

    async def _connect(self, process: Process, timeout: float) -> None:
        assert self._monitor is not None
        await self._monitor.connect(timeout, process.exited.done)

    async def _keep_connected(self, process: Process, monitor: Monitor) -> None:
        """Its events are wanted for as long as it lives."""
        while process is self._process:
            with contextlib.suppress(MonitorError):
                await monitor.connect(self._deadlines.start, process.exited.done)
                await monitor.drained(None)
            if process.exited.done():
                return
            await asyncio.sleep(self._deadlines.command)

    async def _wait_wired(self, process: Process) -> None:
        """A driver gives up at once when there is no BMC; but a BMC that never comes holds up nothing."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._deadlines.wired
        while not self._wired() and loop.time() < deadline and not process.exited.done():
            await asyncio.sleep(0.02)

    async def _let_go(self, timeout: float) -> None:
        """Let the processors run, unless the user's own -S holds them."""
        assert self._monitor is not None
        status = (await self._monitor.execute("query-status", timeout)).get("status")
        if status in NEEDS_CONT and not (status == "prelaunch" and self._line.paused_by_user):
            await self._monitor.execute("cont", timeout)

    async def _execute(self, command: str) -> Any:
        """A command to the monitor, connecting again when the connection was lost."""
        process, monitor, deadline = self._process, self._monitor, self._deadlines.command
        if process is None or monitor is None:
            raise MonitorError(f"{command}: there is no QEMU process")
        await monitor.connect(deadline, process.exited.done)
        return await monitor.execute(command, deadline)

    async def _end(self, at_once: bool = False) -> bool:
        """End the process: politely, then less so; False: it cannot be ended."""
        process, monitor = self._process, self._monitor
        if process is None or monitor is None:
            return True
        self._ending = True
        times = self._deadlines
        gone = process.exited.done()
        if not gone and not at_once and await self._quit(monitor):
            gone = await process.wait(times.quit)
        if not gone and not at_once:
            process.send(signal.SIGTERM)
            gone = await process.wait(times.terminate)
        if not gone:
            process.send(signal.SIGKILL)
            gone = await process.wait(times.kill)
        if not gone:
            self._ending = False
            self._fail(f"process {process.pid} does not end, not even by SIGKILL: its host has a problem")
            return False
        await self._clean_up(process)
        return True

    async def _quit(self, monitor: Monitor) -> bool:
        """Ask QEMU to end; False: it does not listen."""
        try:
            await monitor.execute("quit", self._deadlines.command)
        except MonitorError:
            return not monitor.connected  # it hung up before its answer had left
        return True

    async def _clean_up(self, process: Process) -> None:
        process.close()
        if self._monitor is not None:
            await self._monitor.close()
            self._monitor = None
        self._process = None
        forget(self._directory)

    # -- what happens without us ---------------------------------------------------------------------

    def _on_event(self, name: str, data: dict[str, Any]) -> None:
        if name == "RESET":
            self._on_reset(str(data.get("reason", "")))
        elif name == "SHUTDOWN":
            self._shutdown_reason = str(data.get("reason", ""))
            if not self._ending and self._process is not None:
                self._watch(self._end_of_no_shutdown(self._process))
        elif name == "GUEST_PANICKED":
            self._reports.operating_system_stopped()

    def _on_reset(self, reason: str) -> None:
        self._reset_seen.set()
        now = asyncio.get_running_loop().time()
        if now < self._ignore_resets_until:
            return
        self._ignore_resets_until = now + SETTLING
        cause = RESET_CAUSES.get(reason, RestartCause.UNKNOWN)
        if self._reports.next_boot(cause) == self._after_reset:
            self._reports.machine_reset(cause)
        else:
            self._orders.put(PowerAction.RESET, cause)

    async def _end_of_no_shutdown(self, process: Process) -> None:
        """With the user's -no-shutdown QEMU stays; a machine that is shut down is off nevertheless."""
        if not await process.wait(self._deadlines.quit) and process is self._process and not self._ending:
            self._orders.put(PowerAction.OFF, RestartCause.UNKNOWN)

    def _watch_end(self, process: Process) -> None:
        if process is self._process and not self._ending:
            self._watch(self._ended(process))

    async def _ended(self, process: Process) -> None:
        """The process ended without our doing: the guest shut down, somebody quit it, or it crashed."""
        if self._monitor is not None:
            await self._monitor.drained(self._deadlines.command)
        if process is not self._process or self._ending:
            return
        status = process.exited.result()
        fault = bool(status) or self._shutdown_reason in (None, "host-error")
        await self._clean_up(process)
        if fault:
            how = f"by signal {-status}" if status is not None and status < 0 else f"with status {status}"
            self.last_error = f"QEMU ended {how}: {last_words(self._directory) or 'it said nothing'}"
        self._reports.power_changed(False, fault=fault)

    def _watch(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    async def _forget_watchers(self) -> None:
        self._ending = True
        for task in list(self._watchers):
            task.cancel()
        if self._watchers:
            await asyncio.wait(self._watchers)


def _notes(choice: BootChoice | None) -> Any:
    """What the next baseboard must know of this process."""
    return None if choice is None else [int(choice.device), choice.persistent, choice.efi]


def _choice(notes: Any) -> BootChoice | None:
    try:
        device, persistent, efi = notes
        return BootChoice(BootDevice(device), bool(persistent), bool(efi))
    except (TypeError, ValueError):
        return None
