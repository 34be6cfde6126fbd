"""Persistent memory that goes again: by choice, with the states of any logical connector.  [LoPAR 13.7]"""

from __future__ import annotations

import pytest
from tests.spapr.guest import GIB, LOG, Guest, make_machine

from baseboard.spapr.choices import Choice
from baseboard.spapr.refusal import Refusal
from baseboard.spapr.saved import export, restore

PMEM = 0x9000_0000
UUID = "d3b55c3c-4b5a-4a8e-9d6c-1f5f5c6d7e90"


def plugged(choices: Choice) -> Guest:
    guest = Guest(make_machine(choices=choices))
    guest.machine.negotiated(bytes.fromhex("002000000004"), hotplug_events=True)
    guest.machine.plug_nvdimm("n", GIB, label_size=1 << 17, uuid=UUID)
    guest.take(PMEM)
    assert guest.configure(PMEM)[-1][0] == 0
    fetch(guest)
    return guest


def fetch(guest: Guest) -> str:
    """The hot-plug section of the next log."""
    assert guest.call("check-exception", 0x500, 0, 0xFFFF_FFFF, 0, LOG, 2048) == (0,)
    return guest.machine.memory.read(LOG + 104, 12).hex()


def test_qemu_refuses() -> None:
    guest = plugged(Choice.NONE)
    with pytest.raises(Refusal, match="not supported yet"):
        guest.machine.unplug("n")
    assert not guest.machine.connectors[PMEM].unplug_requested


def test_the_guest_is_asked_and_gives_it_back() -> None:
    guest = plugged(Choice.NVDIMM_UNPLUG)
    guest.machine.unplug("n")
    assert fetch(guest) == "06020200" + f"{PMEM:08x}" + "00000000", "pmem, remove, by index"
    guest.give_back(PMEM)
    assert guest.told == [("DEVICE_DELETED", "n")]
    assert guest.machine.connectors[PMEM].device is None
    assert guest.sense(PMEM) == (0, 2)


def test_a_refusal_and_a_reset() -> None:
    guest = plugged(Choice.LOPAR)
    guest.machine.unplug("n")
    guest.machine.unplug("n")
    assert guest.set(9001, PMEM, 1) == 0
    assert guest.told == [("DEVICE_UNPLUG_GUEST_ERROR", "n")]
    assert not guest.machine.connectors[PMEM].unplug_requested
    guest.machine.unplug("n")
    again = restore(export(guest.machine))
    assert again.connectors[PMEM].unplug_requested
    again.reset()
    assert "n" not in again.names
