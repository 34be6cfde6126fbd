"""`/event-sources`: by which interrupts a guest is told of events.  [LoPAR C.6.3.3]"""

from __future__ import annotations

from baseboard.spapr.cells import cells
from baseboard.spapr.events.queue import EPOW_INTERRUPT, HOTPLUG_INTERRUPT
from baseboard.spapr.tree import Node


def event_sources_node() -> Node:
    """Hot-plug events have their node whether or not the guest will negotiate them, as QEMU's."""
    return Node(
        "event-sources",
        {
            "interrupt-controller": b"",
            "#interrupt-cells": cells(2),
            "#address-cells": cells(0),
            "interrupt-ranges": cells(EPOW_INTERRUPT, 1, HOTPLUG_INTERRUPT, 1),
        },
        [
            Node("epow-events", {"interrupts": cells(EPOW_INTERRUPT, 0)}),
            Node("hot-plug-events", {"interrupts": cells(HOTPLUG_INTERRUPT, 0)}),
        ],
    )
