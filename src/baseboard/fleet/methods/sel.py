"""The system event log in words."""

from __future__ import annotations

import time
from typing import Any

from baseboard.errors import DecodeError
from baseboard.fleet.control import ControlError
from baseboard.fleet.methods.method import Controlled, Method, Parameter, execute, flag, integer, octets, text
from baseboard.fleet.methods.sensors import find, state_name
from baseboard.ipmi.codec import Request
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.records.sel import (
    EVENT_MESSAGE_REVISION,
    RECORDS,
    SYSTEM_EVENT,
    UNSPECIFIED,
    SystemEvent,
    TimestampedOemRecord,
)
from baseboard.ipmi.sensor_types import SENSOR_TYPES, THRESHOLD, THRESHOLD_STATES, state_names
from baseboard.ipmi.storage_sdr import ClearRequest
from baseboard.ipmi.storage_sel import AddSelEntryRequest

SOFTWARE_ID = 0x41
"""Generator of what a person adds: system management software 20h.  [IPMI Table 32-1, Table 5-4]"""
FIRST_REAL_TIME = 0x2000_0000
"""Below are seconds since the controller's start.  [IPMI 37.1]"""
LONGEST_LIST = 1000


def list_records(instance: Controlled, after: int, limit: int) -> dict[str, Any]:
    """Records after an id (0: from the first), oldest first; `more` when the limit cut them off."""
    records = list(instance.bmc.sel)
    ids = [int.from_bytes(record[:2], "little") for record in records]
    start = ids.index(after) + 1 if after in ids else 0
    part = records[start : start + limit]
    return {
        "records": [show(instance, record) for record in part],
        "entries": len(records),
        "capacity": instance.bmc.sel.capacity,
        "overflow": instance.bmc.sel.overflow,
        "more": start + len(part) < len(records),
    }


def add_record(instance: Controlled, record: bytes) -> dict[str, Any]:
    """Add SEL Entry with these 16 bytes; the log gives id and time."""
    return _added(instance, record)


def add_event(instance: Controlled, sensor: int | str, event: int | str, deassertion: bool) -> dict[str, Any]:
    """An event of a sensor, in words; the sensor itself is left alone."""
    found = find(instance, sensor)
    return _added(
        instance,
        SystemEvent(
            record_id=0,
            kind=SYSTEM_EVENT,
            timestamp=0,
            generator_id=SOFTWARE_ID,
            channel=0,
            lun=0,
            revision=EVENT_MESSAGE_REVISION,
            sensor_type=found.sensor_type,
            sensor_number=found.number,
            deassertion=deassertion,
            event_type=found.event_type,
            event_data=bytes((_offset(found.sensor_type, found.event_type, event), UNSPECIFIED, UNSPECIFIED)),
        ).encode(),
    )


def _added(instance: Controlled, record: bytes) -> dict[str, Any]:
    answer = execute(instance, NetFn.STORAGE, 0x44, AddSelEntryRequest(record=record))
    stored, _ = instance.bmc.sel.get(int.from_bytes(answer[:2], "little"))
    return show(instance, stored)


def clear(instance: Controlled) -> dict[str, Any]:
    """Reserve SEL, Clear SEL."""
    reservation = execute(instance, NetFn.STORAGE, 0x42, Request())
    number = int.from_bytes(reservation[:2], "little")
    execute(instance, NetFn.STORAGE, 0x47, ClearRequest(reservation_id=number, magic=b"CLR", operation=0xAA))
    return {"entries": len(instance.bmc.sel)}


def show(instance: Controlled, record: bytes) -> dict[str, Any]:
    """A record as JSON data, with its bytes."""
    shown: dict[str, Any] = {
        "id": int.from_bytes(record[:2], "little"),
        "type": record[2],
        "time": None,
        "record": record.hex(),
    }
    try:
        decoded = RECORDS.decode(record)
    except DecodeError:
        return shown
    if isinstance(decoded, (SystemEvent, TimestampedOemRecord)):
        shown["time"] = time_of(decoded.timestamp)
    if isinstance(decoded, SystemEvent):
        number, sensors = decoded.sensor_number, instance.bmc.sensors
        offset = decoded.event_data[0] & 0x0F
        shown |= {
            "sensor": sensors[number].name if number in sensors else None,
            "sensor_number": number,
            "sensor_type": SENSOR_TYPES.get(decoded.sensor_type, f"{decoded.sensor_type:02X}h"),
            "event": event_name(decoded.sensor_type, decoded.event_type, offset),
            "asserted": not decoded.deassertion,
            "data": decoded.event_data.hex(),
            "generator": decoded.generator_id,
        }
    return shown


def time_of(timestamp: int) -> str | None:
    """ISO 8601 in UTC; None for times that are none of the wall clock."""
    if timestamp < FIRST_REAL_TIME or timestamp == 0xFFFF_FFFF:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(timestamp))


def event_name(sensor_type: int, event_type: int, offset: int) -> str:
    """An event in words.  Threshold events are two for each threshold.  [IPMI Table 42-2]"""
    if event_type == THRESHOLD:
        if offset >= 2 * len(THRESHOLD_STATES):
            return f"event {offset}"
        return f"{THRESHOLD_STATES[offset >> 1]} going {'high' if offset & 1 else 'low'}"
    return state_name(sensor_type, event_type, offset)


def _offset(sensor_type: int, event_type: int, event: int | str) -> int:
    if isinstance(event, int):
        return event
    states = THRESHOLD_STATES * 2 if event_type == THRESHOLD else state_names(sensor_type, event_type)
    names = [event_name(sensor_type, event_type, offset) for offset in range(len(states))]
    for offset, name in enumerate(names):
        if name.lower() == event.lower():
            return offset
    raise ControlError("bad-parameters", f"no event {event!r:.40}; allowed: 0 to 15, {', '.join(names)}")


def _key(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError("a name or a number")
    return value


def _event(value: Any) -> int | str:
    return text(value) if isinstance(value, str) else integer(0, 15)(value)


# fmt: off
METHODS = (
    Method("sel.list",      list_records, (Parameter("after", integer(0, 0xFFFF), 0),
                                           Parameter("limit", integer(1, LONGEST_LIST), LONGEST_LIST))),
    Method("sel.add",       add_record,   (Parameter("record", octets(16)),)),
    Method("sel.add-event", add_event,    (Parameter("sensor", _key), Parameter("event", _event),
                                           Parameter("deassertion", flag, False))),
    Method("sel.clear",     clear),
)
# fmt: on
