"""Messages of sensors: readings, thresholds, hysteresis, event enables and status.  [IPMI 35.2 to 35.17]"""

from __future__ import annotations

from baseboard.ipmi.codec import Request, Response, array, bit, bits, raw, split, tail, u8, u16, u32


class GetDeviceSdrInfoRequest(Request):
    """[IPMI 35.2, Table 35-2]"""

    count_records: bool = bit(1, 0, default=False)  # count SDRs instead of sensors


class GetDeviceSdrInfoResponse(Response):
    """[IPMI 35.2, Table 35-2]"""

    # fmt: off
    count:              int  = u8(2)
    dynamic:            bool = bit(3, 7)
    luns:               int  = bits(3, 3, 0)        # which have sensors
    population_changed: int  = u32(4, default=None) # only of a dynamic population
    # fmt: on


class SensorRequest(Request):
    """A request that only names the sensor."""

    sensor: int = u8(1)


class GetSensorReadingFactorsRequest(Request):
    """[IPMI 35.5, Table 35-5]"""

    sensor: int = u8(1)
    reading: int = u8(2)


class GetSensorReadingFactorsResponse(Response):
    """[IPMI 35.5, Table 35-5]"""

    # fmt: off
    next_reading:      int = u8(2)
    m:                 int = split((3, 7, 0), (4, 7, 6), signed=True)
    tolerance:         int = bits(4, 5, 0)
    b:                 int = split((5, 7, 0), (6, 7, 6), signed=True)
    accuracy:          int = split((6, 5, 0), (7, 7, 4))
    accuracy_exponent: int = bits(7, 3, 2)
    r_exponent:        int = split((8, 7, 4), signed=True)
    b_exponent:        int = split((8, 3, 0), signed=True)
    # fmt: on


class SetSensorHysteresisRequest(Request):
    """[IPMI 35.6, Table 35-6]"""

    # fmt: off
    sensor:       int = u8(1)
    mask:         int = u8(2)   # FFh, for future use
    positive_raw: int = u8(3)
    negative_raw: int = u8(4)
    # fmt: on


class GetSensorHysteresisRequest(Request):
    """[IPMI 35.7, Table 35-7]"""

    sensor: int = u8(1)
    mask: int = u8(2)


class GetSensorHysteresisResponse(Response):
    """[IPMI 35.7, Table 35-7]"""

    positive_raw: int = u8(2)
    negative_raw: int = u8(3)


class SetSensorThresholdsRequest(Request):
    """Lower non-critical, critical, non-recoverable, then upper, as the bits.  [IPMI 35.8, Table 35-8]"""

    # fmt: off
    sensor:     int             = u8(1)
    mask:       int             = bits(2, 5, 0)
    thresholds: tuple[int, ...] = array(3, 6)
    # fmt: on


class GetSensorThresholdsResponse(Response):
    """[IPMI 35.9, Table 35-9]"""

    readable: int = bits(2, 5, 0)
    thresholds: tuple[int, ...] = array(3, 6)


class SetSensorEventEnableRequest(Request):
    """[IPMI 35.10, Table 35-10]"""

    # fmt: off
    sensor:     int  = u8(1)
    events:     bool = bit(2, 7)
    scanning:   bool = bit(2, 6)
    operation:  int  = bits(2, 5, 4)   # 0 leave, 1 enable these, 2 disable these
    masks:     bytes = tail(3)         # up to four bytes: assertions, de-assertions
    # fmt: on


class EventMasksResponse(Response):
    """Of Get Sensor Event Enable and Get Sensor Event Status.  [IPMI 35.11, Table 35-11; 35.13]"""

    # fmt: off
    events:      bool = bit(2, 7)
    scanning:    bool = bit(2, 6)
    unavailable: bool = bit(2, 5)
    assertions:   int = u16(3)
    deassertions: int = u16(5)
    # fmt: on


class RearmSensorEventsRequest(Request):
    """[IPMI 35.12, Table 35-12]"""

    # fmt: off
    sensor:   int   = u8(1)
    selected: bool  = bit(2, 7)   # only those that the masks name
    masks:    bytes = tail(3)
    # fmt: on


class SensorTypeRequest(Request):
    """Set Sensor Type.  [IPMI 35.15, Table 35-15]"""

    # fmt: off
    sensor:      int = u8(1)
    sensor_type: int = u8(2)
    event_type:  int = bits(3, 6, 0)
    # fmt: on


class SensorTypeResponse(Response):
    """[IPMI 35.16, Table 35-16]"""

    sensor_type: int = u8(2)
    event_type: int = bits(3, 6, 0)


class SetSensorReadingRequest(Request):
    """Set Sensor Reading And Event Status.  [IPMI 35.17, Table 35-17]"""

    # fmt: off
    sensor:                 int   = u8(1)
    event_data_operation:   int   = bits(2, 7, 6)   # 1 log as given, 2 log with our own offset
    assertion_operation:    int   = bits(2, 5, 4)   # 1 write, 2 set bits that are 1, 3 clear bits that are 0
    deassertion_operation:  int   = bits(2, 3, 2)
    reading_operation:      int   = bits(2, 1, 0)   # 1 write
    reading:                int   = u8(3, default=0)
    assertions_low:         int   = u8(4, default=0)
    assertions_high:        int   = u8(5, default=0)
    deassertions_low:       int   = u8(6, default=0)
    deassertions_high:      int   = u8(7, default=0)
    event_data:             bytes = raw(8, 3, default=None)
    # fmt: on
