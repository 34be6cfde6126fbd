"""What an administrator does, what the guest makes of it, and what management is told.

Rules and words are those of QEMU 7.2; `test_recorded` has them from the live one.
"""

from __future__ import annotations

import pytest
from tests.spapr.guest import GIB, LOG, MIB, Guest, make_machine

from baseboard.errors import ConfigError
from baseboard.spapr.choices import Choice
from baseboard.spapr.drc import CPU, LMB, PCI, PHB, PMEM
from baseboard.spapr.events import HotplugEvent, decode
from baseboard.spapr.guest_memory import ByteMemory
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.refusal import Refusal

CORE, BLOCK, CARD, BRIDGE = 0x1000_0001, 0x8000_0004, 0x4000_0040, 0x2000_0001
ALL = 0xFFFF_FFFF


@pytest.fixture
def guest() -> Guest:
    return Guest(make_machine())


def ready(guest: Guest, *indexes: int) -> None:
    for index in indexes:
        guest.take(index)
        guest.configure(index)


def requests(guest: Guest) -> list[tuple[int, int, int | None, int | None]]:
    """Type, action, index and count of all events that wait."""
    found = []
    while guest.call("check-exception", 0x500, 0, ALL, 0, LOG, 2048) == (0,):
        event = decode(guest.machine.memory.read(LOG, 116)).event
        assert isinstance(event, HotplugEvent)
        found.append((event.resource, event.action, event.index, event.count))
    return found


