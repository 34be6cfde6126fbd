"""The instance as a whole."""

from __future__ import annotations

from typing import Any

from baseboard.fleet.methods.method import Controlled, Method, Parameter, number


def status(instance: Controlled) -> dict[str, Any]:
    """Where everything is, and how it is."""
    bmc = instance.bmc
    return instance.ready() | {
        "guid": _dashed(bmc.device.uuid.hex()),
        "power": "on" if bmc.chassis.power_is_on else "off",
        "sensors": len(bmc.sensors),
        "sel_entries": len(bmc.sel),
        "sessions": len(bmc.sessions.active()),
    }


def _dashed(digits: str) -> str:
    """As RFC 4122 writes it; its module would cost a hundredth of the start's time."""
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def get_load(instance: Controlled) -> dict[str, Any]:
    """What the simulated server works on."""
    simulation = instance.bmc.simulation
    return {"load": simulation.load, "ambient": simulation.ambient}


def set_load(instance: Controlled, load: float | None, ambient: float | None) -> dict[str, Any]:
    """Change it; the readings follow as those of a real server would."""
    simulation = instance.bmc.simulation
    simulation.load = simulation.load if load is None else load
    simulation.ambient = simulation.ambient if ambient is None else ambient
    return get_load(instance)


# fmt: off
METHODS = (
    Method("status",   status),
    Method("load.get", get_load),
    Method("load.set", set_load, (Parameter("load", number(0, 1), None),
                                  Parameter("ambient", number(-40, 80), None))),
)
# fmt: on
