"""What a running pseries guest is made of, found out by QEMU's monitor and the device tree.  [QEMU 7.2]"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from baseboard.attach.errors import NotAttachable
from baseboard.attach.given_back import boot_of, recall
from baseboard.attach.guest_tree import Read, find_tree
from baseboard.attach.live_machine import LiveMachine
from baseboard.attach.qmp import Qmp
from baseboard.errors import ConfigError, DecodeError
from baseboard.power.qmp import MonitorError
from baseboard.spapr import vector5
from baseboard.spapr.choices import Choice
from baseboard.spapr.drc import CPU, PHB
from baseboard.spapr.processor import POWER9, Processor
from baseboard.spapr.refusal import Refusal
from baseboard.spapr.settings import MAX_NODES, MachineSettings
from baseboard.spapr.tree import Node

_PERIPHERAL = "/machine/peripheral/"
_XIVE = "ibm,power-ivpe"


class Core(NamedTuple):
    """One that is plugged in; `name` is empty for one that was there from the start."""

    name: str
    number: int
    node: int


class Guest(NamedTuple):
    """A guest, at one moment."""

    machine: str
    """QEMU's name of the machine's version."""
    rtas: int
    """Where the guest has its RTAS."""
    services: dict[int, str]
    """Names of RTAS services by token."""
    settings: MachineSettings
    cores: tuple[Core, ...]
    core_type: str
    dimms: tuple[dict[str, Any], ...]
    """As `query-memory-devices` gives them."""
    vector5: bytes
    xive: bool
    """Whether its interrupts are XIVE's, which can be raised from outside."""
    processor: Processor
    boot: str
    """Another one each time that the guest starts."""
    free: frozenset[int]
    """Connectors whose devices the guest does not hold, as far as somebody has left word."""

    def held_cores(self) -> list[Core]:
        """Without those that stand still in QEMU."""
        return [core for core in self.cores if CPU.drc_index(core.number) not in self.free]

    def partition(self, choices: Choice = Choice.NONE) -> LiveMachine:
        """A platform of ours in the same state.  Raises NotAttachable: there is none like it."""
        settings = self.settings
        machine = LiveMachine(replace(settings, choices=choices), clock=time.time, populated=False)
        try:
            for core in self.held_cores():
                machine.plug_core(core.name, core.number, node=core.node, cold=True)
            for index in settings.phbs:
                machine.plug_phb("", index, cold=True)
            for dimm in self.dimms:
                machine.plug_dimm(
                    dimm.get("id", ""),
                    dimm["size"],
                    slot=dimm["slot"],
                    address=dimm["addr"],
                    node=dimm["node"],
                    cold=True,
                )
        except Refusal as refusal:
            raise NotAttachable(f"the guest has what our platform does not: {refusal}") from None
        machine.negotiated(self.vector5, hotplug_events=vector5.HOTPLUG_EVENTS.among(self.vector5))
        machine.processor = self.processor
        for index in self.free & machine.connectors.keys():
            machine.connectors[index].state = machine.connectors[index].EMPTY
        return machine


def check_machine(qmp: Qmp) -> str:
    """The machine's name and version, if it is one of ours.  Raises NotAttachable and AttachError."""
    machine = str(_asked(qmp, "what machine it is", "qom-get", path="/machine", property="type"))
    if not machine.startswith("pseries"):
        raise NotAttachable(f"{qmp.path}: the machine is {machine}, not a pseries")
    return machine.removesuffix("-machine")


