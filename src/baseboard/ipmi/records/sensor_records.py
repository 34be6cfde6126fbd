"""Sensor data records of sensors: full, compact, event-only.  [IPMI 43.1 to 43.3]"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.codec import bit, bits, split, string, u8, u16
from baseboard.ipmi.records.body import Body


class AnalogFormat(IntEnum):
    """How the raw reading is a number.  [IPMI Table 43-1, byte 21]"""

    UNSIGNED = 0
    ONES_COMPLEMENT = 1
    TWOS_COMPLEMENT = 2
    NONE = 3


class Access(IntEnum):
    """What can be done with thresholds or hysteresis.  [IPMI Table 43-1, byte 12]"""

    NONE = 0
    READABLE = 1
    SETTABLE = 2
    FIXED = 3


class EventControl(IntEnum):
    """How finely events can be switched.  [IPMI Table 43-1, byte 12]"""

    PER_STATE = 0
    WHOLE_SENSOR = 1
    GLOBAL = 2
    NONE = 3


class SensorKey(Body):
    """Whose sensor it is, its number and what it belongs to: bytes 6 to 10 of all three types."""

    # fmt: off
    owner_id:        int  = u8(6)           # slave address or software id
    channel:         int  = bits(7, 7, 4)
    owner_fru_lun:   int  = bits(7, 3, 2)
    lun:             int  = bits(7, 1, 0)
    sensor_number:   int  = u8(8)
    entity_id:       int  = u8(9)
    entity_instance: int  = bits(10, 6, 0)
    entity_logical:  bool = bit(10, 7)
    # fmt: on


class ReadableSensor(SensorKey):
    """Bytes 11 to 23, which full and compact records share."""

    # fmt: off
    settable:              bool = bit(11, 7)      # Set Sensor Reading And Event Status works
    initialize_scanning:   bool = bit(11, 6)
    initialize_events:     bool = bit(11, 5)
    initialize_thresholds: bool = bit(11, 4)
    initialize_hysteresis: bool = bit(11, 3)
    initialize_type:       bool = bit(11, 2)
    events_on_at_power_up: bool = bit(11, 1)
    scanning_at_power_up:  bool = bit(11, 0)
    ignore_with_entity:    bool = bit(12, 7)
    auto_rearm:            bool = bit(12, 6)
    hysteresis_support:    int  = bits(12, 5, 4)  # Access
    threshold_support:     int  = bits(12, 3, 2)  # Access
    event_control:         int  = bits(12, 1, 0)  # EventControl
    sensor_type:           int  = u8(13)
    event_type:            int  = u8(14)
    assertion_mask:        int  = u16(15)         # threshold: 14:12 lower thresholds compared in readings
    deassertion_mask:      int  = u16(17)         # threshold: 14:12 upper thresholds compared in readings
    reading_mask:          int  = u16(19)         # threshold: 13:8 settable, 5:0 readable thresholds
    analog_format:         int  = bits(21, 7, 6)  # AnalogFormat
    rate_unit:             int  = bits(21, 5, 3)
    modifier_use:          int  = bits(21, 2, 1)
    percentage:            bool = bit(21, 0)
    base_unit:             int  = u8(22)
    modifier_unit:         int  = u8(23)
    # fmt: on


class FullSensor(ReadableSensor):
    """A sensor with a reading in units, or one that shares nothing.  [IPMI 43.1, Table 43-1]"""

    TYPE = 0x01

    # fmt: off
    linearization:             int  = bits(24, 6, 0)
    m:                         int  = split((25, 7, 0), (26, 7, 6), signed=True)
    tolerance:                 int  = bits(26, 5, 0)   # in half raw counts
    b:                         int  = split((27, 7, 0), (28, 7, 6), signed=True)
    accuracy:                  int  = split((28, 5, 0), (29, 7, 4))
    accuracy_exponent:         int  = bits(29, 3, 2)
    direction:                 int  = bits(29, 1, 0)
    r_exponent:                int  = split((30, 7, 4), signed=True)
    b_exponent:                int  = split((30, 3, 0), signed=True)
    normal_minimum_given:      bool = bit(31, 2)
    normal_maximum_given:      bool = bit(31, 1)
    nominal_given:             bool = bit(31, 0)
    nominal_raw:               int  = u8(32)
    normal_maximum_raw:        int  = u8(33)
    normal_minimum_raw:        int  = u8(34)
    sensor_maximum_raw:        int  = u8(35)
    sensor_minimum_raw:        int  = u8(36)
    upper_nonrecoverable_raw:  int  = u8(37)
    upper_critical_raw:        int  = u8(38)
    upper_noncritical_raw:     int  = u8(39)
    lower_nonrecoverable_raw:  int  = u8(40)
    lower_critical_raw:        int  = u8(41)
    lower_noncritical_raw:     int  = u8(42)
    positive_hysteresis_raw:   int  = u8(43)
    negative_hysteresis_raw:   int  = u8(44)
    oem:                       int  = u8(47)
    name:                      str  = string(48)
    # fmt: on


class CompactSensor(ReadableSensor):
    """One or several discrete sensors without a reading in units.  [IPMI 43.2, Table 43-2]"""

    TYPE = 0x02

    # fmt: off
    direction:               int  = bits(24, 7, 6)
    modifier_alphabetic:     int  = bits(24, 5, 4)   # what is appended to the name: 0 a number, 1 letters
    share_count:             int  = bits(24, 3, 0)
    instance_increments:     bool = bit(25, 7)       # entity instance of those that share the record
    modifier_offset:         int  = bits(25, 6, 0)
    positive_hysteresis_raw: int  = u8(26)
    negative_hysteresis_raw: int  = u8(27)
    oem:                     int  = u8(31)
    name:                    str  = string(32)
    # fmt: on


class EventOnlySensor(SensorKey):
    """A source of events that has no reading.  [IPMI 43.3, Table 43-3]"""

    TYPE = 0x03

    # fmt: off
    sensor_type:         int  = u8(11)
    event_type:          int  = u8(12)
    direction:           int  = bits(13, 7, 6)
    modifier_alphabetic: int  = bits(13, 5, 4)
    share_count:         int  = bits(13, 3, 0)
    instance_increments: bool = bit(14, 7)
    modifier_offset:     int  = bits(14, 6, 0)
    oem:                 int  = u8(16)
    name:                str  = string(17)
    # fmt: on
