"""The whole device tree of a machine, as a guest finds it at the start and after CAS.  [LoPAR C]

What can be plugged in has its nodes from `nodes/`, by way of `PseriesMachine.describe`, as
ibm,configure-connector hands them out; here is what holds them. Values are QEMU 7.2's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr import affinity, memory, vector5
from baseboard.spapr.cells import cells, strings, wide
from baseboard.spapr.drc import Connector
from baseboard.spapr.drc_info import connector_properties
from baseboard.spapr.events import event_sources_node
from baseboard.spapr.nodes.bridges import INTERRUPT_CONTROLLER
from baseboard.spapr.rtas.service import TOKENS
from baseboard.spapr.settings import LMB_SIZE, MachineSettings
from baseboard.spapr.tree import Node

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

ERROR_LOG_MAX = 2048
RTAS_SIZE = 2048 + 20
"""The largest error log, and five instructions that make the hypercall."""

# fmt: off
HYPERCALL_SETS = (
    "hcall-pft", "hcall-term", "hcall-dabr", "hcall-interrupt", "hcall-tce", "hcall-vio", "hcall-splpar",
    "hcall-join", "hcall-bulk", "hcall-set-mode", "hcall-sprg0", "hcall-copy", "hcall-debug", "hcall-vphn",
    "hcall-multi-tce", "hcall-hpt-resize", "hcall-watchdog",
)
# fmt: on
"""QEMU 7.2's: most are served by what executes the guest, not by us. Linux takes a partition by them."""


def device_tree(machine: PseriesMachine, vector: bytes | None = None) -> Node:
    """Nodes have no phandles but the interrupt controller's (`tree.add_phandles` gives them).

    `vector` is what will have been agreed on; none: what has been.
    """
    settings = machine.settings
    vector = vector or machine.vector5
    at_start, vector = vector is None, vector or vector5.BEFORE_CAS
    by_parent: dict[str, list[Connector]] = {}
    for connector in machine.connectors.values():
        by_parent.setdefault(connector.parent, []).append(connector)

    root = Node("", _root_properties(settings))
    root.properties |= connector_properties(by_parent.get("/", ()), vector)
    root.add(_chosen(vector, at_start=at_start))
    root.add(_rtas(settings, vector))
    root.add(event_sources_node())
    root.add(_interrupt_controller(settings))
    for address, size, numa_node in memory.ram_pieces(settings):
        root.add(_memory(address, size, affinity.associativity(vector, numa_node)))
    if len(settings.device_memory) and vector5.DYNAMIC_MEMORY.among(vector):
        root.add(_dynamic_memory(machine, vector))
    root.add(_persistent_memory())
    cpus = root.add(Node("cpus", {"#address-cells": cells(1), "#size-cells": cells(0)}))
    cpus.properties |= connector_properties(by_parent.get("/cpus", ()), vector)

    places = {"CPU": cpus, "PHB": root, "PMEM": root.child("ibm,persistent-memory")}
    for connector in sorted(machine.connectors.values(), key=lambda one: one.index):
        place = places.get(connector.kind.name)
        if place is not None and connector.device is not None:
            node = machine.describe(connector, vector)
            node.properties.pop("name", None)  # what Linux makes of a node's name by itself
            place.add(node)
    return root


def _root_properties(settings: MachineSettings) -> dict[str, bytes]:
    properties = {
        "device_type": strings("chrp"),
        "model": strings("IBM pSeries (emulated by qemu)"),
        "compatible": strings("qemu,pseries"),
        "#address-cells": cells(2),
        "#size-cells": cells(2),
        "ibm,lpar-capable": b"",
    }
    if settings.uuid is not None:
        properties["vm,uuid"] = properties["system-id"] = strings(settings.uuid)
    return properties


def _chosen(vector: bytes, *, at_start: bool) -> Node:
    """What may be agreed on is only said before it is."""
    node = Node("chosen", {"ibm,architecture-vec-5": bytes([len(vector) - 1]) + vector})
    if at_start:
        supported = {23: 0x00, 24: 0xC0, 25: 0x00, 26: 0x40}  # XICS; hash and radix; no extensions; GTSE
        node.properties["ibm,arch-vec-5-platform-support"] = bytes(
            byte for pair in supported.items() for byte in pair
        )
        node.set_cells("linux,pci-probe-only", 0)
    return node


def _rtas(settings: MachineSettings, vector: bytes) -> Node:
    region = settings.device_memory
    properties = {
        "ibm,hypertas-functions": strings(*HYPERCALL_SETS),
        "rtas-size": cells(RTAS_SIZE),
        "rtas-error-log-max": cells(ERROR_LOG_MAX),
        "rtas-event-scan-rate": cells(1),
        "ibm,extended-os-term": b"",
        "ibm,lrdr-capacity": wide(region.stop if region else 0, LMB_SIZE) + cells(settings.possible_cores),
    }
    properties |= affinity.rtas_properties(vector, settings.nodes)
    return Node("rtas", properties | {name: cells(token) for name, token in TOKENS.items()})


def _interrupt_controller(settings: MachineSettings) -> Node:
    return Node(
        "interrupt-controller",
        {
            "device_type": strings("PowerPC-External-Interrupt-Presentation"),
            "compatible": strings("IBM,ppc-xicp"),
            "interrupt-controller": b"",
            "ibm,interrupt-server-ranges": cells(0, settings.possible_cores * settings.threads),
            "#interrupt-cells": cells(2),
            "#address-cells": cells(0),
            "linux,phandle": cells(INTERRUPT_CONTROLLER),
            "phandle": cells(INTERRUPT_CONTROLLER),
        },
    )


def _memory(address: int, size: int, associativity: bytes) -> Node:
    return Node(
        f"memory@{address:x}",
        {
            "device_type": strings("memory"),
            "reg": wide(address, size),
            "ibm,associativity": associativity,
        },
    )


def _dynamic_memory(machine: PseriesMachine, vector: bytes) -> Node:
    sets = memory.lmb_map(machine.settings, machine.devices())
    if vector5.DYNAMIC_MEMORY_2.among(vector):
        name, value = "ibm,dynamic-memory-v2", memory.encode_v2(sets)
    else:
        name, value = "ibm,dynamic-memory", memory.encode_v1(sets)
    return Node(
        "ibm,dynamic-reconfiguration-memory",
        {
            "ibm,lmb-size": wide(LMB_SIZE),
            "ibm,memory-flags-mask": cells(0xFF),
            "ibm,memory-preservation-time": cells(0),
            name: value,
            "ibm,associativity-lookup-arrays": affinity.lookup_arrays(vector, machine.settings.nodes),
        },
    )


def _persistent_memory() -> Node:
    return Node(
        "ibm,persistent-memory",
        {
            "#address-cells": cells(1),
            "#size-cells": cells(0),
            "device_type": strings("ibm,persistent-memory"),
        },
    )
