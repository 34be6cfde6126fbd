"""Data Center Manageability Interface: group DCh.  [DCMI 1.5, chapter 6]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.asset_tag import read_tag, write_tag
from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.dcmi import BOARD, INLET, PERIODS, PROCESSOR, TEMPERATURE, PowerLimit, ThermalLimit
from baseboard.bmc.power_statistics import period_seconds
from baseboard.bmc.sensor import ThresholdSensor
from baseboard.errors import CommandError
from baseboard.ipmi.codec import DONE, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.dcmi import (
    AT_ONCE,
    BLOCK,
    CAPABILITIES_REVISION,
    CONFIGURATION_REVISION,
    GROUP,
    LONGEST_ASSET_TAG,
    MAJOR,
    MINOR,
    ActivatePowerLimitRequest,
    Capability,
    GetCapabilitiesRequest,
    GetConfigurationRequest,
    GetPowerLimitRequest,
    GetPowerLimitResponse,
    GetPowerReadingRequest,
    GetPowerReadingResponse,
    GetSensorInfoResponse,
    GetStringRequest,
    GetStringResponse,
    GetTemperaturesResponse,
    GetThermalLimitRequest,
    GetThermalLimitResponse,
    ParameterResponse,
    PowerMode,
    Refusal,
    SensorsRequest,
    SetConfigurationRequest,
    SetPowerLimitRequest,
    SetStringRequest,
    SetStringResponse,
    SetThermalLimitRequest,
)
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Channel, Privilege

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc

IS_MEASURED = 0x40
NOT_THERE = 0xFF
MOST_LOG_ENTRIES = 0xFFF
SAMPLING_SECONDS = 1


def get_capabilities(bmc: Bmc, request: GetCapabilitiesRequest, context: Context) -> Response:
    return ParameterResponse(
        major=MAJOR, minor=MINOR, revision=CAPABILITIES_REVISION, data=_capability(bmc, request.parameter)
    )


def _capability(bmc: Bmc, parameter: int) -> bytes:
    serial = Channel.SERIAL if bmc.channels.get(Channel.SERIAL) else NOT_THERE
    if parameter == Capability.SUPPORTED:
        # DCMI 1.5 leaves byte 1 and bits 3-5 of byte 3 reserved; clients show what DCMI 1.0 has there:
        # identification, log, chassis power, temperatures; primary LAN, serial over LAN, VLAN.
        return bytes((0x0F, 0x01, 0x39 | (0 if serial == NOT_THERE else 0x02)))
    if parameter == Capability.MANDATORY_ATTRIBUTES:
        entries = min(bmc.sel.capacity, MOST_LOG_ENTRIES)  # a full log takes no more: no roll-over
        measured = sum(
            1 << bit for bit, entity in enumerate((INLET, PROCESSOR, BOARD)) if bmc.dcmi.thermometers(entity)
        )
        identified = 0x05  # GUID and asset tag; no host name by DHCP
        return entries.to_bytes(2, "little") + bytes((identified, measured, SAMPLING_SECONDS))
    if parameter == Capability.OPTIONAL_ATTRIBUTES:
        return bytes((0x20 << 1, 0x01))  # both clients show bits 7:1, so that 20h stands there
    if parameter == Capability.ACCESS_ATTRIBUTES:
        return bytes((Channel.LAN, NOT_THERE, serial))
    if parameter == Capability.POWER_STATISTICS:
        return bytes((len(PERIODS), *PERIODS))
    raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"no parameter {parameter}")


def get_power_reading(bmc: Bmc, request: GetPowerReadingRequest, context: Context) -> Response:
    if request.mode == PowerMode.STATISTICS:
        seconds = bmc.dcmi.power_limit.sampling
        period = seconds * 1000
    elif request.mode == PowerMode.ENHANCED and request.attributes in PERIODS:
        seconds, period = period_seconds(request.attributes), request.attributes
    else:
        raise CommandError(CompletionCode.INVALID_FIELD, f"mode {request.mode}, {request.attributes:02X}h")
    watts = bmc.dcmi.statistics.over(seconds, context.now)
    return GetPowerReadingResponse(
        current=watts.current,
        minimum=watts.minimum,
        maximum=watts.maximum,
        average=watts.average,
        timestamp=bmc.clock.time(context.now),
        period=period,
        state=IS_MEASURED,
    )


def get_power_limit(bmc: Bmc, request: GetPowerLimitRequest, context: Context) -> Response:
    limit = bmc.dcmi.power_limit
    response = GetPowerLimitResponse(
        reserved=0,
        exception=limit.exception,
        limit=limit.watts,
        correction_ms=limit.correction_ms,
        reserved_2=0,
        sampling=limit.sampling,
    )
    if not limit.active:
        raise CommandError(Refusal.NO_LIMIT, "no active limit", response.encode()[1:])
    return response


def set_power_limit(bmc: Bmc, request: SetPowerLimitRequest, context: Context) -> Response:
    bmc.dcmi.set_power_limit(
        PowerLimit(request.limit, request.correction_ms, request.exception, request.sampling)
    )
    return DONE


def activate_power_limit(bmc: Bmc, request: ActivatePowerLimitRequest, context: Context) -> Response:
    if request.activate > 1:
        raise CommandError(CompletionCode.INVALID_FIELD, "01h activates, 00h deactivates")
    bmc.dcmi.activate_power_limit(bool(request.activate))
    return DONE


def get_asset_tag(bmc: Bmc, request: GetStringRequest, context: Context) -> Response:
    tag, code = read_tag(bmc.fru)
    response = _piece(tag, request)
    if code:
        raise CommandError(code, "encoding of the tag", response.encode()[1:])
    return response


def set_asset_tag(bmc: Bmc, request: SetStringRequest, context: Context) -> Response:
    tag, _ = read_tag(bmc.fru)
    _check_piece(request)
    if request.offset > len(tag) or request.offset + request.count > LONGEST_ASSET_TAG:
        raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"{LONGEST_ASSET_TAG} bytes at most")
    tag = tag[: request.offset] + request.data
    write_tag(bmc.fru, tag)
    return SetStringResponse(length=len(tag))


def get_identifier(bmc: Bmc, request: GetStringRequest, context: Context) -> Response:
    return _piece(bmc.dcmi.identifier, request)


def set_identifier(bmc: Bmc, request: SetStringRequest, context: Context) -> Response:
    _check_piece(request)
    return SetStringResponse(length=bmc.dcmi.write_identifier(request.offset, request.data))


def _piece(string: bytes, request: GetStringRequest) -> GetStringResponse:
    if request.count > BLOCK or request.offset > len(string):
        raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"{len(string)} bytes, {BLOCK} at a time")
    data = string[request.offset : request.offset + request.count]
    return GetStringResponse(length=len(string), data=data)


def _check_piece(request: SetStringRequest) -> None:
    if request.count > BLOCK:
        raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"{BLOCK} bytes at a time")
    if request.count != len(request.data):
        raise CommandError(CompletionCode.LENGTH_INVALID, f"{len(request.data)} bytes of {request.count}")


def get_sensor_info(bmc: Bmc, request: SensorsRequest, context: Context) -> Response:
    sensors = _sensors(bmc, request)
    ids = [number for sensor in _wanted(sensors, request) if (number := _record_id(bmc, sensor)) is not None]
    return GetSensorInfoResponse(
        total=len(sensors), count=len(ids[:AT_ONCE]), record_ids=tuple(ids[:AT_ONCE])
    )


def get_temperatures(bmc: Bmc, request: SensorsRequest, context: Context) -> Response:
    sensors = [sensor for sensor in _sensors(bmc, request) if sensor.value is not None]
    wanted = _wanted(sensors, request)[:AT_ONCE]
    pairs = b"".join(_temperature(sensor.value or 0.0, sensor.settings.entity[1]) for sensor in wanted)
    return GetTemperaturesResponse(total=len(sensors), count=len(wanted), pairs=pairs)


def _sensors(bmc: Bmc, request: SensorsRequest) -> list[ThresholdSensor]:
    if request.sensor_type != TEMPERATURE:
        raise CommandError(CompletionCode.INVALID_FIELD, "only temperatures")
    return bmc.dcmi.thermometers(request.entity)


def _wanted(sensors: list[ThresholdSensor], request: SensorsRequest) -> list[ThresholdSensor]:
    if request.instance:
        return [sensor for sensor in sensors if sensor.settings.entity[1] == request.instance]
    return [sensor for sensor in sensors if sensor.settings.entity[1] >= request.start]


def _record_id(bmc: Bmc, sensor: ThresholdSensor) -> int | None:
    """Of the record in the repository that describes one of our sensors.  [IPMI 43.1]"""
    for record in bmc.sdr:
        if record[3] in (0x01, 0x02) and record[5:8:2] == bytes((bmc.settings.ipmb.address, sensor.number)):
            return int.from_bytes(record[:2], "little")
    return None


def _temperature(value: float, instance: int) -> bytes:
    magnitude = min(abs(round(value)), 0x7F)
    return bytes((magnitude | (0x80 if value < 0 else 0), instance))


def set_thermal_limit(bmc: Bmc, request: SetThermalLimitRequest, context: Context) -> Response:
    limit = ThermalLimit(request.actions & 0xE0, request.limit, request.seconds)
    bmc.dcmi.set_thermal_limit(request.entity, request.instance, limit, context.now)
    return DONE


def get_thermal_limit(bmc: Bmc, request: GetThermalLimitRequest, context: Context) -> Response:
    limit = bmc.dcmi.thermal_limit(request.entity, request.instance)
    return GetThermalLimitResponse(actions=limit.actions, limit=limit.limit, seconds=limit.seconds)


def set_configuration(bmc: Bmc, request: SetConfigurationRequest, context: Context) -> Response:
    bmc.dcmi.set_parameter(request.parameter, request.data)
    return DONE


def get_configuration(bmc: Bmc, request: GetConfigurationRequest, context: Context) -> Response:
    return ParameterResponse(
        major=MAJOR, minor=MINOR, revision=CONFIGURATION_REVISION, data=bmc.dcmi.parameter(request.parameter)
    )


# fmt: off
TABLE = CommandTable(NetFn.GROUP_EXTENSION, (
    #       number  privilege                request                    handler                DCMI
    Command(0x01,   Privilege.NONE,          GetCapabilitiesRequest,    get_capabilities),      # 6.1.1
    Command(0x02,   Privilege.USER,          GetPowerReadingRequest,    get_power_reading),     # 6.6.1
    Command(0x03,   Privilege.USER,          GetPowerLimitRequest,      get_power_limit),       # 6.6.2
    Command(0x04,   Privilege.OPERATOR,      SetPowerLimitRequest,      set_power_limit),       # 6.6.3
    Command(0x05,   Privilege.OPERATOR,      ActivatePowerLimitRequest, activate_power_limit),  # 6.6.4
    Command(0x06,   Privilege.USER,          GetStringRequest,          get_asset_tag),         # 6.4.2
    Command(0x07,   Privilege.OPERATOR,      SensorsRequest,            get_sensor_info),       # 6.5.2
    Command(0x08,   Privilege.OPERATOR,      SetStringRequest,          set_asset_tag),         # 6.4.3
    Command(0x09,   Privilege.USER,          GetStringRequest,          get_identifier),        # 6.4.6
    Command(0x0A,   Privilege.ADMINISTRATOR, SetStringRequest,          set_identifier),        # 6.4.7
    Command(0x0B,   Privilege.OPERATOR,      SetThermalLimitRequest,    set_thermal_limit),     # 6.7.1
    Command(0x0C,   Privilege.USER,          GetThermalLimitRequest,    get_thermal_limit),     # 6.7.2
    Command(0x10,   Privilege.USER,          SensorsRequest,            get_temperatures),      # 6.7.3
    Command(0x12,   Privilege.ADMINISTRATOR, SetConfigurationRequest,   set_configuration),     # 6.1.2
    Command(0x13,   Privilege.USER,          GetConfigurationRequest,   get_configuration),     # 6.1.3
), group=GROUP)
# fmt: on
