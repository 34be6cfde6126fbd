"""The SMBus host controller of Intel's chipsets (ICH9), for what hangs on an SMBus.  [ICH9, chapter 21]

`Controller` is the machine behind the registers and the host's end of an `SmBus`; `I801Function` puts it on
PCI, where Linux's i2c-i801 finds it. It keeps no time: a transfer is over when the write that started it is.
With all of `Quirk` it is QEMU's.
"""

from baseboard.interface.bus.i801.controller import Controller, ControllerState
from baseboard.interface.bus.i801.function import I801Function
from baseboard.interface.bus.i801.quirks import Quirk
from baseboard.interface.bus.i801.quirky import QuirkyController

__all__ = ["Controller", "ControllerState", "I801Function", "Quirk", "QuirkyController"]
