"""Nodes of what can be plugged in, as ibm,configure-connector hands them out and the boot tree has them.

Values in, nodes out: nothing here knows of connectors' states or of a guest. Properties stand in the order in
which QEMU 7.2 gives them to a guest.
"""

from baseboard.spapr.nodes.arrays import connector_arrays
from baseboard.spapr.nodes.bridges import BUID, bridge_name, bridge_node
from baseboard.spapr.nodes.cards import MODELS, Card, card_node
from baseboard.spapr.nodes.cores import HOST_THREADS, core_node, page_table_shift
from baseboard.spapr.nodes.memory import memory_block_node, persistent_memory_node

__all__ = [
    "BUID",
    "HOST_THREADS",
    "MODELS",
    "Card",
    "bridge_name",
    "bridge_node",
    "card_node",
    "connector_arrays",
    "core_node",
    "memory_block_node",
    "page_table_shift",
    "persistent_memory_node",
]
