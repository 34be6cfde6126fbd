"""Platform event filtering and alerting: Sensor/Event commands 10h-17h.  [IPMI 17, 30.1-30.8]"""

from __future__ import annotations

from enum import IntEnum, IntFlag

from baseboard.ipmi.codec import Record, Request, Response, bit, bits, raw, tail, u8, u16, u32

PEF_VERSION = 0x51
"""1.5 in BCD, least significant digit first.  [IPMI 30.1]"""
PARAMETER_REVISION = 0x11


class PefParameter(IntEnum):
    """Parameter selectors.  [IPMI 30.4, Table 30-6]"""

    SET_IN_PROGRESS = 0
    CONTROL = 1
    ACTION_GLOBAL_CONTROL = 2
    STARTUP_DELAY = 3
    ALERT_STARTUP_DELAY = 4
    NUMBER_OF_EVENT_FILTERS = 5
    EVENT_FILTER_TABLE = 6
    EVENT_FILTER_TABLE_DATA_1 = 7
    NUMBER_OF_ALERT_POLICIES = 8
    ALERT_POLICY_TABLE = 9
    SYSTEM_GUID = 10
    NUMBER_OF_ALERT_STRINGS = 11
    ALERT_STRING_KEYS = 12
    ALERT_STRINGS = 13
    NUMBER_OF_GROUP_CONTROLS = 14
    GROUP_CONTROL_TABLE = 15


class PefControl(IntFlag):
    """Parameter 1.  [IPMI Table 30-6]"""

    ENABLED = 0x01
    EVENT_MESSAGES = 0x02
    STARTUP_DELAY = 0x04
    ALERT_STARTUP_DELAY = 0x08


class FilterAction(IntFlag):
    """What a filter wants done; parameter 2 and the capabilities have the first six.  [IPMI Table 17-2]"""

    ALERT = 0x01
    POWER_OFF = 0x02
    RESET = 0x04
    POWER_CYCLE = 0x08
    OEM = 0x10
    DIAGNOSTIC_INTERRUPT = 0x20
    GROUP_CONTROL = 0x40


class FilterKind(IntEnum):
    """Who wrote a filter.  [IPMI Table 17-2]"""

    SOFTWARE = 0
    MANUFACTURER = 2


class Severity(IntEnum):
    """How serious the event is; the PET's numbers.  [IPMI Table 17-2; PET 1.0]"""

    UNSPECIFIED = 0x00
    MONITOR = 0x01
    INFORMATION = 0x02
    OK = 0x04
    NON_CRITICAL = 0x08
    CRITICAL = 0x10
    NON_RECOVERABLE = 0x20


class PolicyRule(IntEnum):
    """When an entry of a policy set is used.  [IPMI Table 17-4]"""

    ALWAYS = 0
    NEXT_ENTRY = 1
    """After a success, not this one, but perhaps the next; the others likewise."""
    STOP = 2
    NEXT_CHANNEL = 3
    NEXT_DESTINATION_TYPE = 4


class EventFilter(Record):
    """One entry of the event filter table.  [IPMI 17.7, Table 17-2]"""

    # fmt: off
    enabled:       bool  = bit(1, 7)
    kind:          int   = bits(1, 6, 5)
    actions:       int   = bits(2, 6, 0)
    group:         int   = bits(3, 6, 4)
    policy:        int   = bits(3, 3, 0)
    severity:      int   = u8(4)
    generator_id:  int   = u8(5)           # FFh here and below: any
    generator_lun: int   = u8(6)           # 7:4 channel, 1:0 LUN
    sensor_type:   int   = u8(7)
    sensor_number: int   = u8(8)
    trigger:       int   = u8(9)           # 7 deassertion, 6:0 event/reading type
    offsets:       int   = u16(10)         # a bit for each value of event data 1, bits 3:0
    data:          bytes = raw(12, 9)      # for each event data byte: AND mask, compare 1, compare 2
    # fmt: on


class AlertPolicy(Record):
    """One entry of the alert policy table.  [IPMI 17.11, Table 17-4]"""

    # fmt: off
    policy:         int  = bits(1, 7, 4)
    enabled:        bool = bit(1, 3)
    rule:           int  = bits(1, 2, 0)
    channel:        int  = bits(2, 7, 4)
    destination:    int  = bits(2, 3, 0)
    event_specific: bool = bit(3, 7)       # the string depends on the filter: keys, parameter 12
    string:         int  = bits(3, 6, 0)   # string set then, else the string itself; 0: none
    # fmt: on


