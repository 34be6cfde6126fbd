"""HPM.1, firmware upgrade: net function 2Ch, group 00h.

The group byte is the core's business; byte numbers are those of the responses' tables less one. Multi-byte
numbers of HPM.1 are least significant byte first.  [HPM.1, 3]
"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.codec import Record, Request, Response, bit, bits, raw, tail, u8, u32

GROUP = 0x00
HPM_VERSION = 0
"""Version 1.0 of HPM.1."""
DESCRIPTION_SIZE = 12


class UpgradeAction(IntEnum):
    """Of Initiate Upgrade Action.  [HPM.1 3.5]"""

    BACKUP = 0
    PREPARE = 1
    UPLOAD = 2
    COMPARE = 3


class Property(IntEnum):
    """Selectors of Get Component Properties.  [HPM.1 3.3]"""

    GENERAL = 0
    CURRENT_VERSION = 1
    DESCRIPTION = 2
    ROLLBACK_VERSION = 3
    DEFERRED_VERSION = 4


class Refusal(IntEnum):
    """Completion codes of HPM.1's own."""

    INVALID_COMPONENTS = 0x81
    """Initiate Upgrade Action: the action is not for these components."""
    SIZE_MISMATCH = 0x81
    """Finish Firmware Upload."""
    UNKNOWN_COMPONENT = 0x82
    """Get Component Properties."""
    OUT_OF_SEQUENCE = 0x82
    """Upload Firmware Block."""
    UNKNOWN_PROPERTY = 0x83
    """Get Component Properties."""
    DIFFERENT = 0x83
    """Finish Firmware Upload: not what is active."""


class FirmwareVersion(Record):
    """As Get Device ID has it: minor in BCD.  [HPM.1 3.3]"""

    # fmt: off
    major:     int   = bits(1, 6, 0)
    minor_bcd: int   = u8(2)
    auxiliary: bytes = raw(3, 4)
    # fmt: on


class GetTargetUpgradeCapabilitiesResponse(Response):
    """Times are in units of 5 s.  [HPM.1 3.2]"""

    # fmt: off
    version:               int  = u8(2)
    undesirable:           bool = bit(3, 7)
    rollback_overridden:   bool = bit(3, 6)
    degraded:              bool = bit(3, 5)
    deferred_activation:   bool = bit(3, 4)
    services_affected:     bool = bit(3, 3)
    manual_rollback:       bool = bit(3, 2)
    automatic_rollback:    bool = bit(3, 1)
    self_test:             bool = bit(3, 0)
    upgrade_timeout:       int  = u8(4)
    self_test_timeout:     int  = u8(5)
    rollback_timeout:      int  = u8(6)
    inaccessible_timeout:  int  = u8(7)
    components:            int  = u8(8)
    # fmt: on


class GetComponentPropertiesRequest(Request):
    """[HPM.1 3.3]"""

    # fmt: off
    component: int = u8(1)
    selector:  int = u8(2)
    # fmt: on


class InitiateUpgradeActionRequest(Request):
    """[HPM.1 3.5]"""

    # fmt: off
    components: int = u8(1)   # a bit for each
    action:     int = u8(2)
    # fmt: on


class UploadFirmwareBlockRequest(Request):
    """[HPM.1 3.6]"""

    # fmt: off
    number: int   = u8(1)   # counts from 0, and on from FFh with 0
    data:   bytes = tail(2)
    # fmt: on


class FinishFirmwareUploadRequest(Request):
    """[HPM.1 3.7]"""

    # fmt: off
    component: int = u8(1)
    length:    int = u32(2)
    # fmt: on


class GetUpgradeStatusResponse(Response):
    """[HPM.1 3.8]"""

    # fmt: off
    command:         int = u8(2)   # the last that may take long
    completion_code: int = u8(3)   # 80h: it is under way
    # fmt: on


class ActivateFirmwareRequest(Request):
    """[HPM.1 3.9]"""

    rollback_override: int = u8(1, default=0)


class QuerySelfTestResultsResponse(Response):
    """As Get Self Test Results.  [HPM.1 3.10]"""

    # fmt: off
    result: int = u8(2)
    detail: int = u8(3)
    # fmt: on


class QueryRollbackStatusResponse(Response):
    """[HPM.1 3.11]"""

    components: int = u8(2)  # those that were rolled back
