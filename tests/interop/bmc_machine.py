"""A virtual machine that is a BMC: a stock QEMU with our own firmware, reached by its monitor's socket."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TypeVar

from baseboard.attach.aspeed import PortKind
from baseboard.attach.binding import Binding, transact
from baseboard.attach.errors import AttachError
from baseboard.attach.kcs import AspeedKcs
from baseboard.attach.qmp import Qmp
from baseboard.attach.trap import Trap
from baseboard.errors import BaseboardError
from baseboard.host.registers import PATIENCE
from baseboard.ipmi.message import Message
from tests.firmware import firmware
from tests.interop.newer import Program, newer_qemu
from tests.programs import require_program

QEMU = "qemu-system-arm"
DEADLINE = 20.0
T = TypeVar("T")
GET_DEVICE_ID = Message(0x06, 0, 0x01)


class Board(NamedTuple):
    """A machine of QEMU's, and the image that it runs."""

    machine: str
    image: str
    product: str
    """As Get Device ID has it."""
    newer: bool = False
    """In QEMU 11.1, whose debugger's stub is another."""

    def __str__(self) -> str:
        return f"{self.image}, QEMU 11.1" if self.newer else self.image


BOARDS = (
    Board("ast2600-evb", "ast2600-interrupt", "00 26"),
    Board("romulus-bmc", "ast2500-interrupt", "00 25"),
    Board("palmetto-bmc", "ast2400-interrupt", "00 24"),
)
AST2600 = BOARDS[0]
TRAPPED = (
    (Board("npcm750-evb", "npcm750-interrupt", "50 07"), "KCS"),
    (Board("npcm750-evb", "npcm750-polled", "50 07"), "KCS"),
    (Board("npcm750-evb", "npcm750-mapped", "50 07"), "KCS"),
    (Board("ast2600-evb", "ast2600-interrupt", "00 26"), "BT"),
    (Board("ast2600-evb", "ast2600-mapped", "00 26"), "BT"),
    (Board("npcm750-evb", "npcm750-mapped", "50 07", newer=True), "KCS"),
    (Board("ast2600-evb", "ast2600-mapped", "00 26", newer=True), "BT"),
)
"""Boards, and the interface that QEMU does not have."""


class BmcMachine:
    """One at a time; may be killed and started again at the same place."""

    def __init__(self, directory: Path, board: Board = AST2600, *options: str) -> None:
        self.board = board
        self.monitor = directory / "bmc.qmp"
        self.own_monitor = directory / "own.qmp"
        self._log = directory / "bmc.log"
        self._options = options
        self._attached: list[Binding] = []
        self.process = self._start()

    def __enter__(self) -> BmcMachine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(self._log.read_text(errors="replace"))
        for binding in self._attached:
            binding.detach()
        self.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        qemu = newer_qemu("arm") if self.board.newer else Program((require_program(QEMU),))
        self.monitor.unlink(missing_ok=True)
        self.own_monitor.unlink(missing_ok=True)
        with open(self._log, "ab") as log:
            process = subprocess.Popen(
                [
                    *qemu.command,
                    "-machine",
                    self.board.machine,
                    "-kernel",
                    str(firmware(self.board.image)),
                    "-display",
                    "none",
                    "-nodefaults",
                    "-net",
                    "none",
                    "-qmp",
                    f"unix:{self.monitor},server=on,wait=off",
                    "-qmp",
                    f"unix:{self.own_monitor},server=on,wait=off",
                    *self._options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **qemu.environment},
            )
        deadline = time.monotonic() + DEADLINE
        while not self.monitor.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        return process

    def attach(self, kind: PortKind = PortKind.MIXED, channel: int | None = None) -> AspeedKcs:
        """Attached, with the firmware up."""
        kcs = wait_for(lambda: AspeedKcs(self.monitor, kind=kind, channel=channel))
        self._wait(kcs)
        return kcs

    def trap(self, interface: str, channel: int | None = None, patience: float = PATIENCE) -> Trap:
        """The same, by traps."""
        trap = wait_for(lambda: Trap(self.monitor, interface, channel=channel, patience=patience))
        self._wait(trap)
        return trap

    def _wait(self, binding: Binding) -> None:
        self._attached.append(binding)
        deadline = time.monotonic() + DEADLINE
        while not binding.responder.there:
            assert time.monotonic() < deadline, "the firmware does not come up"
            binding.turn()
            binding.wait(0.01)

    def restart(self) -> None:
        """Kill it and start it anew."""
        self.kill()
        self.process = self._start()

    def reset(self) -> None:
        """Reset the machine, by a monitor of its own."""
        with wait_for(lambda: Qmp(self.own_monitor)) as qmp:
            qmp.execute("system_reset")

    def pause(self, seconds: float) -> None:
        """Stop it for this long, as somebody at its monitor may."""
        with wait_for(lambda: Qmp(self.own_monitor)) as qmp:
            deadline = time.monotonic() + DEADLINE
            while qmp.execute("query-status")["status"] != "paused":  # one during a trap has no effect
                assert time.monotonic() < deadline
                qmp.execute("stop")
            time.sleep(seconds)
            qmp.execute("cont")

    def kill(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(DEADLINE)


def wait_for(attach: Callable[[], T]) -> T:
    """What can be attached to, a moment after its process was started."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            return attach()
        except AttachError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def ask(binding: Binding, text: str) -> str:
    """Network function, command, data; what is answered."""
    data = bytes.fromhex(text)
    return transact(binding, Message(data[0], 0, data[1], data[2:]), DEADLINE).hex(" ")


def pump(binding: Binding, *until: type) -> list[object]:
    """Turns until events of these types have come, in this order; all events."""
    deadline = time.monotonic() + DEADLINE
    events: list[object] = []
    while not contains_in_order(events, until):
        assert time.monotonic() < deadline, f"{until} wanted, only {events} came"
        binding.turn()
        while (event := binding.responder.next_event()) is not None:
            events.append(event)
        binding.wait(0.05)
    return events


def contains_in_order(events: list[object], types: tuple[type, ...]) -> bool:
    """Whether the events of these types are among the others in this order."""
    rest = iter(events)
    return all(any(isinstance(event, kind) for event in rest) for kind in types)


def refusal(binding: Binding) -> str:
    """The words in which an attachment ends."""
    deadline = time.monotonic() + DEADLINE
    try:
        while time.monotonic() < deadline:
            binding.turn()
            binding.wait(0.01)
    except BaseboardError as error:
        return str(error)
    raise AssertionError("the machine is still there")
