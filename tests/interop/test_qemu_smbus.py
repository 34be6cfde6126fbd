"""Our SMBus controller and SSIF beside QEMU's, transfer by transfer.

QEMU's is the machine q35: the ICH9 controller, driven through the qtest socket, with smbus-ipmi at its bus.
An external controller, played by the test, is behind both. What a transfer did, what a read brought and what
the controller was asked must be the same: with all quirks on, for any transfers; without, for what the
specification has drivers do; and each quirk for the transfers that show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from baseboard.interface import RequestReceived
from baseboard.interface.bus.i801 import I801Function
from baseboard.interface.bus.smbus import SmBus
from baseboard.interface.ssif import Quirk, Ssif
from baseboard.vm import RequestReceived as WireRequest
from tests.interop.side_by_side import EXTERNAL, PCI_BASE, Access, External, Qemu

STS, CNT, CMD, SLVA, D0, D1, BLOCK, AUX_CTL = 0, 2, 3, 4, 5, 6, 7, 13
START, INTREN, KILL = 0x40, 0x01, 0x02
BUSY, INTR, DEV_ERR, INUSE = 0x01, 0x02, 0x04, 0x40
E32B = 0x02
SMBUS_CONTROLLER = 31, 3 << 8  # slot, and function where the register's number has it

SLOWEST = settings(
    derandomize=True,
    max_examples=50,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


class Ours:
    """Our controller with our SSIF at its bus."""

    def __init__(self, quirks: Quirk) -> None:
        self.device = Ssif(quirks=quirks)
        bus = SmBus()
        bus.attach(self.device.target, address=0x10)
        self.function = I801Function(bus, self.device)
        self.function.write_configuration(4, 1)
        self.read, self.write = self.function.read, self.function.write


def transfer(host: Any, kind: str, *rest: Any) -> object:
    """One transfer as software makes it: the status, and what was read.  [ICH9 5.20]"""
    read = kind.startswith("read")
    name = kind.removeprefix("read ").removeprefix("write ")
    data: Any
    command, *data = (*rest, 0, 0, 0)
    host.write(SLVA, 0x10 << 1 | read, 1)
    host.write(CMD, command, 1)
    host.write(AUX_CTL, E32B, 1)
    if kind == "write block":
        host.read(CNT, 1)
        for byte in data[0]:
            host.write(BLOCK, byte, 1)
        host.write(D0, len(data[0]), 1)
    elif not read:
        host.write(D0, data[0], 1)
        host.write(D1, data[1], 1)
    host.write(CNT, ("quick", "byte", "byte data", "word data", "", "block").index(name) << 2 | START, 1)
    for _ in range(3):
        status = host.read(STS, 1) & ~INUSE
        if not status & BUSY:
            break
    host.write(STS, status, 1)
    found: list[int] = []
    if read and name == "block":
        if status & DEV_ERR:  # QEMU's controller takes a block of more than 32 bytes for none
            host.write(D0, 0, 1)
            status = INTR
        count = host.read(D0, 1)
        host.read(CNT, 1)
        found = [count] + [host.read(BLOCK, 1) for _ in range(min(count, 32))]
        if (
            not count
        ):  # QEMU's controller still waits for somebody to read the block, and would refuse the next
            host.write(CNT, KILL, 1)
            host.write(CNT, 0, 1)
            host.write(STS, 0xFF, 1)
    elif read and name != "quick":
        found = [host.read(D0, 1)] + ([host.read(D1, 1)] if name == "word data" else [])
    return status, found


class Behind(External):
    """An external controller behind both, which answers at once what is not left open."""

    def __init__(self, qemu: Qemu, quirks: Quirk) -> None:
        self.ours = Ours(quirks)
        super().__init__(qemu, self.ours)  # type: ignore[arg-type]  # it wants the device alone

    def after_access(self) -> None:
        """Take the requests of both, whoever has one."""
        self.qemu.send_wire(b"")
        self.link.receive_data(self.qemu.receive_wire_at_once())
        theirs = [event for event in iter(self.link.next_event, None) if isinstance(event, WireRequest)]
        mine = [event for event in iter(self.engine.next_event, None) if isinstance(event, RequestReceived)]
        self.asked += theirs
        if list(map(tuple, theirs)) != list(map(tuple, mine)):
            self.messages.append((theirs, mine))


def differences(transfers: Iterable[Access], behind: Behind) -> Iterator[str]:
    """What is not the same. No request is made while one is out: QEMU would give it the same id."""
    for number, (kind, *rest) in enumerate(transfers):
        if kind == "answer":
            behind.do("respond", *rest)
            continue
        if kind == "enable":
            behind.do("enable", *rest)
            continue
        if not kind.startswith("read") or rest[:1] in ([7], [8]):
            while behind.asked:
                behind.do("respond", b"\x00")
        theirs, mine = transfer(behind.qemu, kind, *rest), transfer(behind.ours, kind, *rest)
        behind.after_access()
        if behind.messages:
            yield f"transfer {number} {kind} {rest}: asked {behind.messages}"
            return
        if theirs != mine:
            yield f"transfer {number} {kind} {rest}: QEMU {theirs}, ours {mine}"


def compared(directory: Path, transfers: Iterable[Access], quirks: Quirk = Quirk.QEMU) -> list[str]:
    """The differences, from power-on."""
    qemu = Qemu(directory, "smbus-ipmi,address=0x10", EXTERNAL, PCI_BASE, machine="q35")
    try:
        slot, function = SMBUS_CONTROLLER
        qemu.write_configuration(function | 0x20, PCI_BASE, 4, slot=slot)
        qemu.write_configuration(function | 0x40, 1, 1, slot=slot)
        qemu.write_configuration(function | 0x04, 1, 2, slot=slot)
        return list(differences(transfers, Behind(qemu, quirks)))
    finally:
        qemu.close()


def request(message: bytes, *, end: int = 8) -> list[Access]:
    """As drivers write it: one block, or start, middle and end parts."""
    if len(message) <= 32:
        return [("write block", 2, message)]
    pieces = [message[at : at + 32] for at in range(0, len(message), 32)]
    numbers = [6, *(7 for _ in pieces[1:-1]), end]
    return [("write block", number, piece) for number, piece in zip(numbers, pieces, strict=True)]


def answer(data: bytes) -> list[Access]:
    """It comes, and is read as drivers do."""
    further = 0 if len(data) + 2 <= 32 else 1 + (len(data) + 2 - 30 - 1) // 31
    return [("answer", data), ("read block", 3), *([("read block", 9)] * further)]


DATA = bytes(range(256))


@pytest.mark.parametrize("length", [2, 3, 31, 32, 33, 63, 64, 65, 96, 97, 255])
@pytest.mark.parametrize("quirks", [Quirk.NONE, Quirk.QEMU], ids=["specification", "QEMU"])
def test_whole_messages(tmp_path: Path, length: int, quirks: Quirk) -> None:
    """Without any quirk, too, the two agree about what drivers do."""
    message = b"\xb8" + DATA[1:length]
    both = request(message) + answer(DATA[: length - 2] or b"\x00")
    if length % 32 and length > 32:
        both += request(message, end=7) + answer(b"\x00")
    assert compared(tmp_path, both, quirks) == []


COMMANDS = st.sampled_from((2, 3, 6, 7, 8, 9, 10, 0, 0x55))
LATE = st.sampled_from((b"\x00", DATA[:40], DATA[:100], DATA[:254], DATA + DATA[:34]))
FEW = st.integers(0, 3)
# fmt: off
BLOCKS = st.one_of(
    st.just(b"\x18\x01"), st.just(b"\x18\x57\x00"), st.just(b"\x18\x57"), st.just(b"\x18\x57\x01"),
    st.binary(min_size=1, max_size=4), st.just(DATA[:31]), st.just(DATA[64:96]),
)
PIECES = st.one_of(
    st.tuples(st.tuples(st.just("write block"),     COMMANDS, BLOCKS)),
    st.tuples(st.tuples(st.just("read block"),      COMMANDS)),
    st.tuples(st.tuples(st.just("answer"),          LATE)),
    st.tuples(st.tuples(st.just("write byte"),      COMMANDS)),
    st.tuples(st.tuples(st.just("write byte data"), COMMANDS, FEW)),
    st.tuples(st.tuples(st.just("write word data"), COMMANDS, FEW, st.integers(0, 255))),
    st.tuples(st.tuples(st.sampled_from(("read byte", "read byte data", "read word data")), COMMANDS)),
    st.tuples(st.sampled_from((("read quick",), ("write quick",)))),
    st.integers(2, 300).map(lambda length: request((b"\xb8" + DATA + DATA)[:length])),
    st.integers(1, 290).map(lambda length: answer((DATA + DATA)[:length])),
)
# fmt: on


@SLOWEST
@given(st.lists(PIECES, max_size=25))
def test_any_transfers(tmp_path_factory: pytest.TempPathFactory, pieces: list[Iterable[Access]]) -> None:
    """With all quirks: equal to the last bit, whatever is done."""
    transfers = [transfer for piece in pieces for transfer in piece]
    assert compared(tmp_path_factory.mktemp("smbus"), transfers) == []


KNOWN = request(b"\x18\x01") + answer(DATA[:100])
# fmt: off
SHOWN: list[tuple[Quirk, list[Access]]] = [
    (Quirk.ALWAYS_ACKNOWLEDGES,   [*KNOWN, ("write block", 2, b"\x18\x02"), ("read block", 3)]),
    (Quirk.RETRY_BY_POSITION,     [*KNOWN, ("write byte data", 10, 1), ("read byte", 0), ("read byte", 0)]),
    (Quirk.LENIENT_START,         [("write block", 6, b"\x18\x01"), ("write block", 8, b"\x02")]),
    (Quirk.MESSAGE_STAYS,         [*KNOWN, ("write block", 8, b"\x02")]),
    (Quirk.ANSWER_STAYS,          [*KNOWN, ("write block", 6, DATA[:32]), ("read block", 3)]),
    (Quirk.END_WITHOUT_COUNT,     [("write block", 6, DATA[:32]), ("write byte", 7)]),
    (Quirk.OVERLONG_DROPPED,      [*KNOWN, *request(DATA[:256]), ("read block", 3)]),
    (Quirk.ANSWER_CUT,            request(b"\x18\x01") + answer(DATA[:254])),
    (Quirk.CAPABILITIES_BY_CODE,  [*request(b"\x18\x57\x01"), ("read block", 3)]),
    (Quirk.NO_ALERT,              [("enable", True), *KNOWN]),
]
# fmt: on


@pytest.mark.parametrize(("quirk", "transfers"), SHOWN, ids=lambda value: getattr(value, "name", ""))
def test_a_quirk(tmp_path: Path, quirk: Quirk, transfers: list[Access]) -> None:
    """QEMU has it: with it we are equal, without it we are not."""
    assert compared(tmp_path, transfers) == []
    assert compared(tmp_path, transfers, Quirk.QEMU & ~quirk)


def test_every_quirk_is_shown() -> None:
    """But for packet error codes, which QEMU's controller does not send."""
    assert {quirk for quirk, _ in SHOWN} == set(Quirk.QEMU) - {Quirk.NO_PACKET_ERROR_CODES}
