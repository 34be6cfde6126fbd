"""Fields of the server's inventory that a configuration puts in place of the default ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from baseboard.bmc.fru import FruSettings
from baseboard.ipmi.records.fru import BoardArea, ChassisArea, ProductArea
from baseboard.ipmi.value import Value

SERVER = 0
"""FRU device id of the server itself."""

_EMPTY: dict[str, Any] = {"chassis": ChassisArea(), "board": BoardArea(), "product": ProductArea()}


class FruField(Value):
    """One field: area "chassis", "board" or "product"; the field's name as in the area's class."""

    area: str
    name: str
    text: str


def with_fields(devices: Sequence[FruSettings], given: Iterable[FruField]) -> tuple[FruSettings, ...]:
    """`devices` with the fields replaced in the server's own inventory."""
    by_area: dict[str, dict[str, str]] = {}
    for field in given:
        by_area.setdefault(field.area, {})[field.name] = field.text
    return tuple(_replaced(one, by_area) if one.fru_id == SERVER else one for one in devices)


def _replaced(device: FruSettings, by_area: dict[str, dict[str, str]]) -> FruSettings:
    areas: dict[str, Any] = {
        area: (getattr(device.inventory, area) or _EMPTY[area]).replace(**texts)
        for area, texts in by_area.items()
    }
    return device.replace(inventory=device.inventory.replace(**areas))
