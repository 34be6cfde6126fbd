"""Data Center Manageability Interface: net function 2Ch, group DCh.  [DCMI 1.5, chapter 6]

The group byte, byte 1 of the requests' tables and byte 2 of the responses', is the core's business, as with
every group extension; so byte numbers here are those of DCMI's tables less one.
"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.codec import Request, Response, numbers, tail, u8, u16, u32

GROUP = 0xDC
MAJOR, MINOR = 1, 5
CAPABILITIES_REVISION = 2
CONFIGURATION_REVISION = 1

BLOCK = 16
"""Characters of a string in one message."""
LONGEST_ASSET_TAG = 63
LONGEST_IDENTIFIER = 64
"""With its NUL."""
AT_ONCE = 8
"""Sensors in one answer."""


class Capability(IntEnum):
    """Parameters of Get DCMI Capabilities Info.  [DCMI 6.1.1, Table 6-3]"""

    SUPPORTED = 1
    MANDATORY_ATTRIBUTES = 2
    OPTIONAL_ATTRIBUTES = 3
    ACCESS_ATTRIBUTES = 4
    POWER_STATISTICS = 5


class PowerMode(IntEnum):
    """[DCMI 6.6.1, Table 6-16]"""

    STATISTICS = 1
    ENHANCED = 2


class ExceptionAction(IntEnum):
    """What happens when power stays above its limit.  [DCMI 6.6.2, Table 6-17]"""

    NONE = 0x00
    POWER_OFF = 0x01
    LOG = 0x11


class ThermalAction(IntEnum):
    """Bits: what happens when a temperature stays above its limit.  [DCMI 6.7.1, Table 6-21]"""

    PERSISTENT = 0x80
    POWER_OFF = 0x40
    LOG = 0x20


class Refusal(IntEnum):
    """Completion codes of DCMI's own."""

    NO_LIMIT = 0x80
    LIMIT_OUT_OF_RANGE = 0x84
    TIME_OUT_OF_RANGE = 0x85
    PERIOD_OUT_OF_RANGE = 0x89


class TagEncoding(IntEnum):
    """Completion codes of Get Asset Tag: data follow all the same.  [DCMI 6.4.2, Table 6-9]"""

    BINARY = 0x80
    BCD_PLUS = 0x81
    SIX_BIT_ASCII = 0x82
    NOT_ENGLISH = 0x83


class Configuration(IntEnum):
    """Parameters of Set and Get DCMI Configuration Parameters.  [DCMI 6.1.2, Table 6-5]"""

    ACTIVATE_DHCP = 1
    DISCOVERY = 2
    DHCP_INITIAL_TIMEOUT = 3
    DHCP_SERVER_TIMEOUT = 4
    DHCP_RETRY = 5


class GetCapabilitiesRequest(Request):
    """[DCMI 6.1.1, Table 6-2]"""

    parameter: int = u8(1)


class ParameterResponse(Response):
    """Of Get DCMI Capabilities Info and Get DCMI Configuration Parameters.  [DCMI 6.1.1, 6.1.3]"""

    # fmt: off
    major:    int   = u8(2)
    minor:    int   = u8(3)
    revision: int   = u8(4)
    data:     bytes = tail(5)
    # fmt: on


class GetPowerReadingRequest(Request):
    """[DCMI 6.6.1, Table 6-16]"""

    # fmt: off
    mode:       int = u8(1)
    attributes: int = u8(2)   # mode 2: the period, as in capability 5
    reserved:   int = u8(3)
    # fmt: on


class GetPowerReadingResponse(Response):
    """Watts.  [DCMI 6.6.1, Table 6-16]"""

    # fmt: off
    current:   int = u16(2)
    minimum:   int = u16(4)
    maximum:   int = u16(6)
    average:   int = u16(8)
    timestamp: int = u32(10)
    period:    int = u32(14)   # mode 1: milliseconds
    state:     int = u8(18)    # bit 6: power is measured
    # fmt: on


class GetPowerLimitRequest(Request):
    """[DCMI 6.6.2, Table 6-17]"""

    reserved: int = u16(1)


