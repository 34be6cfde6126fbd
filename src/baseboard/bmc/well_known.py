"""Numbers of the sensors that the controller itself reports events for.

The default server's SDRs describe these; a server of the user's own may describe them or not, the events
are logged all the same.
"""

from __future__ import annotations

# fmt: off
#                          number   sensor type [IPMI 42.2, Table 42-3]
POWER_UNIT_SENSOR     = 0x01      # 09h Power Unit
WATCHDOG_SENSOR       = 0x02      # 23h Watchdog 2
SYSTEM_EVENT_SENSOR   = 0x03      # 12h System Event
RESTART_SENSOR        = 0x04      # 1Dh System Boot / Restart Initiated
SEL_SENSOR            = 0x05      # 10h Event Logging Disabled
BUTTON_SENSOR         = 0x06      # 14h Button / Switch
SESSION_AUDIT         = 0x07      # 2Ah Session Audit
OPERATING_SYSTEM_STOP = 0x08      # 20h OS Stop / Shutdown
CRITICAL_INTERRUPT    = 0x09      # 13h Critical Interrupt
POWER_LIMIT_SENSOR    = 0x0A      # 09h Power Unit, limit exceeded  [DCMI 6.6.2]
THERMAL_LIMIT_SENSOR  = 0x0B      # 01h Temperature, limit exceeded  [DCMI 6.7.1]
# fmt: on
