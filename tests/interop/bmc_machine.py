"""A virtual machine that is a BMC: a stock QEMU with our own firmware, reached by its monitor's socket."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TypeVar

from baseboard.attach.aspeed import PortKind
from baseboard.attach.binding import transact
from baseboard.attach.errors import AttachError
from baseboard.attach.kcs import AspeedKcs
from baseboard.attach.qmp import Qmp
from baseboard.errors import BaseboardError
from baseboard.ipmi.message import Message
from tests.firmware import firmware
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

    def __str__(self) -> str:
        return self.image


BOARDS = (
    Board("ast2600-evb", "ast2600-interrupt", "00 26"),
    Board("romulus-bmc", "ast2500-polled", "00 25"),
    Board("palmetto-bmc", "ast2400-polled", "00 24"),
)
AST2600 = BOARDS[0]


class BmcMachine:
    """One at a time; may be killed and started again at the same place."""

    def __init__(self, directory: Path, board: Board = AST2600, *options: str) -> None:
        self.board = board
        self.monitor = directory / "bmc.qmp"
        self.own_monitor = directory / "own.qmp"
        self._log = directory / "bmc.log"
        self._options = options
        self._attached: list[AspeedKcs] = []
        self.process = self._start()

    def __enter__(self) -> BmcMachine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(self._log.read_text(errors="replace"))
        for kcs in self._attached:
            kcs.detach()
        self.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        program = require_program(QEMU)
        self.monitor.unlink(missing_ok=True)
        self.own_monitor.unlink(missing_ok=True)
        with open(self._log, "ab") as log:
            process = subprocess.Popen(
                [
                    program,
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
            )
        deadline = time.monotonic() + DEADLINE
        while not self.monitor.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        return process

    def attach(self, kind: PortKind = PortKind.MIXED, channel: int | None = None) -> AspeedKcs:
        """Attached, with the firmware up."""
        kcs = wait_for(lambda: AspeedKcs(self.monitor, kind=kind, channel=channel))
        self._attached.append(kcs)
        deadline = time.monotonic() + DEADLINE
        while not kcs.responder.there:
            assert time.monotonic() < deadline, "the firmware does not come up"
            kcs.turn()
            kcs.wait(0.01)
        return kcs

    def restart(self) -> None:
        """Kill it and start it anew."""
        self.kill()
        self.process = self._start()

    def reset(self) -> None:
        """Reset the machine, by a monitor of its own."""
        with wait_for(lambda: Qmp(self.own_monitor)) as qmp:
            qmp.execute("system_reset")

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


def ask(kcs: AspeedKcs, text: str) -> str:
    """Network function, command, data; what is answered."""
    data = bytes.fromhex(text)
    return transact(kcs, Message(data[0], 0, data[1], data[2:]), DEADLINE).hex(" ")


def refusal(kcs: AspeedKcs) -> str:
    """The words in which an attachment ends."""
    deadline = time.monotonic() + DEADLINE
    try:
        while time.monotonic() < deadline:
            kcs.turn()
            kcs.wait(0.01)
    except BaseboardError as error:
        return str(error)
    raise AssertionError("the machine is still there")
