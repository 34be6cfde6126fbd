"""Sensors and their events.  [IPMI 29.1 to 29.3, 35.2 to 35.17]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.handlers.pieces import piece
from baseboard.bmc.sensor import DiscreteSensor, ThresholdSensor
from baseboard.errors import CommandError, DecodeError
from baseboard.ipmi.codec import DONE, Empty, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.ipmb import BusMessage
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Channel, Privilege
from baseboard.ipmi.sensor_device import (
    EventMasksResponse,
    GetDeviceSdrInfoRequest,
    GetDeviceSdrInfoResponse,
    GetSensorHysteresisRequest,
    GetSensorHysteresisResponse,
    GetSensorReadingFactorsRequest,
    GetSensorReadingFactorsResponse,
    GetSensorThresholdsResponse,
    RearmSensorEventsRequest,
    SensorRequest,
    SensorTypeRequest,
    SensorTypeResponse,
    SetSensorEventEnableRequest,
    SetSensorHysteresisRequest,
    SetSensorReadingRequest,
    SetSensorThresholdsRequest,
)
from baseboard.ipmi.sensor_events import (
    EventMessage,
    GetEventReceiverResponse,
    PlatformEventRequest,
    SetEventReceiverRequest,
    SystemEventMessage,
)
from baseboard.ipmi.sensor_types import THRESHOLD
from baseboard.ipmi.storage_sdr import GetRecordRequest, GetRecordResponse, ReserveResponse

if TYPE_CHECKING:
    from baseboard.bmc.base import Controller
    from baseboard.bmc.controller import Bmc

REMOTE_CONSOLE = 0x81
"""Software id of a console, which is the requester's address over the LAN.  [IPMI Table 5-4]"""
ALL_EVENTS = 0x7FFF

# Events.


def set_event_receiver(bmc: Controller, request: SetEventReceiverRequest, context: Context) -> Response:
    bmc.platform_events.receiver = request.slave_address, request.lun
    bmc.sensors.rearm(context.now)
    return DONE


def get_event_receiver(bmc: Controller, request: Empty, context: Context) -> Response:
    slave_address, lun = bmc.platform_events.receiver
    return GetEventReceiverResponse(slave_address=slave_address, lun=lun)


def platform_event(bmc: Bmc, request: PlatformEventRequest, context: Context) -> Response:
    """Software at the system interface says who it is; elsewhere the requester's address does."""
    local = context.channel == Channel.SYSTEM_INTERFACE
    try:
        message: SystemEventMessage | EventMessage
        if local:
            message = SystemEventMessage.decode(request.message)
            generator = message.generator_id
        else:
            message = EventMessage.decode(request.message)
            generator = _generator(context)
    except DecodeError as error:
        raise CommandError(CompletionCode.LENGTH_INVALID, str(error)) from None
    if not 1 <= len(message.event_data) <= 3:
        raise CommandError(CompletionCode.LENGTH_INVALID, "one to three bytes of event data")
    bmc.platform_events.receive(
        message.sensor_type,
        message.sensor_number,
        message.event_type,
        message.deassertion,
        message.event_data,
        context.now,
        # over the system interface it is logged even while event logging is disabled  [IPMI 22.1]
        local or bmc.messaging.event_logging,
        generator,
        # Software that sent it need not be told: Linux would hand it to whichever program asks next, and
        # ipmitool 1.8.19 takes it for its answer.
        buffered=not local,
    )
    return DONE


def _generator(context: Context) -> int:
    """Who sent an event message: a controller's address and LUN, or a console.  [IPMI Table 32-1]"""
    sender = context.peer
    if isinstance(sender, BusMessage):
        return context.channel << 12 | sender.from_lun << 8 | sender.from_address
    return context.channel << 12 | REMOTE_CONSOLE


# Device SDRs: the same records as the repository's main part.


def get_device_sdr_info(bmc: Controller, request: GetDeviceSdrInfoRequest, context: Context) -> Response:
    count = len(bmc.device_sdrs) if request.count_records else len(bmc.sensors)
    return GetDeviceSdrInfoResponse(
        count=min(count, 0xFF), dynamic=False, luns=0x1 if len(bmc.sensors) else 0
    )


def get_device_sdr(bmc: Controller, request: GetRecordRequest, context: Context) -> Response:
    if request.offset:
        bmc.device_sdrs.reservations.check(request.reservation_id)
    record, following = bmc.device_sdrs.get(request.record_id)
    return GetRecordResponse(next_record_id=following, data=piece(record, request, context))


def reserve_device_sdrs(bmc: Controller, request: Empty, context: Context) -> Response:
    return ReserveResponse(reservation_id=bmc.device_sdrs.reservations.reserve())


# Conversion, hysteresis, thresholds.


