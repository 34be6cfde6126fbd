"""Everything about a controller that a configuration may say, with a default for each.

Plain values: where they come from (a file, flags, a test) is not this room's business.
"""

from __future__ import annotations

from baseboard.bmc.channels import ChannelSettings
from baseboard.bmc.chassis import ChassisSettings
from baseboard.bmc.device import DeviceSettings
from baseboard.bmc.fru import FruSettings
from baseboard.bmc.fru_fields import FruField
from baseboard.bmc.lan_configuration import LanSettings
from baseboard.bmc.pef_parameters import PefSettings
from baseboard.bmc.satellite_settings import IpmbSettings, SatelliteSettings
from baseboard.bmc.sel import SelSettings
from baseboard.bmc.sensor_settings import SensorSettings
from baseboard.bmc.simulation.server import DEFAULT_SENSORS
from baseboard.bmc.simulation.simulation import SimulationSettings
from baseboard.bmc.sol_configuration import SolSettings
from baseboard.bmc.system_info import SystemInfoSettings
from baseboard.ipmi.value import Value


class Settings(Value, kw_only=True):
    """What a controller is made from."""

    device: DeviceSettings = DeviceSettings()
    channels: ChannelSettings = ChannelSettings()
    lan: LanSettings = LanSettings()
    system_info: SystemInfoSettings = SystemInfoSettings()
    sol: SolSettings = SolSettings()
    chassis: ChassisSettings = ChassisSettings()
    sel: SelSettings = SelSettings()
    pef: PefSettings = PefSettings()
    sensors: tuple[SensorSettings, ...] = DEFAULT_SENSORS
    fru: tuple[FruSettings, ...] | None = None
    """None: the default server's, with serial numbers from the GUID."""
    fru_fields: tuple[FruField, ...] = ()
    """Put in place of those of device 0."""
    simulation: SimulationSettings = SimulationSettings()
    ipmb: IpmbSettings = IpmbSettings()
    satellites: tuple[SatelliteSettings, ...] = ()
