"""Dynamic-reconfiguration connectors: kinds, state machines as tables, one object each.  [LoPAR 13]

A connector knows what is attached to it and how far the guest has come with it. It does not know RTAS: cells
come in as `Input`s and statuses go out (`baseboard.spapr.rtas`); nor what unplugging means: its owner, the
machine, does.
"""

from baseboard.spapr.drc.connector import (
    Connector,
    LogicalConnector,
    Owner,
    PhysicalConnector,
    make_connector,
)
from baseboard.spapr.drc.kinds import (
    CPU,
    KINDS,
    LMB,
    PCI,
    PHB,
    PMEM,
    POWER_DOMAIN,
    VIO,
    DrcKind,
    pci_identifier,
)
from baseboard.spapr.drc.states import Input, Sense, State

__all__ = [
    "CPU",
    "KINDS",
    "LMB",
    "PCI",
    "PHB",
    "PMEM",
    "POWER_DOMAIN",
    "VIO",
    "Connector",
    "DrcKind",
    "Input",
    "LogicalConnector",
    "Owner",
    "PhysicalConnector",
    "Sense",
    "State",
    "make_connector",
    "pci_identifier",
]
