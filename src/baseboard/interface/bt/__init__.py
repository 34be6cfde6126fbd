"""The block transfer interface.  [IPMI chapter 11]

`Latch` is the hardware that both ends see, `Engine` the BMC's end, `BtDriver` the host's, `Bt` latch and
engine as one device. What QEMU does otherwise is a `Quirk` each.
"""

from baseboard.interface.bt.device import Bt, BtState
from baseboard.interface.bt.driver import BtDriver
from baseboard.interface.bt.engine import Engine
from baseboard.interface.bt.latch import Latch
from baseboard.interface.bt.quirks import Quirk

__all__ = ["Bt", "BtDriver", "BtState", "Engine", "Latch", "Quirk"]
