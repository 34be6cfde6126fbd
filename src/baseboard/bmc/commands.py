"""Every command table of the controller, in net function order."""

from __future__ import annotations

from baseboard.bmc.core import CommandTable
from baseboard.bmc.handlers import (
    channels,
    chassis,
    device,
    firewall,
    fru,
    i2c,
    lan_configuration,
    messaging,
    payload,
    sdr,
    sel,
    sensors,
    session,
    sol,
    system_info,
    users,
    watchdog,
)

TABLES: tuple[CommandTable, ...] = (
    chassis.TABLE,
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
    sol.TABLE,
)
