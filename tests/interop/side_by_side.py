"""QEMU's IPMI registers and ours side by side: the same accesses, and all that is seen is compared."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from baseboard.interface import HandlerSeam, RequestReceived
from baseboard.interface.bus.isa import IsaBus
from baseboard.ipmi.message import Context, Message
from baseboard.vm import Capability, ControllerLink
from baseboard.vm import RequestReceived as WireRequest
from tests.interop.newer import Program
from tests.interop.qtest import DEADLINE, IRQ, QEMU, Machine
from tests.programs import require_program

Access = tuple[Any, ...]
"""("r", offset, width), ("w", offset, value, width), and with an external controller ("respond", bytes),
("attention", attention, interrupt), ("enable", enabled)."""

SIMULATOR = "ipmi-bmc-sim,id=bmc0"
EXTERNAL = "ipmi-bmc-extern,id=bmc0,chardev=ipmi0"
KCS_BASE, BT_BASE, PCI_BASE = 0xCA2, 0xE4, 0xC000


class Simulator:
    """What QEMU's simulated controller answers to a few requests, checks in its order."""

    DEVICE_ID = bytes.fromhex("00 20 00 00 00 02 07 00 00 00 00 00")
    PUSHED = {(0x00, 0x00): bytes.fromhex("00 20 20 20 20"), (0x00, 0x01): bytes.fromhex("00 61 00 00 00")}

    def __init__(self) -> None:
        self.enables = 0x08
        self.seam: HandlerSeam | None = None

    def handle(self, message: Message, context: Context) -> bytes:
        netfn, lun, command, data = message
        if lun:
            return b"\xc2"
        if (netfn, command) in self.PUSHED:
            return self.PUSHED[netfn, command]
        if netfn != 6:
            return b"\xc1"
        if command == 0x01:
            return self.DEVICE_ID
        if command == 0x2E:
            if not data:
                return b"\xc7"
            self.enables = data[0]
            assert self.seam is not None
            self.seam.set_interrupt(bool(data[0] & 1))
            return b"\x00"
        if command == 0x2F:
            return bytes((0, self.enables))
        assert command in (0x00, 0x04, 0x10, 0x18, 0x3E, 0x3F, 0x36) or command > 0x5F, message
        return b"\xc1"


class Qemu:
    """A QEMU that stands still, from a test that is not asynchronous."""

    WIDTHS = {1: "b", 2: "w", 4: "l"}

    def __init__(
        self,
        directory: Path,
        interface: str,
        controller: str,
        base: int,
        machine: str = "pc",
        program: Program | None = None,
    ) -> None:
        self.refuses_misaligned = program is not None
        """QEMU 11.1 lets no misaligned wide access through to any device."""
        self._program = program or Program((require_program(QEMU),))
        self.base = base
        self.kind = interface.split(",")[0]
        self._runner = asyncio.Runner()
        self._wire: socket.socket | None = None
        self.machine = self._runner.run(self._start(directory, interface, controller, machine))
        if interface.startswith("pci"):
            self._set_up_pci()

    async def _start(self, directory: Path, interface: str, controller: str, machine_type: str) -> Machine:
        path = directory / "qtest"
        path.unlink(missing_ok=True)
        arguments = ["-device", controller]
        if "extern" in controller:
            wire = directory / "wire"
            arguments = ["-chardev", f"socket,id=ipmi0,path={wire},server=on,wait=off", *arguments]
        # fmt: off
        process = await asyncio.create_subprocess_exec(
            *self._program.command, "-machine", machine_type, "-accel", "tcg", "-S", "-m", "16",
            "-display", "none", "-nodefaults", "-qtest-log", "none",
            "-qtest", f"unix:{path},server=on,wait=off",
            *arguments, "-device", f"{interface},bmc=bmc0",
            env={**os.environ, **self._program.environment},
        )
        # fmt: on
        machine = await Machine.connected(process, path)
        if "extern" in controller:
            self._wire = socket.socket(socket.AF_UNIX)
            self._wire.connect(str(wire))
            self._wire.settimeout(DEADLINE)
        return machine

    def _set_up_pci(self) -> None:
        self.write_configuration(0x10, self.base, 4)
        self.write_configuration(0x04, 1, 2)
        self.write_configuration(0x60, IRQ * 0x01010101, 4, slot=1)  # PIIX3: all four PCI interrupts

    def read_configuration(self, offset: int, width: int) -> int:
        """Of the interface's PCI function, which is in slot 5."""
        self.command(f"outl 0xcf8 {0x80000000 | 5 << 11 | offset & ~3:#x}")
        return self.command(f"in{self.WIDTHS[width]} {0xCFC + offset % 4:#x}")

    def write_configuration(self, offset: int, value: int, width: int, *, slot: int = 5) -> None:
        self.command(f"outl 0xcf8 {0x80000000 | slot << 11 | offset & ~3:#x}")
        self.command(f"out{self.WIDTHS[width]} {0xCFC + offset % 4:#x} {value:#x}")

    def command(self, text: str) -> int:
        return self._runner.run(self.machine.command(text))

    @property
    def irq(self) -> bool:
        return self.machine.irq_level

    def read(self, offset: int, width: int) -> int:
        return self.command(f"in{self.WIDTHS[width]} {self.base + offset:#x}")

    def write(self, offset: int, value: int, width: int) -> None:
        self.command(f"out{self.WIDTHS[width]} {self.base + offset:#x} {value:#x}")

    def send_wire(self, data: bytes) -> None:
        """QEMU takes one byte in a turn of its loop, and each command is at least one turn."""
        assert self._wire is not None
        self._wire.sendall(data)
        for _ in range(len(data) + 4):
            self.command("inb 0x80")

    def receive_wire(self) -> bytes:
        assert self._wire is not None
        return self._wire.recv(4096)

    def receive_wire_at_once(self) -> bytes:
        """What is there: QEMU has written it before it answered the access."""
        assert self._wire is not None
        self._wire.setblocking(False)
        try:
            return self._wire.recv(4096)
        except BlockingIOError:
            return b""
        finally:
            self._wire.settimeout(DEADLINE)

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._runner.run(self.machine.kill())
        self._runner.close()


