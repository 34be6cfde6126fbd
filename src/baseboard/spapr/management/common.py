"""What all kinds of devices have in common."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from baseboard.spapr.devices import Device
from baseboard.spapr.drc import Connector
from baseboard.spapr.refusal import Refusal

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

MAX_NAME = 128


def check_name(machine: PseriesMachine, name: str) -> None:
    """A device's name is new, short and printable; empty is none."""
    if name in machine.names:
        raise Refusal(f"Duplicate device ID '{name}'")
    if len(name) > MAX_NAME or not name.isprintable():
        raise Refusal(f"a device's name is printable and has at most {MAX_NAME} characters")


def check_node(machine: PseriesMachine, node: int) -> None:
    if not 0 <= node < machine.settings.nodes:
        raise Refusal(f"node {node} is not one of the machine's {machine.settings.nodes} NUMA nodes")


def put(machine: PseriesMachine, device: Device, connectors: Collection[Connector], *, cold: bool) -> None:
    """On its connectors, which are free."""
    for connector in connectors:
        connector.attach(device)
        if cold:
            connector.settle()
    if device.id:
        machine.names[device.id] = device
