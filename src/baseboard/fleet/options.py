"""What one instance is started with: the flags of `baseboard run` over the configuration file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from baseboard.aio.endpoint import DEFAULT_LAN, Address
from baseboard.bmc.settings import Settings
from baseboard.fleet.attachment import Attachment
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.value import Value
from baseboard.lan.settings import LanSettings


class PowerKind(StrEnum):
    """Chassis back ends."""

    SIMULATED = "simulated"
    VM = "vm"
    QEMU = "qemu"


class FurtherUser(Value):
    """A user beside the first one."""

    name: str
    password_file: Path
    limit: Privilege = Privilege.ADMINISTRATOR


class Interface(StrEnum):
    """System interfaces that an owned QEMU can be given."""

    KCS = "kcs"
    BT = "bt"
    SSIF = "ssif"


class Options(Value, kw_only=True):
    """Everything about one instance that is not the controller's own settings."""

    state: Path
    """State directory (0700): database, password file, control socket."""
    settings: Settings = Settings()
    lan: Address = DEFAULT_LAN
    lan_ports: int = 1
    """How many ports to try, from `lan.port` up, until one is free."""
    lan_server: LanSettings = LanSettings(announce_dcmi=True)
    """Bounds and times of sessions."""
    user: str = "admin"
    password_file: Path | None = None
    """Where the first user's password is; None: STATE/password, made at the first run."""
    limit: Privilege = Privilege.ADMINISTRATOR
    """The first user's."""
    further_users: tuple[FurtherUser, ...] = ()
    """Users 3, 4, ..."""
    vms: tuple[Address, ...] = ()
    functions: tuple[Attachment, ...] = ()
    """Interfaces that stand in a machine as PCI functions of ours."""
    dummy: Path | None = None
    """The socket of `ipmitool -I dummy`; None: there is none."""
    console: Address | None = None
    serial_channel: Address | None = None
    """Where consoles speak IPMI over a serial port; None: nowhere."""
    serial_privilege: Privilege = Privilege.NONE
    """What they may do there without a log-in."""
    bmc_at: str | None = None
    """Firmware that answers on our LAN in the controller's place: qmp:PATH, ibt:PATH or vm:ADDRESS."""
    ipmb: tuple[Address, ...] = ()
    """Where other controllers of the bus are."""
    power: PowerKind = PowerKind.SIMULATED
    qemu: tuple[str, ...] = ()
    """Command line of the QEMU that we own; empty: none."""
    interface: Interface = Interface.KCS
    """The system interface that an owned QEMU gets."""
