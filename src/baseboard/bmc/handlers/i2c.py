"""App command 52h: Master Write-Read.  [IPMI 22.11]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.handlers.pieces import largest_read
from baseboard.errors import CommandError
from baseboard.ipmi.app_channels import ChannelMedium
from baseboard.ipmi.app_i2c import BusFault, MasterWriteReadRequest, MasterWriteReadResponse
from baseboard.ipmi.codec import Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc


def master_write_read(bmc: Bmc, request: MasterWriteReadRequest, context: Context) -> Response:
    if request.count > largest_read(context):
        raise CommandError(CompletionCode.CANNOT_RETURN_BYTES, "more than the channel carries")
    address = request.address << 1
    if not request.private:
        _check_public(bmc, request, context)
        raise CommandError(BusFault.NOT_ACKNOWLEDGED, f"nothing but ourselves at {address:02X}h of the IPMB")
    return MasterWriteReadResponse(data=bmc.i2c.transfer(request.bus, address, request.data, request.count))


def _check_public(bmc: Bmc, request: MasterWriteReadRequest, context: Context) -> None:
    channel = bmc.channels.resolve(request.channel, context)
    if channel.medium is not ChannelMedium.IPMB or request.bus:
        raise CommandError(
            CompletionCode.INVALID_FIELD, f"no I2C bus {request.bus} behind channel {channel.number:X}h"
        )


# fmt: off
TABLE = CommandTable(NetFn.APP, (
    #       number  privilege           request                 handler              IPMI
    Command(0x52,   Privilege.OPERATOR, MasterWriteReadRequest, master_write_read),  # 22.11
))
# fmt: on
