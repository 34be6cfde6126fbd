"""BMC-side devices: the register windows that firmware drives.

Each decodes addresses over the same latches and buffers that `interface` puts before a host, with the BMC's
face turned to firmware: `read(offset, size)`, `write(offset, size, value)`, interrupt lines, `reset`, and a
versioned state. No processor is known here, so that any binding can serve: in process, an emulator's traps, a
machine of our own.
"""

from baseboard.responder.aspeed_ibt import AspeedIbt, AspeedIbtState
from baseboard.responder.aspeed_kcs import AspeedKcs, AspeedKcsState
from baseboard.responder.aspeed_lpc import AspeedLpc, AspeedLpcState
from baseboard.responder.aspeed_registers import AST2400, AST2500, AST2600, CHIPS, Chip
from baseboard.responder.npcm7xx_kcs import Npcm7xxKcs, Npcm7xxKcsState
from baseboard.responder.quirks import Quirk

__all__ = [
    "AST2400",
    "AST2500",
    "AST2600",
    "CHIPS",
    "AspeedIbt",
    "AspeedIbtState",
    "AspeedKcs",
    "AspeedKcsState",
    "AspeedLpc",
    "AspeedLpcState",
    "Chip",
    "Npcm7xxKcs",
    "Npcm7xxKcsState",
    "Quirk",
]
