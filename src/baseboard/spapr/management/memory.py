"""Memory: DIMMs, each over as many connectors as it has blocks, and persistent memory.

A DIMM goes when the guest has let go of its last block. If it refuses one, the request is taken back for all;
blocks that it has released by then stay without a device, and a later request is for the others.  [QEMU 7.2]
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from baseboard.spapr.call_log import logged
from baseboard.spapr.choices import Choice
from baseboard.spapr.devices import Dimm, Nvdimm
from baseboard.spapr.drc import LMB, PMEM, Connector
from baseboard.spapr.management.common import check_name, check_node, put
from baseboard.spapr.refusal import Refusal
from baseboard.spapr.settings import LMB_SIZE

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine


@logged
def plug_dimm(
    machine: PseriesMachine,
    name: str,
    /,
    size: int,
    *,
    slot: int | None = None,
    address: int | None = None,
    node: int = 0,
    cold: bool = False,
) -> Dimm:
    """Without slot or address, the first that is free and where it fits."""
    check_name(machine, name)
    if size <= 0 or size % LMB_SIZE:
        raise Refusal("Hotplugged memory size must be a multiple of 256 MB")
    slot, address = _slot(machine, slot), _address(machine, address, size)
    check_node(machine, node)
    dimm = Dimm(name, slot, address, size, node)
    connectors = blocks(machine, dimm)
    put(machine, dimm, connectors, cold=cold)
    machine.held[address] = len(connectors)
    if not cold:
        machine.announce_memory(connectors[0], len(connectors))
    return dimm


def unplug(machine: PseriesMachine, dimm: Dimm) -> None:
    _check_guest(machine)
    attached = [connector for connector in blocks(machine, dimm) if connector.device is dimm]
    if any(connector.unplug_requested for connector in attached):
        raise Refusal(f"Memory unplug already in progress for device {dimm.id}")
    for connector in attached:
        connector.request_unplug()
    machine.announce_memory_removal(attached[0], len(attached))


def released(machine: PseriesMachine, dimm: Dimm) -> bool:
    """One block was; whether it was the last."""
    machine.held[dimm.address] -= 1
    if machine.held[dimm.address]:
        return False
    del machine.held[dimm.address]
    return True


def roll_back(machine: PseriesMachine, dimm: Dimm) -> None:
    """The request to unplug never was."""
    for connector in blocks(machine, dimm):
        connector.unplug_requested = False
    message = f"Memory hotunplug rejected by the guest for device {dimm.id}"
    machine.tell("MEM_UNPLUG_ERROR", {"device": dimm.id, "msg": message})
    machine.tell("DEVICE_UNPLUG_GUEST_ERROR", machine.named(dimm))


@logged
def plug_nvdimm(
    machine: PseriesMachine,
    name: str,
    /,
    size: int,
    *,
    label_size: int,
    uuid: str,
    slot: int | None = None,
    address: int | None = None,
    node: int = 0,
    cold: bool = False,
) -> Nvdimm:
    """`size` is without the label area."""
    check_name(machine, name)
    if label_size <= 0:
        raise Refusal("PAPR requires NVDIMM devices to have label-size set")
    if size <= 0 or size % LMB_SIZE:
        raise Refusal("PAPR requires NVDIMM memory size (excluding label) to be a multiple of 256MB")
    try:
        uuid = str(UUID(uuid))
    except ValueError as error:
        raise Refusal(f"NVDIMM device requires the uuid to be set, not to {uuid!r}") from error
    slot, address = _slot(machine, slot), _address(machine, address, size)
    check_node(machine, node)
    connector = machine.connector(PMEM, slot)
    assert connector is not None
    nvdimm = Nvdimm(name, slot, address, size, label_size, uuid, node)
    put(machine, nvdimm, [connector], cold=cold)
    if not cold:
        machine.announce_addition(connector)
    return nvdimm


def unplug_persistent(machine: PseriesMachine, nvdimm: Nvdimm) -> None:
    """Only by choice; then it may be asked again, and the guest is told again."""
    _check_guest(machine)
    if Choice.NVDIMM_UNPLUG not in machine.choices:
        raise Refusal("nvdimm device hot unplug is not supported yet.")
    connector = machine.connector(PMEM, nvdimm.slot)
    assert connector is not None
    if not connector.unplug_requested:
        connector.request_unplug()
    machine.announce_removal(connector)


def _check_guest(machine: PseriesMachine) -> None:
    """Without hot-plug events it could not tell the memory that is to go from another: only before CAS."""
    if machine.vector5 is not None and any(machine.vector5) and not machine.hotplug_events:
        raise Refusal("Memory hot unplug not supported for this guest")


def blocks(machine: PseriesMachine, dimm: Dimm) -> list[Connector]:
    """Those of its addresses, attached or not."""
    first = LMB.drc_index(dimm.address // LMB_SIZE)
    return [machine.connectors[first + number] for number in range(dimm.size // LMB_SIZE)]


def plugged(machine: PseriesMachine) -> int:
    """Bytes in all slots."""
    return sum(module.size for module in _modules(machine))


def _modules(machine: PseriesMachine) -> list[Dimm | Nvdimm]:
    return [device for device in machine.devices() if isinstance(device, Dimm | Nvdimm)]


def _slot(machine: PseriesMachine, wanted: int | None) -> int:
    slots = machine.settings.slots
    if not slots:
        raise Refusal("no slots where allocated, please specify the 'slots' option")
    busy = {module.slot for module in _modules(machine)}
    if wanted is None:
        for slot in range(slots):
            if slot not in busy:
                return slot
        raise Refusal("no free slots available")
    if not 0 <= wanted < slots:
        raise Refusal(f"invalid slot number {wanted}, valid range is [0-{slots - 1}]")
    if wanted in busy:
        raise Refusal(f"slot {wanted} is busy")
    return wanted


def _address(machine: PseriesMachine, wanted: int | None, size: int) -> int:
    region = machine.settings.device_memory
    modules = sorted(_modules(machine), key=lambda module: module.address)
    used = sum(module.size for module in modules)
    if used + size > len(region):
        raise Refusal(
            f"not enough space, currently {used:#x} in use of total space for memory devices {len(region):#x}"
        )
    if wanted is None:
        address = region.start
        for module in modules:
            if module.address - address >= size:
                break
            address = module.address + module.size
        if address + size > region.stop:
            raise Refusal(
                "could not find position in guest address space for memory device - memory fragmented"
            )
        return address
    if wanted % LMB_SIZE:
        raise Refusal(f"address must be aligned to {LMB_SIZE:#x} bytes")
    if wanted < region.start or wanted + size > region.stop:
        raise Refusal(
            f"can't add memory device [{wanted:#x}:{size:#x}], "
            f"usable range for memory devices [{region.start:#x}:{len(region):#x}]"
        )
    for module in modules:
        if wanted < module.address + module.size and module.address < wanted + size:
            raise Refusal(f"address range conflicts with memory device id='{module.id or '(unnamed)'}'")
    return wanted