def get_reading_factors(
    bmc: Controller, request: GetSensorReadingFactorsRequest, context: Context
) -> Response:
    """One set of factors serves every reading."""
    conversion = bmc.sensors.get_threshold(request.sensor).conversion
    return GetSensorReadingFactorsResponse(
        next_reading=request.reading,
        m=conversion.m,
        tolerance=1,
        b=conversion.b,
        accuracy=0,
        accuracy_exponent=0,
        r_exponent=conversion.r_exponent,
        b_exponent=conversion.b_exponent,
    )


def set_sensor_hysteresis(bmc: Controller, request: SetSensorHysteresisRequest, context: Context) -> Response:
    sensor = _with_thresholds(bmc, request.sensor)
    sensor.set_hysteresis(request.positive_raw, request.negative_raw, context.now)
    bmc.sensors.keep(sensor)
    return DONE


def get_sensor_hysteresis(bmc: Controller, request: GetSensorHysteresisRequest, context: Context) -> Response:
    positive, negative = _with_thresholds(bmc, request.sensor).hysteresis_raw
    return GetSensorHysteresisResponse(positive_raw=positive, negative_raw=negative)


def set_sensor_thresholds(bmc: Controller, request: SetSensorThresholdsRequest, context: Context) -> Response:
    sensor = bmc.sensors.get_threshold(request.sensor)
    sensor.set_thresholds(request.mask, request.thresholds, context.now)
    bmc.sensors.keep(sensor)
    return DONE


def get_sensor_thresholds(bmc: Controller, request: SensorRequest, context: Context) -> Response:
    sensor = bmc.sensors.get_threshold(request.sensor)
    return GetSensorThresholdsResponse(readable=sensor.present, thresholds=tuple(sensor.thresholds_raw))


def _with_thresholds(bmc: Controller, number: int) -> ThresholdSensor:
    sensor = bmc.sensors.get_threshold(number)
    if not sensor.present:
        raise CommandError(CompletionCode.ILLEGAL_FOR_TYPE, "without thresholds there is no hysteresis")
    return sensor


# Event enables and status.


def _masks(data: bytes) -> tuple[int, int]:
    """Assertions and de-assertions from up to four bytes; what is absent counts as 00h."""
    if len(data) > 4:
        raise CommandError(CompletionCode.LENGTH_INVALID, "at most four bytes of masks")
    data = data.ljust(4, b"\0")
    return int.from_bytes(data[:2], "little") & ALL_EVENTS, int.from_bytes(data[2:], "little") & ALL_EVENTS


def set_event_enable(bmc: Controller, request: SetSensorEventEnableRequest, context: Context) -> Response:
    sensor = bmc.sensors.get(request.sensor)
    assertions, deassertions = _masks(request.masks)
    if request.operation == 1:
        sensor.enabled_assertions |= assertions & sensor.supported
        sensor.enabled_deassertions |= deassertions & sensor.supported
    elif request.operation == 2:
        sensor.enabled_assertions &= ~assertions
        sensor.enabled_deassertions &= ~deassertions
    elif request.operation == 3:
        raise CommandError(CompletionCode.INVALID_FIELD, "operation 3 is reserved")
    sensor.enable(request.events, request.scanning, context.now)
    bmc.sensors.keep(sensor)
    return DONE


def get_event_enable(bmc: Controller, request: SensorRequest, context: Context) -> Response:
    sensor = bmc.sensors.get(request.sensor)
    return EventMasksResponse(
        events=sensor.events_on,
        scanning=sensor.scanning_on,
        unavailable=False,
        assertions=sensor.enabled_assertions,
        deassertions=sensor.enabled_deassertions,
    )


def rearm_sensor_events(bmc: Controller, request: RearmSensorEventsRequest, context: Context) -> Response:
    sensor = bmc.sensors.get(request.sensor)
    assertions, deassertions = _masks(request.masks)
    if not request.selected:
        assertions = deassertions = ALL_EVENTS
    sensor.rearm(assertions, deassertions, context.now)
    return DONE


def get_event_status(bmc: Controller, request: SensorRequest, context: Context) -> Response:
    sensor = bmc.sensors.get(request.sensor)
    return EventMasksResponse(
        events=sensor.events_on,
        scanning=sensor.scanning_on,
        unavailable=not sensor.available or not sensor.scanning_on,
        assertions=sensor.assertions,
        deassertions=sensor.deassertions,
    )


# Readings.


def get_sensor_reading(bmc: Controller, request: SensorRequest, context: Context) -> Response:
    return bmc.sensors.get(request.sensor).answer


def set_sensor_type(bmc: Controller, request: SensorTypeRequest, context: Context) -> Response:
    sensor = bmc.sensors.get(request.sensor)
    if (request.event_type == THRESHOLD) != isinstance(sensor, ThresholdSensor):
        raise CommandError(
            CompletionCode.INVALID_FIELD, "a reading cannot become states, nor states a reading"
        )
    sensor.sensor_type = request.sensor_type
    sensor.event_type = request.event_type
    bmc.sensors.keep(sensor)
    return DONE


