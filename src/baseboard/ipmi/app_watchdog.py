"""App commands 22h, 24h and 25h: the watchdog timer.  [IPMI 27.5-27.7]"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.codec import Request, Response, bit, bits, u8, u16


class TimerUse(IntEnum):
    """What the timer guards; the bit of the use in the expiration flags has the same number."""

    BIOS_FRB2 = 1
    BIOS_POST = 2
    OS_LOAD = 3
    SMS_OS = 4
    OEM = 5


class TimeoutAction(IntEnum):
    """What is done when the timer expires."""

    NONE = 0
    HARD_RESET = 1
    POWER_DOWN = 2
    POWER_CYCLE = 3


class PretimeoutInterrupt(IntEnum):
    """What comes `pretimeout_interval` seconds earlier."""

    NONE = 0
    SMI = 1
    NMI = 2
    MESSAGING = 3


# fmt: off
class SetWatchdogTimerRequest(Request):
    """[IPMI 27.6, Table 27-4]"""

    use:                  int  = bits(1, 2, 0)  # `TimerUse`
    dont_stop:            bool = bit(1, 6)
    dont_log:             bool = bit(1, 7)
    action:               int  = bits(2, 2, 0)  # `TimeoutAction`
    interrupt:            int  = bits(2, 6, 4)  # `PretimeoutInterrupt`
    pretimeout_interval:  int  = u8(3)          # seconds
    expiration_flags:     int  = u8(4)          # 1 clears
    initial_countdown:    int  = u16(5)         # 100 ms


class GetWatchdogTimerResponse(Response):
    """[IPMI 27.7, Table 27-5]"""

    use:                  int  = bits(2, 2, 0)
    running:              bool = bit(2, 6)
    dont_log:             bool = bit(2, 7)
    action:               int  = bits(3, 2, 0)
    interrupt:            int  = bits(3, 6, 4)
    pretimeout_interval:  int  = u8(4)
    expiration_flags:     int  = u8(5)
    initial_countdown:    int  = u16(6)
    present_countdown:    int  = u16(8)
# fmt: on
