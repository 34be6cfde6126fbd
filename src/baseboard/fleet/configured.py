"""What a configuration file means: its sections as options and settings.

`store.configuration` has checked types and limits. What only this room can know (addresses, names of
sensor types and states, thresholds in their order) is checked here, with the file's lines all the same.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from baseboard.aio.endpoint import (
    DEFAULT_LAN,
    Address,
    parse_console,
    parse_ipmb,
    parse_serial_channel,
    parse_vm,
)
from baseboard.bmc.chassis import RestorePolicy
from baseboard.bmc.fru_fields import FruField
from baseboard.bmc.settings import Settings
from baseboard.errors import ConfigError
from baseboard.fleet.attachment import Attachment, Seam, attachment
from baseboard.fleet.configured_alerts import configured_alerts
from baseboard.fleet.configured_bus import configured_ipmb, configured_satellites
from baseboard.fleet.configured_sensors import configured_sensors
from baseboard.fleet.options import FurtherUser, Interface, Options, PowerKind
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.transport_lan import AuthenticationTypes
from baseboard.store.configuration import Configuration, load
from baseboard.store.password import read_password
from baseboard.store.sections import User
from baseboard.store.source import Source, found
from baseboard.store.toml_lines import Path as Loc

# fmt: off
AUTHENTICATION_TYPES = {
    "none":     AuthenticationTypes.NONE,
    "md5":      AuthenticationTypes.MD5,
    "password": AuthenticationTypes.STRAIGHT_PASSWORD,
}

RESTORE_POLICIES = {
    "always-off": RestorePolicy.STAY_OFF,
    "previous":   RestorePolicy.PREVIOUS,
    "always-on":  RestorePolicy.ALWAYS_ON,
}
# fmt: on


def configured(options: Options, path: Path) -> Options:
    """`options` with what the file says.  Raises one ConfigError with every mistake's file and line."""
    configuration, source = load(path)
    return _Meaning(configuration, source).apply(options)


