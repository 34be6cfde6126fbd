"""PCI cards. Function 0 makes the card: plugged in last it shows all functions, unplugged it takes all along.

A bridge brings connectors for what is behind it and stays. One that is there at a reset has a number for
its bus; one that is plugged in waits for the guest's.  [QEMU 7.2]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.call_log import logged
from baseboard.spapr.devices import PciFunction
from baseboard.spapr.drc import PCI, PHB, Connector, pci_identifier
from baseboard.spapr.management.common import check_name, put
from baseboard.spapr.nodes import MODELS, bridge_name, card_node
from baseboard.spapr.refusal import Refusal

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

FUNCTIONS = 8
BRIDGE_SLOTS = 32


@logged
def plug_pci(
    machine: PseriesMachine,
    name: str,
    /,
    model: str,
    slot: int,
    function: int = 0,
    *,
    phb: int = 0,
    chassis: int = 0,
    bridge: int = 0,
    cold: bool = False,
) -> PciFunction:
    """`chassis` is that of the bridge that it goes behind; `bridge` that of a bridge itself."""
    check_name(machine, name)
    description = MODELS.get(model)
    if description is None:
        raise Refusal(f"'{model}' is not a valid device model name; there are {', '.join(MODELS)}")
    host = machine.connector(PHB, phb)
    if not 0 <= phb < 1 << 8 or host is None or host.device is None:
        raise Refusal(f"PHB {phb} not found")
    if not 0 <= function < FUNCTIONS:
        raise Refusal(f"function {function}: a card has functions 0 to 7")
    if not 0 <= slot < BRIDGE_SLOTS or not 0 <= chassis < 1 << 8:
        raise Refusal(f"no slot {slot} behind chassis {chassis}")
    connector = machine.connector(PCI, pci_identifier(phb, chassis, slot, function))
    if connector is None:
        raise Refusal(f"no slot {slot} behind chassis {chassis} of PHB {phb}")
    if description.bridge:
        _check_chassis(machine, phb, bridge)
    first = siblings(machine, connector)[0]
    if function and not cold and isinstance(first.device, PciFunction):
        raise Refusal(
            f"PCI: slot {slot} function 0 already occupied by {first.device.model}, "
            "additional functions can no longer be exposed to guest."
        )
    if isinstance(connector.device, PciFunction):
        raise Refusal(f"PCI: slot {slot} already occupied by {connector.device.model}")
    card = PciFunction(name, phb, chassis, slot, function, model, bridge if description.bridge else 0)
    put(machine, card, [connector], cold=cold)
    if description.bridge:
        machine.buses[phb, bridge] = 0
        add_slots(machine, phb, bridge, BRIDGE_SLOTS, f"{connector.parent}/{card_node(card, 0).name}")
        if cold:
            number_buses(machine, phb)
    if not cold:
        machine.new_cards.add(connector.index)
    if not cold and function == 0:
        for sibling in siblings(machine, connector):
            if sibling.device is not None:
                machine.announce_addition(sibling)
    return card


def unplug(machine: PseriesMachine, card: PciFunction) -> None:
    """A function that is not function 0 waits for it."""
    connector = connector_of(machine, card)
    if connector.unplug_requested:
        raise Refusal(f"PCI device unplug already in progress for device {card.id}")
    if card.bridge:
        raise Refusal("PCI: Hot unplug of PCI bridges not supported")
    if card.function:
        connector.request_unplug()
        return
    whole = siblings(machine, connector)
    for sibling in (*whole[1:], connector):
        if sibling.device is not None and not sibling.unplug_requested:
            sibling.request_unplug()
    for sibling in reversed(whole):
        if sibling.device is not None:
            machine.announce_removal(sibling)


def siblings(machine: PseriesMachine, connector: Connector) -> list[Connector]:
    """The connectors of the functions 0 to 7 of one slot."""
    first = connector.index - connector.identifier % FUNCTIONS
    return [machine.connectors[first + function] for function in range(FUNCTIONS)]


def add_slots(machine: PseriesMachine, phb: int, chassis: int, slots: int, parent: str) -> None:
    for slot in range(slots):
        for function in range(FUNCTIONS):
            machine.add_connector(PCI, pci_identifier(phb, chassis, slot, function), parent)
    machine.sort_connectors()


def behind(machine: PseriesMachine, phb: int, chassis: int | None = None) -> list[Connector]:
    """The connectors on a host bridge, or only on one bridge of it (chassis 0: the host bridge's own)."""
    return [
        connector
        for connector in machine.connectors.values()
        if connector.kind is PCI
        and connector.identifier >> 16 == phb
        and (chassis is None or connector.identifier >> 8 & 0xFF == chassis)
    ]


def bus_number(machine: PseriesMachine, card: PciFunction) -> int:
    """Of the bus that it sits on; 0 behind a bridge that nobody has numbered yet."""
    return machine.buses.get((card.phb, card.chassis), 0)


def number_buses(machine: PseriesMachine, phb: int) -> None:
    """As the platform does when it makes the tree of a host bridge.

    From 1, what is behind a bridge before the next one.
    """
    count = 0
    chassis = [0]
    while chassis:
        here = chassis.pop()
        if here:
            count += 1
            machine.buses[phb, here] = count
        cards = [connector.device for connector in behind(machine, phb, here)]
        chassis += [card.bridge for card in reversed(cards) if isinstance(card, PciFunction) and card.bridge]


def _check_chassis(machine: PseriesMachine, phb: int, bridge: int) -> None:
    if not 0 < bridge < 1 << 8:
        raise Refusal(
            "Bridge chassis not specified. Each bridge is required to be assigned a unique chassis id > 0."
        )
    if behind(machine, phb, bridge):
        raise Refusal(f"Bridge chassis {bridge} already in use")


def connector_of(machine: PseriesMachine, card: PciFunction) -> Connector:
    identifier = pci_identifier(card.phb, card.chassis, card.slot, card.function)
    return machine.connectors[PCI.drc_index(identifier)]


def host_path(phb: int) -> str:
    return f"/{bridge_name(phb)}"
