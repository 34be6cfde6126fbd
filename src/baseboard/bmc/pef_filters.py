"""Event filters: which events they match, and the ones that every server begins with.  [IPMI 17.7, 17.8]"""

from __future__ import annotations

from baseboard.ipmi.records.sel import SystemEvent
from baseboard.ipmi.sensor_pef import EventFilter, FilterAction, FilterKind, Severity

ANY = 0xFF
NUMBER_OF_FILTERS = 32
FIRST_POLICY = 1
"""The policy set of the filters that we configure."""


def matches(one: EventFilter, event: SystemEvent) -> bool:
    """Whether an event is one of those that a filter describes."""
    return (
        one.sensor_type in (ANY, event.sensor_type)
        and one.generator_id in (ANY, event.generator_id)
        and one.generator_lun in (ANY, event.channel << 4 | event.lun)
        and one.sensor_number in (ANY, event.sensor_number)
        and one.trigger in (ANY, (0x80 if event.deassertion else 0) | event.event_type)
        and one.offsets >> (event.event_data[0] & 0x0F) & 1 == 1
        and all(_fits(byte, *one.data[3 * i : 3 * i + 3]) for i, byte in enumerate(event.event_data))
    )


def _fits(byte: int, mask: int, exact: int, value: int) -> bool:
    """Event data byte against AND mask, compare 1 and compare 2.  [IPMI 17.8, Table 17-3]

    Bits that are 0 in the mask are not compared. Those that are 1 in compare 1 must all be as in compare 2;
    of the others, if there are any, at least one must be.
    """
    different = byte ^ value
    loose = mask & ~exact
    return not different & mask & exact and (not loose or different & loose != loose)


_CRITICAL_THRESHOLDS, _OTHER_THRESHOLDS = 0x0A14, 0x0081
"""Offsets of critical and non-recoverable thresholds passed outwards, and of non-critical ones."""
_THRESHOLD, _SPECIFIC, _REDUNDANCY = 0x01, 0x6F, 0x0B
_WARNING, _CRITICAL, _FATAL = Severity.NON_CRITICAL, Severity.CRITICAL, Severity.NON_RECOVERABLE

# fmt: off
_COMMON_FAILURES = (
    # sensor type  trigger      offsets                severity    an event of it, asserted
    (0x01,         _THRESHOLD,  _OTHER_THRESHOLDS,     _WARNING),  # temperature
    (0x01,         _THRESHOLD,  _CRITICAL_THRESHOLDS,  _CRITICAL),
    (0x02,         _THRESHOLD,  _OTHER_THRESHOLDS,     _WARNING),  # voltage
    (0x02,         _THRESHOLD,  _CRITICAL_THRESHOLDS,  _CRITICAL),
    (0x04,         _THRESHOLD,  _OTHER_THRESHOLDS,     _WARNING),  # fan
    (0x04,         _THRESHOLD,  _CRITICAL_THRESHOLDS,  _CRITICAL),
    (ANY,          _REDUNDANCY, 0x0026,                _WARNING),  # redundancy lost, degraded, insufficient
    (0x08,         _SPECIFIC,   0x000E,                _CRITICAL), # power supply: failed, will fail, no input
    (0x09,         _SPECIFIC,   0x0070,                _CRITICAL), # power unit: AC lost, no control, failed
    (0x05,         _SPECIFIC,   0x0001,                _WARNING),  # chassis intrusion
    (0x07,         _SPECIFIC,   0x0003,                _CRITICAL), # processor: IERR, thermal trip
    (0x0C,         _SPECIFIC,   0x0002,                _CRITICAL), # memory: uncorrectable ECC error
    (0x0D,         _SPECIFIC,   0x0006,                _CRITICAL), # drive: fault, predicted
    (0x13,         _SPECIFIC,   0x0FFF,                _FATAL),    # critical interrupt
    (0x20,         _SPECIFIC,   0x0002,                _FATAL),    # run-time critical stop
    (0x23,         _SPECIFIC,   0x000F,                _CRITICAL), # watchdog
    (0x10,         _SPECIFIC,   0x0030,                _WARNING),  # event log: full, almost full
    (0x2A,         _SPECIFIC,   0x000C,                _WARNING),  # session audit: wrong name or password
)
# fmt: on

UNUSED_FILTER = EventFilter(
    enabled=False,
    kind=FilterKind.SOFTWARE,
    actions=0,
    group=0,
    policy=0,
    severity=Severity.UNSPECIFIED,
    generator_id=ANY,
    generator_lun=ANY,
    sensor_type=ANY,
    sensor_number=ANY,
    trigger=ANY,
    offsets=0xFFFF,
    data=bytes(9),
)

DEFAULT_FILTERS: tuple[EventFilter, ...] = (
    *(
        UNUSED_FILTER.replace(
            enabled=True,
            kind=FilterKind.MANUFACTURER,
            actions=FilterAction.ALERT,
            policy=FIRST_POLICY,
            severity=severity,
            sensor_type=sensor_type,
            trigger=trigger,
            offsets=offsets,
        )
        for sensor_type, trigger, offsets, severity in _COMMON_FAILURES
    ),
    *(UNUSED_FILTER for _ in range(NUMBER_OF_FILTERS - len(_COMMON_FAILURES))),
)
"""Common failures raise an alert; the rest is left to software."""
