"""Privilege levels and channel numbers.  [IPMI 6.8; 6.3, Table 6-1]"""

from __future__ import annotations

from enum import IntEnum


class Privilege(IntEnum):
    """Privilege levels as the messages carry them.

    NONE as a requirement means that the command is accepted outside a session. SYSTEM is ours: the
    level of interfaces without sessions (system interface, IPMB), above every level that a session has.
    """

    NONE = 0
    CALLBACK = 1
    USER = 2
    OPERATOR = 3
    ADMINISTRATOR = 4
    OEM = 5
    NO_ACCESS = 15
    SYSTEM = 16


class Channel(IntEnum):
    """Channel numbers with a fixed meaning, and the one that our LAN has by default."""

    PRIMARY_IPMB = 0x0
    LAN = 0x1
    SERIAL = 0x2
    PRESENT = 0xE
    SYSTEM_INTERFACE = 0xF
