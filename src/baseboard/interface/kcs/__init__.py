"""The keyboard controller style interface.  [IPMI chapter 9]

`Latch` is the hardware that both ends see, `Engine` the BMC's end, `KcsDriver` the host's, `Kcs` latch and
engine as one device. What QEMU does otherwise is a `Quirk` each.
"""

from baseboard.interface.kcs.device import Kcs, KcsState
from baseboard.interface.kcs.driver import KcsDriver, Port, on_port
from baseboard.interface.kcs.engine import Engine
from baseboard.interface.kcs.latch import Latch
from baseboard.interface.kcs.quirks import Quirk

__all__ = ["Engine", "Kcs", "KcsDriver", "KcsState", "Latch", "Port", "Quirk", "on_port"]
