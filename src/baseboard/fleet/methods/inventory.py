"""FRU inventory in words."""

from __future__ import annotations

import time
from typing import Any

from baseboard.errors import DecodeError
from baseboard.fleet.methods.method import Controlled, Method
from baseboard.ipmi.records.fru import decode_inventory


def list_devices(instance: Controlled) -> list[dict[str, Any]]:
    """Every device with its areas."""
    return [
        {"id": device.settings.fru_id, "name": device.settings.name, "size": len(device.data)}
        | _areas(bytes(device.data))
        for device in instance.bmc.fru
    ]


def _areas(image: bytes) -> dict[str, Any]:
    try:
        inventory = decode_inventory(image)
    except DecodeError as error:
        return {"error": str(error)}
    areas = {"chassis": inventory.chassis, "board": inventory.board, "product": inventory.product}
    return {name: _fields(area) for name, area in areas.items() if area is not None}


def _fields(area: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in vars(area).items():
        if name == "manufactured":
            value = None if value is None else time.strftime("%Y-%m-%d", time.gmtime(value))
        elif name in ("kind", "language"):
            continue
        if value not in ("", b"", (), None):
            shown[name] = _plain(value)
    return shown


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


METHODS = (Method("fru.list", list_devices),)