def get_sensor_type(bmc: Controller, request: SensorRequest, context: Context) -> Response:
    sensor = bmc.sensors.get(request.sensor)
    return SensorTypeResponse(sensor_type=sensor.sensor_type, event_type=sensor.event_type)


def set_sensor_reading(bmc: Controller, request: SetSensorReadingRequest, context: Context) -> Response:
    """Whoever sets a reading keeps it: the sensor is held until it is released.  [IPMI 35.17]"""
    sensor = bmc.sensors.get(request.sensor)
    if not sensor.settings.settable:
        raise CommandError(0x80, "the sensor cannot be set")  # 35.17, command specific
    if request.reading_operation > 1 or request.event_data_operation > 2:
        raise CommandError(CompletionCode.INVALID_FIELD, "reserved operation")
    if isinstance(sensor, ThresholdSensor):
        _set_reading(sensor, request, context.now)
    elif isinstance(sensor, DiscreteSensor):
        _set_states(sensor, request, context.now)
    return DONE


def _set_reading(sensor: ThresholdSensor, request: SetSensorReadingRequest, now: float) -> None:
    if request.event_data_operation:
        raise CommandError(0x81, "readings make their own event data")  # 35.17, command specific
    if request.assertion_operation or request.deassertion_operation:
        raise CommandError(0x80, "the status of events follows the reading")  # 35.17, command specific
    if request.reading_operation:
        sensor.held = True
        sensor.set_raw(request.reading, now)


def _set_states(sensor: DiscreteSensor, request: SetSensorReadingRequest, now: float) -> None:
    """The assertions are the states; their bits, or the cleared ones, make the events."""
    if request.reading_operation:
        raise CommandError(0x80, "a discrete sensor has no reading")  # 35.17, command specific
    states = _operate(
        request.assertion_operation,
        sensor.states,
        request.assertions_low | request.assertions_high << 8,
    )
    event_data = None
    if request.event_data_operation:
        if request.event_data is None:
            raise CommandError(CompletionCode.INVALID_FIELD, "the event data are missing")
        event_data = request.event_data
    sensor.held = True
    own_offset = request.event_data_operation == 2
    sensor.set_states(states & ALL_EVENTS, now, event_data, own_offset)
    sensor.deassertions = _operate(
        request.deassertion_operation,
        sensor.deassertions,
        request.deassertions_low | request.deassertions_high << 8,
    )


def _operate(operation: int, present: int, bits: int) -> int:
    """0 leave, 1 write as given, 2 set the bits that are 1, 3 clear those that are 0.  [IPMI Table 35-17]"""
    return (present, bits, present | bits, present & bits)[operation]


# fmt: off
TABLE = CommandTable(NetFn.SENSOR_EVENT, (
    #      number privilege                request                         handler                 IPMI
    Command(0x00, Privilege.ADMINISTRATOR, SetEventReceiverRequest,        set_event_receiver),     # 29.1
    Command(0x01, Privilege.USER,          Empty,                          get_event_receiver),     # 29.2
    Command(0x02, Privilege.OPERATOR,      PlatformEventRequest,           platform_event),         # 29.3
    Command(0x20, Privilege.USER,          GetDeviceSdrInfoRequest,        get_device_sdr_info),    # 35.2
    Command(0x21, Privilege.USER,          GetRecordRequest,               get_device_sdr),         # 35.3
    Command(0x22, Privilege.USER,          Empty,                          reserve_device_sdrs),    # 35.4
    Command(0x23, Privilege.USER,          GetSensorReadingFactorsRequest, get_reading_factors),    # 35.5
    Command(0x24, Privilege.OPERATOR,      SetSensorHysteresisRequest,     set_sensor_hysteresis),  # 35.6
    Command(0x25, Privilege.USER,          GetSensorHysteresisRequest,     get_sensor_hysteresis),  # 35.7
    Command(0x26, Privilege.OPERATOR,      SetSensorThresholdsRequest,     set_sensor_thresholds),  # 35.8
    Command(0x27, Privilege.USER,          SensorRequest,                  get_sensor_thresholds),  # 35.9
    Command(0x28, Privilege.OPERATOR,      SetSensorEventEnableRequest,    set_event_enable),       # 35.10
    Command(0x29, Privilege.USER,          SensorRequest,                  get_event_enable),       # 35.11
    Command(0x2A, Privilege.OPERATOR,      RearmSensorEventsRequest,       rearm_sensor_events),    # 35.12
    Command(0x2B, Privilege.USER,          SensorRequest,                  get_event_status),       # 35.13
    Command(0x2D, Privilege.USER,          SensorRequest,                  get_sensor_reading),     # 35.14
    Command(0x2E, Privilege.OPERATOR,      SensorTypeRequest,              set_sensor_type),        # 35.15
    Command(0x2F, Privilege.USER,          SensorRequest,                  get_sensor_type),        # 35.16
    Command(0x30, Privilege.OPERATOR,      SetSensorReadingRequest,        set_sensor_reading),     # 35.17
))
# fmt: on
