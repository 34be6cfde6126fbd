"""Channels: App commands 40h-42h and 56h.  [IPMI 6.3, 22.22-22.25]"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.codec import Request, Response, bit, bits, raw, tail, u8, u24

IPMI_VENDOR_ID = 7154
"""Vendor of the protocols that the specification itself defines: F2h 1Bh 00h.  [IPMI 22.24]"""


class ChannelMedium(IntEnum):
    """What a channel runs over.  [IPMI 6.5, Table 6-3]"""

    IPMB = 0x01
    LAN_802_3 = 0x04
    SERIAL = 0x05
    SYSTEM_INTERFACE = 0x0C


class ChannelProtocol(IntEnum):
    """How messages on a channel are framed.  [IPMI 6.4, Table 6-2]"""

    IPMB_1_0 = 0x01
    IPMI_SMBUS = 0x04
    KCS = 0x05
    SMIC = 0x06
    BT_1_5 = 0x08
    TERMINAL_MODE = 0x09


class SessionSupport(IntEnum):
    """How many sessions a channel has.  [IPMI 22.24, Table 22-29]"""

    SESSION_LESS = 0
    SINGLE = 1
    MULTIPLE = 2
    SESSION_BASED = 3


class AccessMode(IntEnum):
    """When a channel can be used.  [IPMI 6.6, Table 6-4]"""

    DISABLED = 0
    PRE_BOOT_ONLY = 1
    ALWAYS_AVAILABLE = 2
    SHARED = 3


class Setting(IntEnum):
    """Which of the two settings a command of channel access means.  [IPMI 22.22, Table 22-27]"""

    NO_CHANGE = 0
    NON_VOLATILE = 1
    VOLATILE = 2


class KeyOperation(IntEnum):
    """What Set Channel Security Keys is to do.  [IPMI 22.25, Table 22-30]"""

    READ = 0
    SET = 1
    LOCK = 2


class KeyId(IntEnum):
    """Which key Set Channel Security Keys means.  [IPMI 22.25, Table 22-30]"""

    K_R = 0
    K_G = 1


class LockStatus(IntEnum):
    """[IPMI 22.25, Table 22-30]"""

    NOT_LOCKABLE = 0
    LOCKED = 1
    UNLOCKED = 2


class SetChannelAccessRequest(Request):
    """[IPMI 22.22, Table 22-27]"""

    # fmt: off
    channel:                            int  = bits(1, 3, 0)
    access_setting:                     int  = bits(2, 7, 6)
    pef_alerting_disabled:              bool = bit(2, 5)
    per_message_authentication_disabled: bool = bit(2, 4)
    user_level_authentication_disabled: bool = bit(2, 3)
    access_mode:                        int  = bits(2, 2, 0)
    limit_setting:                      int  = bits(3, 7, 6)
    limit:                              int  = bits(3, 3, 0)
    # fmt: on


class GetChannelAccessRequest(Request):
    """[IPMI 22.23, Table 22-28]"""

    # fmt: off
    channel: int = bits(1, 3, 0)
    setting: int = bits(2, 7, 6)
    # fmt: on


class GetChannelAccessResponse(Response):
    """[IPMI 22.23, Table 22-28]"""

    # fmt: off
    pef_alerting_disabled:              bool = bit(2, 5)
    per_message_authentication_disabled: bool = bit(2, 4)
    user_level_authentication_disabled: bool = bit(2, 3)
    access_mode:                        int  = bits(2, 2, 0)
    limit:                              int  = bits(3, 3, 0)
    # fmt: on


class GetChannelInfoRequest(Request):
    """[IPMI 22.24, Table 22-29]"""

    channel: int = bits(1, 3, 0)


class GetChannelInfoResponse(Response):
    """[IPMI 22.24, Table 22-29]"""

    # fmt: off
    channel:         int   = bits(2, 3, 0)   # the actual number, also when Eh was asked for
    medium:          int   = bits(3, 6, 0)
    protocol:        int   = bits(4, 4, 0)
    session_support: int   = bits(5, 7, 6)
    active_sessions: int   = bits(5, 5, 0)
    vendor_id:       int   = u24(6)
    auxiliary:       bytes = raw(9, 2)       # channel Fh: interrupts of messages and of the event buffer
    # fmt: on


class SetChannelSecurityKeysRequest(Request):
    """Read, set or lock a channel's key.  [IPMI 22.25, Table 22-30]"""

    # fmt: off
    channel:   int   = bits(1, 3, 0)
    operation: int   = bits(2, 1, 0)
    key_id:    int   = u8(3)
    key:       bytes = tail(4)
    # fmt: on

    def __repr__(self) -> str:
        return f"SetChannelSecurityKeysRequest(channel={self.channel}, operation={self.operation})"


class SetChannelSecurityKeysResponse(Response):
    """[IPMI 22.25, Table 22-30]"""

    # fmt: off
    lock_status: int   = bits(2, 1, 0)
    key:         bytes = tail(3)        # only after a read
    # fmt: on

    def __repr__(self) -> str:
        return f"SetChannelSecurityKeysResponse(lock_status={self.lock_status})"
