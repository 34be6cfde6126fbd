"""Records of the server, made from what its settings say.  [IPMI 43]"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from baseboard.bmc.device import BMC_CAPABILITIES
from baseboard.bmc.fru import FruSettings
from baseboard.bmc.sensor import ThresholdSensor
from baseboard.bmc.sensor_settings import DiscreteSensorSettings, SensorSettings, ThresholdSensorSettings
from baseboard.bmc.sensors import Sensors
from baseboard.ipmi.ipmb import BMC_ADDRESS
from baseboard.ipmi.records.locators import FruDeviceLocator, ManagementControllerLocator
from baseboard.ipmi.records.sdr import encode_record
from baseboard.ipmi.records.sensor_records import (
    Access,
    AnalogFormat,
    CompactSensor,
    EventControl,
    EventOnlySensor,
    FullSensor,
)

CONTROLLER = "baseboard BMC"
CONTROLLER_ENTITY = 0x2E, 1
"""Management controller firmware."""
FRU_BEHIND_CONTROLLER = 0x10


def sensor_records(
    settings: Sequence[SensorSettings], sensors: Sensors, owner: int = BMC_ADDRESS
) -> Iterator[bytes]:
    """One record for each sensor of the controller at `owner`, ids still 0."""
    for one in settings:
        if isinstance(one, ThresholdSensorSettings):
            sensor = sensors[one.number]
            assert isinstance(sensor, ThresholdSensor)
            yield encode_record(0, full_record(sensor, owner))
        elif isinstance(one, DiscreteSensorSettings):
            record = event_only_record if one.event_only else compact_record
            yield encode_record(0, record(one, owner))


def main_records(
    settings: Sequence[SensorSettings],
    sensors: Sensors,
    devices: Sequence[FruSettings],
    address: int = BMC_ADDRESS,
) -> list[bytes]:
    """What a controller has of its own: itself, its inventories, its sensors."""
    controller = controller_record(address, CONTROLLER, BMC_CAPABILITIES, CONTROLLER_ENTITY)
    locators = (controller, *(fru_record(device, address) for device in devices))
    return [*(encode_record(0, one) for one in locators), *sensor_records(settings, sensors, address)]


def full_record(sensor: ThresholdSensor, owner: int = BMC_ADDRESS) -> FullSensor:
    """A threshold sensor's, as its settings say: not what commands made of it since."""
    settings, conversion, present = sensor.settings, sensor.conversion, sensor.present
    raw = [0 if value is None else conversion.to_raw(value) for value in settings.thresholds]
    hysteresis = conversion.difference_to_raw(settings.hysteresis)
    nominal, low, high = settings.nominal, settings.normal_minimum, settings.normal_maximum
    settable = present if settings.thresholds_settable else 0
    return FullSensor(
        **_key(settings, owner),
        settable=settings.settable,
        initialize_scanning=True,
        initialize_events=True,
        initialize_thresholds=bool(present),
        initialize_hysteresis=bool(present),
        initialize_type=False,
        events_on_at_power_up=settings.events,
        scanning_at_power_up=True,
        ignore_with_entity=False,
        auto_rearm=True,
        hysteresis_support=Access.SETTABLE if present else Access.NONE,
        threshold_support=(Access.SETTABLE if settable else Access.READABLE) if present else Access.NONE,
        event_control=EventControl.PER_STATE if present else EventControl.NONE,
        sensor_type=settings.sensor_type,
        event_type=0x01,
        assertion_mask=sensor.supported | (present & 0x07) << 12,
        deassertion_mask=sensor.supported | (present >> 3) << 12,
        reading_mask=settable << 8 | present,
        analog_format=conversion.analog_format,
        rate_unit=0,
        modifier_use=0,
        percentage=settings.percentage,
        base_unit=settings.unit,
        modifier_unit=0,
        linearization=conversion.linearization,
        m=conversion.m,
        tolerance=1,  # half a raw count
        b=conversion.b,
        accuracy=0,
        accuracy_exponent=0,
        direction=1,
        r_exponent=conversion.r_exponent,
        b_exponent=conversion.b_exponent,
        normal_minimum_given=low is not None,
        normal_maximum_given=high is not None,
        nominal_given=nominal is not None,
        nominal_raw=0 if nominal is None else conversion.to_raw(nominal),
        normal_maximum_raw=0 if high is None else conversion.to_raw(high),
        normal_minimum_raw=0 if low is None else conversion.to_raw(low),
        sensor_maximum_raw=conversion.to_raw(settings.maximum),
        sensor_minimum_raw=conversion.to_raw(settings.minimum),
        lower_noncritical_raw=raw[0],
        lower_critical_raw=raw[1],
        lower_nonrecoverable_raw=raw[2],
        upper_noncritical_raw=raw[3],
        upper_critical_raw=raw[4],
        upper_nonrecoverable_raw=raw[5],
        positive_hysteresis_raw=hysteresis,
        negative_hysteresis_raw=hysteresis,
        oem=0,
        name=settings.name,
    )


