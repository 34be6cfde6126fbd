"""The LAN configuration: addresses, cipher suites, authentication types.  [IPMI 23.1-23.4]

The address is the host's: `bound` tells on which one the LAN answers, and that is what clients read. What
they write is kept and read back, as a controller's own interface would, but moves no socket; with the
address source set to DHCP the bound address is read again.

Parameters 1, 2 and 22-24 are not only stored: they decide who can log in, and how. IPMI 1.5 sessions
are offered on loopback addresses alone unless the settings say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Interface, ip_interface

from baseboard.bmc.changes import Changes, Rows, kept_bytes
from baseboard.bmc.device import Device
from baseboard.bmc.lan_parameters import PARAMETERS, Access, Parameter
from baseboard.bmc.set_in_progress import PARAMETER_NOT_SUPPORTED, READ_ONLY, SetInProgress
from baseboard.errors import CommandError, ConfigError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.transport_lan import AddressSource, AuthenticationTypes, LanParameter
from baseboard.ipmi.value import Value

ROOM = "lan_configuration"

CIPHER_SUITES = (0, 1, 2, 3, 6, 7, 8, 11, 12, 15, 16, 17)
"""Suites that the LAN can do; the others need xRC4.  [IPMI 22.15.2, Table 22-20]"""

_ENTRIES = (0, 1, 2, 3, 17, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
"""Where each suite stands in parameters 23 and 24.

The levels of parameter 24 are in the order of the entries of parameter 23. But ipmitool's manual ("the
character position identifies the cipher suite number") and FreeIPMI 1.6.10 take the number of a level for
the number of the suite; so each suite stands where both are right, and 16 and 17, which have no such
place, where two of the xRC4 suites would be. Entries that are not on have level 0, "unused".
"""

RMCP_PORT = 623

_ADDRESSES = (LanParameter.IP_ADDRESS, LanParameter.SUBNET_MASK, LanParameter.DEFAULT_GATEWAY_ADDRESS)
_IPV6_ENABLED_STATIC = 0x80
_IPV6_ACTIVE, _IPV6_DISABLED = 0, 1


class AlertDestination(Value, kw_only=True):
    """Where the traps of alerts go, until Set LAN Configuration Parameters 18 and 19 say otherwise."""

    address: IPv4Address | IPv6Address
    acknowledged: bool = False
    """The receiver answers with PET Acknowledge."""
    timeout: int = 3
    """Seconds until a trap is sent again, 1-256."""
    retries: int = 0
    """How often, at most; 0-7."""


class LanSettings(Value, kw_only=True):
    """Who may open which kind of session, and where alerts go."""

    cipher_suites: tuple[int, ...] = (17, 3)
    """Suites that are on, preferred first; every other one is off."""
    insecure_cipher_zero: bool = False
    """Suite 0 lets in whoever knows a user's name: it needs this besides its place in the list."""
    authentication_types: AuthenticationTypes = AuthenticationTypes.MD5
    """IPMI 1.5."""
    ipmi15_off_loopback: bool = False
    """IPMI 1.5 sessions also where others can listen."""
    community: bytes = b"public"
    """SNMP community of traps, up to 18 bytes."""
    destinations: tuple[AlertDestination, ...] = ()
    """Up to four, numbered from 1."""


@dataclass(slots=True)
class LanStatistics:
    """What the LAN counts; Get IP/UDP/RMCP Statistics shows it up to FFFFh.  [IPMI 23.4]"""

    udp_received: int = 0
    udp_transmitted: int = 0
    rmcp_received: int = 0

    def clear(self) -> None:
        """Begin again."""
        self.udp_received = self.udp_transmitted = self.rmcp_received = 0


