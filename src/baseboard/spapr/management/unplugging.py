"""Devices of every kind go: the guest is asked to let go of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.call_log import logged
from baseboard.spapr.devices import Core, Dimm, Nvdimm, PciFunction, Phb, TpmProxy
from baseboard.spapr.management import bridges, cards, cores, memory, tpm
from baseboard.spapr.refusal import Refusal

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine


@logged
def unplug(machine: PseriesMachine, name: str) -> None:
    """What has no connector goes at once."""
    device = machine.names.get(name)
    match device:
        case Core():
            cores.unplug(machine, device)
        case Dimm():
            memory.unplug(machine, device)
        case Nvdimm():
            memory.unplug_persistent(machine, device)
        case PciFunction():
            cards.unplug(machine, device)
        case Phb():
            bridges.unplug(machine, device)
        case TpmProxy():
            tpm.unplug(machine, device)
        case None:
            raise Refusal(f"Device '{name}' not found")
