"""Firmware on a stock QEMU with an Aspeed chip, attached by nothing but its monitor's socket.

Theory of operation
-------------------
The machine is found out, qtest is added, and the channel is driven as soon as the firmware has it enabled.
Events of the machine decide what the firmware can be asked:

    STOP, SUSPEND     time stands still, and nothing is touched
    RESUME, WAKEUP    goes on where it was
    RESET             the registers are 0: what was under way is lost (D2h); when the firmware enables the
                      channel again, GET_STATUS/ABORT comes first
    the end           AttachError; `attach.worker` attaches anew

The firmware is not watched all the time: each look at its registers stops it for a moment. Between transfers
SMS_ATN is looked at every 10 ms, and every 250 ms whether the channel is still on. Firmware that lets us wait
is interrupted once more as often.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from baseboard.attach.added import open_qtest
from baseboard.attach.aspeed import PORTS, Bmc, ChannelState, PortKind, choose, find_bmc, read_channels
from baseboard.attach.binding import RESUMES, STOPS, Clock
from baseboard.attach.qmp import Qmp
from baseboard.host.registers import PATIENCE, RegisterResponder
from baseboard.interface.kcs import KcsDriver, on_port
from baseboard.interface.kcs.registers import SMS_ATN

LOOK = 0.01
"""Seconds between two looks at SMS_ATN."""
CHECK = 0.25
"""Seconds between two looks whether the channel is on."""
BURST = 64
"""Steps of a turn, after which events of the machine are looked at."""
EAGER = 2
"""Looks in a row at firmware that is busy, before we begin to wait between them."""
PAUSE = 0.0001
"""Seconds between looks at firmware that takes its time."""
WAITING = "the firmware has not enabled its KCS channel yet"


class AspeedKcs:
    """One channel of one machine. Raises AttachError, MonitorError and NotAttachable."""

    def __init__(
        self,
        path: Path,
        *,
        channel: int | None = None,
        kind: PortKind = PortKind.MIXED,
        patience: float = PATIENCE,
    ) -> None:
        self.clock = Clock()
        self.kind = kind
        self._wanted = channel
        self._patience = patience
        self.qmp = Qmp(path)
        try:
            self.bmc: Bmc = find_bmc(self.qmp)
            self._qtest = open_qtest(self.qmp)
        except BaseException:
            self.qmp.close()
            raise
        try:
            self._begin(kind)
        except BaseException:
            self.detach()
            raise

    def _begin(self, kind: PortKind) -> None:
        self._port = PORTS[kind](self.qmp, self._qtest, self.bmc.generation)
        driver = KcsDriver(on_port(self._port), timeout=self._patience, retries=0)
        self.responder = RegisterResponder(driver, self._attention, patience=self._patience)
        self.channel: ChannelState | None = None
        self._looks = 0
        self._next_look = self._next_check = 0.0
        if not self.qmp.member("query-status", "running", bool):
            self.clock.stop()
        self._find_channel()
        if self.channel is None:
            self.responder.lost(WAITING, self.clock.now())

    def found(self) -> dict[str, Any]:
        """What there is, for people and programs."""
        return {
            "machine": self.bmc.machine,
            "chip": self.bmc.generation.name,
            "port": str(self.kind),
            "channel": self.channel.number if self.channel is not None else None,
            "channels": [
                {
                    "channel": channel.number,
                    "enabled": channel.enabled,
                    "address": channel.address,
                    "host_interrupt": channel.host_interrupt,
                }
                for channel in self.channels
            ],
            "running": not self.clock.stopped,
        }

    def turn(self) -> bool:
        """Do what can be done now; False: there is nothing to do."""
        self._take_machine_events()
        if self.clock.stopped:
            return False
        responder = self.responder
        if not responder.there:
            self._check()
        if self._drive():
            self._looks = 0
            return True
        if responder.idle:
            self._look()
            return False
        if responder.there:
            self._check()  # who waits for an answer on a channel that is off waits in vain
        self._looks += 1
        return responder.there and self._looks < EAGER

    def wait(self, timeout: float, also: Sequence[Any] = ()) -> None:
        """Until something may have to be done, one of `also` is readable, or the time is over."""
        if self.clock.stopped:
            limit = timeout
        elif not self.responder.idle and self.responder.there:
            limit = PAUSE
        else:
            limit = LOOK
        select.select([self.qmp, *also], [], [], max(0.0, min(timeout, limit)))

    def detach(self) -> None:
        """Leave the machine as it was; may be called again."""
        self._qtest.close()
        self.qmp.close()

    # -- inside --------------------------------------------------------------------------------------

    def _attention(self) -> bool:
        return bool(self._port.read_status() & SMS_ATN)

    def _drive(self) -> bool:
        responder, clock = self.responder, self.clock
        retries = responder.counters.retries
        for steps in range(BURST):
            if not responder.step(clock.now()):
                return steps > 0
            if responder.counters.retries != retries:
                break  # of a machine that was reset we hear before the last try has failed, too
        return True

    def _look(self) -> None:
        """At what changes between transfers."""
        now = self.clock.now()
        if now < self._next_look:
            return
        self._next_look = now + LOOK
        self.responder.look()
        if self.responder.there:
            self._check()

    def _check(self) -> None:
        """Whether the firmware has its channel on."""
        now, there = self.clock.now(), self.responder.there
        if now < self._next_check:
            return
        self._next_check = now + (CHECK if there else LOOK)
        if not there:
            self._find_channel()
        elif not self._port.enabled():
            self.responder.lost("the firmware has switched its KCS channel off", now)
        elif not self.responder.idle:
            self._port.nudge()

    def _find_channel(self) -> None:
        self.channels = read_channels(self._qtest)
        chosen = choose(self.channels, self.channel.number if self.channel is not None else self._wanted)
        if chosen is not None:
            self.channel = chosen
            self._port.select(chosen.number)
            what = f"{chosen} of {self.bmc.machine} ({self.bmc.generation.name})"
            self.responder.found(what, self.clock.now())

    def _take_machine_events(self) -> None:
        while (event := self.qmp.next_event()) is not None:
            if event.name in STOPS:
                self.clock.stop()
            elif event.name in RESUMES:
                self.clock.resume()
            elif event.name == "RESET":
                self.responder.lost("the BMC was reset", self.clock.now())
                self._next_check = 0.0
