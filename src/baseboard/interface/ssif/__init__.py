"""The SMBus system interface.  [IPMI chapter 12]

`Target` is the SMBus end that both sides see, `Engine` the BMC's end, `SsifDriver` the host's, `Ssif` target
and engine as one device.
"""

from baseboard.interface.ssif.device import Ssif, SsifState
from baseboard.interface.ssif.driver import SsifDriver
from baseboard.interface.ssif.engine import Engine
from baseboard.interface.ssif.quirks import Quirk
from baseboard.interface.ssif.target import Target

__all__ = ["Engine", "Quirk", "Ssif", "SsifDriver", "SsifState", "Target"]
