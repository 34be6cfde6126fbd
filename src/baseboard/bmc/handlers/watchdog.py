"""App commands 22h, 24h and 25h: the watchdog timer.  [IPMI 27.5-27.7]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.ipmi.app_watchdog import SetWatchdogTimerRequest
from baseboard.ipmi.codec import DONE, Empty, Response
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc


def reset_watchdog_timer(bmc: Bmc, request: Empty, context: Context) -> Response:
    bmc.watchdog.restart(context.now)
    return DONE


def set_watchdog_timer(bmc: Bmc, request: SetWatchdogTimerRequest, context: Context) -> Response:
    bmc.watchdog.set(request, context.now)
    return DONE


def get_watchdog_timer(bmc: Bmc, request: Empty, context: Context) -> Response:
    return bmc.watchdog.state(context.now)


# fmt: off
TABLE = CommandTable(NetFn.APP, (
    #       number  privilege           request                  handler                 IPMI
    Command(0x22,   Privilege.OPERATOR, Empty,                   reset_watchdog_timer),  # 27.5
    Command(0x24,   Privilege.OPERATOR, SetWatchdogTimerRequest, set_watchdog_timer),    # 27.6
    Command(0x25,   Privilege.USER,     Empty,                   get_watchdog_timer),    # 27.7
))
# fmt: on
