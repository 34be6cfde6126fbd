"""Get Device ID of firmware on a stock QEMU, directly and through `baseboard pair`.

    .venv/bin/python -m bench.attach [MACHINE IMAGE]

The firmware is `firmware/prebuilt/IMAGE.elf`, by default the one for ast2600-evb with interrupts. It is asked
over each interface that the machine has, those by traps as well. Both ways take turns, and of each the median
of all is shown: what `pair` adds is the difference.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from baseboard.attach.aspeed import PortKind
from baseboard.attach.binding import Binding, transact
from baseboard.attach.kcs import AspeedKcs
from baseboard.attach.trap import Trap
from baseboard.errors import BaseboardError
from baseboard.ipmi.message import Message
from baseboard.vm.link import MachineLink
from baseboard.vm.protocol import Capability, ResponseReceived

ROUNDS = 4
REQUESTS = 50
GET_DEVICE_ID = Message(0x06, 0, 0x01)
FIRMWARE = Path(__file__).parent.parent / "firmware" / "prebuilt"
DEADLINE = 10.0


class Way(NamedTuple):
    """An interface, and how it is reached."""

    name: str
    scheme: str
    """Of the address that `pair` is given."""
    options: tuple[str, ...]
    open: Callable[[Path], Binding]


ASPEED = (
    *(Way(kind, "qmp", ("--port", kind), partial(AspeedKcs, kind=kind)) for kind in PortKind),
    Way("iBT by traps", "ibt", (), partial(Trap, interface="BT")),
)
WAYS = {"npcm750-evb": (Way("KCS by traps", "qmp", (), partial(Trap, interface="KCS")),)}


def attach(monitor: Path, way: Way) -> Binding:
    """Attached, with the firmware up."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            kcs = way.open(monitor)
            break
        except BaseboardError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    while not kcs.responder.there:
        kcs.turn()
        kcs.wait(0.05)
    return kcs


def direct(monitor: Path, way: Way) -> list[float]:
    """Seconds of each request."""
    kcs = attach(monitor, way)
    times = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        assert transact(kcs, GET_DEVICE_ID, DEADLINE)[0] == 0
        times.append(time.perf_counter() - began)
    kcs.detach()
    return times


def paired(monitor: Path, way: Way, directory: Path) -> list[float]:
    """The same, asked as QEMU's ipmi-bmc-extern would."""
    path = directory / "host"
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    listener.settimeout(DEADLINE)
    pair = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "baseboard",
            "pair",
            "--host",
            f"connect:unix:{path}",
            "--bmc",
            f"{way.scheme}:{monitor}",
            *way.options,
            "--quiet",
        ],
        stdout=subprocess.DEVNULL,
    )
    machine, _ = listener.accept()
    machine.settimeout(DEADLINE)
    link = MachineLink()
    link.greet()
    link.send_capabilities(Capability(0x3F))

    def ask() -> bytes:
        link.send_request(GET_DEVICE_ID)
        machine.sendall(link.data_to_send())
        while True:
            while (event := link.next_event()) is not None:
                if isinstance(event, ResponseReceived):
                    return event.data
            link.receive_data(machine.recv(4096))

    while ask()[0]:
        pass
    times = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        assert ask()[0] == 0
        times.append(time.perf_counter() - began)
    pair.terminate()
    pair.wait(DEADLINE)
    machine.close()
    listener.close()
    return times


def main() -> None:
    """Both ways, over each interface."""
    machine, image = sys.argv[1:3] if len(sys.argv) > 2 else ("ast2600-evb", "ast2600-interrupt")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        monitor = directory / "qmp"
        qemu = subprocess.Popen(
            [
                "qemu-system-arm",
                "-machine",
                machine,
                "-kernel",
                str(FIRMWARE / f"{image}.elf"),
                "-display",
                "none",
                "-nodefaults",
                "-net",
                "none",
                "-qmp",
                f"unix:{monitor},server=on,wait=off",
            ],
            stderr=subprocess.DEVNULL,
        )
        try:
            for way in WAYS.get(machine, ASPEED):
                alone: list[float] = []
                through: list[float] = []
                attach(monitor, way).detach()
                for _ in range(ROUNDS):
                    alone += direct(monitor, way)
                    through += paired(monitor, way, directory)
                first, second = statistics.median(alone) * 1000, statistics.median(through) * 1000
                print(
                    f"{machine} {way.name}: {first:.1f} ms directly, {second:.1f} ms through pair, "
                    f"which adds {second - first:.1f} ms"
                )
        finally:
            qemu.kill()
            qemu.wait()


if __name__ == "__main__":
    main()
