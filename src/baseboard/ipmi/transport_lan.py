"""LAN configuration: Transport commands 01h-04h.  [IPMI 23.1-23.4]"""

from __future__ import annotations

from enum import IntEnum, IntFlag

from baseboard.ipmi.codec import Request, Response, bit, bits, tail, u8, u16

PARAMETER_REVISION = 0x11
"""Oldest and present revision of the LAN parameters.  [IPMI 23.2]"""


class LanParameter(IntEnum):
    """Parameter selectors.  [IPMI 23.2, Table 23-4]"""

    SET_IN_PROGRESS = 0
    AUTHENTICATION_TYPE_SUPPORT = 1
    AUTHENTICATION_TYPE_ENABLES = 2
    IP_ADDRESS = 3
    IP_ADDRESS_SOURCE = 4
    MAC_ADDRESS = 5
    SUBNET_MASK = 6
    IPV4_HEADER = 7
    PRIMARY_RMCP_PORT = 8
    SECONDARY_RMCP_PORT = 9
    ARP_CONTROL = 10
    GRATUITOUS_ARP_INTERVAL = 11
    DEFAULT_GATEWAY_ADDRESS = 12
    DEFAULT_GATEWAY_MAC = 13
    BACKUP_GATEWAY_ADDRESS = 14
    BACKUP_GATEWAY_MAC = 15
    COMMUNITY_STRING = 16
    NUMBER_OF_DESTINATIONS = 17
    DESTINATION_TYPE = 18
    DESTINATION_ADDRESSES = 19
    VLAN_ID = 20
    VLAN_PRIORITY = 21
    CIPHER_SUITE_ENTRY_SUPPORT = 22
    CIPHER_SUITE_ENTRIES = 23
    CIPHER_SUITE_PRIVILEGE_LEVELS = 24
    DESTINATION_VLAN = 25
    BAD_PASSWORD_THRESHOLD = 26
    IPV6_IPV4_SUPPORT = 50
    IPV6_IPV4_ENABLES = 51
    IPV6_TRAFFIC_CLASS = 52
    IPV6_HOP_LIMIT = 53
    IPV6_FLOW_LABEL = 54
    IPV6_STATUS = 55
    IPV6_STATIC_ADDRESSES = 56
    DHCPV6_STATIC_DUID_BLOCKS = 57
    DHCPV6_STATIC_DUIDS = 58
    IPV6_DYNAMIC_ADDRESSES = 59
    DHCPV6_DYNAMIC_DUID_BLOCKS = 60
    DHCPV6_DYNAMIC_DUIDS = 61
    DHCPV6_TIMING_SUPPORT = 62
    DHCPV6_TIMING = 63
    IPV6_ROUTER_CONTROL = 64
    STATIC_ROUTER_1_ADDRESS = 65
    STATIC_ROUTER_1_MAC = 66
    STATIC_ROUTER_1_PREFIX_LENGTH = 67
    STATIC_ROUTER_1_PREFIX = 68
    STATIC_ROUTER_2_ADDRESS = 69
    STATIC_ROUTER_2_MAC = 70
    STATIC_ROUTER_2_PREFIX_LENGTH = 71
    STATIC_ROUTER_2_PREFIX = 72
    NUMBER_OF_DYNAMIC_ROUTERS = 73
    DYNAMIC_ROUTER_ADDRESS = 74
    DYNAMIC_ROUTER_MAC = 75
    DYNAMIC_ROUTER_PREFIX_LENGTH = 76
    DYNAMIC_ROUTER_PREFIX = 77
    DYNAMIC_ROUTER_HOP_LIMIT = 78
    NEIGHBOR_DISCOVERY_TIMING_SUPPORT = 79
    NEIGHBOR_DISCOVERY_TIMING = 80


class AuthenticationTypes(IntFlag):
    """The mask of IPMI 1.5 authentication types.  [IPMI 23.2, Table 23-4, parameter 1]"""

    NONE = 1 << 0
    MD2 = 1 << 1
    MD5 = 1 << 2
    STRAIGHT_PASSWORD = 1 << 4
    OEM = 1 << 5


class AddressSource(IntEnum):
    """Where the IP address comes from.  [IPMI 23.2, Table 23-4, parameter 4]"""

    UNSPECIFIED = 0
    STATIC = 1
    DHCP = 2
    SYSTEM_SOFTWARE = 3
    OTHER = 4


class SetLanConfigurationParametersRequest(Request):
    """[IPMI 23.1, Table 23-2]"""

    # fmt: off
    channel:   int   = bits(1, 3, 0)
    parameter: int   = u8(2)
    data:      bytes = tail(3)
    # fmt: on


class GetLanConfigurationParametersRequest(Request):
    """[IPMI 23.2, Table 23-3]"""

    # fmt: off
    channel:        int  = bits(1, 3, 0)
    revision_only:  bool = bit(1, 7)
    parameter:      int  = u8(2)
    set_selector:   int  = u8(3)
    block_selector: int  = u8(4)
    # fmt: on


class GetLanConfigurationParametersResponse(Response):
    """[IPMI 23.2, Table 23-3]"""

    # fmt: off
    revision: int   = u8(2)
    data:     bytes = tail(3)
    # fmt: on


class SuspendBmcArpsRequest(Request):
    """[IPMI 23.3, Table 23-5]"""

    # fmt: off
    channel:                  int  = bits(1, 3, 0)
    suspend_arp_responses:    bool = bit(2, 1)
    suspend_gratuitous_arps:  bool = bit(2, 0)
    # fmt: on


class SuspendBmcArpsResponse(Response):
    """[IPMI 23.3, Table 23-5]"""

    # fmt: off
    arp_responses:   bool = bit(2, 1)
    gratuitous_arps: bool = bit(2, 0)
    # fmt: on


class GetIpStatisticsRequest(Request):
    """[IPMI 23.4, Table 23-6]"""

    # fmt: off
    channel: int  = bits(1, 3, 0)
    clear:   bool = bit(2, 0)
    # fmt: on


class GetIpStatisticsResponse(Response):
    """Counters that stop at FFFFh.  [IPMI 23.4, Table 23-6]"""

    # fmt: off
    ip_received:          int = u16(2)
    ip_header_errors:     int = u16(4)
    ip_address_errors:    int = u16(6)
    ip_fragments:         int = u16(8)
    ip_transmitted:       int = u16(10)
    udp_received:         int = u16(12)
    rmcp_received:        int = u16(14)
    udp_proxy_received:   int = u16(16)
    udp_proxy_dropped:    int = u16(18)
    # fmt: on
