"""Which chips have devices that can be trapped, and what a binding has to know of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from baseboard.attach.errors import NotAttachable
from baseboard.attach.qmp import Qmp
from baseboard.attach.trap_devices import Ibt, NpcmKcs, TrappedDevice
from baseboard.power.qmp import MonitorError

SOC = "/machine/soc"


class Chip(NamedTuple):
    """What a binding has to know of a chip."""

    name: str
    memory: int
    """Where its memory begins."""
    controller: str
    """The interrupt controller."""
    line: int
    """The device's input of it."""
    device: Callable[[], TrappedDevice]


# fmt: off
TRAPPED: Mapping[str, Mapping[str, Chip]] = {
    # interface; type of the chip begins with
    "KCS": {
        #                name       memory       controller          line  device
        "npcm7":    Chip("NPCM7xx", 0x0000_0000, f"{SOC}/a9mpcore",  9,    NpcmKcs),
    },
    "BT": {
        "ast2400":  Chip("AST2400", 0x4000_0000, f"{SOC}/vic",       8,    Ibt),
        "ast2500":  Chip("AST2500", 0x8000_0000, f"{SOC}/vic",       8,    Ibt),
        "ast2600":  Chip("AST2600", 0x8000_0000, f"{SOC}/a7mpcore",  143,  Ibt),
    },
}
# fmt: on


def is_trapped(qmp: Qmp, interface: str) -> bool:
    """Whether the machine behind this monitor has a chip whose interface has to be trapped."""
    try:
        return _row(str(qmp.get(SOC, "type")), interface) is not None
    except MonitorError:
        return False


def find_trapped(qmp: Qmp, interface: str) -> tuple[str, Chip]:
    """Machine and chip behind this monitor.  Raises NotAttachable, with what was found instead."""
    machine = str(qmp.get("/machine", "type")).removesuffix("-machine")
    known = ", ".join(row.name for row in TRAPPED[interface].values())
    try:
        type_ = str(qmp.get(SOC, "type"))
    except MonitorError:
        raise NotAttachable(
            f"{qmp.path}: the machine {machine} has no {SOC}: it is no BMC with one of the chips {known}"
        ) from None
    chip = _row(type_, interface)
    if chip is None:
        raise NotAttachable(
            f"{qmp.path}: the machine {machine} has the chip {type_}: {interface} is trapped on {known}"
        )
    return machine, chip


def _row(type_: str, interface: str) -> Chip | None:
    return next((row for prefix, row in TRAPPED[interface].items() if type_.startswith(prefix)), None)
