"""What is on the bus beside the controller, and how the controller takes part in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from baseboard.bmc.device import DeviceSettings
from baseboard.bmc.fru import FruSettings
from baseboard.bmc.sensor_settings import SensorSettings
from baseboard.errors import ConfigError
from baseboard.ipmi.ipmb import BMC_ADDRESS
from baseboard.ipmi.privilege import Privilege

SATELLITE_DEVICE_ID = 0x21
LONGEST_NAME = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class IpmbSettings:
    """The controller's own place on the bus."""

    address: int = BMC_ADDRESS
    event_receiver: int | None = None
    """Whom it tells of its events, besides its own log; None: nobody else."""
    link_privilege: Privilege = Privilege.OPERATOR
    """What requests from other processes may do here: the bus itself knows no log-in."""

    def __post_init__(self) -> None:
        check_address(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class SatelliteSettings:
    """A controller on the bus."""

    address: int
    """Slave address, 02h-EEh, even."""
    name: str = "Satellite"
    device: DeviceSettings = field(default_factory=lambda: DeviceSettings(device_id=SATELLITE_DEVICE_ID))
    """What it can do follows from what it has."""
    entity: tuple[int, int] = (0x2E, 2)
    """Entity id and instance; 2Eh is management controller firmware."""
    sensors: tuple[SensorSettings, ...] = ()
    fru: tuple[FruSettings, ...] = ()

    def __post_init__(self) -> None:
        check_address(self.address)
        if not 1 < len(self.name) <= LONGEST_NAME:
            raise ConfigError(
                f"satellite {self.address:02X}h: the name {self.name!r} has not 2 to 16 characters"
            )


def check_address(address: int) -> int:
    """A slave address that a controller may have.  Raises ConfigError.  [IPMB 2.4]"""
    if not 0x02 <= address <= 0xEE or address & 1:
        raise ConfigError(f"address {address:02X}h; allowed: even ones from 02h to EEh")
    return address


def check_addresses(own: int, satellites: Sequence[SatelliteSettings]) -> None:
    """No two controllers have the same.  Raises ConfigError."""
    taken = {own}
    for one in satellites:
        if one.address in taken:
            raise ConfigError(f"satellite {one.name!r}: address {one.address:02X}h is taken already")
        taken.add(one.address)