class GetPefCapabilitiesResponse(Response):
    """[IPMI 30.1, Table 30-2]"""

    # fmt: off
    version: int = u8(2)
    actions: int = u8(3)           # 7 filters OEM records, 5:0 FilterAction
    filters: int = u8(4)
    # fmt: on


class PefPostponeTimerRequest(Request):
    """00h off, 01h-FDh seconds, FEh PEF disabled for now, FFh only read.  [IPMI 30.2, Table 30-3]"""

    timeout: int = u8(1)


class PefPostponeTimerResponse(Response):
    """[IPMI 30.2, Table 30-3]"""

    countdown: int = u8(2)


class SetPefParametersRequest(Request):
    """[IPMI 30.3, Table 30-4]"""

    # fmt: off
    parameter: int   = bits(1, 6, 0)
    data:      bytes = tail(2)
    # fmt: on


class GetPefParametersRequest(Request):
    """[IPMI 30.4, Table 30-5]"""

    # fmt: off
    parameter:      int  = bits(1, 6, 0)
    revision_only:  bool = bit(1, 7)
    set_selector:   int  = u8(2)
    block_selector: int  = u8(3)
    # fmt: on


class GetPefParametersResponse(Response):
    """[IPMI 30.4, Table 30-5]"""

    # fmt: off
    revision: int   = u8(2)
    data:     bytes = tail(3)
    # fmt: on


class SetLastProcessedEventRequest(Request):
    """[IPMI 30.5, Table 30-7]"""

    # fmt: off
    by_controller: bool = bit(1, 0)
    record_id:     int  = u16(2)
    # fmt: on


class GetLastProcessedEventResponse(Response):
    """[IPMI 30.6, Table 30-8]"""

    # fmt: off
    last_addition:      int = u32(2)
    last_record:        int = u16(6)   # FFFFh: the log is empty
    last_by_software:   int = u16(8)
    last_by_controller: int = u16(10)  # 0000h: it could not be logged
    # fmt: on


class AlertOperation(IntEnum):
    """What Alert Immediate is to do.  [IPMI 30.7, Table 30-9]"""

    START = 0
    GET_STATUS = 1
    CLEAR_STATUS = 2


class AlertStatus(IntEnum):
    """How Alert Immediate went.  [IPMI 30.7, Table 30-9]"""

    NONE = 0x00
    SENT = 0x01
    CALL_FAILED = 0x02
    NOT_ACKNOWLEDGED = 0x03
    IN_PROGRESS = 0xFF


class AlertImmediateRequest(Request):
    """[IPMI 30.7, Table 30-9]"""

    # fmt: off
    channel:     int   = bits(1, 3, 0)
    operation:   int   = bits(2, 7, 6)
    destination: int   = bits(2, 3, 0)
    send_string: bool  = bit(3, 7)
    string:      int   = bits(3, 6, 0)
    event:       bytes = tail(4)           # nothing, or the eight bytes of an ImmediateEvent
    # fmt: on


class ImmediateEvent(Record):
    """The event that Alert Immediate tells of.  [IPMI 30.7, Table 30-9, bytes 4-11]"""

    # fmt: off
    generator_id:  int   = u8(1)
    revision:      int   = u8(2)
    sensor_type:   int   = u8(3)
    sensor_number: int   = u8(4)
    deassertion:   bool  = bit(5, 7)
    event_type:    int   = bits(5, 6, 0)
    event_data:    bytes = raw(6, 3)
    # fmt: on


class AlertImmediateResponse(Response):
    """Of Get Alert Immediate Status.  [IPMI 30.7, Table 30-9]"""

    status: int = u8(2)


class PetAcknowledgeRequest(Request):
    """What the receiver of a trap copies from it, here least significant byte first.  [IPMI 30.8]"""

    # fmt: off
    sequence:          int   = u16(1)
    local_timestamp:   int   = u32(3)
    event_source_type: int   = u8(7)
    sensor_device:     int   = u8(8)
    sensor_number:     int   = u8(9)
    event_data:        bytes = raw(10, 3)
    # fmt: on
