"""Events that the platform tells its guest: their logs byte for byte, the queue they wait in, their
interrupts.

`log` encodes and decodes, `queue` keeps what the guest has not fetched, `sources` is the device tree's part,
`explain` reads any log for people. Fetching itself is an RTAS call (`baseboard.spapr.rtas`).
"""

from baseboard.spapr.events.log import (
    ADD,
    REMOVE,
    EpowEvent,
    EventLog,
    HotplugEvent,
    decode,
    encode,
    shortened,
)
from baseboard.spapr.events.queue import EPOW_INTERRUPT, HOTPLUG_INTERRUPT, EventQueue
from baseboard.spapr.events.sources import event_sources_node

__all__ = [
    "ADD",
    "EPOW_INTERRUPT",
    "HOTPLUG_INTERRUPT",
    "REMOVE",
    "EpowEvent",
    "EventLog",
    "EventQueue",
    "HotplugEvent",
    "decode",
    "encode",
    "event_sources_node",
    "shortened",
]
