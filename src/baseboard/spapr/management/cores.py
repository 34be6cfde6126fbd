"""Processor cores. The first one stays.  [QEMU 7.2]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.call_log import logged
from baseboard.spapr.devices import Core
from baseboard.spapr.drc import CPU
from baseboard.spapr.management.common import check_name, check_node, put
from baseboard.spapr.refusal import Refusal

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine


@logged
def plug_core(
    machine: PseriesMachine, name: str, /, core_id: int, *, node: int | None = None, cold: bool = False
) -> Core:
    """`core_id` is the number of its first thread. Without a node the cores go round."""
    check_name(machine, name)
    threads = machine.settings.threads
    if core_id < 0 or core_id % threads:
        raise Refusal(f"invalid core id {core_id}")
    connector = machine.connector(CPU, core_id)
    if connector is None or connector.identifier != core_id:
        raise Refusal(f"core id {core_id} out of range")
    if connector.device is not None:
        raise Refusal(f"core {core_id} already populated")
    if node is None:
        node = core_id // threads % machine.settings.nodes
    check_node(machine, node)
    core = Core(name, core_id, node)
    put(machine, core, [connector], cold=cold)
    if not cold:
        machine.announce_addition(connector)
    return core


def unplug(machine: PseriesMachine, core: Core) -> None:
    """May be asked again: then the guest is told again."""
    if core.core_id == 0:
        raise Refusal("Boot CPU core may not be unplugged")
    connector = machine.connector(CPU, core.core_id)
    assert connector is not None
    if not connector.unplug_requested:
        connector.request_unplug()
    machine.announce_removal(connector)


def gone(machine: PseriesMachine, core: Core) -> None:
    """Its processors have stopped for good."""
    machine.running.difference_update(range(core.core_id, core.core_id + machine.settings.threads))
