"""Transport commands 01h-04h: the LAN's configuration.  [IPMI 23.1-23.4]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.lan_configuration import LanConfiguration
from baseboard.errors import CommandError
from baseboard.ipmi.app_channels import ChannelMedium
from baseboard.ipmi.codec import Done, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.transport_lan import (
    PARAMETER_REVISION,
    GetIpStatisticsRequest,
    GetIpStatisticsResponse,
    GetLanConfigurationParametersRequest,
    GetLanConfigurationParametersResponse,
    LanParameter,
    SetLanConfigurationParametersRequest,
    SuspendBmcArpsRequest,
    SuspendBmcArpsResponse,
)

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc

COUNTER_MAXIMUM = 0xFFFF
ARP_RESPONSES, GRATUITOUS_ARPS = 0x02, 0x01
"""Bits of parameter 10."""


def set_parameters(bmc: Bmc, request: SetLanConfigurationParametersRequest, context: Context) -> Response:
    _lan(bmc, request.channel, context).set(request.parameter, request.data)
    return Done()


def get_parameters(bmc: Bmc, request: GetLanConfigurationParametersRequest, context: Context) -> Response:
    lan = _lan(bmc, request.channel, context)
    if request.revision_only:
        lan.check_provided(request.parameter)
        data = b""
    else:
        data = lan.get(request.parameter, request.set_selector)
    return GetLanConfigurationParametersResponse(revision=PARAMETER_REVISION, data=data)


def suspend_arps(bmc: Bmc, request: SuspendBmcArpsRequest, context: Context) -> Response:
    lan = _lan(bmc, request.channel, context)
    lan.arp_responses_suspended = request.suspend_arp_responses
    lan.gratuitous_arps_suspended = request.suspend_gratuitous_arps
    enabled = lan.get(LanParameter.ARP_CONTROL, 0)[0]
    return SuspendBmcArpsResponse(
        arp_responses=enabled & ARP_RESPONSES != 0 and not lan.arp_responses_suspended,
        gratuitous_arps=enabled & GRATUITOUS_ARPS != 0 and not lan.gratuitous_arps_suspended,
    )


def get_statistics(bmc: Bmc, request: GetIpStatisticsRequest, context: Context) -> Response:
    lan = _lan(bmc, request.channel, context)
    counted = lan.statistics
    if request.clear:
        counted.clear()
    received = min(counted.udp_received, COUNTER_MAXIMUM)
    return GetIpStatisticsResponse(  # the host's kernel keeps what is below UDP to itself
        ip_received=received,
        ip_header_errors=0,
        ip_address_errors=0,
        ip_fragments=0,
        ip_transmitted=min(counted.udp_transmitted, COUNTER_MAXIMUM),
        udp_received=received,
        rmcp_received=min(counted.rmcp_received, COUNTER_MAXIMUM),
        udp_proxy_received=0,
        udp_proxy_dropped=0,
    )


def _lan(bmc: Bmc, number: int, context: Context) -> LanConfiguration:
    channel = bmc.channels.resolve(number, context)
    if channel.medium is not ChannelMedium.LAN_802_3:
        raise CommandError(CompletionCode.INVALID_FIELD, f"channel {channel.number:X}h is no LAN")
    return bmc.lan_configuration


# fmt: off
TABLE = CommandTable(NetFn.TRANSPORT, (
    #       number  privilege                request                               handler          IPMI
    Command(0x01,   Privilege.ADMINISTRATOR, SetLanConfigurationParametersRequest, set_parameters),  # 23.1
    Command(0x02,   Privilege.OPERATOR,      GetLanConfigurationParametersRequest, get_parameters),  # 23.2
    Command(0x03,   Privilege.ADMINISTRATOR, SuspendBmcArpsRequest,                suspend_arps),    # 23.3
    Command(0x04,   Privilege.USER,          GetIpStatisticsRequest,               get_statistics),  # 23.4
))
# fmt: on
