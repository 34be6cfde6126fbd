"""A machine that is cut at any step goes on as if it had not been."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.spapr.guest import LOG, MIB, Guest, make_machine

from baseboard.errors import ConfigError
from baseboard.spapr.choices import Choice
from baseboard.spapr.guest_memory import ByteMemory
from baseboard.spapr.processor import Processor
from baseboard.spapr.saved import export, restore

UUID = "75a3cdd7-6a2f-4791-8d15-fe0a920e8e9e"
ALL, CORE, BLOCK = 0xFFFF_FFFF, 0x1000_0001, 0x8000_0004
Step = Callable[[Guest], Any]


def fetch(guest: Guest) -> Any:
    status = guest.call("check-exception", 0x500, 0, ALL, 0, LOG, 2048)
    return status, guest.machine.memory.read(LOG, 116).hex() if status == (0,) else None


STEPS: list[Step] = [
    lambda g: g.machine.plug_core("c1", 1),
    lambda g: g.machine.plug_dimm("d1", 512 * MIB),
    lambda g: g.machine.plug_nvdimm("n1", 256 * MIB, label_size=131072, uuid=UUID),
    lambda g: g.machine.plug_pci("b1", "pci-bridge", 6, bridge=3),
    lambda g: g.machine.plug_pci("f1", "virtio-rng-pci", 2, 1, chassis=3),
    lambda g: g.machine.plug_pci("f0", "virtio-rng-pci", 2, chassis=3),
    lambda g: g.machine.plug_phb("h1", 1),
    lambda g: g.machine.plug_tpm_proxy("t1"),
    *[fetch] * 3,
    *[partial(Guest.take, index=i) for i in (CORE, BLOCK, BLOCK + 1, 0x40000310, 0x40000030, 0x20000001)],
    *[lambda g: g.configure_once(0x40000030)] * 30,
    *[lambda g: [g.configure_once(i) for i in (CORE, BLOCK, BLOCK + 1)]] * 7,
    lambda g: g.machine.rtas.call("set-indicator", [9002, 0x40000310, 2]),
    lambda g: g.machine.unplug("d1"),
    lambda g: g.give_back(0x80000004),
    lambda g: g.set(9001, 0x80000005, 1),
    lambda g: g.sense(0x80000004),
    lambda g: g.machine.unplug("d1"),
    lambda g: g.call("start-cpu", 1, 0, 0),
    lambda g: g.call("set-time-of-day", 2020, 1, 1, 0, 0, 0, 0),
    lambda g: g.call("query-cpu-stopped-state", 1, results=2),
    lambda g: g.machine.unplug("f0"),
    lambda g: g.machine.negotiated(bytes([0x20]), hotplug_events=True),
    lambda g: g.machine.plug_dimm("d2", 256 * MIB),
    *[fetch] * 4,
    lambda g: g.machine.faults.add({"service": "set-indicator", "answers": [-2, 9901, -1]}),
    *[lambda g: g.set(9001, 0x10000001, 1)] * 4,
    lambda g: g.machine.unplug("h1"),
    lambda g: g.machine.power_down(),
    *[fetch] * 3,
    lambda g: g.machine.reset(),
    *[partial(Guest.sense, index=i) for i in (CORE, BLOCK, 0x20000001, 0x40000310)],
    lambda g: g.configure(0x40000310),
]


def run(guest: Guest, steps: list[Step]) -> list[str]:
    return [repr(step(guest)) for step in steps]


@pytest.mark.parametrize("choices", [Choice.NONE, Choice.LOPAR])
def test_cut_at_every_step(choices: Choice) -> None:
    whole = Guest(make_machine(choices=choices, max_cores=2, phb_slots=8))
    answers: list[str] = []
    snapshots = []
    for step in STEPS:
        snapshots.append(json.dumps(export(whole.machine)))
        answers.append(repr(step(whole)))
    told_in_all = whole.told
    for cut in range(len(STEPS)):
        again = Guest(restore(json.loads(snapshots[cut]), guest=ByteMemory(MIB)))
        assert json.dumps(export(again.machine)) == snapshots[cut], cut
        assert run(again, STEPS[cut : cut + 12]) == answers[cut : cut + 12], cut
    end = Guest(restore(json.loads(snapshots[20]), guest=ByteMemory(MIB)))
    assert run(end, STEPS[20:]) == answers[20:]
    assert end.told == told_in_all


def test_a_reset_tells_in_the_same_order() -> None:
    """A call log that begins in the middle is replayed on what was restored."""
    whole = Guest(make_machine(phb_slots=1))
    for index in (2, 1):
        whole.machine.plug_phb(f"h{index}", index, cold=True)
        whole.machine.plug_pci(f"f{index}", "e1000", 0, phb=index, cold=True)
        whole.machine.unplug(f"f{index}")
    again = Guest(restore(json.loads(json.dumps(export(whole.machine)))))
    assert export(again.machine) == export(whole.machine)
    whole.machine.reset()
    again.machine.reset()
    assert again.told == whole.told == [("DEVICE_DELETED", "f1"), ("DEVICE_DELETED", "f2")]


def test_what_was_saved_before_there_were_processors_to_agree_on_is_read() -> None:
    machine = make_machine()
    machine.processor = Processor(0x0F00_0004, False)
    data = json.loads(json.dumps(export(machine)))
    assert restore(data).processor == (0x0F00_0004, False)
    del data["processor"]
    assert restore(data).processor == (0x004E_1200, True)


def put(place: str, key: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda data: data[place].update({key: value})


def plug(**device: object) -> Callable[[dict[str, Any]], object]:
    return lambda data: data["devices"].append(device)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data.update(version=2), id="another version"),
        pytest.param(lambda data: data.pop("devices"), id="no devices"),
        pytest.param(lambda data: data.update(processor=[7, True]), id="an unknown processor"),
        pytest.param(lambda data: data.update(processor=5), id="a processor that is none"),
        pytest.param(put("settings", "ram", 5), id="a wrong setting"),
        pytest.param(put("settings", "more", 5), id="an unknown setting"),
        pytest.param(put("settings", "choices", ["SOME"]), id="an unknown choice"),
        pytest.param(plug(kind="core", id="x", core_id=99), id="no such core"),
        pytest.param(plug(kind="core", id=7, core_id=1), id="a name that is none"),
        pytest.param(plug(kind="sofa"), id="no such kind"),
        pytest.param(
            plug(kind="pci", id="x", phb=0, chassis=9, slot=1, function=0, model="e1000"), id="no such bridge"
        ),
        pytest.param(put("connectors", "0x10000000", {"state": 7}), id="another kind's state"),
        pytest.param(put("connectors", "0x10000001", {"state": 4}), id="nothing attached"),
        pytest.param(put("connectors", "0x7", {}), id="no such connector"),
        pytest.param(put("connectors", "x", {}), id="no index"),
        pytest.param(lambda data: data.update(events=[]), id="events"),
        pytest.param(lambda data: data.update(faults=[{"service": "nothing", "answers": [1]}]), id="faults"),
        pytest.param(lambda data: data.update(vector5="zz"), id="vector"),
        pytest.param(lambda data: data.update(running=None), id="processors"),
        pytest.param(lambda data: data.update(clock_offset=10**400), id="a clock of no year"),
    ],
)
def test_damaged_state(damage: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(json.dumps(export(make_machine())))
    damage(data)
    with pytest.raises(ConfigError):
        restore(data)


@pytest.mark.parametrize("data", [None, [], {}, {"version": 1}, {"version": 1, "settings": 3}])
def test_no_state_at_all(data: Any) -> None:
    with pytest.raises(ConfigError):
        restore(data)
