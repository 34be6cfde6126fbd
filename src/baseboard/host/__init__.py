"""What stands at the host's end of a BMC's system interface, when firmware that we did not write is the BMC.

`RegisterResponder` is firmware behind registers, reached through a port; any `Responder` can have a host in
front of it: `HostExtern`, another virtual machine on the VM wire, or `HostSim`, a scripted one.

Not here: how the registers are reached (`attach`), sockets, and our own controller (`bmc`).
"""

from baseboard.host.extern import HostExtern
from baseboard.host.registers import Counters, RegisterResponder
from baseboard.host.script import Script, Step, parse_script
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
from baseboard.host.sim import HostSim

__all__ = [
    "Answered",
    "AttentionChanged",
    "Counters",
    "FirmwareFound",
    "FirmwareLost",
    "HostExtern",
    "HostOrdered",
    "HostSim",
    "InterruptChanged",
    "RegisterResponder",
    "Responder",
    "ResponderEvent",
    "Script",
    "Step",
    "parse_script",
]
