"""What an administrator does with devices: the methods of `PseriesMachine`, named as a call log has them.

Each raises `Refusal` and changes nothing, or does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.call_log import logged
from baseboard.spapr.devices import Core, Dimm, Nvdimm, PciFunction, Phb, TpmProxy
from baseboard.spapr.management import bridges, cards, cores, memory, tpm
from baseboard.spapr.refusal import Refusal

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine


@logged
def plug_core(
    machine: PseriesMachine, name: str, core_id: int, *, node: int | None = None, cold: bool = False
) -> Core:
    return cores.plug(machine, name, core_id, node=node, cold=cold)


@logged
def plug_dimm(
    machine: PseriesMachine,
    name: str,
    size: int,
    *,
    slot: int | None = None,
    address: int | None = None,
    node: int = 0,
    cold: bool = False,
) -> Dimm:
    return memory.plug(machine, name, size, slot=slot, address=address, node=node, cold=cold)


@logged
def plug_nvdimm(
    machine: PseriesMachine,
    name: str,
    size: int,
    *,
    label_size: int,
    uuid: str,
    slot: int | None = None,
    address: int | None = None,
    node: int = 0,
    cold: bool = False,
) -> Nvdimm:
    return memory.plug_persistent(
        machine,
        name,
        size,
        label_size=label_size,
        uuid=uuid,
        slot=slot,
        address=address,
        node=node,
        cold=cold,
    )


@logged
def plug_pci(
    machine: PseriesMachine,
    name: str,
    model: str,
    slot: int,
    function: int = 0,
    *,
    phb: int = 0,
    chassis: int = 0,
    bridge: int = 0,
    cold: bool = False,
) -> PciFunction:
    return cards.plug(
        machine, name, model, slot, function, phb=phb, chassis=chassis, bridge=bridge, cold=cold
    )


@logged
def plug_phb(
    machine: PseriesMachine, name: str, index: int | None, *, node: int = -1, cold: bool = False
) -> Phb:
    return bridges.plug(machine, name, index, node=node, cold=cold)


@logged
def plug_tpm_proxy(machine: PseriesMachine, name: str, where: str = "") -> TpmProxy:
    return tpm.plug(machine, name, where)


@logged
def unplug(machine: PseriesMachine, name: str) -> None:
    """The guest is asked to let go of it; what has no connector goes at once."""
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
