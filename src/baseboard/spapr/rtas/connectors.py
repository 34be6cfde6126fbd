"""ibm,configure-connector, as a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.configure_connector import configure_connector

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine


def configure(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> tuple[int, ...]:
    area, extent = arguments
    return (configure_connector(machine, area, extent),)
