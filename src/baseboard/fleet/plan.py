"""From flags and the configuration file to the options of one instance; flags win."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from baseboard.aio.endpoint import (
    Address,
    parse_console,
    parse_ipmb,
    parse_lan,
    parse_serial_channel,
    parse_vm,
)
from baseboard.bmc.satellite_settings import check_address, check_addresses
from baseboard.errors import ConfigError
from baseboard.fleet.attachment import Attachment, Seam, parse_attachment
from baseboard.fleet.options import Interface, Options, PowerKind
from baseboard.fleet.users import logins
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.value import Value
from baseboard.store.directory import VM
from baseboard.store.password import Password

LAN_PORTS = 101
"""Ports tried when none was named: 6230 to 6330."""

SERIAL_PRIVILEGES = {
    level.name.lower(): level
    for level in (Privilege.NONE, Privilege.USER, Privilege.OPERATOR, Privilege.ADMINISTRATOR)
}

Choice = TypeVar("Choice", bound=StrEnum)


class Flags(Value, kw_only=True):
    """The flags of `baseboard run` as they were typed."""

    state: Path
    lan: str | None = None
    user: str | None = None
    password_file: Path | None = None
    vms: tuple[str, ...] = ()
    vfio_user: tuple[str, ...] = ()
    pci_proxy: tuple[str, ...] = ()
    dummy: Path | None = None
    console: str | None = None
    serial_channel: str | None = None
    serial_privilege: str | None = None
    bmc_at: str | None = None
    ipmb: tuple[str, ...] = ()
    ipmb_address: str | None = None
    power: str | None = None
    interface: str | None = None
    config: Path | None = None
    qemu: tuple[str, ...] = ()


def plan(flags: Flags) -> tuple[Options, Password]:
    """What to start, and the first user's password.  Raises ConfigError."""
    # Relative paths mean the same wherever QEMU or another command is started.
    options = Options(state=flags.state.absolute(), lan_ports=LAN_PORTS)
    if flags.config is not None:
        from baseboard.fleet.configured import configured  # pydantic costs 40 ms: only who has a file pays

        options = configured(options, flags.config)
    options = _flagged(options, flags)
    if options.bmc_at is not None:
        _check_alone(options)
    elif options.qemu:
        if options.power is PowerKind.SIMULATED and flags.power is None:
            options = options.replace(power=PowerKind.QEMU)
    elif options.power is PowerKind.QEMU:
        raise ConfigError("power qemu needs the QEMU to run: baseboard run -- qemu-system-x86_64 ...")
    elif options.vms:
        if flags.vms and flags.power is None and options.power is PowerKind.SIMULATED:
            options = options.replace(power=PowerKind.VM)  # who names a machine wants its power, not ours
    elif not options.functions:
        options = options.replace(vms=(Address("unix", path=str(options.state / VM)),))
    password = logins(options)[0].password
    return options.replace(password_file=password.path), password


def _flagged(options: Options, flags: Flags) -> Options:
    if flags.lan is not None:
        options = options.replace(lan=parse_lan(flags.lan), lan_ports=1)
    if flags.user is not None:
        options = options.replace(user=_user(flags.user))
    if flags.password_file is not None:
        options = options.replace(password_file=flags.password_file.absolute())
    if flags.vms:
        options = options.replace(vms=tuple(_absolute(parse_vm(text)) for text in flags.vms))
    if flags.vfio_user or flags.pci_proxy:
        options = options.replace(functions=tuple(_attachments(flags)))
    if flags.dummy is not None:
        options = options.replace(dummy=flags.dummy.absolute())
    if flags.console is not None:
        options = options.replace(console=_absolute(parse_console(flags.console)))
    if flags.serial_channel is not None:
        options = options.replace(serial_channel=_absolute(parse_serial_channel(flags.serial_channel)))
    if flags.serial_privilege is not None:
        options = options.replace(serial_privilege=_privilege(flags.serial_privilege))
    if options.serial_channel is not None:
        channels = options.settings.channels.replace(serial=True, serial_enabled=True)
        options = options.replace(settings=options.settings.replace(channels=channels))
    if flags.bmc_at is not None:
        options = options.replace(bmc_at=flags.bmc_at)
    if flags.ipmb:
        options = options.replace(ipmb=tuple(_absolute(parse_ipmb(text)) for text in flags.ipmb))
    if flags.ipmb_address is not None:
        ipmb = replace(options.settings.ipmb, address=_bus_address(flags.ipmb_address))
        options = options.replace(settings=options.settings.replace(ipmb=ipmb))
        check_addresses(ipmb.address, options.settings.satellites)
    if flags.power is not None:
        options = options.replace(power=_choice(PowerKind, flags.power, "--power"))
    if flags.interface is not None:
        options = options.replace(interface=_choice(Interface, flags.interface, "--interface"))
    if flags.qemu:
        options = options.replace(qemu=flags.qemu)
    return options


def _attachments(flags: Flags) -> Iterator[Attachment]:
    for seam, texts in ((Seam.VFIO_USER, flags.vfio_user), (Seam.PCI_PROXY, flags.pci_proxy)):
        for text in texts:
            attachment = parse_attachment(text, seam)
            yield attachment.replace(path=attachment.path.absolute())


def _check_alone(options: Options) -> None:
    """Firmware that somebody else runs is before our LAN and nothing else."""
    others = {
        "--vm": options.vms,
        "--vfio-user and --pci-proxy": options.functions,
        "--dummy": options.dummy,
        "--serial-channel": options.serial_channel,
        "a QEMU command line": options.qemu,
    }
    for name, given in others.items():
        if given:
            raise ConfigError(
                f"--bmc-at: {name} asks our own controller and not the firmware; "
                "to tie a machine to firmware: baseboard pair"
            )


def _absolute(address: Address) -> Address:
    return address.replace(path=str(Path(address.path).absolute())) if address.kind == "unix" else address


def _bus_address(text: str) -> int:
    try:
        return check_address(int(text, 0))
    except (ValueError, ConfigError):
        raise ConfigError(
            f"--ipmb-address: {text!r} is not an even number from 0x02 to 0xEE, as in 0x20"
        ) from None


def _privilege(text: str) -> Privilege:
    try:
        return SERIAL_PRIVILEGES[text]
    except KeyError:
        known = ", ".join(SERIAL_PRIVILEGES)
        raise ConfigError(f"--serial-privilege: {text!r} is not one of {known}") from None


def _choice(kind: type[Choice], text: str, what: str) -> Choice:
    try:
        return kind(text)
    except ValueError:
        raise ConfigError(f"{what}: {text!r} is not one of {', '.join(kind)}") from None


def _user(name: str) -> str:
    if not 1 <= len(name.encode()) <= 16 or "\0" in name:
        raise ConfigError(f"--user: {name!r} is not a name of 1 to 16 bytes")
    return name