class LanConfiguration:
    """The parameters of the LAN channel."""

    room = ROOM

    def __init__(self, changes: Changes, settings: LanSettings, device: Device) -> None:
        _check_suites(settings)
        self._changes = changes
        self._settings = settings
        self._device = device
        self._values = _configured(settings)  # by selector, "3", or selector and set, "18.2"
        self._suite_limits = dict.fromkeys(settings.cipher_suites, Privilege.ADMINISTRATOR)
        last = max((_ENTRIES.index(suite) for suite in settings.cipher_suites), default=-1)
        self._entries = _ENTRIES[: last + 1]
        self._progress = SetInProgress()
        self._bound: dict[LanParameter, bytes] = {}
        self._bound_ipv6: IPv6Interface | None = None
        self.loopback = False
        """Whether only this machine can reach the LAN; False until `bound` tells."""
        self.statistics = LanStatistics()
        self.arp_responses_suspended = False
        self.gratuitous_arps_suspended = False

    def restore(self, rows: Rows) -> None:
        """Take back what clients had written."""
        for key, value in rows.items():
            kind, _, suite = key.partition("suite.")
            if kind:
                row = PARAMETERS[LanParameter(int(key.partition(".")[0]))]
                self._values[key] = kept_bytes(value, *(size - bool(row.sets) for size in row.sizes))
            elif int(suite) in self._suite_limits:
                self._suite_limits[int(suite)] = Privilege(value)

    def reset(self, cold: bool, now: float) -> None:
        """Volatile parameters go back.  [IPMI 20.2]"""
        self._progress.reset()
        self.arp_responses_suspended = self.gratuitous_arps_suspended = False
        for number in (LanParameter.DESTINATION_TYPE, LanParameter.DESTINATION_ADDRESSES):
            self._values.pop(f"{number:d}.0", None)

    def bound(
        self,
        address: str,
        netmask: str = "",
        mac: bytes | None = None,
        gateway: str = "",
        port: int = RMCP_PORT,
    ) -> None:
        """The LAN answers here. `netmask` is a mask or a number of bits; without a `mac` one is made up."""
        interface = ip_interface(f"{address}/{netmask}" if netmask else address)
        self.loopback = interface.ip.is_loopback
        self._bound = {LanParameter.PRIMARY_RMCP_PORT: port.to_bytes(2, "little")}
        if mac is not None:
            self._bound[LanParameter.MAC_ADDRESS] = mac
        self._bound_ipv6 = interface if isinstance(interface, IPv6Interface) else None
        if self._bound_ipv6 is None:
            mask = interface.netmask.packed
            if not netmask:
                mask = b"\xff\0\0\0" if self.loopback else b"\xff\xff\xff\0"
            self._bound[LanParameter.IP_ADDRESS] = interface.ip.packed
            self._bound[LanParameter.SUBNET_MASK] = mask
            if gateway:
                self._bound[LanParameter.DEFAULT_GATEWAY_ADDRESS] = ip_interface(gateway).ip.packed

    # What it means for log-in

    @property
    def authentication_types(self) -> AuthenticationTypes:
        """IPMI 1.5 authentication types that there can be at all: none where others can listen."""
        if self.loopback or self._settings.ipmi15_off_loopback:
            return self._settings.authentication_types
        return AuthenticationTypes(0)

    def enabled_authentication_types(self) -> tuple[int, int, int, int, int]:
        """Masks of the levels from CALLBACK to OEM."""
        support = int(self.authentication_types)
        kept = self._values.get(f"{LanParameter.AUTHENTICATION_TYPE_ENABLES:d}")
        callback, user, operator, administrator, oem = kept or (support, support, support, support, 0)
        return callback & support, user & support, operator & support, administrator & support, oem & support

    def cipher_suites(self) -> tuple[int, ...]:
        """Suites that are on, preferred first."""
        return tuple(suite for suite, limit in self._suite_limits.items() if limit)

    def cipher_suite_limit(self, suite: int) -> Privilege:
        """Highest level with this suite; NO_ACCESS: it is off."""
        return self._suite_limits.get(suite) or Privilege.NO_ACCESS

    # The parameters as clients see them

    def check_provided(self, number: int) -> None:
        """Raises CommandError when there is no such parameter."""
        _row(number)

    def get(self, number: int, set_selector: int) -> bytes:
        """The parameter's data.  Raises CommandError."""
        row = _row(number)
        if not row.sets:
            return self._get(row)
        if set_selector >= row.sets:
            raise CommandError(
                CompletionCode.PARAMETER_OUT_OF_RANGE, f"parameter {number}: no set {set_selector}"
            )
        if row.number is LanParameter.IPV6_STATIC_ADDRESSES:
            return self._ipv6_address(set_selector)
        return bytes((set_selector,)) + self._values.get(f"{number}.{set_selector}", row.default)

    def set(self, number: int, data: bytes) -> None:
        """Write a parameter.  Raises CommandError."""
        row = _row(number)
        if row.access is Access.READ_ONLY:
            raise CommandError(READ_ONLY, f"parameter {number} is read-only")
        if row.access is Access.FIXED:
            self._set_fixed(row, data)
            return
        if row.number is LanParameter.SET_IN_PROGRESS:
            self._progress.set(data)
            return
        if len(data) not in row.sizes:
            raise CommandError(CompletionCode.LENGTH_INVALID, f"parameter {number}: {len(data)} bytes")
        key = f"{number}"
        if row.sets:
            selector, data = data[0] & 0x0F, row.check(data) if row.check else data
            if selector >= row.sets:
                raise CommandError(
                    CompletionCode.PARAMETER_OUT_OF_RANGE, f"parameter {number}: no set {selector}"
                )
            self._values[f"{key}.{selector}"] = data[1:]
            if selector:  # destination 0 is volatile
                self._changes.put(ROOM, f"{key}.{selector}", data[1:].hex())
            return
        if row.number is LanParameter.CIPHER_SUITE_PRIVILEGE_LEVELS:
            self._set_suite_limits(data)
            return
        if row.number is LanParameter.AUTHENTICATION_TYPE_ENABLES and any(
            mask & ~self.authentication_types for mask in data
        ):
            raise CommandError(
                CompletionCode.INVALID_FIELD, "an authentication type is not supported: parameter 1"
            )
        if row.number in _ADDRESSES and self._by_dhcp():
            if data == self._get(row):
                return
            raise CommandError(CompletionCode.NOT_IN_PRESENT_STATE, "the address source is DHCP")
        data = row.check(data) if row.check else data
        self._values[key] = data
        self._changes.put(ROOM, key, data.hex())

    def _get(self, row: Parameter) -> bytes:
        computed = _COMPUTED.get(row.number)
        if computed is not None:
            return computed(self)
        if row.number in _ADDRESSES and self._by_dhcp():
            return self._bound.get(row.number, bytes(row.size))
        kept = self._values.get(f"{row.number:d}")
        return kept or self._bound.get(row.number) or row.default or bytes(row.size)

    def _set_fixed(self, row: Parameter, data: bytes) -> None:
        if len(data) not in row.sizes:
            raise CommandError(CompletionCode.LENGTH_INVALID, f"parameter {row.number:d}: {len(data)} bytes")
        present = self.get(row.number, data[0] if row.sets else 0)
        told = -1 if row.number is LanParameter.IPV6_STATIC_ADDRESSES else None  # its status is only read
        if data[:told] != present[:told]:
            raise CommandError(READ_ONLY, f"parameter {row.number:d} is as it is")

    def _by_dhcp(self) -> bool:
        return self._values.get(f"{LanParameter.IP_ADDRESS_SOURCE:d}") == bytes((AddressSource.DHCP,))

    def _mac_address(self) -> bytes:
        kept = self._values.get(f"{LanParameter.MAC_ADDRESS:d}") or self._bound.get(LanParameter.MAC_ADDRESS)
        return kept or b"\x02" + self._device.guid[:5]  # locally administered, from the GUID's random bytes

    def _cipher_suite_entries(self) -> bytes:
        return b"\0" + bytes(self._entries).ljust(16, b"\0")

    def _cipher_suite_levels(self) -> bytes:
        levels = [int(self._suite_limits.get(suite, 0)) for suite in self._entries]
        levels += [0] * (16 - len(levels))
        return b"\0" + bytes(low | high << 4 for low, high in zip(levels[::2], levels[1::2], strict=True))

    def _set_suite_limits(self, data: bytes) -> None:
        levels = [level for byte in data[1:] for level in (byte & 0x0F, byte >> 4)]
        limits = dict(zip(self._entries, levels, strict=False))
        for suite, level in limits.items():
            if level > Privilege.OEM:
                raise CommandError(CompletionCode.INVALID_FIELD, f"suite {suite}: no privilege level {level}")
            if level and suite not in self._suite_limits:
                raise CommandError(CompletionCode.INVALID_FIELD, f"suite {suite} is off by configuration")
        for suite in self._suite_limits:
            self._suite_limits[suite] = Privilege(limits[suite])
            self._changes.put(ROOM, f"suite.{suite}", limits[suite])

    def _ipv6_address(self, set_selector: int) -> bytes:
        interface = self._bound_ipv6
        if interface is None:
            return bytes((set_selector, 0)) + IPv6Address(0).packed + bytes((0, _IPV6_DISABLED))
        length = interface.network.prefixlen
        return (
            bytes((set_selector, _IPV6_ENABLED_STATIC)) + interface.ip.packed + bytes((length, _IPV6_ACTIVE))
        )


