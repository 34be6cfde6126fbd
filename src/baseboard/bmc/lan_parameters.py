"""The LAN configuration parameters as a table.  [IPMI 23.2, Table 23-4]

Which there are, how long, who may write them, and what is stored of what is written. Those without a
default are computed in `lan_configuration`; those that we do not have are rows with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.transport_lan import AddressSource, LanParameter

DESTINATIONS = 4
"""Alert destinations besides the volatile destination 0."""


class Access(Enum):
    """What a client may do with a parameter."""

    READ_WRITE = "rw"
    FIXED = "as it is"
    """Writable in the specification; here a write of the present value succeeds and any other is refused, so
    that a client can write back all that it has read."""
    READ_ONLY = "ro"
    ABSENT = "absent"


RW, RO, FIXED, ABSENT = Access.READ_WRITE, Access.READ_ONLY, Access.FIXED, Access.ABSENT


class Parameter(NamedTuple):
    """One row of the table."""

    number: LanParameter
    access: Access
    size: int = 0
    """Data bytes, the set selector among them."""
    default: bytes = b""
    """Of a parameter with sets: what follows the selector."""
    sets: int = 0
    """How many sets there are; 0: the parameter has no set selector."""
    other_size: int = 0
    """Another size that may be written."""
    check: Callable[[bytes], bytes] | None = None
    """Takes the data that a client writes, returns what is stored, or raises CommandError."""
    note: str = ""

    @property
    def sizes(self) -> tuple[int, int]:
        """Sizes of what may be written."""
        return self.size, self.other_size or self.size


def _refuse(reason: str) -> CommandError:
    return CommandError(CompletionCode.INVALID_FIELD, reason)


def _masked(*masks: int) -> Callable[[bytes], bytes]:
    """Reserved bits are stored as 0."""
    return lambda data: bytes(byte & mask for byte, mask in zip(data, masks, strict=True))


def _check_source(data: bytes) -> bytes:
    source = data[0] & 0x0F
    if source > AddressSource.OTHER:
        raise _refuse(f"no address source {source}")
    return bytes((source,))


def _check_vlan(data: bytes) -> bytes:
    number, enabled = data[0] | (data[1] & 0x0F) << 8, data[1] & 0x80
    if enabled and number in (0, 0xFFF):
        raise _refuse(f"VLAN {number:03X}h is reserved")
    return bytes((data[0], data[1] & 0x8F))


def _check_destination_type(data: bytes) -> bytes:
    kind = data[1] & 0x07
    if kind not in (0, 6, 7):  # PET, OEM 1, OEM 2
        raise _refuse(f"no destination type {kind}")
    return bytes((data[0] & 0x0F, data[1] & 0x87, data[2], data[3] & 0x07))


def _check_destination_address(data: bytes) -> bytes:
    address_format = data[1] >> 4
    if address_format > 1:
        raise _refuse(f"no address format {address_format}")
    if len(data) != (18 if address_format else 13):
        raise CommandError(CompletionCode.LENGTH_INVALID)
    return bytes((data[0] & 0x0F, *data[1:]))


def _check_prefix_length(data: bytes) -> bytes:
    if data[0] > 128:
        raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"no prefix of {data[0]} bits")
    return data


P = LanParameter
_NO_DHCPV6 = "the host's kernel has the addresses, and no DHCPv6 client runs here"
_NO_ROUTERS = "there are no dynamic routers to tell of: parameter 73"

# fmt: off
PARAMETERS: dict[int, Parameter] = {row.number: row for row in (
    #         selector                             access  size  value
    Parameter(P.SET_IN_PROGRESS,                   RW,     1),
    Parameter(P.AUTHENTICATION_TYPE_SUPPORT,       RO,     1),
    Parameter(P.AUTHENTICATION_TYPE_ENABLES,       RW,     5),
    Parameter(P.IP_ADDRESS,                        RW,     4),
    Parameter(P.IP_ADDRESS_SOURCE,                 RW,     1,    b"\x01", check=_check_source),
    Parameter(P.MAC_ADDRESS,                       RW,     6),
    Parameter(P.SUBNET_MASK,                       RW,     4),
    Parameter(P.IPV4_HEADER,                       RW,     3,    b"\x40\x40\x10",
              check=_masked(0xFF, 0xE0, 0xFE)),
    Parameter(P.PRIMARY_RMCP_PORT,                 FIXED,  2,    note="the port that the socket is bound to"),
    Parameter(P.SECONDARY_RMCP_PORT,               ABSENT, note="no security extensions of ASF 2.0"),
    Parameter(P.ARP_CONTROL,                       RW,     1,    b"\x02", check=_masked(0x03)),
    Parameter(P.GRATUITOUS_ARP_INTERVAL,           RW,     1,    b"\x03"),  # 2 s
    Parameter(P.DEFAULT_GATEWAY_ADDRESS,           RW,     4),
    Parameter(P.DEFAULT_GATEWAY_MAC,               RW,     6,    bytes(6)),
    Parameter(P.BACKUP_GATEWAY_ADDRESS,            RW,     4,    bytes(4)),
    Parameter(P.BACKUP_GATEWAY_MAC,                RW,     6,    bytes(6)),
    Parameter(P.COMMUNITY_STRING,                  RW,     18,   b"public".ljust(18, b"\0")),
    Parameter(P.NUMBER_OF_DESTINATIONS,            RO,     1,    bytes((DESTINATIONS,))),
    Parameter(P.DESTINATION_TYPE,                  RW,     4,    bytes(3), sets=1 + DESTINATIONS,
              check=_check_destination_type),
    Parameter(P.DESTINATION_ADDRESSES,             RW,     13,   bytes(12), sets=1 + DESTINATIONS,
              other_size=18, check=_check_destination_address, note="18 with an IPv6 address"),
    Parameter(P.VLAN_ID,                           RW,     2,    bytes(2), check=_check_vlan),
    Parameter(P.VLAN_PRIORITY,                     RW,     1,    bytes(1), check=_masked(0x07)),
    Parameter(P.CIPHER_SUITE_ENTRY_SUPPORT,        RO,     1),
    Parameter(P.CIPHER_SUITE_ENTRIES,              RO,     17),
    Parameter(P.CIPHER_SUITE_PRIVILEGE_LEVELS,     RW,     9),
    Parameter(P.DESTINATION_VLAN,                  RW,     4,    bytes(3), sets=1 + DESTINATIONS,
              check=_masked(0x0F, 0xF0, 0xFF, 0xFF)),
    Parameter(P.BAD_PASSWORD_THRESHOLD,            FIXED,  6,    bytes(6), note="nobody is locked out"),
    Parameter(P.IPV6_IPV4_SUPPORT,                 RO,     1,    b"\x03"),  # either alone, or both
    Parameter(P.IPV6_IPV4_ENABLES,                 FIXED,  1,    note="as the socket is bound"),
    Parameter(P.IPV6_TRAFFIC_CLASS,                RW,     1,    bytes(1)),
    Parameter(P.IPV6_HOP_LIMIT,                    RW,     1,    b"\x40"),
    Parameter(P.IPV6_FLOW_LABEL,                   RW,     3,    bytes(3), check=_masked(0x0F, 0xFF, 0xFF)),
    Parameter(P.IPV6_STATUS,                       RO,     3,    b"\x01\x00\x00"),
    Parameter(P.IPV6_STATIC_ADDRESSES,             FIXED,  20,   sets=1, note="as the socket is bound"),
    Parameter(P.DHCPV6_STATIC_DUID_BLOCKS,         ABSENT, note=_NO_DHCPV6),
    Parameter(P.DHCPV6_STATIC_DUIDS,               ABSENT, note=_NO_DHCPV6),
    Parameter(P.IPV6_DYNAMIC_ADDRESSES,            ABSENT, note=_NO_DHCPV6),
    Parameter(P.DHCPV6_DYNAMIC_DUID_BLOCKS,        ABSENT, note=_NO_DHCPV6),
    Parameter(P.DHCPV6_DYNAMIC_DUIDS,              ABSENT, note=_NO_DHCPV6),
    Parameter(P.DHCPV6_TIMING_SUPPORT,             RO,     1,    bytes(1)),
    Parameter(P.DHCPV6_TIMING,                     ABSENT, note=_NO_DHCPV6),
    Parameter(P.IPV6_ROUTER_CONTROL,               RW,     1,    bytes(1), check=_masked(0x03)),
    Parameter(P.STATIC_ROUTER_1_ADDRESS,           RW,     16,   bytes(16)),
    Parameter(P.STATIC_ROUTER_1_MAC,               RW,     6,    bytes(6)),
    Parameter(P.STATIC_ROUTER_1_PREFIX_LENGTH,     RW,     1,    bytes(1), check=_check_prefix_length),
    Parameter(P.STATIC_ROUTER_1_PREFIX,            RW,     16,   bytes(16)),
    Parameter(P.STATIC_ROUTER_2_ADDRESS,           RW,     16,   bytes(16)),
    Parameter(P.STATIC_ROUTER_2_MAC,               RW,     6,    bytes(6)),
    Parameter(P.STATIC_ROUTER_2_PREFIX_LENGTH,     RW,     1,    bytes(1), check=_check_prefix_length),
    Parameter(P.STATIC_ROUTER_2_PREFIX,            RW,     16,   bytes(16)),
    Parameter(P.NUMBER_OF_DYNAMIC_ROUTERS,         RO,     1,    bytes(1)),
    Parameter(P.DYNAMIC_ROUTER_ADDRESS,            ABSENT, note=_NO_ROUTERS),
    Parameter(P.DYNAMIC_ROUTER_MAC,                ABSENT, note=_NO_ROUTERS),
    Parameter(P.DYNAMIC_ROUTER_PREFIX_LENGTH,      ABSENT, note=_NO_ROUTERS),
    Parameter(P.DYNAMIC_ROUTER_PREFIX,             ABSENT, note=_NO_ROUTERS),
    Parameter(P.DYNAMIC_ROUTER_HOP_LIMIT,          ABSENT, note=_NO_ROUTERS),
    Parameter(P.NEIGHBOR_DISCOVERY_TIMING_SUPPORT, RO,     1,    bytes(1)),
    Parameter(P.NEIGHBOR_DISCOVERY_TIMING,         ABSENT, note="parameter 79: the host's kernel times it"),
)}
# fmt: on
