"""Calls of a stopped guest: entry, return, and what we make of them. The code is QEMU 7.2's."""

from __future__ import annotations

import struct

import pytest

from baseboard.attach.errors import NotAttachable
from baseboard.attach.gdb_stops import SIGTRAP, Stop
from baseboard.attach.rtas_calls import Call, Returned, RtasCalls
from tests.attach.stopped_guest import StoppedGuest

ENTRY, BLOCK, CALLER = 0x1000, 0x400, 0x39ED8
CODE = "7c641b78 3c600000 6063f000 44000022 4e800020"
GET_SENSOR_STATE = (0x201D, 2, 2, 9003, 0x8000_0004, 0, 0)


@pytest.fixture
def guest() -> StoppedGuest:
    guest = StoppedGuest()
    guest.memory.write(ENTRY, bytes.fromhex(CODE))
    for thread in ("01", "02"):
        guest.registers[thread] = {"pc": ENTRY, "r3": BLOCK, "r4": 0, "lr": CALLER}
    return guest


def block(guest: StoppedGuest, *cells: int, address: int = BLOCK) -> None:
    guest.memory.write(address, struct.pack(f">{len(cells)}I", *cells))


def cells(guest: StoppedGuest, address: int, count: int) -> tuple[int, ...]:
    return struct.unpack(f">{count}i", guest.memory.read(address, 4 * count))


def entered(calls: RtasCalls, thread: str = "01") -> Call:
    call = calls.stopped(Stop(SIGTRAP, thread))
    assert isinstance(call, Call)
    return call


def test_both_ends_have_breakpoints(guest: StoppedGuest) -> None:
    guest.set_point(0, ENTRY)  # left by somebody
    RtasCalls(guest.gdb, ENTRY)
    assert guest.points == {ENTRY, ENTRY + 16}


def test_something_else_is_there(guest: StoppedGuest) -> None:
    guest.memory.write(ENTRY, bytes(4))
    with pytest.raises(NotAttachable, match="at 0x1000 holds 000000003c600000"):
        RtasCalls(guest.gdb, ENTRY)
    assert guest.points == set()


def test_a_call_is_answered_at_once(guest: StoppedGuest) -> None:
    block(guest, *GET_SENSOR_STATE)
    calls = RtasCalls(guest.gdb, ENTRY)
    call = entered(calls)
    assert call == Call("01", BLOCK, 0x201D, (9003, 0x8000_0004), 2)
    calls.answer(call, (-2, 0))
    assert cells(guest, BLOCK + 20, 2) == (-2, 0)
    assert guest.registers["01"] == {"pc": CALLER, "r3": 0, "r4": 0, "lr": CALLER}


def test_a_call_is_passed_on_and_its_answer_replaced(guest: StoppedGuest) -> None:
    block(guest, *GET_SENSOR_STATE)
    calls = RtasCalls(guest.gdb, ENTRY)
    call = entered(calls)
    calls.pass_on(call)
    assert (guest.registers["01"]["pc"], guest.registers["01"]["r4"]) == (ENTRY + 4, BLOCK)
    block(guest, 0xFFFF_FFFD, 0, address=BLOCK + 20)  # QEMU: no such sensor
    guest.registers["01"]["pc"] = ENTRY + 16
    returned = calls.stopped(Stop(SIGTRAP, "01"))
    assert returned == Returned(call, (-3, 0))
    calls.answer(call, (0, 1), [(0x800, b"log")])
    assert cells(guest, BLOCK + 20, 2) == (0, 1)
    assert guest.memory.read(0x800, 3) == b"log"
    assert guest.registers["01"]["pc"] == CALLER


def test_two_processors_at_a_time(guest: StoppedGuest) -> None:
    """stop-self holds no lock, so that another call may be under way."""
    block(guest, *GET_SENSOR_STATE)
    block(guest, 0x2007, 0, 1, 0, address=BLOCK + 0x100)
    guest.registers["02"]["r3"] = BLOCK + 0x100
    calls = RtasCalls(guest.gdb, ENTRY)
    calls.pass_on(first := entered(calls, "01"))
    calls.pass_on(entered(calls, "02"), returns=False)
    for thread in ("01", "02"):
        guest.registers[thread]["pc"] = ENTRY + 16
    returned = calls.stopped(Stop(SIGTRAP, "01"))
    assert isinstance(returned, Returned)
    assert returned.call == first
    calls.leave(returned)
    assert guest.registers["01"]["pc"] == CALLER
    assert calls.stopped(Stop(SIGTRAP, "02")) is None  # nobody waits for it
    assert guest.registers["02"]["pc"] == CALLER


def test_the_guest_stands_somewhere_else(guest: StoppedGuest) -> None:
    calls = RtasCalls(guest.gdb, ENTRY)
    guest.registers["01"]["pc"] = 0xC000_0000_0000_0000
    assert calls.stopped(Stop(2, "01")) is None
    assert guest.registers["01"]["pc"] == 0xC000_0000_0000_0000


@pytest.mark.parametrize("counts", [(17, 0), (0xFFFF_FFFF, 1), (8, 9)])
def test_a_block_that_is_too_large(guest: StoppedGuest, counts: tuple[int, int]) -> None:
    block(guest, 0x201D, *counts)
    assert entered(RtasCalls(guest.gdb, ENTRY)) == Call("01", BLOCK, 0x201D, (), 0)


def test_a_block_that_is_no_memory(guest: StoppedGuest) -> None:
    guest.registers["01"]["r3"] = 0xFFFF_FFF0
    assert entered(RtasCalls(guest.gdb, ENTRY)) == Call("01", 0xFFFF_FFF0, 0, (), 0)