def look(qmp: Qmp, read: Read) -> Guest:
    """What is behind the monitor and in the guest's memory.  Raises NotAttachable and AttachError."""
    machine = check_machine(qmp)
    memory = _asked(qmp, "how much memory", "qom-get", path="/machine", property="memory")
    found = find_tree(read, memory["size"])
    if found is None:
        raise NotAttachable(
            f"{qmp.path}: the guest has no RTAS (yet): its kernel asks for it early, and one that does not "
            "cannot be attached to"
        )
    tree, blob = found
    rtas = tree.child("rtas")
    assert rtas is not None
    slots = _asked(qmp, "its cores", "query-hotpluggable-cpus")
    modules = _asked(qmp, "its memory modules", "query-memory-devices")
    if other := [module["type"] for module in modules if module["type"] != "dimm"]:
        raise NotAttachable(f"{qmp.path}: the guest has memory of kind {other[0]}; only DIMMs are known here")
    chosen = tree.find("/chosen") or Node("chosen")
    boot = boot_of(blob)
    threads = slots[0]["vcpus-count"]
    try:
        processor = _processor(tree, chosen)
        xive = any(_XIVE in node.strings("compatible") for node in tree.children)
        settings = MachineSettings(
            cores=sum(1 for slot in slots if "qom-path" in slot),
            max_cores=len(slots),
            threads=threads,
            ram=memory["size"],
            max_ram=memory["max-size"],
            slots=memory["slots"],
            phbs=_bridges(tree),
            numa=_nodes(tree, memory["size"]),
            uuid=_uuid(qmp),
        )
    except ConfigError as error:
        raise NotAttachable(f"{qmp.path}: no such platform of ours: {error}") from None
    except DecodeError as error:
        raise NotAttachable(f"{qmp.path}: the guest's device tree is none of a partition: {error}") from None
    return Guest(
        machine=machine,
        rtas=rtas.cells("linux,rtas-entry")[0],
        services={
            tokens[0]: name
            for name, value in rtas.properties.items()
            if len(value) == 4 and (tokens := rtas.cells(name)) and not name.startswith("linux,")
        },
        settings=settings,
        cores=tuple(_cores(slots)),
        core_type=slots[0]["type"],
        dimms=tuple(module["data"] for module in modules),
        vector5=chosen.properties.get("ibm,architecture-vec-5", b"")[1:],
        xive=xive,
        processor=processor,
        boot=boot,
        free=recall(qmp, boot),
    )


def _asked(qmp: Qmp, what: str, command: str, **arguments: Any) -> Any:
    try:
        return qmp.execute(command, **arguments)
    except MonitorError as error:
        raise NotAttachable(f"{qmp.path}: QEMU does not say {what}: {error}") from None


def _cores(slots: list[dict[str, Any]]) -> list[Core]:
    plugged = [slot for slot in slots if "qom-path" in slot]
    return [
        Core(
            slot["qom-path"].removeprefix(_PERIPHERAL) if slot["qom-path"].startswith(_PERIPHERAL) else "",
            slot["props"]["core-id"],
            slot["props"].get("node-id", 0),
        )
        for slot in sorted(plugged, key=lambda slot: int(slot["props"]["core-id"]))
    ]


def _processor(tree: Node, chosen: Node) -> Processor:
    """What guest and QEMU have agreed on.  Raises DecodeError."""
    vector = chosen.properties.get("ibm,architecture-vec-5", b"")[1:]
    cores = (tree.child("cpus") or Node("cpus")).children
    versions = [version for node in cores for version in node.cells("cpu-version")[:1]]
    return Processor(versions[0] if versions else POWER9, vector5.RADIX.among(vector))


def _bridges(tree: Node) -> tuple[int, ...]:
    """Raises DecodeError."""
    indexes = (node.cells("ibm,my-drc-index") for node in tree.children if node.name.startswith("pci@"))
    return tuple(sorted(index[0] - PHB.drc_index(0) for index in indexes if index))


def _nodes(tree: Node, ram: int) -> tuple[int, ...]:
    """RAM of each NUMA node; none where there is only one.  Raises DecodeError."""
    sizes: dict[int, int] = {}
    for node in tree.children:
        if node.name.startswith("memory@"):
            place, domains = node.cells("reg"), node.cells("ibm,associativity")
            if len(place) != 4 or not domains or domains[-1] >= MAX_NODES:
                raise DecodeError(f"{node.name} has reg {place} and ibm,associativity {domains}"[:200])
            high, low, number = *place[2:], domains[-1]
            sizes[number] = sizes.get(number, 0) + (high << 32 | low)
    nodes = tuple(sizes.get(number, 0) for number in range(max(sizes, default=0) + 1))
    return nodes if len(nodes) > 1 and sum(nodes) == ram else ()


def _uuid(qmp: Qmp) -> str | None:
    uuid = UUID(_asked(qmp, "its UUID", "query-uuid")["UUID"])
    return str(uuid) if uuid.int else None
