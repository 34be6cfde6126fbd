"""Every command table of the controller, in net function order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import CommandTable, Core, Fault
from baseboard.bmc.handlers import (
    absent,
    channels,
    chassis,
    dcmi,
    device,
    firewall,
    fru,
    i2c,
    lan_configuration,
    messaging,
    payload,
    pef,
    picmg,
    sdr,
    sel,
    sensors,
    serial,
    session,
    sol,
    system_info,
    users,
    watchdog,
)

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc

TABLES: tuple[CommandTable, ...] = (
    chassis.TABLE,
    absent.BRIDGE,
    pef.TABLE,
    sensors.TABLE,
    device.TABLE,
    firewall.TABLE,
    session.TABLE,
    watchdog.TABLE,
    messaging.TABLE,
    channels.TABLE,
    users.TABLE,
    payload.TABLE,
    i2c.TABLE,
    system_info.TABLE,
    fru.TABLE,
    sdr.TABLE,
    sel.TABLE,
    lan_configuration.TABLE,
    serial.TABLE,
    sol.TABLE,
    absent.FORWARDING,
    picmg.TABLE,
    dcmi.TABLE,
)

SATELLITE_TABLES: tuple[CommandTable, ...] = (
    sensors.TABLE.without(0x02),  # it sends events and takes none
    device.TABLE,
    messaging.TABLE.only(0x34),  # others are reached over it
    fru.TABLE,
)


def assemble(bmc: Bmc, on_fault: Fault | None = None) -> Core:
    """The dispatch of a controller and of the satellites on its bus."""
    for satellite in bmc.satellites:
        Core(satellite, SATELLITE_TABLES, on_fault)
    return Core(bmc, TABLES, on_fault)
