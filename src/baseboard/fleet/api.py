"""Everything that the control socket can do, in one table."""

from __future__ import annotations

from functools import partial

from baseboard.fleet.control import Methods
from baseboard.fleet.methods import access, inventory, overview, power, sel, sensors
from baseboard.fleet.methods.method import Controlled, Method

METHODS: tuple[Method, ...] = (
    *overview.METHODS,
    *sensors.METHODS,
    *sel.METHODS,
    *power.METHODS,
    *inventory.METHODS,
    *access.METHODS,
)


def methods(instance: Controlled) -> Methods:
    """The table for one instance, as `ControlServer` wants it."""
    return {method.name: partial(method.call, instance) for method in METHODS}
