"""What stands at the host's end of a BMC's system interface, when firmware that we did not write is the BMC.

`RegisterResponder` is firmware behind registers, reached through a port; any `Responder` can have a host in
front of it: `HostExtern`, another virtual machine on the VM wire, or `HostSim`, a scripted one.

Not here: how the registers are reached (`attach`), sockets, and our own controller (`bmc`).
"""

from baseboard.host.extern import HostExtern
from baseboard.host.registers import Counters, RegisterResponder
from baseboard.host.seam import (
    Answered,
    AttentionChanged,
    FirmwareFound,
    FirmwareLost,
    HostOrdered,
    InterruptChanged,
    Responder,
    ResponderEvent,
)

__all__ = [
    "Answered",
    "AttentionChanged",
    "Counters",
    "FirmwareFound",
    "FirmwareLost",
    "HostExtern",
    "HostOrdered",
    "InterruptChanged",
    "RegisterResponder",
    "Responder",
    "ResponderEvent",
]
