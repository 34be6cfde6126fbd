"""The serial/modem configuration parameters as a table.  [IPMI 25.2, Table 25-4]

Which there are, how long, who may write them, and what is stored of what is written. What no wire of ours can
do (telephone alerts, TAP pagers, PPP) is a row with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.transport_lan import AuthenticationTypes
from baseboard.ipmi.transport_serial import SerialParameter

BLOCK = 16
"""Characters in one block of a string."""


class Access(Enum):
    """What a client may do with a parameter."""

    READ_WRITE = "rw"
    READ_ONLY = "ro"
    ABSENT = "absent"


class Parameter(NamedTuple):
    """One row of the table."""

    number: SerialParameter
    access: Access
    size: int = 0
    """Data bytes; of a string in blocks, those after the block selector."""
    default: bytes = b""
    blocks: int = 0
    """A string in this many blocks of 16; 0: it is no such string."""
    masks: bytes = b""
    """What is stored of each byte; empty: everything."""
    check: Callable[[bytes], None] | None = None
    """Raises CommandError when a client may not write this."""
    note: str = ""


def _check_rates(data: bytes) -> None:
    if data[0] >> 6 == 3:
        raise CommandError(CompletionCode.INVALID_FIELD, "no flow control 11b")
    if not 6 <= data[1] & 0x0F <= 10:
        raise CommandError(CompletionCode.INVALID_FIELD, f"no bit rate {data[1] & 0x0F:X}h")


def _check_mode(data: bytes) -> None:
    if data[0] & 0x02:
        raise CommandError(CompletionCode.INVALID_FIELD, "there is no PPP")


RW, RO, ABSENT = Access.READ_WRITE, Access.READ_ONLY, Access.ABSENT
P = SerialParameter
AUTHENTICATION_TYPES = bytes((AuthenticationTypes.MD5 | AuthenticationTypes.STRAIGHT_PASSWORD,))
_NO_MODEM = "no alerts by telephone: parameter 16"
_NO_TAP = "no pagers: parameter 24"
_NO_PPP = "parameter 3: the serial port has Basic and Terminal Mode"

# fmt: off
PARAMETERS: dict[int, Parameter] = {row.number: row for row in (
    #         selector                              access  size  value
    Parameter(P.SET_IN_PROGRESS,                    RW,     1),
    Parameter(P.AUTHENTICATION_TYPE_SUPPORT,        RO,     1,    AUTHENTICATION_TYPES),
    Parameter(P.AUTHENTICATION_TYPE_ENABLES,        RW,     5,    AUTHENTICATION_TYPES * 4 + b"\0"),
    Parameter(P.CONNECTION_MODE,                    RW,     1,    b"\x85", masks=b"\x87", check=_check_mode),
    Parameter(P.SESSION_INACTIVITY_TIMEOUT,         RW,     1,    b"\x02", masks=b"\x0f"),  # 60 s
    Parameter(P.CHANNEL_CALLBACK_CONTROL,           RW,     5,    bytes(5), masks=b"\x03\x0f\xff\xff\xff"),
    Parameter(P.SESSION_TERMINATION,                RW,     1,    b"\x03", masks=b"\x03"),
    Parameter(P.COMMUNICATION_SETTINGS,             RW,     2,    b"\x00\x0a", masks=b"\xe0\x0f",
              check=_check_rates),  # 115,200 bits/s
    Parameter(P.MUX_SWITCH_CONTROL,                 RW,     2,    b"\x00\x00", masks=b"\x7f\x0f"),
    Parameter(P.MODEM_RING_TIME,                    RW,     2,    b"\x3f\x00", masks=b"\x3f\x0f"),
    Parameter(P.MODEM_INIT_STRING,                  RW,     BLOCK, blocks=4),
    Parameter(P.MODEM_ESCAPE_SEQUENCE,              RW,     5,    b"+++\0\0"),
    Parameter(P.MODEM_HANG_UP_SEQUENCE,             RW,     8,    b"ATH\0\0\0\0\0"),
    Parameter(P.MODEM_DIAL_COMMAND,                 RW,     8,    b"ATD\0\0\0\0\0"),
    Parameter(P.PAGE_BLACKOUT_INTERVAL,             RW,     1,    b"\x00"),
    Parameter(P.COMMUNITY_STRING,                   RW,     18,   b"public".ljust(18, b"\0")),
    Parameter(P.NUMBER_OF_DESTINATIONS,             RO,     1,    b"\x00"),
    Parameter(P.DESTINATION_INFO,                   ABSENT, note=_NO_MODEM),
    Parameter(P.CALL_RETRY_INTERVAL,                RW,     1,    b"\x00"),
    Parameter(P.DESTINATION_COMMUNICATION_SETTINGS, ABSENT, note=_NO_MODEM),
    Parameter(P.NUMBER_OF_DIAL_STRINGS,             RO,     1,    b"\x00"),
    Parameter(P.DIAL_STRINGS,                       ABSENT, note=_NO_MODEM),
    Parameter(P.NUMBER_OF_DESTINATION_ADDRESSES,    RO,     1,    b"\x00"),
    Parameter(P.DESTINATION_ADDRESSES,              ABSENT, note=_NO_MODEM),
    Parameter(P.NUMBER_OF_TAP_ACCOUNTS,             RO,     1,    b"\x00"),
    Parameter(P.TAP_ACCOUNT,                        ABSENT, note=_NO_TAP),
    Parameter(P.TAP_PASSWORDS,                      ABSENT, note=_NO_TAP),
    Parameter(P.TAP_PAGER_ID_STRINGS,               ABSENT, note=_NO_TAP),
    Parameter(P.TAP_SERVICE_SETTINGS,               ABSENT, note=_NO_TAP),
    Parameter(P.TERMINAL_MODE,                      RW,     2,    b"\x22\x11"),
    Parameter(P.PPP_PROTOCOL_OPTIONS,               ABSENT, note=_NO_PPP),
    Parameter(P.PPP_PRIMARY_RMCP_PORT,              ABSENT, note=_NO_PPP),
    Parameter(P.PPP_SECONDARY_RMCP_PORT,            ABSENT, note=_NO_PPP),
    Parameter(P.PPP_LINK_AUTHENTICATION,            ABSENT, note=_NO_PPP),
    Parameter(P.CHAP_NAME,                          ABSENT, note=_NO_PPP),
    Parameter(P.PPP_ACCM,                           ABSENT, note=_NO_PPP),
    Parameter(P.PPP_SNOOP_ACCM,                     ABSENT, note=_NO_PPP),
    Parameter(P.NUMBER_OF_PPP_ACCOUNTS,             RO,     1,    b"\x00"),
    Parameter(P.PPP_DIAL_STRING_SELECTOR,           ABSENT, note=_NO_PPP),
    Parameter(P.PPP_ADDRESSES,                      ABSENT, note=_NO_PPP),
    Parameter(P.PPP_USER_NAMES,                     ABSENT, note=_NO_PPP),
    Parameter(P.PPP_USER_DOMAINS,                   ABSENT, note=_NO_PPP),
    Parameter(P.PPP_USER_PASSWORDS,                 ABSENT, note=_NO_PPP),
    Parameter(P.PPP_AUTHENTICATION,                 ABSENT, note=_NO_PPP),
    Parameter(P.PPP_CONNECTION_HOLD_TIMES,          ABSENT, note=_NO_PPP),
    Parameter(P.PPP_UDP_PROXY_HEADER,               ABSENT, note=_NO_PPP),
    Parameter(P.PPP_TRANSMIT_BUFFER_SIZE,           ABSENT, note=_NO_PPP),
    Parameter(P.PPP_RECEIVE_BUFFER_SIZE,            ABSENT, note=_NO_PPP),
    Parameter(P.PPP_CONSOLE_ADDRESS,                ABSENT, note=_NO_PPP),
    Parameter(P.SYSTEM_PHONE_NUMBER,                RW,     BLOCK, blocks=1),
)}
# fmt: on