class _Meaning:
    """One file on its way to options; mistakes are gathered, so that all are told at once."""

    def __init__(self, configuration: Configuration, source: Source) -> None:
        self._file = configuration
        self._source = source
        self._mistakes: list[tuple[int, str]] = []

    def apply(self, options: Options) -> Options:
        options = self._lan(options)
        options = self._users(options)
        options = self._machine(options)
        options = options.replace(settings=self._settings(options.settings))
        if self._mistakes:
            raise ConfigError("\n".join(text for _, text in sorted(self._mistakes)))
        return options

    def _lan(self, options: Options) -> Options:
        lan = self._file.lan
        port = DEFAULT_LAN.port if lan.port is None else lan.port
        return options.replace(
            lan=Address("udp", host=lan.host, port=port),
            lan_ports=options.lan_ports if lan.port is None else 1,
            lan_server=options.lan_server.replace(
                sessions=lan.sessions,
                session_timeout=lan.session_timeout,
                half_open=lan.half_open,
                half_open_per_source=lan.half_open_per_source,
                half_open_timeout=lan.half_open_timeout,
                hide_unknown_users=lan.hide_unknown_users,
            ),
        )

    def _users(self, options: Options) -> Options:
        if not self._file.user:
            return options
        first, *others = self._file.user
        further = []
        for number, user in enumerate(others, 1):
            if file := self._password_file(user, number):
                further.append(FurtherUser(user.name, file, _privilege(user.privilege)))
            elif user.password_file is None:
                self._mistake(
                    ("user", number), "password_file is missing: only the first user can do without"
                )
        return options.replace(
            user=first.name,
            password_file=self._password_file(first, 0),
            limit=_privilege(first.privilege),
            further_users=tuple(further),
        )

    def _password_file(self, user: User, number: int) -> Path | None:
        if user.password_file is None:
            return None
        path = self._beside(user.password_file)
        try:
            return read_password(path).path
        except ConfigError as error:
            self._mistake(("user", number, "password_file"), str(error))
            return None

    def _machine(self, options: Options) -> Options:
        vm, console, power = self._file.vm, self._file.console, self._file.power
        addresses = [
            self._address(parse_vm, text, ("vm", "addresses", number))
            for number, text in enumerate(vm.addresses)
        ]
        links = [
            self._address(parse_ipmb, text, ("ipmb", "links", number))
            for number, text in enumerate(self._file.ipmb.links)
        ]
        channel = self._file.serial_channel
        serial = (
            self._address(parse_console, console.address, ("console", "address")) if console.address else None
        )
        return options.replace(
            vms=tuple(address for address in addresses if address is not None),
            functions=tuple(self._functions()),
            console=serial,
            serial_channel=self._address(parse_serial_channel, channel.address, ("serial_channel", "address"))
            if channel.address
            else None,
            serial_privilege=_privilege(channel.privilege),
            ipmb=tuple(address for address in links if address is not None),
            interface=Interface(vm.interface),
            power=PowerKind(power.kind),
            qemu=tuple(power.qemu),
        )

    def _functions(self) -> Iterator[Attachment]:
        for number, function in enumerate(self._file.function):
            seam = Seam(function.seam)
            given = {"interface": function.interface, "bar": function.bar, "interrupt": function.interrupt}
            settings = {name: value for name, value in given.items() if value not in (None, "none")}
            try:
                yield attachment(self._beside(function.socket), seam, settings)
            except ConfigError as error:
                self._mistake(("function", number), str(error).partition(": ")[2])

    def _address(self, parse: Callable[[str], Address], text: str, loc: Loc) -> Address | None:
        try:
            address = parse(text)
        except ConfigError as error:
            self._mistake(loc, str(error).partition(": ")[2])
            return None
        return address.replace(path=str(self._beside(address.path))) if address.kind == "unix" else address

    def _settings(self, settings: Settings) -> Settings:
        lan, power, identity, sol = self._file.lan, self._file.power, self._file.identity, self._file.sol
        pef, alerts = self._file.pef, configured_alerts(self._file, self._mistake)
        types = AuthenticationTypes(0)
        for name in lan.ipmi15:
            types |= AUTHENTICATION_TYPES[name]
        return settings.replace(
            device=settings.device.replace(
                device_id=identity.device_id,
                device_revision=identity.device_revision,
                firmware_major=identity.firmware_major,
                firmware_minor=identity.firmware_minor,
                auxiliary=self._auxiliary(identity.auxiliary_firmware_revision),
                manufacturer_id=identity.manufacturer_id,
                product_id=identity.product_id,
                guid=self._guid(identity.guid),
            ),
            channels=settings.channels.replace(
                lan_limit=_privilege(lan.privilege_limit), lan_pef_alerting=bool(alerts)
            ),
            lan=settings.lan.replace(
                cipher_suites=tuple(lan.cipher_suites),
                insecure_cipher_zero=lan.insecure_cipher_zero,
                authentication_types=types,
                ipmi15_off_loopback=lan.ipmi15_off_loopback,
                community=pef.community.encode(),
                destinations=alerts,
            ),
            sol=settings.sol.replace(
                enabled=sol.enabled,
                privilege=_privilege(sol.privilege),
                force_encryption=sol.force_encryption,
                force_authentication=sol.force_authentication,
                accumulate_interval=sol.accumulate_interval,
                send_threshold=sol.send_threshold,
                retry_count=sol.retry_count,
                retry_interval=sol.retry_interval,
            ),
            chassis=settings.chassis.replace(
                power_restore_policy=RESTORE_POLICIES[power.restore_policy],
                power_cycle_interval=power.cycle_interval,
                starts_on=power.starts_on,
            ),
            pef=settings.pef.replace(enabled=pef.enabled, destinations=len(alerts), trap_port=pef.trap_port),
            sel=settings.sel.replace(**self._file.sel.model_dump()),
            simulation=settings.simulation.replace(**self._file.simulation.model_dump(exclude={"sensors"})),
            sensors=configured_sensors(self._file, self._mistake),
            fru_fields=tuple(self._fru_fields()),
            ipmb=configured_ipmb(self._file),
            satellites=configured_satellites(self._file, self._mistake),
        )

    def _fru_fields(self) -> Iterator[FruField]:
        for name, value in self._file.fru.model_dump(exclude_none=True).items():
            area, _, field = name.partition("_")
            yield FruField(area, "product_name" if field == "name" else field, value)

    def _auxiliary(self, text: str) -> bytes:
        if re.fullmatch(r"([0-9A-Fa-f]{8})?", text) is None:
            self._mistake(
                ("identity", "auxiliary_firmware_revision"),
                f"found {found(text)}; allowed: 8 hexadecimal digits, or none",
            )
            return b""
        return bytes.fromhex(text)

    def _guid(self, text: str | None) -> bytes | None:
        if text is None:
            return None
        try:
            return uuid.UUID(text).bytes
        except ValueError:
            self._mistake(
                ("identity", "guid"),
                f'found {found(text)}; allowed: a UUID, as in "123e4567-e89b-42d3-a456-426614174000"',
            )
            return None

    def _beside(self, text: str) -> Path:
        """A path of the file: relative to the file's own directory."""
        return self._source.path.absolute().parent / Path(text).expanduser()

    def _mistake(self, loc: Loc, text: str) -> None:
        self._mistakes.append((self._source.line(loc), self._source.mistake(loc, text)))


def _privilege(name: str) -> Privilege:
    return Privilege[name.upper()]
