"""Each quirk against a live QEMU: with all of them ours is the same, with one left out it is not.

A QEMU is started for each, so that every sequence begins at power-on, and its controller is external, so that
the test says when it answers. What is seen: every byte read, the interrupt level after each access, and the
messages to the controller.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from baseboard.interface import RequestReceived
from baseboard.interface.bt import Bt
from baseboard.interface.bt import Quirk as BtQuirk
from baseboard.interface.kcs import Kcs
from baseboard.interface.kcs import Quirk as KcsQuirk
from baseboard.vm import Capability, ControllerLink
from baseboard.vm import RequestReceived as WireRequest
from tests.interop.newer import Program, newer_qemu
from tests.interop.side_by_side import BT_BASE, EXTERNAL, KCS_BASE, PCI_BASE, Access, Ours, Qemu

Seen = tuple[int | None, bool, list[tuple[int, Any]]]


class TheirSide:
    """QEMU, and its controller on the wire."""

    def __init__(self, qemu: Qemu) -> None:
        self.qemu = qemu
        self.link = ControllerLink()
        while self.link.capabilities == Capability.NONE:
            self.link.receive_data(qemu.receive_wire())
        self.asked: list[WireRequest] = []

    def do(self, kind: str, *rest: Any) -> Seen:
        read: int | None = None
        if kind == "r":
            read = self.qemu.read(*rest)
        elif kind == "w":
            self.qemu.write(*rest)
        elif kind == "respond":
            self.link.send_response(self.asked.pop(0), rest[0])
        elif kind == "attention":
            self.link.set_attention(*rest)
        else:
            self.link.set_interrupt(rest[0])
        if data := self.link.data_to_send():
            self.qemu.send_wire(data)
        self.link.receive_data(self.qemu.receive_wire_at_once())
        requests = []
        while (event := self.link.next_event()) is not None:
            if isinstance(event, WireRequest):
                self.asked.append(event)
                requests.append((event.id, event.message))
        return read, self.qemu.irq, requests


class OurSide:
    """One of our devices, and its controller."""

    def __init__(self, ours: Ours) -> None:
        self.ours = ours
        self.engine = ours.device.engine
        self.asked: list[RequestReceived] = []

    def do(self, kind: str, *rest: Any) -> Seen:
        read: int | None = None
        if kind == "r":
            read = self.ours.read(*rest)
        elif kind == "w":
            self.ours.write(*rest)
        elif kind == "respond":
            if self.asked:
                self.engine.respond(self.asked.pop(0).id, rest[0])
        elif kind == "attention":
            self.engine.set_attention(*rest)
        else:
            self.engine.set_interrupt(rest[0])
        requests = []
        while (event := self.engine.next_event()) is not None:
            if isinstance(event, RequestReceived):
                self.asked.append(event)
                requests.append((event.id, event.message))
        return read, self.ours.irq, requests


def look(side: TheirSide | OurSide, accesses: list[Access]) -> list[Seen]:
    """All that is seen."""
    return [side.do(*access) for access in accesses]


def script(text: str) -> list[Access]:
    """wN=XX write, rN read, +, - attention and its end, e interrupts on, e0 off, a=XX.. the answer."""
    accesses: list[Access] = []
    for word in text.split():
        if word[0] == "w":
            register, value = word[1:].split("=")
            accesses.append(("w", int(register), int(value, 16), 1))
        elif word[0] == "r":
            accesses.append(("r", int(word[1:]), 1))
        elif word[0] == "a":
            accesses.append(("respond", bytes.fromhex(word[2:])))
        elif word in "+-":
            accesses.append(("attention", word == "+", word == "+"))
        else:
            accesses.append(("enable", word == "e"))
    return accesses


def kcs_step(*writes: str) -> str:
    """Writes, after each of which status and data are read."""
    return " ".join(f"{write} r1 r0" for write in writes)


# fmt: off
KCS_ASK = kcs_step("w1=61", "w0=18", "w1=62", "w0=01")
KCS_TAKE = kcs_step("w0=68", "w0=68", "w0=68", "w0=68")
KCS_WHOLE = f"{KCS_ASK} a=0020 r1 r0 {KCS_TAKE}"
KCS = [
    (KcsQuirk.NO_COMMAND_BIT,         kcs_step("w1=61")),
    (KcsQuirk.STARTS_IDLE,            "r1"),
    (KcsQuirk.FIRST_WRITE_REFUSED,    kcs_step("w0=00")),
    (KcsQuirk.IDLE_DATA_IGNORED,      f"{KCS_WHOLE} {kcs_step('w0=00')}"),
    (KcsQuirk.WRITE_START_WHEN_IDLE,  kcs_step("w1=61", "w1=61")),
    (KcsQuirk.ABORT_TO_ERROR,         kcs_step("w1=61", "w1=60")),
    (KcsQuirk.WRITE_END_TWICE,        kcs_step("w1=61", "w0=18", "w0=01", "w1=62", "w1=62")),
    (KcsQuirk.SILENT_ERRORS,          kcs_step("w1=62")),
    (KcsQuirk.STALE_DUMMY,            KCS_WHOLE),
    (KcsQuirk.LAST_READ_ANYTHING,     kcs_step("w1=61", "w1=60", "w0=00", "w0=67")),
    (KcsQuirk.BUSY_DROPS_WRITES,      f"{KCS_ASK} {kcs_step('w1=60')}"),
    (KcsQuirk.LENGTH_BY_CODE,         kcs_step("w1=61", "w1=62", "w0=18")),
    (KcsQuirk.LATCHED_INTERRUPTS,     "e w1=61 e0 r1"),
    (KcsQuirk.UNUSED_OFFSETS_ACT,     kcs_step("w1=61", "w7=61")),
]


def bt_ask(message: str) -> str:
    """Write a message, H2B_ATN, look."""
    return f"w0=01 {' '.join(f'w1={byte}' for byte in message.split())} w0=04 r0 r2"


def bt_take(length: int) -> str:
    """Read an answer."""
    return f"w0=40 w0=08 w0=02 {'r1 ' * length} w0=40 r0 r2"


BT_ASK, BT_ASK_OTHER = bt_ask("03 18 05 01"), bt_ask("03 18 06 02")
BT_WHOLE = f"{BT_ASK} a=00 r0 r2 {bt_take(5)}"
BT = [
    (BtQuirk.NO_OEM_BITS,      "w0=20 r0"),
    (BtQuirk.NO_RESET_BIT,     f"{BT_ASK} a=00 w2=80 r0 r2"),
    (BtQuirk.READ_ONCE,        f"{BT_WHOLE} w0=02 r1"),
    (BtQuirk.ENABLE_EDGE,      f"{BT_ASK} a=00 w2=01 r0 r2"),
    (BtQuirk.GLOBAL_ENABLE,    f"w2=01 {BT_ASK} a=00 r0 r2"),
    (BtQuirk.ATTENTION_FALLS,  "e w2=01 + r0 r2 - r0 r2"),
    (BtQuirk.ATTENTION_MUTED,  f"e w2=01 {BT_ASK} a=00 w2=03 + r0 r2"),
    (BtQuirk.STUCK_BUSY,       bt_ask("03 18 05")),
    (BtQuirk.EXACT_LENGTH,     bt_ask("03 18 05 01 00")),
    (BtQuirk.RESENT_SEQUENCE,  f"{BT_WHOLE} w0=04 a=00 {bt_take(3)}"),
    (BtQuirk.LENGTH_WRAPS,     f"{BT_ASK} a={'00' * 253} {bt_take(4)}"),
    (BtQuirk.NO_BUSY_CHECK,    f"{BT_ASK} {BT_ASK_OTHER}"),
    (BtQuirk.ANSWERS_AT_ONCE,  f"{BT_ASK} a=00 {BT_ASK_OTHER} a=00 {bt_take(5)}"),
]
# fmt: on
ROWS: list[Any] = [
    pytest.param(interface, base, make, quirk, text, id=f"{make.__name__.lower()}-{quirk.name}")
    for interface, base, make, table in (
        ("isa-ipmi-kcs", KCS_BASE, Kcs, KCS),
        ("isa-ipmi-bt", BT_BASE, Bt, BT),
    )
    for quirk, text in table
]


@pytest.fixture(scope="module", params=["installed", "newer"])
def program(request: pytest.FixtureRequest) -> Program | None:
    """The QEMU that the system has, and the newest that Debian has."""
    return newer_qemu() if request.param == "newer" else None


@pytest.mark.parametrize(("interface", "base", "make", "quirk", "text"), ROWS)
def test_without_this_quirk_ours_is_not_qemus(
    tmp_path: Path, program: Program | None, interface: str, base: int, make: Any, quirk: Any, text: str
) -> None:
    if quirk is KcsQuirk.UNUSED_OFFSETS_ACT:  # on ISA nothing is there
        interface, base = "pci-ipmi-kcs,addr=5", PCI_BASE
    qemu = Qemu(tmp_path, interface, EXTERNAL, base, program=program)
    try:
        theirs = look(TheirSide(qemu), script(text))
    finally:
        qemu.close()
    every = type(quirk).QEMU
    assert look(OurSide(Ours(make(quirks=every), base)), script(text)) == theirs
    assert look(OurSide(Ours(make(quirks=every & ~quirk), base)), script(text)) != theirs


_KCS_NEEDED = (
    KcsQuirk.NO_COMMAND_BIT | KcsQuirk.STARTS_IDLE | KcsQuirk.STALE_DUMMY | KcsQuirk.BUSY_DROPS_WRITES
)
# fmt: off
DRIVERS = [
    pytest.param("isa-ipmi-kcs", KCS_BASE, Kcs, _KCS_NEEDED,         KCS_WHOLE, id="kcs"),
    pytest.param("isa-ipmi-bt",  BT_BASE,  Bt,  BtQuirk.STUCK_BUSY,  BT_WHOLE,  id="bt"),
]
# fmt: on


@pytest.mark.parametrize(("interface", "base", "make", "needed", "text"), DRIVERS)
def test_what_a_driver_does_takes_few_quirks(
    tmp_path: Path, program: Program | None, interface: str, base: int, make: Any, needed: Any, text: str
) -> None:
    """A transfer as the flow charts have it is the same with these alone, and with none of them left out."""
    accesses = script(f"r0 r1 {text} {text}")
    qemu = Qemu(tmp_path, interface, EXTERNAL, base, program=program)
    try:
        theirs = look(TheirSide(qemu), accesses)
    finally:
        qemu.close()
    assert look(OurSide(Ours(make(quirks=needed), base)), accesses) == theirs
    for quirk in needed:
        assert look(OurSide(Ours(make(quirks=needed & ~quirk), base)), accesses) != theirs


def test_every_quirk_is_here() -> None:
    """What is not named is no difference: test_qemu_registers finds none with all of them on."""
    assert {row[0] for row in KCS} == set(KcsQuirk)
    assert {row[0] for row in BT} == set(BtQuirk)
