"""The server management interface chip.  [IPMI chapter 10]

`Latch` is the hardware that both ends see, `Engine` the BMC's end, `SmicDriver` the host's, `Smic` latch and
engine as one device.
"""

from baseboard.interface.smic.device import Smic, SmicState
from baseboard.interface.smic.driver import SmicDriver
from baseboard.interface.smic.engine import Engine
from baseboard.interface.smic.latch import Latch

__all__ = ["Engine", "Latch", "Smic", "SmicDriver", "SmicState"]
