"""Chassis back ends: what switches a machine on and off, and tells the truth about its state.

Three of them behind one interface, `Backend`: a machine that is nothing but its power state, one at the end
of a VM wire that others started, and a QEMU process of our own. What they see of the controller is `Reports`.
"""

from baseboard.power.backend import Backend, Reports
from baseboard.power.line import QemuLine, equip
from baseboard.power.qemu import Deadlines, QemuMachine
from baseboard.power.simulated import SimulatedMachine
from baseboard.power.wire import Wire, WireMachine

__all__ = [
    "Backend",
    "Deadlines",
    "QemuLine",
    "QemuMachine",
    "Reports",
    "SimulatedMachine",
    "Wire",
    "WireMachine",
    "equip",
]
