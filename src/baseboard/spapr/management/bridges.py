"""PCI host bridges. One that goes takes its connectors along and every card on them.

QEMU does not wait for the cards to be isolated; `Choice.MULTI_LEVEL_ISOLATION` does.  [QEMU 7.2]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.call_log import logged
from baseboard.spapr.devices import Phb
from baseboard.spapr.drc import PHB
from baseboard.spapr.management import cards
from baseboard.spapr.management.common import check_name, check_node, put
from baseboard.spapr.refusal import Refusal
from baseboard.spapr.settings import MAX_PHBS

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine


@logged
def plug_phb(
    machine: PseriesMachine, name: str, /, index: int | None, *, node: int = -1, cold: bool = False
) -> Phb:
    """Node -1 is none."""
    check_name(machine, name)
    if index is None:
        raise Refusal('"index" for PAPR PHB is mandatory')
    if not 0 <= index < MAX_PHBS:
        raise Refusal(f'"index" for PAPR PHB is too large (max {MAX_PHBS - 1})')
    if node != -1:
        check_node(machine, node)
    connector = machine.connector(PHB, index)
    assert connector is not None
    if connector.device is not None:
        raise Refusal(f"PHB {index} already attached")
    phb = Phb(name, index, node)
    put(machine, phb, [connector], cold=cold)
    cards.add_slots(machine, index, 0, machine.settings.phb_slots, cards.host_path(index))
    if not cold:
        machine.announce_addition(connector)
    return phb


def unplug(machine: PseriesMachine, phb: Phb) -> None:
    connector = machine.connector(PHB, phb.index)
    assert connector is not None
    if connector.unplug_requested:
        raise Refusal(f"PCI Host Bridge unplug already in progress for device {phb.id}")
    connector.request_unplug()
    machine.announce_removal(connector)


def gone(machine: PseriesMachine, phb: Phb) -> None:
    """What is behind it goes first."""
    for key in [key for key in machine.buses if key[0] == phb.index]:
        del machine.buses[key]
    for connector in cards.behind(machine, phb.index):
        device, connector.device = connector.device, None
        del machine.connectors[connector.index]
        if device is not None:
            machine.forget(device)
