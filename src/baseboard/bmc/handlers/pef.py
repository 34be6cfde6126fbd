"""Sensor/Event commands 10h-17h: event filtering and alerts.  [IPMI 30.1-30.8]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.pef import SUPPORTED
from baseboard.bmc.pef_filters import NUMBER_OF_FILTERS
from baseboard.errors import CommandError, DecodeError
from baseboard.ipmi.codec import DONE, Empty, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.records.sel import SYSTEM_EVENT, SystemEvent
from baseboard.ipmi.sensor_pef import (
    PARAMETER_REVISION,
    PEF_VERSION,
    AlertImmediateRequest,
    AlertImmediateResponse,
    AlertOperation,
    AlertStatus,
    GetPefCapabilitiesResponse,
    GetPefParametersRequest,
    GetPefParametersResponse,
    ImmediateEvent,
    PefPostponeTimerRequest,
    PefPostponeTimerResponse,
    PetAcknowledgeRequest,
    SetLastProcessedEventRequest,
    SetPefParametersRequest,
)

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc


def get_capabilities(bmc: Bmc, request: Empty, context: Context) -> Response:
    return GetPefCapabilitiesResponse(version=PEF_VERSION, actions=SUPPORTED, filters=NUMBER_OF_FILTERS)


def arm_postpone_timer(bmc: Bmc, request: PefPostponeTimerRequest, context: Context) -> Response:
    return PefPostponeTimerResponse(countdown=bmc.pef.postpone(request.timeout, context.now))


def set_parameters(bmc: Bmc, request: SetPefParametersRequest, context: Context) -> Response:
    bmc.pef.set_parameter(request.parameter, request.data, context.now)
    return DONE


def get_parameters(bmc: Bmc, request: GetPefParametersRequest, context: Context) -> Response:
    parameters = bmc.pef.parameters
    if request.revision_only:
        parameters.check_provided(request.parameter)
        data = b""
    else:
        data = parameters.get(request.parameter, request.set_selector, request.block_selector)
    return GetPefParametersResponse(revision=PARAMETER_REVISION, data=data)


def set_last_processed(bmc: Bmc, request: SetLastProcessedEventRequest, context: Context) -> Response:
    bmc.pef.set_last_processed(request.by_controller, request.record_id, context.now)
    return DONE


def get_last_processed(bmc: Bmc, request: Empty, context: Context) -> Response:
    return bmc.pef.last_processed()


def alert_immediate(bmc: Bmc, request: AlertImmediateRequest, context: Context) -> Response:
    alerts = bmc.pef.alerts
    if request.operation == AlertOperation.GET_STATUS:
        return AlertImmediateResponse(status=alerts.status)
    if request.operation == AlertOperation.CLEAR_STATUS:
        if alerts.status is not AlertStatus.IN_PROGRESS:
            alerts.status = AlertStatus.NONE
        return DONE
    if request.operation != AlertOperation.START:
        raise CommandError(CompletionCode.INVALID_FIELD, "operation 3 is reserved")
    channel = bmc.channels.resolve(request.channel, context)
    event = _event(bmc, request.event, context) if request.event else None
    string = request.string if request.send_string else None
    alerts.send_immediately(channel.number, request.destination, string, event, context.now)
    return DONE


def acknowledge(bmc: Bmc, request: PetAcknowledgeRequest, context: Context) -> Response:
    bmc.pef.alerts.acknowledge(request, context.now)
    return DONE


def _event(bmc: Bmc, data: bytes, context: Context) -> SystemEvent:
    """Alert Immediate's event as a record."""
    try:
        given = ImmediateEvent.decode(data)
    except DecodeError as error:
        raise CommandError(CompletionCode.LENGTH_INVALID, str(error)) from None
    return SystemEvent(
        record_id=0xFFFF,
        kind=SYSTEM_EVENT,
        timestamp=bmc.clock.time(context.now),
        generator_id=given.generator_id,
        channel=0,
        lun=0,
        revision=given.revision,
        sensor_type=given.sensor_type,
        sensor_number=given.sensor_number,
        deassertion=given.deassertion,
        event_type=given.event_type,
        event_data=given.event_data,
    )


# fmt: off
TABLE = CommandTable(NetFn.SENSOR_EVENT, (
    #       number  privilege                request                       handler             IPMI
    Command(0x10,   Privilege.USER,          Empty,                        get_capabilities),    # 30.1
    Command(0x11,   Privilege.ADMINISTRATOR, PefPostponeTimerRequest,      arm_postpone_timer),  # 30.2
    Command(0x12,   Privilege.ADMINISTRATOR, SetPefParametersRequest,      set_parameters),      # 30.3
    Command(0x13,   Privilege.OPERATOR,      GetPefParametersRequest,      get_parameters),      # 30.4
    Command(0x14,   Privilege.ADMINISTRATOR, SetLastProcessedEventRequest, set_last_processed),  # 30.5
    Command(0x15,   Privilege.ADMINISTRATOR, Empty,                        get_last_processed),  # 30.6
    Command(0x16,   Privilege.ADMINISTRATOR, AlertImmediateRequest,        alert_immediate),     # 30.7
    Command(0x17,   Privilege.NONE,          PetAcknowledgeRequest,        acknowledge),         # 30.8
))
# fmt: on