def compact_record(settings: DiscreteSensorSettings, owner: int = BMC_ADDRESS) -> CompactSensor:
    """A discrete sensor's; none shares its record."""
    return CompactSensor(
        **_key(settings, owner),
        settable=settings.settable,
        initialize_scanning=True,
        initialize_events=True,
        initialize_thresholds=False,
        initialize_hysteresis=False,
        initialize_type=False,
        events_on_at_power_up=settings.events,
        scanning_at_power_up=True,
        ignore_with_entity=False,
        auto_rearm=True,
        hysteresis_support=Access.NONE,
        threshold_support=Access.NONE,
        event_control=EventControl.PER_STATE,
        sensor_type=settings.sensor_type,
        event_type=settings.event_type,
        assertion_mask=settings.mask,
        deassertion_mask=settings.mask,
        reading_mask=settings.mask,
        analog_format=AnalogFormat.NONE,
        rate_unit=0,
        modifier_use=0,
        percentage=False,
        base_unit=0,
        modifier_unit=0,
        direction=0,
        modifier_alphabetic=0,
        share_count=1,
        instance_increments=False,
        modifier_offset=0,
        positive_hysteresis_raw=0,
        negative_hysteresis_raw=0,
        oem=0,
        name=settings.name,
    )


def event_only_record(settings: DiscreteSensorSettings, owner: int = BMC_ADDRESS) -> EventOnlySensor:
    """A source of events that cannot be read."""
    return EventOnlySensor(
        **_key(settings, owner),
        sensor_type=settings.sensor_type,
        event_type=settings.event_type,
        direction=0,
        modifier_alphabetic=0,
        share_count=1,
        instance_increments=False,
        modifier_offset=0,
        oem=0,
        name=settings.name,
    )


def controller_record(
    address: int, name: str, capabilities: int, entity: tuple[int, int]
) -> ManagementControllerLocator:
    """A controller; its capabilities as Get Device ID has them.  [IPMI 20.1]"""
    return ManagementControllerLocator(
        slave_address=address,
        channel=0,
        needs_acpi_system_state=False,
        needs_acpi_device_state=False,
        static=True,
        logs_initialization_errors=False,
        log_errors_when_accessing=False,
        event_generation=0,
        capabilities=capabilities,
        entity_id=entity[0],
        entity_instance=entity[1],
        oem=0,
        name=name,
    )


def fru_record(settings: FruSettings, address: int = BMC_ADDRESS) -> FruDeviceLocator:
    """Where an inventory is read."""
    entity_id, entity_instance = settings.entity
    return FruDeviceLocator(
        access_address=address,
        fru_id=settings.fru_id,
        logical=True,
        access_lun=0,
        private_bus=0,
        channel=0,
        device_type=FRU_BEHIND_CONTROLLER,
        device_type_modifier=0,
        entity_id=entity_id,
        entity_instance=entity_instance,
        oem=0,
        name=settings.name,
    )


def _key(settings: SensorSettings, owner: int) -> dict[str, Any]:
    """Bytes 6 to 10: whose it is, at LUN 0, and what it measures."""
    entity_id, entity_instance = settings.entity
    return {
        "owner_id": owner,
        "channel": 0,
        "owner_fru_lun": 0,
        "lun": 0,
        "sensor_number": settings.number,
        "entity_id": entity_id,
        "entity_instance": entity_instance,
        "entity_logical": False,
    }