class Registers(Protocol):
    """Ours, as far as they are compared."""

    @property
    def irq(self) -> bool: ...

    def read(self, offset: int, width: int) -> int: ...

    def write(self, offset: int, value: int, width: int) -> None: ...


class Ours:
    """One of our devices on our bus."""

    def __init__(self, device: Any, base: int) -> None:
        self.device = device
        self.base = base
        self.bus = IsaBus()
        self.bus.attach(device, base=base, irq=IRQ)

    @property
    def irq(self) -> bool:
        return self.bus.lines[IRQ].level

    def read(self, offset: int, width: int) -> int:
        return self.bus.read(self.base + offset, width)

    def write(self, offset: int, value: int, width: int) -> None:
        self.bus.write(self.base + offset, value, width)


class External:
    """An external controller, played by the test, behind both."""

    def __init__(self, qemu: Qemu, ours: Ours) -> None:
        self.qemu = qemu
        self.engine = ours.device.engine
        self.link = ControllerLink()
        while self.link.capabilities == Capability.NONE:
            self.link.receive_data(qemu.receive_wire())
        self.asked: list[WireRequest] = []
        self.messages: list[tuple[object, object]] = []
        """What did not come to both."""

    def after_access(self) -> None:
        """Take the requests of both."""
        while (event := self.engine.next_event()) is not None:
            if isinstance(event, RequestReceived):
                while not isinstance(theirs := self.link.next_event(), WireRequest):
                    if theirs is None:
                        self.link.receive_data(self.qemu.receive_wire())
                self.asked.append(theirs)
                if tuple(event) != tuple(theirs):
                    self.messages.append((theirs, event))

    def do(self, kind: str, *rest: Any) -> None:
        if kind == "respond":
            if self.asked:
                request = self.asked.pop(0)
                self.link.send_response(request, rest[0])
                self.engine.respond(request.id, rest[0])
        elif kind == "attention":
            self.link.set_attention(*rest)
            self.engine.set_attention(*rest)
        elif kind == "enable":
            self.link.set_interrupt(not rest[0])
            self.link.data_to_send()
            self.link.set_interrupt(rest[0])
            self.engine.set_interrupt(rest[0])
        self.qemu.send_wire(self.link.data_to_send())


def differences(
    accesses: Iterable[Access], qemu: Qemu, ours: Registers, external: External | None = None
) -> Iterator[str]:
    """What is not the same, access by access."""
    for number, access in enumerate(accesses):
        kind, *rest = access
        theirs: object = None
        mine: object = None
        if kind == "r":
            theirs, mine = qemu.read(*rest), ours.read(*rest)
        elif kind == "w":
            qemu.write(*rest)
            ours.write(*rest)
        else:
            assert external is not None
            external.do(*access)
        if external is not None:
            external.after_access()
            yield from map(str, external.messages)
        theirs, mine = (theirs, qemu.irq), (mine, ours.irq)
        if theirs != mine:
            yield f"access {number} {access}: QEMU {theirs}, ours {mine}"
