"""System interfaces as hardware: KCS, BT, SMIC and SSIF, and the buses that they stand on.

Each has three parts: the latch or buffer that both ends see, the engine (the BMC's end) and the driver (the
host's end, written from the other flow chart). Nothing here knows a command; what answers requests is
behind a `Seam`. No clock, no I/O: accesses come in, interrupt levels and requests go out.
"""

from baseboard.interface.seam import (
    EngineEvent,
    HandlerSeam,
    RequestAbandoned,
    RequestReceived,
    ResetRequested,
    Seam,
)

__all__ = ["EngineEvent", "HandlerSeam", "RequestAbandoned", "RequestReceived", "ResetRequested", "Seam"]