class GetPowerLimitResponse(Response):
    """[DCMI 6.6.2, Table 6-17]"""

    # fmt: off
    reserved:      int = u16(2)
    exception:     int = u8(4)
    limit:         int = u16(5)    # watts
    correction_ms: int = u32(7)
    reserved_2:    int = u16(11)
    sampling:      int = u16(13)   # seconds of mode 1
    # fmt: on


class SetPowerLimitRequest(Request):
    """[DCMI 6.6.3, Table 6-18]"""

    # fmt: off
    reserved:      int = u16(1)
    reserved_1:    int = u8(3)
    exception:     int = u8(4)
    limit:         int = u16(5)
    correction_ms: int = u32(7)
    reserved_2:    int = u16(11)
    sampling:      int = u16(13)
    # fmt: on


class ActivatePowerLimitRequest(Request):
    """[DCMI 6.6.4, Table 6-19]"""

    # fmt: off
    activate: int = u8(1)
    reserved: int = u16(2)
    # fmt: on


class GetStringRequest(Request):
    """Of Get Asset Tag and Get Management Controller Identifier String.  [DCMI 6.4.2, 6.4.6]"""

    # fmt: off
    offset: int = u8(1)
    count:  int = u8(2)
    # fmt: on


class GetStringResponse(Response):
    """[DCMI 6.4.2, 6.4.6]"""

    # fmt: off
    length: int   = u8(2)   # of the whole
    data:   bytes = tail(3)
    # fmt: on


class SetStringRequest(Request):
    """Of Set Asset Tag and Set Management Controller Identifier String.  [DCMI 6.4.3, 6.4.7]"""

    # fmt: off
    offset: int   = u8(1)
    count:  int   = u8(2)
    data:   bytes = tail(3)
    # fmt: on


class SetStringResponse(Response):
    """[DCMI 6.4.3, 6.4.7]"""

    length: int = u8(2)


class SensorsRequest(Request):
    """Of Get DCMI Sensor Info and Get Temperature Readings.  [DCMI 6.5.2, 6.7.3]"""

    # fmt: off
    sensor_type: int = u8(1)
    entity:      int = u8(2)
    instance:    int = u8(3)   # 0: all
    start:       int = u8(4)   # of all, those from this instance on
    # fmt: on


class GetSensorInfoResponse(Response):
    """[DCMI 6.5.2, Table 6-14]"""

    # fmt: off
    total:      int             = u8(2)
    count:      int             = u8(3)
    record_ids: tuple[int, ...] = numbers(4, 2)
    # fmt: on


class SetThermalLimitRequest(Request):
    """FreeIPMI has limit and actions the other way round; ipmitool as it stands here.  [DCMI 6.7.1]"""

    # fmt: off
    entity:   int = u8(1)
    instance: int = u8(2)
    actions:  int = u8(3)   # `ThermalAction`
    limit:    int = u8(4)   # degrees C
    seconds:  int = u16(5)
    # fmt: on


class GetThermalLimitRequest(Request):
    """[DCMI 6.7.2, Table 6-22]"""

    # fmt: off
    entity:   int = u8(1)
    instance: int = u8(2)
    # fmt: on


class GetThermalLimitResponse(Response):
    """[DCMI 6.7.2, Table 6-22]"""

    # fmt: off
    actions: int = u8(2)
    limit:   int = u8(3)
    seconds: int = u16(4)
    # fmt: on


class GetTemperaturesResponse(Response):
    """Pairs of a temperature, bit 7 its sign, and the instance that has it.  [DCMI 6.7.3, Table 6-23]"""

    # fmt: off
    total: int   = u8(2)
    count: int   = u8(3)
    pairs: bytes = tail(4)
    # fmt: on


class SetConfigurationRequest(Request):
    """[DCMI 6.1.2, Table 6-4]"""

    # fmt: off
    parameter:    int   = u8(1)
    set_selector: int   = u8(2)
    data:         bytes = tail(3)
    # fmt: on


class GetConfigurationRequest(Request):
    """[DCMI 6.1.3, Table 6-6]"""

    # fmt: off
    parameter:    int = u8(1)
    set_selector: int = u8(2)
    # fmt: on
