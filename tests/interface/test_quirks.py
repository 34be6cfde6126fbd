"""Each quirk of QEMU's by itself: what a host sees with it, and without it.

What is seen with it is QEMU's (tests/interop compares with a live one); without, the specification's.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.interface.conversation import echo

from baseboard.interface import HandlerSeam, RequestReceived
from baseboard.interface.bt import Bt
from baseboard.interface.bt import Quirk as BtQuirk
from baseboard.interface.kcs import Kcs
from baseboard.interface.kcs import Quirk as KcsQuirk


def seen(device: Any, script: str) -> str:
    """Run a script, and say what it saw.

    wN=XX  write a register        rN     read it           i   the interrupt level
    echo   somebody answers        q      take a request    a=XX..  answer it
    +, -   attention, and its end  e0, e1 interrupts off, on
    """
    found: list[str] = []
    id_ = 0
    for word in script.split():
        if word[0] == "w":
            register, value = word[1:].split("=")
            device.registers[int(register)].write(int(value, 16))
        elif word[0] == "r":
            found.append(f"{device.registers[int(word[1:])].read():02x}")
        elif word == "i":
            found.append("up" if device.latch.irq else "down")
        elif word == "echo":
            HandlerSeam(device.engine, echo)
        elif word == "q":
            event = device.engine.next_event()
            found.append(
                f"{event.id}:{event.message.command:02x}" if isinstance(event, RequestReceived) else "-"
            )
            id_ = event.id if isinstance(event, RequestReceived) else id_
        elif word[0] == "a":
            device.engine.respond(id_, bytes.fromhex(word[2:]))
        elif word in "+-":
            device.engine.set_attention(word == "+", word == "+")
        else:
            device.engine.set_interrupt(word == "e1")
    return " ".join(found)


ASK = "w1=61 r0 w0=18 r0 w1=62 r0 w0=01"
RECOVER = "w1=60 w0=00 r0 w0=68 r0"
_IDLE = KcsQuirk.STARTS_IDLE | KcsQuirk.IDLE_DATA_IGNORED
_NONE = KcsQuirk.NONE
# fmt: off
KCS = [
    # the quirk                    with    script
    #                                           seen with it, and without
    (KcsQuirk.NO_COMMAND_BIT,          _NONE,  "w1=61 r1",                             "81", "89"),
    (KcsQuirk.STARTS_IDLE,             _NONE,  "r1",                                   "00", "c0"),
    (KcsQuirk.FIRST_WRITE_REFUSED,     _IDLE,  "w0=00 r1",                             "c1", "00"),
    (KcsQuirk.IDLE_DATA_IGNORED,       _NONE,  f"{RECOVER} w0=00 r1",
                                           "00 00 00", "00 00 c1"),
    (KcsQuirk.WRITE_START_WHEN_IDLE,   _IDLE,  "w1=61 r0 w1=61 r1",                    "00 c9", "00 89"),
    (KcsQuirk.ABORT_TO_ERROR,          _NONE,  "w1=61 r0 w1=60 r1",                    "00 c9", "00 89"),
    (KcsQuirk.WRITE_END_TWICE,         _NONE,  "w1=61 w0=18 w0=01 w1=62 w1=62 q",      "0:01", "-"),
    (KcsQuirk.SILENT_ERRORS,           _NONE,  "w1=63 r1",                             "c8", "c9"),
    (KcsQuirk.STALE_DUMMY,             _NONE,  "w1=61 w0=18 w1=62 w0=01 q a=55 r0 w0=68 r0 w0=68 r0 w0=68 r0",
                                           "0:01 1c 01 55 55", "0:01 1c 01 55 00"),
    (KcsQuirk.LAST_READ_ANYTHING,      _NONE,  "w1=61 w0=00 w1=60 w0=00 r0 w0=67 r1",  "01 01", "01 c1"),
    (KcsQuirk.BUSY_DROPS_WRITES,       _NONE,  f"{ASK} r1 w1=60 r1",
                                           "00 00 00 82 82", "00 00 00 40 89"),
    (KcsQuirk.LENGTH_BY_CODE,          _NONE,  "w1=61 w1=62 w0=18 r1",                 "41", "c1"),
    (KcsQuirk.LATCHED_INTERRUPTS,      _NONE,  "e1 w1=61 i e0 i",                      "up up", "up down"),
    (KcsQuirk.UNUSED_OFFSETS_ACT,      _NONE,  "w1=61 r0 w7=61 r1",                    "00 81", "00 88"),
]
# fmt: on


@pytest.mark.parametrize(
    ("quirk", "base", "script", "with_it", "without"),
    KCS,
    ids=lambda value: getattr(value, "name", None) or "",
)
def test_kcs(quirk: KcsQuirk, base: KcsQuirk, script: str, with_it: str, without: str) -> None:
    assert seen(Kcs(quirks=base | quirk), script) == with_it
    plain = Kcs(quirks=base)
    if quirk is KcsQuirk.UNUSED_OFFSETS_ACT:
        assert len(plain.registers) == 2
        script = script.replace("w7=61 ", "")
    assert seen(plain, script) == without


def bt_ask(message: str) -> str:
    bytes_ = " ".join(f"w1={byte}" for byte in message.split())
    return f"w0=01 {bytes_} w0=04"


def bt_take(length: int) -> str:
    return "w0=40 w0=08 w0=02 " + "r1 " * length + "w0=40"


ASK_BT, OTHER = bt_ask("03 18 05 01"), bt_ask("03 18 06 02")
SHORT, LONG = bt_ask("03 18 05"), bt_ask("03 18 05 01 00")
# fmt: off
BT = [
    # the quirk                    script
    #                                   seen with it, and without
    (BtQuirk.NO_OEM_BITS,              "w0=20 r0 w2=1c r2",                            "00 00", "20 1c"),
    (BtQuirk.NO_RESET_BIT,             f"echo {ASK_BT} w2=80 r0",                      "08", "00"),
    (BtQuirk.READ_ONCE,                f"echo {ASK_BT} {bt_take(5)} w0=02 r1",
                                       "04 1c 05 01 00 ff", "04 1c 05 01 00 04"),
    (BtQuirk.ENABLE_EDGE,              f"echo {ASK_BT} w2=01 r2",                      "03", "01"),
    (BtQuirk.GLOBAL_ENABLE,            f"echo w2=01 {ASK_BT} i w2=03 w0=08 e1 {ASK_BT} i",
                                       "down up", "up up"),
    (BtQuirk.ATTENTION_FALLS,          "w2=01 + r0 r2 - r0 r2",
                                       "10 03 00 01", "10 03 10 03"),
    (BtQuirk.ATTENTION_MUTED,          f"echo w2=01 {ASK_BT} w2=03 + r2",              "01", "03"),
    (BtQuirk.STUCK_BUSY,               f"{SHORT} r0",                                  "80", "00"),
    (BtQuirk.EXACT_LENGTH,             f"echo {LONG} r0",                              "00", "08"),
    (BtQuirk.RESENT_SEQUENCE,          f"echo {ASK_BT} {bt_take(0)} w0=04 {bt_take(3)}",
                                       "04 1c 18", "04 1c 05"),
    (BtQuirk.LENGTH_WRAPS,             f"{ASK_BT} q a={'00' * 253} {bt_take(1)}",      "0:01 00", "0:01 04"),
    (BtQuirk.NO_BUSY_CHECK,            f"{ASK_BT} q {OTHER} q r0",
                                       "0:01 0:02 00", "0:01 - 84"),
    (BtQuirk.ANSWERS_AT_ONCE,          f"{ASK_BT} q a=00 {OTHER} q a=00 {bt_take(4)}",
                                       "0:01 1:02 04 1c 06 02", "0:01 1:02 04 1c 05 01"),
]
# fmt: on


@pytest.mark.parametrize(
    ("quirk", "script", "with_it", "without"), BT, ids=lambda v: getattr(v, "name", None) or ""
)
def test_bt(quirk: BtQuirk, script: str, with_it: str, without: str) -> None:
    assert seen(Bt(outstanding=1, quirks=quirk), script) == with_it
    assert seen(Bt(outstanding=1), script) == without


def test_every_quirk_has_its_row() -> None:
    assert {row[0] for row in KCS} == set(KcsQuirk)
    assert {row[0] for row in BT} == set(BtQuirk)
