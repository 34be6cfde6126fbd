"""Nodes of a block of memory and of persistent memory.  [LoPAR 4.2.9, 13.7.2, B.5.6]"""

from __future__ import annotations

from baseboard.spapr.affinity import associativity
from baseboard.spapr.cells import cells, strings, wide
from baseboard.spapr.choices import Choice
from baseboard.spapr.devices import Dimm, Nvdimm
from baseboard.spapr.drc import PMEM, Connector
from baseboard.spapr.settings import LMB_SIZE
from baseboard.spapr.tree import Node


def memory_block_node(connector: Connector, dimm: Dimm, choices: Choice, vector: bytes) -> Node:
    """As QEMU's, but with the address of the block: QEMU 7.2 multiplies the whole index."""
    number = connector.index if Choice.WRONG_LMB_NAMES in choices else connector.identifier
    address = number * LMB_SIZE
    properties = {
        "ibm,associativity": associativity(vector, dimm.node),
        "reg": wide(address, LMB_SIZE),
        "device_type": strings("memory"),
    }
    return Node(f"memory@{address:x}", properties)


def persistent_memory_node(nvdimm: Nvdimm, vector: bytes) -> Node:
    index = PMEM.drc_index(nvdimm.slot)
    properties = {
        "ibm,cache-flush-required": b"",
        "ibm,pmem-application": strings("operating-system"),
        "ibm,metadata-size": cells(nvdimm.label_size),
        "ibm,number-of-blocks": wide(nvdimm.size // LMB_SIZE),
        "ibm,block-size": wide(LMB_SIZE),
        "ibm,my-drc-index": cells(index),
        "ibm,unit-guid": strings(nvdimm.uuid),
        "ibm,associativity": associativity(vector, nvdimm.node),
        "device_type": strings("ibm,pmemory"),
        "compatible": strings("ibm,pmemory"),
        "reg": cells(index),
    }
    return Node(f"ibm,pmemory@{index:x}", properties)
