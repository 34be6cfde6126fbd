"""Every command table of the controller, in net function order."""

from __future__ import annotations

from baseboard.bmc.core import CommandTable
from baseboard.bmc.handlers import channels, device, lan_configuration, users

TABLES: tuple[CommandTable, ...] = (
    device.TABLE,
    channels.TABLE,
    users.TABLE,
    lan_configuration.TABLE,
)
