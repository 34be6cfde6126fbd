"""What a guest is made of, from the answers of QEMU's monitor. They are those of QEMU 7.2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.attach.backing import Backing
from baseboard.attach.errors import NotAttachable
from baseboard.attach.given_back import boot_of, recall, remember
from baseboard.attach.pseries import Core, Guest, look
from baseboard.attach.qmp import Qmp
from baseboard.power.qmp import MonitorError
from baseboard.spapr import fdt
from baseboard.spapr.cells import cells, strings, wide
from baseboard.spapr.guest_memory import ByteMemory
from baseboard.spapr.refusal import Refusal
from baseboard.spapr.tree import Node

pytest.importorskip("libfdt")
GIB = 1 << 30
CORE_TYPE = "power9_v2.0-spapr-cpu-core"
DIMM = {"slot": 1, "addr": GIB, "size": 1 << 28, "node": 0, "id": "m1", "hotplugged": True}


class Monitor(Qmp):
    """Answers by command, and what was asked. An answer that is an error is QEMU's refusal."""

    path = Path("qmp")

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.objects: list[str] = ["other"]

    def execute(self, command: str, **arguments: Any) -> Any:
        self.asked.append((command, arguments))
        match command:
            case "qom-list":
                return [{"name": name} for name in self.objects]
            case "object-del":
                self.objects.remove(arguments["id"])
            case "object-add":
                self.objects.append(arguments["id"])
        answer = self.answers.get(arguments.get("property") or command.replace("-", "_"), {})
        if isinstance(answer, Exception):
            raise answer
        return answer


def core(number: int, path: str = "", node: int = 0) -> dict[str, Any]:
    slot = {"props": {"core-id": number, "node-id": node}, "vcpus-count": 1, "type": CORE_TYPE}
    return slot | {"qom-path": path} if path else slot


def monitor(**other: Any) -> Monitor:
    cores = [core(2), core(1, "/machine/peripheral/c1"), core(0, "/machine/unattached/device[1]")]
    return Monitor(
        **{
            "type": "pseries-7.2-machine",
            "memory": {"size": GIB, "slots": 4, "max-size": 4 * GIB},
            "query_hotpluggable_cpus": cores,
            "query_memory_devices": [{"type": "dimm", "data": DIMM}],
            "query_uuid": {"UUID": "00000000-0000-0000-0000-000000000000"},
        }
        | other
    )


def tree() -> Node:
    vector = bytes.fromhex("19002000 00a00500 00000000 00000000 00000000 00008040 400040")
    return Node(
        "",
        {},
        [
            Node("rtas", {"linux,rtas-entry": cells(0x2FFF_0000), "set-indicator": cells(0x201A)}),
            Node("chosen", {"ibm,architecture-vec-5": vector}),
            Node("cpus", {}, [Node("PowerPC,POWER9@0", {"cpu-version": cells(0x0F00_0005)})]),
            Node("memory@0", {"reg": wide(0, GIB), "ibm,associativity": cells(1, 0)}),
            Node("pci@800000020000000", {"ibm,my-drc-index": cells(0x2000_0000)}),
            Node("interrupt-controller", {"compatible": strings("ibm,power-ivpe")}),
        ],
    )


def seen(monitor: Monitor, root: Node | None = None) -> Guest:
    memory = ByteMemory(GIB >> 8)
    memory.write(0x1_0000, fdt.build(root or tree()))
    return look(monitor, lambda address, size: memory.read(address % len(memory.content), size))


def test_a_guest() -> None:
    guest = seen(monitor())
    assert (guest.machine, guest.rtas, guest.xive) == ("pseries-7.2", 0x2FFF_0000, True)
    assert guest.services[0x201A] == "set-indicator"
    assert guest.cores == (Core("", 0, 0), Core("c1", 1, 0))
    machine = guest.partition()
    assert (machine.settings.ram, machine.settings.largest_ram, machine.settings.slots) == (GIB, 4 * GIB, 4)
    assert (machine.settings.cores, machine.settings.possible_cores) == (2, 3)
    assert machine.hotplug_events
    assert set(machine.names) == {"c1", "m1"}
    block = machine.connectors[0x8000_0004]
    assert (block.device, block.state) == (machine.names["m1"], block.READY)
    assert machine.processor.version == 0x0F00_0005


