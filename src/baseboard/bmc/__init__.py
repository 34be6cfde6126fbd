"""The management controller: what answers a request, and all the state behind the answers.

It has no I/O, clock or randomness, and knows no checksum, sequence number or session crypto: those are
`vm/` and `lan/`. `Bmc` is the state, `Core` the dispatch over it, `Settings` what it is made from.
"""

from baseboard.bmc.controller import Bmc
from baseboard.bmc.core import Core
from baseboard.bmc.settings import Settings

__all__ = ["Bmc", "Core", "Settings"]
