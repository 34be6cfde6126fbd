"""Compiled code run by Unicorn, against our devices: a driver or firmware in a unit test, without any VM.

A machine is a processor, some RAM and our buses; it has no firmware, no timer and no other devices. It needs
the extra `machine` (Unicorn), which is loaded when the first machine is made.
"""

from baseboard.machine.arm import BOARDS, ArmMachine, Board
from baseboard.machine.common import GuestFault, Machine, Stop
from baseboard.machine.elf import Elf
from baseboard.machine.ppc64 import Ppc64Machine
from baseboard.machine.x86 import X86Machine

__all__ = [
    "BOARDS",
    "ArmMachine",
    "Board",
    "Elf",
    "GuestFault",
    "Machine",
    "Ppc64Machine",
    "Stop",
    "X86Machine",
]
