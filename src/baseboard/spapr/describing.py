"""The node of what is attached to a connector: for configure-connector, and for the whole tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.errors import LocalProtocolError
from baseboard.spapr.cells import cells, strings
from baseboard.spapr.devices import Core, Dimm, Nvdimm, PciFunction, Phb
from baseboard.spapr.drc import Connector
from baseboard.spapr.drc_info import connector_properties
from baseboard.spapr.management import cards
from baseboard.spapr.nodes import (
    bridge_node,
    card_node,
    core_node,
    memory_block_node,
    persistent_memory_node,
)
from baseboard.spapr.tree import Node

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine


def describe(machine: PseriesMachine, connector: Connector, vector: bytes) -> Node:
    """`vector` is option vector 5, by which the forms of some properties go."""
    device = connector.device
    match device:
        case Core():
            return core_node(machine.settings, device, machine.memory_at_reset, machine.processor, vector)
        case Dimm():
            return memory_block_node(connector, device, machine.choices, vector)
        case Nvdimm():
            return persistent_memory_node(device, vector)
        case Phb():
            return _bridge(machine, bridge_node(device, vector), device.index, 0, vector)
        case PciFunction():
            return _card(machine, device, vector)
    raise LocalProtocolError(f"nothing is attached to {connector.name}")


def _card(machine: PseriesMachine, card: PciFunction, vector: bytes) -> Node:
    was_reset = cards.connector_of(machine, card).index not in machine.new_cards
    node = card_node(card, cards.bus_number(machine, card), was_reset=was_reset)
    return _bridge(machine, node, card.phb, card.bridge, vector) if card.bridge else node


def _bridge(machine: PseriesMachine, node: Node, phb: int, chassis: int, vector: bytes) -> Node:
    """With the connectors on it and the cards in them."""
    slots = cards.behind(machine, phb, chassis)
    own = connector_properties(slots, vector)
    if chassis:
        own |= {"#size-cells": cells(2), "#address-cells": cells(3)}
    else:
        own = {"name": strings("pci")} | own
    node.properties = own | node.properties
    for slot in slots:
        if isinstance(slot.device, PciFunction):
            node.add(_card(machine, slot.device, vector))
    return node
