"""Every command table of the controller, in net function order."""

from __future__ import annotations

from baseboard.bmc.core import CommandTable

TABLES: tuple[CommandTable, ...] = ()
