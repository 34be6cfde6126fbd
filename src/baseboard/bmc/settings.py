"""Everything about a controller that a configuration may say, with a default for each.

Plain values: where they come from (a file, flags, a test) is not this room's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from baseboard.bmc.channels import ChannelSettings
from baseboard.bmc.device import DeviceSettings
from baseboard.bmc.lan_configuration import LanSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a controller is made from."""

    device: DeviceSettings = field(default_factory=DeviceSettings)
    channels: ChannelSettings = field(default_factory=ChannelSettings)
    lan: LanSettings = field(default_factory=LanSettings)