def test_connectors_that_there_are() -> None:
    """[QEMU 7.2]: possible cores, 31 host bridges, device memory only, memory slots, 256 functions."""
    machine = PseriesMachine(cores=2, max_cores=8, threads=2, ram=3 * GIB // 2, max_ram=4 * GIB, slots=3)
    indexes = {
        kind: [c.identifier for c in machine.connectors.values() if c.kind is kind]
        for kind in (CPU, PHB, PCI, LMB, PMEM)
    }
    assert indexes[CPU] == [0, 2, 4, 6, 8, 10, 12, 14]
    assert indexes[PHB] == list(range(31))
    assert len(indexes[PCI]) == 256
    assert indexes[LMB] == list(range(8, 18))  # from 2 GiB, as long as what is missing
    assert indexes[PMEM] == [0, 1, 2]
    assert [machine.connectors[i].state for i in (0x1000_0000, 0x1000_0002, 0x1000_0004)] == [4, 4, 1]


def test_core_in_and_out(guest: Guest) -> None:
    guest.machine.plug_core("c1", 1)
    assert requests(guest) == [(1, 1, CORE, None)]
    assert guest.sense(CORE) == (0, 2)
    ready(guest, CORE)
    guest.machine.unplug("c1")
    guest.machine.unplug("c1")  # told again
    assert requests(guest) == [(1, 2, CORE, None)] * 2
    guest.give_back(CORE)
    assert guest.told == [("DEVICE_DELETED", "c1")]
    assert guest.sense(CORE) == (0, 2)


def test_refusal_of_a_core(guest: Guest) -> None:
    guest.machine.plug_core("c1", 1)
    ready(guest, CORE)
    guest.machine.unplug("c1")
    assert guest.set(9001, CORE, 1) == 0
    assert guest.told == [("DEVICE_UNPLUG_GUEST_ERROR", "c1")]
    guest.give_back(CORE)
    assert guest.told[1:] == []  # nobody wants it any more
    assert guest.set(9003, CORE, 1) == 0


def test_no_refusal_before_qemu_5_2() -> None:
    guest = Guest(make_machine(choices=Choice.NO_REFUSAL))
    guest.machine.plug_core("c1", 1)
    ready(guest, CORE)
    guest.machine.unplug("c1")
    assert guest.set(9001, CORE, 1) == 0
    guest.give_back(CORE)
    assert guest.told == [("DEVICE_DELETED", "c1")]


def test_dimm_goes_with_its_last_block(guest: Guest) -> None:
    guest.machine.plug_dimm("d1", 512 * MIB)
    ready(guest, BLOCK, BLOCK + 1)
    assert guest.set(9001, BLOCK, 0) == -1  # nobody asked for it
    guest.machine.unplug("d1")
    guest.give_back(BLOCK + 1)
    assert guest.told == []
    guest.give_back(BLOCK)
    assert guest.told == [("DEVICE_DELETED", "d1")]
    guest.machine.plug_dimm("d1", 256 * MIB)


def test_refused_dimm_is_rolled_back_whole(guest: Guest) -> None:
    guest.machine.plug_dimm("d1", 768 * MIB)
    ready(guest, BLOCK, BLOCK + 1, BLOCK + 2)
    guest.machine.unplug("d1")
    guest.give_back(BLOCK)
    assert guest.set(9001, BLOCK + 1, 1) == 0
    assert guest.told == [
        ("MEM_UNPLUG_ERROR", "d1"),
        ("DEVICE_UNPLUG_GUEST_ERROR", "d1"),
        ("DEVICE_UNPLUG_GUEST_ERROR", "d1"),
    ]
    assert guest.set(9001, BLOCK + 2, 0) == -1
    assert guest.set(9003, BLOCK, 1) == -3  # it has no device any more
    guest.told.clear()
    requests(guest)
    guest.machine.unplug("d1")  # where QEMU 7.2 aborts
    assert requests(guest) == [(2, 2, BLOCK + 1, 2)]
    guest.give_back(BLOCK + 1)
    guest.give_back(BLOCK + 2)
    assert guest.told == [("DEVICE_DELETED", "d1")]


def test_memory_is_announced_by_count_or_by_place(guest: Guest) -> None:
    guest.machine.plug_dimm("d1", 512 * MIB)
    assert requests(guest) == [(2, 1, None, 2)]
    guest.machine.negotiated(b"\x20", hotplug_events=True)
    guest.machine.plug_dimm("d2", 512 * MIB)
    assert requests(guest) == [(2, 1, BLOCK + 2, 2)]
    guest.machine.negotiated(b"\x20", hotplug_events=False)
    with pytest.raises(Refusal, match="not supported for this guest"):
        guest.machine.unplug("d1")


def test_memory_goes_where_it_fits(guest: Guest) -> None:
    for name, size in (("a", 256), ("b", 512), ("c", 256)):
        guest.machine.plug_dimm(name, size * MIB)
    guest.machine.unplug("b")  # never taken: gone at once
    assert guest.machine.plug_dimm("d", 768 * MIB).address == GIB + 1024 * MIB
    assert guest.machine.plug_dimm("e", 512 * MIB).address == GIB + 256 * MIB
    with pytest.raises(Refusal, match="not enough space, currently 0x70000000 in use"):
        guest.machine.plug_dimm("f", 2 * GIB)


def test_card_is_shown_by_function_0(guest: Guest) -> None:
    guest.machine.plug_pci("f2", "e1000", 8, 2)
    assert requests(guest) == []
    guest.machine.plug_pci("f0", "e1000", 8)
    assert requests(guest) == [(5, 1, CARD, None), (5, 1, CARD + 2, None)]
    ready(guest, CARD, CARD + 2)
    guest.machine.unplug("f0")
    assert requests(guest) == [(5, 2, CARD + 2, None), (5, 2, CARD, None)]
    with pytest.raises(Refusal, match="already in progress for device f2"):
        guest.machine.unplug("f2")
    guest.give_back(CARD + 2)
    guest.give_back(CARD)
    assert guest.told == [("DEVICE_DELETED", "f2"), ("DEVICE_DELETED", "f0")]


def test_host_bridge_takes_its_cards_along(guest: Guest) -> None:
    guest.machine.plug_phb("h1", 1)
    guest.machine.plug_pci("br", "pci-bridge", 2, phb=1, bridge=7)
    guest.machine.plug_pci("p1", "e1000", 3, phb=1, chassis=7)
    ready(guest, BRIDGE, 0x4001_0010, 0x4001_0718)
    guest.machine.unplug("h1")
    guest.give_back(BRIDGE)
    assert guest.told == [("DEVICE_DELETED", name) for name in ("br", "p1", "h1")]
    assert guest.sense(0x4001_0010) == (-3, 0)
    assert not [c for c in guest.machine.connectors.values() if c.kind is PCI and c.identifier >> 16]
    guest.machine.plug_phb("h1", 1)


def test_host_bridge_waits_for_its_cards_by_choice() -> None:
    guest = Guest(make_machine(choices=Choice.MULTI_LEVEL_ISOLATION))
    guest.machine.plug_phb("h1", 1)
    guest.machine.plug_pci("p1", "e1000", 3, phb=1)
    ready(guest, BRIDGE, 0x4001_0018)
    guest.machine.unplug("h1")
    assert guest.set(9001, BRIDGE, 0) == -9000
    assert guest.set(9001, 0x4001_0018, 0) == 0
    guest.give_back(BRIDGE)
    assert ("DEVICE_DELETED", "h1") in guest.told


def test_tpm_proxy_asks_no_guest(guest: Guest) -> None:
    closed: list[bool] = []
    guest.machine.on_tpm_close = lambda: closed.append(True)
    guest.machine.plug_tpm_proxy("t1")
    with pytest.raises(Refusal, match="Only one TPM proxy"):
        guest.machine.plug_tpm_proxy("t2")
    guest.machine.unplug("t1")
    assert (guest.told, closed) == ([("DEVICE_DELETED", "t1")], [True])
    guest.machine.plug_tpm_proxy("t2")


@pytest.mark.parametrize("how", ["reset", "CAS", "configure-connector"])
def test_buses_are_numbered_for_a_new_tree(guest: Guest, how: str) -> None:
    """As QEMU 7.2: before that, a card behind a new bridge is on bus 0."""
    machine = guest.machine
    machine.plug_phb("h", 1)
    machine.plug_pci("b", "pci-bridge", 6, phb=1, bridge=3)
    machine.plug_pci("c", "virtio-rng-pci", 3, phb=1, chassis=3)
    card = machine.connectors[0x4001_0318]
    assert machine.describe(card).strings("ibm,loc-code") == ("qemu_virtio-rng-pci:0001:00:03.0",)
    if how == "reset":
        machine.reset()
    elif how == "CAS":
        machine.negotiated(b"\x20", hotplug_events=True)
    else:
        guest.take(0x2000_0001)
        guest.configure_once(0x2000_0001)
    assert machine.describe(card).strings("ibm,loc-code") == ("qemu_virtio-rng-pci:0001:01:03.0",)


def test_a_reset_clears_cache_lines_and_counts_what_goes_with_it(guest: Guest) -> None:
    """As QEMU 7.2: the size of the page table is found before requested unplugs complete."""
    machine = guest.machine
    machine.plug_pci("x", "nec-usb-xhci", 3)
    machine.plug_dimm("d", 512 * MIB)
    card, core = machine.connectors[0x4000_0018], machine.connectors[0x1000_0000]
    assert machine.describe(card).cells("cache-line-size") == (0x10,)
    machine.reset()
    assert machine.describe(card).cells("cache-line-size") == (0,)
    machine.unplug("d")
    machine.reset()
    assert machine.describe(core).cells("ibm,pft-size") == (0, 24)
    machine.reset()
    assert machine.describe(core).cells("ibm,pft-size") == (0, 23)


def test_reset_settles_everything(guest: Guest) -> None:
    guest.machine.plug_core("c1", 1)
    guest.machine.plug_dimm("d1", 512 * MIB)
    guest.machine.plug_pci("p1", "e1000", 8)
    guest.machine.plug_phb("h1", 1)
    ready(guest, BLOCK, BLOCK + 1, BRIDGE)
    guest.machine.unplug("d1")
    guest.machine.unplug("h1")
    guest.machine.reset()
    assert guest.told == [("DEVICE_DELETED", "h1"), ("DEVICE_DELETED", "d1")]
    assert [guest.sense(index)[1] for index in (CORE, BLOCK, CARD, BRIDGE)] == [1, 2, 1, 2]
    assert guest.machine.connectors[CARD].indicator == 1
    assert requests(guest) == []


def test_negotiation_keeps_warnings(guest: Guest) -> None:
    guest.machine.plug_core("c1", 1)
    guest.machine.power_down()
    guest.machine.negotiated(b"\x20", hotplug_events=True)
    assert len(guest.machine.events) == 1
    assert guest.sense(CORE) == (0, 1)


def test_interrupts(guest: Guest) -> None:
    raised: list[int] = []
    guest.machine.on_interrupt = raised.append
    guest.machine.plug_core("c1", 1)
    guest.machine.negotiated(b"\x20", hotplug_events=True)
    guest.machine.plug_core("c2", 2)
    assert raised == [0x1000, 0x1001]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (lambda m: m.unplug("nobody"), "Device 'nobody' not found"),
        (lambda m: m.unplug(""), "Device '' not found"),
        (lambda m: m.plug_core("c\n", 1), "printable"),
        (lambda m: m.plug_core("c" * 999, 1), "at most 128"),
        (lambda m: m.plug_core("c", 1, node=1), "node 1"),
        (lambda m: m.plug_core("c", 0), "core 0 already populated"),
        (lambda m: m.plug_core("c", 1 << 28 | 1), "out of range"),
        (lambda m: m.plug_dimm("d", 0), "multiple of 256 MB"),
        (lambda m: m.plug_dimm("d", 256 * MIB, address=GIB + 1), "aligned"),
        (lambda m: m.plug_dimm("d", 256 * MIB, address=0), "can't add memory device"),
        (lambda m: m.plug_pci("p", "sofa", 1), "not a valid device model name"),
        (lambda m: m.plug_pci("p", "e1000", 32), "no slot 32"),
        (lambda m: m.plug_pci("p", "e1000", 1, 8), "functions 0 to 7"),
        (lambda m: m.plug_pci("p", "e1000", 1, phb=1), "PHB 1 not found"),
        (lambda m: m.plug_pci("p", "e1000", 1, chassis=5), "behind chassis 5"),
        (lambda m: m.plug_pci("p", "pci-bridge", 1), "Bridge chassis not specified"),
        (lambda m: m.plug_phb("h", 1, node=4), "node 4"),
        (lambda m: m.plug_nvdimm("n", 256 * MIB, label_size=0, uuid=""), "label-size"),
        (lambda m: m.plug_nvdimm("n", 256 * MIB, label_size=1, uuid="x"), "uuid"),
        (lambda m: m.plug_nvdimm("n", 1, label_size=1, uuid="x"), "multiple of 256MB"),
    ],
)
def test_refusals_change_nothing(guest: Guest, what: object, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        what(guest.machine)  # type: ignore[operator]  # a lambda
    assert not guest.machine.names
    assert len(guest.machine.events) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"cores": 0}, {"cores": 2, "max_cores": 1}, {"threads": 3}, {"ram": 5}, {"ram": 1}, {"slots": -1},
        {"ram": GIB, "max_ram": 2 * GIB}, {"ram": 2 * GIB, "max_ram": GIB, "slots": 1}, {"phbs": (1, 1)},
        {"phbs": (31,)}, {"numa": (GIB, GIB)}, {"cores": "1"}, {"phb_slots": 33}, {"uuid": "x"},
        {"max_ram": 1 << 60, "slots": 1},
    ],
)  # fmt: skip
def test_settings_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        PseriesMachine(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_cores_go_round_the_nodes() -> None:
    machine = PseriesMachine(cores=4, numa=(GIB // 2, GIB // 2), memory=ByteMemory(MIB))
    nodes = [machine.describe(machine.connectors[0x1000_0000 + n]) for n in range(4)]
    assert [node.cells("ibm,associativity")[4] for node in nodes] == [0, 1, 0, 1]