def test_what_the_guest_does_not_hold() -> None:
    known = monitor()
    boot = boot_of(fdt.build(tree()))
    remember(known, "00000000", [0x1000_0000])  # of another boot
    remember(known, boot, [0x1000_0001, 0x8000_0004])
    assert recall(known, boot) == {0x1000_0001, 0x8000_0004}
    assert recall(known, "00000000") == frozenset()
    machine = seen(known).partition()
    assert set(machine.names) == {"m1"}
    block = machine.connectors[0x8000_0004]
    assert block.state == block.EMPTY
    remember(known, boot, [])
    assert known.objects == ["other"]


def test_numa_nodes() -> None:
    root = tree()
    root.child("memory@0").set_cells("reg", 0, 0, 0, GIB // 4)  # type: ignore[union-attr]  # it is there
    root.add(Node("memory@10000000", {"reg": wide(GIB // 4, 3 * GIB // 4), "ibm,associativity": cells(1, 1)}))
    assert seen(monitor(), root).settings.numa == (GIB // 4, 3 * GIB // 4)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"type": "pc-i440fx-7.2-machine"}, "the machine is pc-i440fx-7.2-machine, not a pseries"),
        ({"type": MonitorError("qom-get: no")}, "QEMU does not say what machine it is: qom-get: no"),
        ({"memory": {"size": 5 << 20, "slots": 0, "max-size": 5 << 20}}, "ram = 5242880"),
        ({"query_memory_devices": [{"type": "nvdimm", "data": {}}]}, "memory of kind nvdimm"),
        ({"query_memory_devices": [{"type": "dimm", "data": DIMM | {"slot": 9}}]}, "invalid slot number 9"),
    ],
)
def test_what_is_not_for_us(answers: dict[str, Any], says: str) -> None:
    with pytest.raises(NotAttachable, match=says):
        seen(monitor(**answers)).partition()


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("memory@0", "reg", cells(0, 0, 1)),
        ("memory@0", "ibm,associativity", b""),
        ("memory@0", "ibm,associativity", cells(1, 0xFFFF_FFFF)),
        ("pci@800000020000000", "ibm,my-drc-index", b"abc"),
        ("pci@800000020000000", "ibm,my-drc-index", cells(7)),
        ("cpus/PowerPC,POWER9@0", "cpu-version", b"abc"),
        ("interrupt-controller", "compatible", b"\xff"),
    ],
)
def test_a_tree_that_a_guest_has_changed(path: str, name: str, value: bytes) -> None:
    root = tree()
    node = root.find(path)
    assert node is not None
    node.properties[name] = value
    with pytest.raises(NotAttachable, match="qmp: "):
        seen(monitor(), root)


@given(st.sampled_from([path for path, _ in tree().walk()]), st.data())
def test_any_tree_is_a_guest_or_refused(path: str, data: st.DataObject) -> None:
    root = tree()
    node = root.find(path)
    assert node is not None
    names = st.sampled_from([*node.properties, "reg", "compatible", "cpu-version", "ibm,my-drc-index"])
    node.properties[data.draw(names)] = data.draw(st.binary(max_size=20))
    try:
        seen(monitor(), root).partition()
    except NotAttachable:
        pass


def test_no_rtas() -> None:
    root = tree()
    root.remove("rtas")
    with pytest.raises(NotAttachable, match="no RTAS"):
        seen(monitor(), root)


def test_hardware() -> None:
    known = monitor()
    backing = Backing(known, CORE_TYPE, {0: ""}, [])
    assert not backing.plug_core("c0", 0, 0)  # it stands there
    assert backing.plug_core("c2", 2, 0)
    assert not backing.plug_core("again", 2, 0)
    assert backing.plug_dimm("m1", 1 << 28, slot=0, address=GIB, node=0)
    assert known.asked == [
        ("device_add", {"driver": CORE_TYPE, "id": "c2", "core-id": 2, "node-id": 0}),
        ("object-add", {"qom-type": "memory-backend-ram", "id": "baseboard-m1", "size": 1 << 28}),
        (
            "device_add",
            {"driver": "pc-dimm", "id": "m1", "memdev": "baseboard-m1", "slot": 0, "addr": GIB, "node": 0},
        ),
    ]
    assert backing.unplug_dimm("m1")
    backing.deleted("m1")
    assert known.objects == ["other"]
    assert not backing.unplug_dimm("m1")


def test_hardware_that_qemu_refuses() -> None:
    known = monitor(device_add=MonitorError("device_add: no"))
    backing = Backing(known, CORE_TYPE, {}, [])
    with pytest.raises(Refusal, match="QEMU: device_add: no"):
        backing.plug_dimm("m1", 1 << 28, slot=0, address=GIB, node=0)
    assert known.objects == ["other"]
    assert not backing.unplug_dimm("m1")
