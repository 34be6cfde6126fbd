"""The wire between a virtual machine and its controller, as OpenIPMI's README.vm has it, both roles.

Bytes in, bytes out, events between. `ControllerLink` is the controller's end, `MachineLink` the machine's
(a hypervisor, or a test that plays one). The sockets are in `aio/`.
"""

from baseboard.vm.framing import Deframer, Fault
from baseboard.vm.link import ControllerLink, MachineLink
from baseboard.vm.protocol import (
    AttentionReceived,
    CapabilitiesReceived,
    Capability,
    LinkEvent,
    MachineReset,
    Operation,
    OperationReceived,
    RequestReceived,
    ResponseReceived,
    VersionReceived,
)

__all__ = [
    "AttentionReceived",
    "CapabilitiesReceived",
    "Capability",
    "ControllerLink",
    "Deframer",
    "Fault",
    "LinkEvent",
    "MachineLink",
    "MachineReset",
    "Operation",
    "OperationReceived",
    "RequestReceived",
    "ResponseReceived",
    "VersionReceived",
]
