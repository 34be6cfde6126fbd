"""Our registers beside QEMU's, access by access.

Both get the same accesses, and each read, the interrupt level after each access, and each message to the
controller must be the same: with all quirks on, for any sequence; without quirks, for what the
specification has drivers do, and each quirk for the sequence that shows it.

The simulated controller of QEMU answers some constant requests here; the external one is played by the
test, over the VM wire.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from baseboard.interface import HandlerSeam, RequestReceived
from baseboard.interface.bt import Bt
from baseboard.interface.bt import Quirk as BtQuirk
from baseboard.interface.bus.isa import IsaBus
from baseboard.interface.kcs import Kcs
from baseboard.interface.kcs import Quirk as KcsQuirk
from baseboard.ipmi.message import Context, Message
from baseboard.vm import Capability, ControllerLink
from baseboard.vm import RequestReceived as WireRequest
from tests.interop.qtest import DEADLINE, IRQ, QEMU, Machine
from tests.programs import require_program

Access = tuple[Any, ...]
"""("r", offset, width), ("w", offset, value, width), and with an external controller ("respond", bytes),
("attention", attention, interrupt), ("enable", enabled)."""

SIMULATOR = "ipmi-bmc-sim,id=bmc0"
SLOWEST = settings(
    deadline=None,
    derandomize=True,
    max_examples=150,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


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

    def __init__(self, directory: Path, interface: str, controller: str, base: int) -> None:
        self.base = base
        self._runner = asyncio.Runner()
        self._wire: socket.socket | None = None
        self.machine = self._runner.run(self._start(directory, interface, controller))
        if interface.startswith("pci"):
            self._set_up_pci()

    async def _start(self, directory: Path, interface: str, controller: str) -> Machine:
        path = directory / "qtest"
        path.unlink(missing_ok=True)
        arguments = ["-device", controller]
        if "extern" in controller:
            wire = directory / "wire"
            arguments = ["-chardev", f"socket,id=ipmi0,path={wire},server=on,wait=off", *arguments]
        # fmt: off
        process = await asyncio.create_subprocess_exec(
            require_program(QEMU), "-machine", "pc", "-accel", "tcg", "-S", "-m", "16",
            "-display", "none", "-nodefaults", "-qtest-log", "none",
            "-qtest", f"unix:{path},server=on,wait=off",
            *arguments, "-device", f"{interface},bmc=bmc0",
        )
        # fmt: on
        async with asyncio.timeout(DEADLINE):
            while True:
                try:
                    reader, writer = await asyncio.open_unix_connection(path)
                    break
                except OSError:
                    if process.returncode is not None:
                        raise
                    await asyncio.sleep(0.02)
        machine = Machine(process, reader, writer)
        await machine.command("irq_intercept_in ioapic")
        if "extern" in controller:
            self._wire = socket.socket(socket.AF_UNIX)
            self._wire.connect(str(wire))
            self._wire.settimeout(DEADLINE)
        return machine

    def _set_up_pci(self) -> None:
        def configure(slot: int, register: int, value: int) -> None:
            self.command(f"outl 0xcf8 {0x80000000 | slot << 11 | register:#x}")
            self.command(f"outl 0xcfc {value:#x}")

        configure(5, 0x10, self.base)
        configure(5, 0x04, 1)
        configure(1, 0x60, IRQ * 0x01010101)  # PIIX3: all four PCI interrupts

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

    def wire_is_silent(self) -> bool:
        assert self._wire is not None
        self._wire.setblocking(False)
        try:
            return not self._wire.recv(1)
        except BlockingIOError:
            return True
        finally:
            self._wire.settimeout(DEADLINE)

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._runner.run(self.machine.kill())
        self._runner.close()


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
                theirs = None
                while theirs is None:
                    theirs = self.link.next_event()
                    if theirs is None:
                        self.link.receive_data(self.qemu.receive_wire())
                    elif not isinstance(theirs, WireRequest):
                        theirs = None
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
    accesses: Iterable[Access], qemu: Qemu, ours: Ours, external: External | None = None
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


# KCS

KCS_BASE = 0xCA2
_BYTES = (0x00, 0x01, 0x18, 0x19, 0x2E, 0x2F, 0x60, 0x61, 0x62, 0x68, 0x04)


def kcs_transfer(request: bytes, answer_length: int) -> list[Access]:
    """Accesses of a whole transfer, as the flow chart has them."""
    accesses: list[Access] = [("w", 1, 0x61, 1), ("r", 1, 1), ("r", 0, 1)]
    for byte in request[:-1]:
        accesses += [("w", 0, byte, 1), ("r", 1, 1), ("r", 0, 1)]
    accesses += [("w", 1, 0x62, 1), ("r", 1, 1), ("r", 0, 1), ("w", 0, request[-1], 1)]
    for _ in range(answer_length):
        accesses += [("r", 1, 1), ("r", 0, 1), ("w", 0, 0x68, 1)]
    return [*accesses, ("r", 1, 1), ("r", 0, 1), ("r", 1, 1)]


_RECOVER: list[Access] = [("r", 0, 1), ("w", 1, 0x60, 1), ("r", 0, 1), ("w", 0, 0, 1)]
_RECOVER += [("r", 1, 1), ("r", 0, 1), ("w", 0, 0x68, 1), ("r", 1, 1), ("r", 0, 1), ("r", 1, 1)]
KCS_TO_IDLE = _RECOVER * 2 + kcs_transfer(bytes.fromhex("18 2e 08"), 3)

# fmt: off
KCS_PIECES = st.one_of(
    st.tuples(st.just("r"), st.integers(0, 1), st.just(1)).map(lambda access: [access]),
    st.tuples(st.just("w"), st.integers(0, 1), st.sampled_from(_BYTES), st.just(1)).map(lambda one: [one]),
    st.sampled_from([
        [("r", 0, 2)], [("w", 0, 0x6118, 2)], [("w", 0, 0x6218, 2)],
        [("w", 0, 0x68, 1), ("r", 0, 1)] * 4,
        kcs_transfer(bytes.fromhex("18 01"), 15),
        kcs_transfer(bytes.fromhex("18 2e 01"), 3),
        kcs_transfer(bytes.fromhex("18 2e 00"), 3),
        kcs_transfer(bytes.fromhex("18 01"), 15)[:10],
        kcs_transfer(bytes.fromhex("18 01"), 15)[:20],
        [("w", 1, 0x61, 1)] + [("w", 0, 0x18, 1)] * 301 + [("w", 1, 0x62, 1), ("w", 0, 0, 1)],
        _RECOVER,
    ]),
)
# fmt: on


@pytest.fixture(scope="module")
def kcs_qemu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qemu]:
    qemu = Qemu(tmp_path_factory.mktemp("kcs"), "isa-ipmi-kcs", SIMULATOR, KCS_BASE)
    list(differences(KCS_TO_IDLE, qemu, our_kcs()))
    yield qemu
    qemu.close()


def our_kcs(quirks: KcsQuirk = KcsQuirk.QEMU, base: int = KCS_BASE) -> Ours:
    kcs = Kcs(quirks=quirks)
    simulator = Simulator()
    simulator.seam = HandlerSeam(kcs.engine, simulator.handle)
    return Ours(kcs, base)


@SLOWEST
@given(st.lists(KCS_PIECES, max_size=25))
def test_kcs_any_accesses(kcs_qemu: Qemu, pieces: list[list[Access]]) -> None:
    """With all quirks: equal to the last bit, whatever is done."""
    ours = our_kcs()
    list(differences(KCS_TO_IDLE, kcs_qemu, ours))
    list(differences(KCS_TO_IDLE, kcs_qemu, ours))
    accesses = [access for piece in pieces for access in piece]
    assert not list(differences(accesses, kcs_qemu, ours))


def w(*bytes_: tuple[int, int]) -> list[Access]:
    """Writes of (offset, byte), each followed by a read of status and of data."""
    return [
        access for offset, byte in bytes_ for access in (("w", offset, byte, 1), ("r", 1, 1), ("r", 0, 1))
    ]


# fmt: off
KCS_QUIRKS: list[tuple[KcsQuirk, list[Access]]] = [
    (KcsQuirk.NO_COMMAND_BIT,        w((1, 0x61))),
    (KcsQuirk.IDLE_DATA_IGNORED,     w((0, 0x00))),
    (KcsQuirk.WRITE_START_WHEN_IDLE, w((1, 0x61), (1, 0x61))),
    (KcsQuirk.ABORT_TO_ERROR,        w((1, 0x61), (1, 0x60))),
    (KcsQuirk.WRITE_END_TWICE,       w((1, 0x61), (0, 0x18), (0, 0x01), (1, 0x62), (1, 0x62))),
    (KcsQuirk.SILENT_ERRORS,         w((1, 0x62))),
    (KcsQuirk.STALE_DUMMY,           w((1, 0x61), (1, 0x60), (0, 0x00), (0, 0x68))),
    (KcsQuirk.LAST_READ_ANYTHING,    w((1, 0x61), (1, 0x60), (0, 0x00), (0, 0x67))),
    (KcsQuirk.LENGTH_BY_CODE,        w((1, 0x61), (1, 0x62), (0, 0x18))),
    (KcsQuirk.LATCHED_INTERRUPTS,    [("w", 1, 0x61, 1), ("w", 0, 0x18, 1), ("w", 0, 0x2E, 1),
                                      ("w", 1, 0x62, 1), ("w", 0, 0x01, 1)]),
]
# fmt: on


@pytest.mark.parametrize(("quirk", "accesses"), KCS_QUIRKS, ids=lambda value: getattr(value, "name", ""))
def test_kcs_quirk(kcs_qemu: Qemu, quirk: KcsQuirk, accesses: list[Access]) -> None:
    """QEMU has it: with it we are equal, without it we are not."""
    for quirks, equal in ((KcsQuirk.QEMU, True), (KcsQuirk.QEMU & ~quirk, False)):
        normal, ours = our_kcs(), our_kcs(quirks)
        for _ in range(2):
            list(differences(KCS_TO_IDLE, kcs_qemu, normal))
        if ours.device.quirks & KcsQuirk.FIRST_WRITE_REFUSED:
            ours.device.engine.restore(normal.device.engine.export())
            ours.device.latch.restore(normal.device.latch.export())
        assert equal is (not list(differences(accesses, kcs_qemu, ours))), (quirks, equal)


FIRST_ACCESSES: list[list[Access]] = [
    [("r", 1, 1), *w((0, 0x00), (0, 0x00))],
    [("r", 0, 1), *w((0, 0x68), (1, 0x61))],
    [("r", 0, 2), *w((1, 0x62), (0, 0x68), (0, 0x68), (0, 0x68))],
    [*w((1, 0x60), (0, 0x00))],
    [*kcs_transfer(b"\x18\x01", 15)],
]


@pytest.mark.parametrize("accesses", FIRST_ACCESSES, ids=range(len(FIRST_ACCESSES)))
def test_kcs_from_power_on(tmp_path: Path, accesses: list[Access]) -> None:
    qemu = Qemu(tmp_path, "isa-ipmi-kcs", SIMULATOR, KCS_BASE)
    try:
        assert not list(differences(accesses, qemu, our_kcs()))
    finally:
        qemu.close()


PCI_BASE = 0xC000


@pytest.fixture(scope="module")
def kcs_pci_qemu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qemu]:
    qemu = Qemu(tmp_path_factory.mktemp("pci"), "pci-ipmi-kcs,addr=5", SIMULATOR, PCI_BASE)
    list(differences(KCS_TO_IDLE, qemu, our_kcs(base=PCI_BASE)))
    yield qemu
    qemu.close()


UNUSED = st.one_of(
    st.tuples(st.just("r"), st.integers(0, 7), st.sampled_from((1, 2, 4))),
    st.tuples(
        st.just("w"), st.integers(0, 7), st.sampled_from((*_BYTES, 0x61186118)), st.sampled_from((1, 2, 4))
    ),
).filter(lambda access: access[1] + access[-1] <= 8)


@SLOWEST
@given(st.lists(st.one_of(KCS_PIECES, UNUSED.map(lambda access: [access])), max_size=25))
def test_kcs_on_pci_any_accesses(kcs_pci_qemu: Qemu, pieces: list[list[Access]]) -> None:
    """The same on PCI, where there are offsets without registers and wider accesses."""
    ours = our_kcs(base=PCI_BASE)
    for _ in range(2):
        list(differences(KCS_TO_IDLE, kcs_pci_qemu, ours))
    accesses = [access for piece in pieces for access in piece]
    assert not list(differences(accesses, kcs_pci_qemu, ours))


# An external controller


EXTERNAL = "ipmi-bmc-extern,id=bmc0,chardev=ipmi0"
FROM_OUTSIDE = st.one_of(
    st.tuples(st.just("attention"), st.booleans(), st.booleans()),
    st.tuples(st.just("enable"), st.booleans()),
    st.tuples(st.just("respond"), st.sampled_from((b"\x00", b"\xc1", b"\x00\x20\x61", bytes(40)))),
).map(lambda access: [access])
KCS_ASK = kcs_transfer(bytes.fromhex("18 01"), 0)


@pytest.mark.parametrize("interface", ["isa-ipmi-kcs"])
@settings(SLOWEST, max_examples=40)
@given(st.lists(st.one_of(KCS_PIECES, FROM_OUTSIDE, st.just(KCS_ASK)), max_size=20))
def test_kcs_external(
    tmp_path_factory: pytest.TempPathFactory, interface: str, pieces: list[list[Access]]
) -> None:
    qemu = Qemu(tmp_path_factory.mktemp("extern"), interface, EXTERNAL, KCS_BASE)
    try:
        kcs = Kcs(quirks=KcsQuirk.QEMU)
        ours = Ours(kcs, KCS_BASE)
        external = External(qemu, ours)
        accesses = [access for piece in pieces for access in piece]
        assert not list(differences(accesses, qemu, ours, external))
        assert qemu.wire_is_silent()
    finally:
        qemu.close()


# BT

BT_BASE = 0xE4


def bt_ask(message: str, control: int = 0x04) -> list[Access]:
    """Write a message and H2B_ATN."""
    return [
        ("w", 0, 0x01, 1),
        *(("w", 1, byte, 1) for byte in bytes.fromhex(message)),
        ("w", 0, control, 1),
        ("r", 0, 1),
    ]


def bt_take(length: int) -> list[Access]:
    """Read an answer."""
    return [
        *(("w", 0, bit, 1) for bit in (0x40, 0x08, 0x02)),
        *(("r", 1, 1) for _ in range(length)),
        ("w", 0, 0x40, 1),
        ("r", 0, 1),
    ]


def _control(bits: Iterable[int]) -> list[Access]:
    """To the normal state: each of these bits is toggled or cleared by writing it."""
    return [("w", 0, bit, 1) for bit in bits]


def our_bt(quirks: BtQuirk = BtQuirk.QEMU, base: int = BT_BASE) -> Ours:
    bt = Bt(quirks=quirks)
    simulator = Simulator()
    simulator.seam = HandlerSeam(bt.engine, simulator.handle)
    return Ours(bt, base)


# fmt: off
BT_PIECES = st.one_of(
    st.tuples(st.just("r"), st.integers(0, 2), st.just(1)).map(lambda one: [one]),
    st.tuples(st.just("w"), st.just(0), st.integers(0, 255), st.just(1)).map(lambda one: [one]),
    st.tuples(st.just("w"), st.just(2), st.integers(0, 255), st.just(1)).map(lambda one: [one]),
    st.sampled_from((0x03, 0x18, 0x01)).map(lambda byte: [("w", 1, byte, 1)]),
    st.sampled_from([
        [("r", 0, 2)], [("r", 1, 2)], [("w", 1, 0x0318, 2)], [("w", 0, 0x1801, 2)],
        bt_ask("03 18 05 01"), bt_ask("03 18 06 36"), bt_ask("04 18 06 36 00"), bt_ask("03 19 07 36"),
        bt_ask("04 18 08 2e 01"), bt_ask("04 18 08 2e 00"), bt_ask("03 18 09 2f"), bt_ask("03 04 09 01"),
        bt_ask("04 18 09 2f"), bt_ask("02 18 01"), bt_ask("03 18 09 2f 01"), bt_ask("03"),
        bt_ask("ff" + "18 05 01" + "00" * 253), bt_ask("18" * 310),
        bt_take(16), bt_take(5), bt_take(1),
        [("w", 0, 0x04, 1)], [("w", 2, 0x01, 1)], [("w", 2, 0x03, 1)],
    ]),
)
# fmt: on


def bt_to_normal(qemu: Qemu, ours: Ours) -> None:
    """Both as after power-on, as far as they can be brought there."""
    for side in (qemu, ours):
        side.write(2, 0x00, 1)
        side.write(2, 0x02, 1)
        if side.read(0, 1) & 0x40:
            side.write(0, 0x40, 1)
        side.write(0, 0x18, 1)
        for access in (*bt_ask("04 18 08 2e 08"), ("w", 0, 0x02, 1)):
            kind, *rest = access
            (side.write if kind == "w" else side.read)(*rest)
        while side.read(1, 1) != 0xFF:
            pass
        for access in (("w", 0, 0x0B, 1), *bt_ask("03 18 05 01"), *bt_take(16)):
            kind, *rest = access
            (side.write if kind == "w" else side.read)(*rest)


@pytest.fixture(scope="module", params=["isa-ipmi-bt", "pci-ipmi-bt,addr=5"])
def bt_qemu(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qemu]:
    base = PCI_BASE if request.param.startswith("pci") else BT_BASE
    qemu = Qemu(tmp_path_factory.mktemp("bt"), request.param, SIMULATOR, base)
    yield qemu
    qemu.close()


@SLOWEST
@given(st.lists(BT_PIECES, max_size=25))
def test_bt_any_accesses(bt_qemu: Qemu, pieces: list[list[Access]]) -> None:
    """With all quirks: equal to the last bit, whatever is done."""
    ours = our_bt(base=bt_qemu.base)
    bt_to_normal(bt_qemu, ours)
    accesses = [access for piece in pieces for access in piece]
    assert not list(differences(accesses, bt_qemu, ours))


def test_bt_an_interrupt_that_was_due_while_disabled(bt_qemu: Qemu) -> None:
    """B2H_IRQ is set already when the enable comes: no later answer raises the line."""
    ours = our_bt(base=bt_qemu.base)
    bt_to_normal(bt_qemu, ours)
    accesses = [*bt_ask("03 18 05 01"), ("w", 2, 0x01, 1), ("w", 0, 0x08, 1), *bt_ask("04 18 08 2e 01")]
    assert not list(differences(accesses, bt_qemu, ours))


BT_FROM_OUTSIDE = st.one_of(
    FROM_OUTSIDE,
    st.sampled_from([bytes(253), bytes(270)]).map(lambda answer: [("respond", answer)]),
)


@settings(SLOWEST, max_examples=60)
@given(st.lists(st.one_of(BT_PIECES, BT_FROM_OUTSIDE), max_size=25))
def test_bt_external(tmp_path_factory: pytest.TempPathFactory, pieces: list[list[Access]]) -> None:
    qemu = Qemu(tmp_path_factory.mktemp("extern"), "isa-ipmi-bt", EXTERNAL, BT_BASE)
    try:
        ours = Ours(Bt(quirks=BtQuirk.QEMU), BT_BASE)
        external = External(qemu, ours)
        accesses = [access for piece in pieces for access in piece]
        assert not list(differences(accesses, qemu, ours, external))
        assert qemu.wire_is_silent()
    finally:
        qemu.close()


_STATUS: list[Access] = [("r", 0, 1), ("r", 2, 1)]
# fmt: off
BT_QUIRKS: list[tuple[BtQuirk, list[Access]]] = [
    (BtQuirk.NO_OEM_BITS,     [("w", 0, 0x20, 1), ("r", 0, 1)]),
    (BtQuirk.NO_RESET_BIT,    [*bt_ask("03 18 05 01"), ("w", 2, 0x80, 1), *_STATUS]),
    (BtQuirk.READ_ONCE,       [*bt_ask("03 18 05 01"), *bt_take(16), *bt_take(16)]),
    (BtQuirk.ENABLE_EDGE,     [*bt_ask("03 18 05 01"), ("w", 2, 0x01, 1), *_STATUS]),
    (BtQuirk.GLOBAL_ENABLE,   [("w", 2, 0x01, 1), *bt_ask("03 18 05 01"), *_STATUS]),
    (BtQuirk.STUCK_BUSY,      bt_ask("03 18 05")),
    (BtQuirk.EXACT_LENGTH,    bt_ask("03 18 05 01 00")),
    (BtQuirk.RESENT_SEQUENCE, [*bt_ask("03 18 05 01"), *bt_take(16), ("w", 0, 0x04, 1), *bt_take(16)]),
    (BtQuirk.ANSWERS_AT_ONCE, [*bt_ask("03 18 05 01"), *bt_ask("03 18 06 2f"), *bt_take(6), *_STATUS]),
]
# fmt: on


@pytest.mark.parametrize(("quirk", "accesses"), BT_QUIRKS, ids=lambda value: getattr(value, "name", ""))
def test_bt_quirk(bt_qemu: Qemu, quirk: BtQuirk, accesses: list[Access]) -> None:
    """QEMU has it: with it we are equal, without it we are not."""
    for quirks, equal in ((BtQuirk.QEMU, True), (BtQuirk.QEMU & ~quirk, False)):
        ours = our_bt(quirks, base=bt_qemu.base)
        bt_to_normal(bt_qemu, our_bt(base=bt_qemu.base))
        assert equal is (not list(differences(accesses, bt_qemu, ours))), (quirks, equal)


SCRIPTED = [
    pytest.param("isa-ipmi-kcs", KCS_BASE, Kcs, KcsQuirk.QEMU, KCS_ASK, id="kcs"),
    pytest.param("isa-ipmi-bt", BT_BASE, Bt, BtQuirk.QEMU, bt_ask("03 18 05 01"), id="bt"),
]


@pytest.mark.parametrize(("interface", "base", "make", "quirks", "ask"), SCRIPTED)
def test_external_scripted(
    tmp_path: Path, interface: str, base: int, make: Any, quirks: Any, ask: list[Access]
) -> None:
    """Requests, answers, attention and enable, each of which must have come through."""
    status = [("r", offset, 1) for offset in (0, 1, 2 if interface == "isa-ipmi-bt" else 1)]
    qemu = Qemu(tmp_path, interface, EXTERNAL, base)
    try:
        ours = Ours(make(quirks=quirks), base)
        external = External(qemu, ours)
        accesses: list[Access] = [("enable", True), ("w", 2, 0x01, 1), ("attention", True, True)]
        if interface == "isa-ipmi-kcs":
            del accesses[1]
        assert not list(differences(accesses, qemu, ours, external))
        assert qemu.irq, "attention interrupts"
        assert not list(differences([*status, ("attention", False, False), *ask], qemu, ours, external))
        assert [request.message for request in external.asked] == [Message(6, 0, 1)]
        assert not list(differences([("respond", b"\x00\x20"), *status * 6], qemu, ours, external))
        assert not list(differences(ask * 2, qemu, ours, external))
    finally:
        qemu.close()
