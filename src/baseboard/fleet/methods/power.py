"""The machine's power, by Chassis Control, so that the rules are those of every other console."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from baseboard.bmc.events import PowerAction
from baseboard.fleet.control import ControlError
from baseboard.fleet.methods.method import Controlled, Method, execute
from baseboard.ipmi.chassis import ChassisControlRequest
from baseboard.ipmi.netfn import NetFn


def status(instance: Controlled) -> dict[str, Any]:
    """What the chassis says of itself."""
    chassis = instance.bmc.chassis
    return {
        "power": "on" if chassis.power_is_on else "off",
        "restart_cause": _words(chassis.restart_cause),
        "restore_policy": _words(chassis.power_restore_policy),
        "power_on_hours": chassis.power_on_hours(instance.now()),
        "power_fault": chassis.power_fault,
        "control_fault": chassis.control_fault,
        "possible": [_words(action) for action in PowerAction if chassis.supports(action)],
    }


def _words(name: IntEnum) -> str:
    return name.name.lower().replace("_", "-")


def _control(action: PowerAction) -> Any:
    def function(instance: Controlled) -> dict[str, Any]:
        now = status(instance)
        if _words(action) not in now["possible"]:
            possible = ", ".join(now["possible"])
            reason = f"{_words(action)} is impossible while the power is {now['power']}; possible: {possible}"
            raise ControlError("refused", reason)
        execute(instance, NetFn.CHASSIS, 0x02, ChassisControlRequest(action=action))
        return {"requested": _words(action)}

    return function


# fmt: off
METHODS = (
    Method("power.status", status),
    Method("power.on",     _control(PowerAction.ON)),
    Method("power.off",    _control(PowerAction.OFF)),
    Method("power.cycle",  _control(PowerAction.CYCLE)),
    Method("power.reset",  _control(PowerAction.RESET)),
    Method("power.soft",   _control(PowerAction.SOFT)),
    Method("power.nmi",    _control(PowerAction.DIAGNOSTIC_INTERRUPT)),
)
# fmt: on