_COMPUTED: dict[LanParameter, Callable[[LanConfiguration], bytes]] = {
    LanParameter.SET_IN_PROGRESS: lambda lan: lan._progress.encode(),
    LanParameter.AUTHENTICATION_TYPE_SUPPORT: lambda lan: bytes((lan.authentication_types,)),
    LanParameter.AUTHENTICATION_TYPE_ENABLES: lambda lan: bytes(lan.enabled_authentication_types()),
    LanParameter.MAC_ADDRESS: lambda lan: lan._mac_address(),
    LanParameter.CIPHER_SUITE_ENTRY_SUPPORT: lambda lan: bytes((len(lan._entries),)),
    LanParameter.CIPHER_SUITE_ENTRIES: lambda lan: lan._cipher_suite_entries(),
    LanParameter.CIPHER_SUITE_PRIVILEGE_LEVELS: lambda lan: lan._cipher_suite_levels(),
    LanParameter.IPV6_IPV4_ENABLES: lambda lan: bytes((lan._bound_ipv6 is not None,)),
}
"""Parameters that are not merely stored."""


def _row(number: int) -> Parameter:
    row = PARAMETERS.get(number)
    if row is None or row.access is Access.ABSENT:
        raise CommandError(PARAMETER_NOT_SUPPORTED, f"no parameter {number}")
    return row


def _configured(settings: LanSettings) -> dict[str, bytes]:
    """Parameters whose first values are settings."""
    values = {f"{LanParameter.COMMUNITY_STRING:d}": settings.community.ljust(18, b"\0")}
    for number, one in enumerate(settings.destinations, 1):
        acknowledged = 0x80 if one.acknowledged else 0
        values[f"{LanParameter.DESTINATION_TYPE:d}.{number}"] = bytes(
            (acknowledged, one.timeout - 1, one.retries)
        )
        packed = one.address.packed
        address = b"\x10" + packed if one.address.version == 6 else bytes(2) + packed + bytes(6)
        values[f"{LanParameter.DESTINATION_ADDRESSES:d}.{number}"] = address
    return values


def _check_suites(settings: LanSettings) -> None:
    for suite in settings.cipher_suites:
        if suite not in CIPHER_SUITES:
            allowed = ", ".join(map(str, CIPHER_SUITES))
            raise ConfigError(f"cipher suite {suite} is not one that we can do: {allowed}")
        if suite == 0 and not settings.insecure_cipher_zero:
            raise ConfigError(
                "cipher suite 0 lets in whoever knows a user's name: it needs insecure_cipher_zero"
            )
