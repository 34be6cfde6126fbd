"""Generic completion codes.  [IPMI 5.2, Table 5-2]"""

from __future__ import annotations

from enum import IntEnum


class CompletionCode(IntEnum):
    """Codes that any command may answer; 80h-BEh belong to the command that answers them."""

    OK = 0x00
    NODE_BUSY = 0xC0
    INVALID_COMMAND = 0xC1
    INVALID_FOR_LUN = 0xC2
    TIMEOUT = 0xC3
    OUT_OF_SPACE = 0xC4
    RESERVATION_CANCELED = 0xC5
    REQUEST_TRUNCATED = 0xC6
    LENGTH_INVALID = 0xC7
    FIELD_TOO_LONG = 0xC8
    PARAMETER_OUT_OF_RANGE = 0xC9
    CANNOT_RETURN_BYTES = 0xCA
    NOT_PRESENT = 0xCB
    INVALID_FIELD = 0xCC
    ILLEGAL_FOR_TYPE = 0xCD
    NO_RESPONSE = 0xCE
    DUPLICATE_REQUEST = 0xCF
    SDR_UPDATE_MODE = 0xD0
    FIRMWARE_UPDATE_MODE = 0xD1
    INITIALIZING = 0xD2
    DESTINATION_UNAVAILABLE = 0xD3
    INSUFFICIENT_PRIVILEGE = 0xD4
    NOT_IN_PRESENT_STATE = 0xD5
    SUB_FUNCTION_DISABLED = 0xD6
    UNSPECIFIED = 0xFF
