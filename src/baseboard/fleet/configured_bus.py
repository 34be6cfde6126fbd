"""The bus of a configuration file: satellites, links, our own address."""

from __future__ import annotations

from dataclasses import replace

from baseboard.bmc.fru import FruSettings
from baseboard.bmc.satellite_settings import IpmbSettings, SatelliteSettings, check_addresses
from baseboard.errors import ConfigError
from baseboard.fleet.configured_sensors import Mistake, satellite_sensors
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.records.fru import Inventory, ProductArea
from baseboard.store.configuration import Configuration
from baseboard.store.sections import Satellite

SATELLITE_FRU_SIZE = 512
FIRMWARE, ADD_IN_CARD = 0x2E, 0x0B
"""Entity ids of a controller itself and of the board that it is on.  [IPMI Table 43-13]"""


def configured_ipmb(file: Configuration) -> IpmbSettings:
    """Our own place on the bus."""
    ipmb = file.ipmb
    return IpmbSettings(
        address=ipmb.address,
        event_receiver=ipmb.event_receiver,
        link_privilege=Privilege[ipmb.privilege.upper()],
    )


def configured_satellites(file: Configuration, mistake: Mistake) -> tuple[SatelliteSettings, ...]:
    """The file's satellites."""
    made: list[SatelliteSettings] = []
    for index, satellite in enumerate(file.satellite):
        try:
            settings = _satellite(satellite, index, mistake)
            check_addresses(file.ipmb.address, (*made, settings))
            made.append(settings)
        except ConfigError as error:
            mistake(("satellite", index), str(error).partition(": ")[2])
    return tuple(made)


def _satellite(satellite: Satellite, index: int, mistake: Mistake) -> SatelliteSettings:
    board = ADD_IN_CARD, index + 1
    sensors = satellite_sensors(satellite.sensor, ("satellite", index), mistake)
    settings = SatelliteSettings(
        address=satellite.address,
        name=satellite.name,
        entity=(FIRMWARE, index + 2),  # we are the first
        sensors=tuple(replace(sensor, entity=board) for sensor in sensors),
        fru=tuple(inventory.replace(entity=board) for inventory in _inventory(satellite)),
    )
    identity = settings.device.replace(device_id=satellite.device_id, product_id=satellite.product_id)
    return replace(settings, device=identity)


def _inventory(satellite: Satellite) -> tuple[FruSettings, ...]:
    product = ProductArea(
        product_name=satellite.product_name or "",
        part_number=satellite.part_number or "",
        serial_number=satellite.serial_number or "",
    )
    if product == ProductArea():
        return ()
    return (FruSettings(name=satellite.name, size=SATELLITE_FRU_SIZE, inventory=Inventory(product=product)),)
