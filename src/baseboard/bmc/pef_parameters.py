"""The PEF configuration parameters: filters, policies, strings and switches.  [IPMI 30.3, 30.4, Table 30-6]

What a client writes is checked, reserved bits are taken off, and kept; set 0 of the alert strings and of
their keys, which are Alert Immediate's, is volatile. There is no ICMB, and so no group control: parameter
14 says that the table of parameter 15 has no entries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.pef_filters import DEFAULT_FILTERS, FIRST_POLICY, NUMBER_OF_FILTERS
from baseboard.bmc.set_in_progress import PARAMETER_NOT_SUPPORTED, READ_ONLY, SetInProgress
from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.privilege import Channel
from baseboard.ipmi.sensor_pef import (
    AlertPolicy,
    EventFilter,
    FilterKind,
    PefControl,
    PefParameter,
    PolicyRule,
    Severity,
)
from baseboard.ipmi.value import Value
from baseboard.lan.pet import TRAP_PORT

ROOM = "pef"

NUMBER_OF_POLICIES = 32
NUMBER_OF_STRINGS = 16
"""Besides the volatile string 0."""
BLOCK_SIZE = 16
BLOCKS = 4
"""Of each alert string."""
ACTIONS = 0x3F
KIND = 0x60
"""The filter type stays when parameter 7 switches a filter on or off: ipmitool 1.8.19 writes 0 there."""


class PefSettings(Value, kw_only=True):
    """How events are filtered before anybody changes it."""

    enabled: bool = True
    """Without a destination for alerts, filtering does nothing that could be noticed."""
    actions: int = 0x2F
    """Actions that filters may take at all: everything but OEM actions, of which there are none."""
    destinations: int = 0
    """The first so many alert destinations of the LAN are in the policy set of the default filters."""
    trap_port: int = TRAP_PORT
    """UDP port of whoever receives the traps."""


class Parameter(NamedTuple):
    """One row of the table."""

    number: PefParameter
    size: int
    """Data bytes, the selectors among them."""
    default: bytes = b""
    sets: range = range(0)
    """Set selectors; empty: the parameter has none."""
    read_only: bool = False
    check: Callable[[bytes], bytes] | None = None
    """Takes what follows the selector, returns what is stored, or raises CommandError."""


def _masked(*masks: int) -> Callable[[bytes], bytes]:
    return lambda data: bytes(byte & mask for byte, mask in zip(data, masks, strict=True))


def _check_filter(data: bytes) -> bytes:
    one = EventFilter.decode(data)
    _check_kind(one.kind)
    if one.severity and one.severity not in tuple(Severity):
        raise CommandError(CompletionCode.INVALID_FIELD, f"no severity {one.severity:02X}h")
    return one.encode()


def _check_kind(kind: int) -> None:
    if kind not in tuple(FilterKind):
        raise CommandError(CompletionCode.INVALID_FIELD, f"no filter type {kind}")


def _check_policy(data: bytes) -> bytes:
    one = AlertPolicy.decode(data)
    if one.rule not in tuple(PolicyRule):
        raise CommandError(CompletionCode.INVALID_FIELD, f"no rule {one.rule} for an alert policy")
    return one.encode()


P = PefParameter
_FILTERS = range(1, NUMBER_OF_FILTERS + 1)
_POLICIES = range(1, NUMBER_OF_POLICIES + 1)
_STRINGS = range(NUMBER_OF_STRINGS + 1)
_NO_FILTER, _NO_POLICY = bytes(20), bytes(3)

# fmt: off
PARAMETERS: dict[int, Parameter] = {row.number: row for row in (
    #         selector                    size  value
    Parameter(P.SET_IN_PROGRESS,          1),
    Parameter(P.CONTROL,                  1,  check=_masked(0x0F)),
    Parameter(P.ACTION_GLOBAL_CONTROL,    1,  check=_masked(ACTIONS)),
    Parameter(P.STARTUP_DELAY,            1,  b"\x3c"),  # 60 s
    Parameter(P.ALERT_STARTUP_DELAY,      1,  b"\x3c"),
    Parameter(P.NUMBER_OF_EVENT_FILTERS,  1,  bytes((NUMBER_OF_FILTERS,)), read_only=True),
    Parameter(P.EVENT_FILTER_TABLE,       21, _NO_FILTER, _FILTERS, check=_check_filter),
    Parameter(P.EVENT_FILTER_TABLE_DATA_1, 2, b"", _FILTERS, check=_masked(0x80)),
    Parameter(P.NUMBER_OF_ALERT_POLICIES, 1,  bytes((NUMBER_OF_POLICIES,)), read_only=True),
    Parameter(P.ALERT_POLICY_TABLE,       4,  _NO_POLICY, _POLICIES, check=_check_policy),
    Parameter(P.SYSTEM_GUID,              17, check=_masked(0x01, *[0xFF] * 16)),
    Parameter(P.NUMBER_OF_ALERT_STRINGS,  1,  bytes((NUMBER_OF_STRINGS,)), read_only=True),
    Parameter(P.ALERT_STRING_KEYS,        3,  bytes(2), _STRINGS, check=_masked(0x7F, 0x7F)),
    Parameter(P.ALERT_STRINGS,            18, bytes(BLOCK_SIZE), _STRINGS),
    Parameter(P.NUMBER_OF_GROUP_CONTROLS, 1,  bytes(1), read_only=True),
)}
# fmt: on


class PefParameters:
    """The parameters as clients read and write them, and as the filtering uses them."""

    def __init__(self, settings: PefSettings, changes: Changes, guid: Callable[[], bytes]) -> None:
        self._changes = changes
        self._guid = guid
        self._progress = SetInProgress()
        self._values: dict[str, bytes] = {  # by selector, or selector and set: "1", "9.2"; "13.2.1": a block
            f"{P.CONTROL:d}": bytes((PefControl.ENABLED if settings.enabled else 0,)),
            f"{P.ACTION_GLOBAL_CONTROL:d}": bytes((settings.actions & ACTIONS,)),
        }
        for number, one in enumerate(DEFAULT_FILTERS, 1):
            self._values[f"{P.EVENT_FILTER_TABLE:d}.{number}"] = one.encode()
        for number in range(1, settings.destinations + 1):
            policy = AlertPolicy(
                policy=FIRST_POLICY,
                enabled=True,
                rule=PolicyRule.ALWAYS,
                channel=Channel.LAN,
                destination=number,
                event_specific=False,
                string=0,
            )
            self._values[f"{P.ALERT_POLICY_TABLE:d}.{number}"] = policy.encode()
        self.filters: tuple[tuple[int, EventFilter], ...] = ()
        """The enabled ones and their numbers."""
        self._policies: tuple[AlertPolicy, ...] = ()
        self._read_tables()

    def restore(self, rows: Rows) -> None:
        """Take back what clients had written."""
        for key, value in rows.items():
            self._values[key] = bytes.fromhex(value)
        self._read_tables()

    def reset(self) -> None:
        """The controller was reset: what is volatile goes back."""
        self._progress.reset()
        for key in [key for key in self._values if _is_volatile(key)]:
            del self._values[key]

    # What they say

    @property
    def control(self) -> int:
        """`PefControl`."""
        return self._values[f"{P.CONTROL:d}"][0]

    @property
    def actions(self) -> int:
        """Actions that may be taken at all, `FilterAction`."""
        return self._values[f"{P.ACTION_GLOBAL_CONTROL:d}"][0]

    @property
    def startup_delay(self) -> int:
        """Seconds."""
        return self.get(P.STARTUP_DELAY)[0]

    @property
    def alert_startup_delay(self) -> int:
        """Seconds."""
        return self.get(P.ALERT_STARTUP_DELAY)[0]

    def policy_set(self, number: int) -> list[AlertPolicy]:
        """The enabled entries of a policy set, in the order of the table."""
        return [one for one in self._policies if one.policy == number]

    def string(self, selector: int) -> bytes:
        """An alert string, up to the first NUL; empty for one that there is not."""
        blocks = (
            self._values.get(f"{P.ALERT_STRINGS:d}.{selector}.{block}", bytes(BLOCK_SIZE))
            for block in range(1, BLOCKS + 1)
        )
        return b"".join(blocks).partition(b"\0")[0]

    def event_string(self, filter_number: int, string_set: int) -> bytes:
        """The alert string for a filter's events; 0 and 0 are no key.  [IPMI 17.12]"""
        key = bytes((filter_number, string_set))
        for selector in _STRINGS[1:]:
            if self._values.get(f"{P.ALERT_STRING_KEYS:d}.{selector}") == key:
                return self.string(selector)
        return b""

    def trap_guid(self) -> bytes:
        """The GUID for traps, as RFC 4122 writes it: parameter 10 has the bytes as the trap has them."""
        kept = self._values.get(f"{P.SYSTEM_GUID:d}")
        return kept[1:] if kept is not None and kept[0] else self._guid()

    # As clients see them

    def check_provided(self, number: int) -> None:
        """Raises CommandError when there is no such parameter."""
        _row(number)

    def get(self, number: int, set_selector: int = 0, block: int = 1) -> bytes:
        """A parameter's data.  Raises CommandError."""
        row = _row(number)
        if row.sets:
            _check_selector(row, set_selector)
        match row.number:
            case P.SET_IN_PROGRESS:
                return self._progress.encode()
            case P.EVENT_FILTER_TABLE_DATA_1:
                return bytes((set_selector,)) + self._filter(set_selector)[:1]
            case P.SYSTEM_GUID:
                return self._values.get(f"{number:d}") or b"\0" + self._guid()
            case P.ALERT_STRINGS:
                _check_block(block)
                value = self._values.get(f"{number:d}.{set_selector}.{block}", row.default)
                return bytes((set_selector, block)) + value
        if row.sets:
            return bytes((set_selector,)) + self._values.get(f"{number:d}.{set_selector}", row.default)
        return self._values.get(f"{number:d}", row.default)

    def set(self, number: int, data: bytes) -> None:
        """Write a parameter.  Raises CommandError."""
        row = _row(number)
        if row.read_only:
            raise CommandError(READ_ONLY, f"parameter {number} is read-only")
        if row.number is P.SET_IN_PROGRESS:
            self._progress.set(data)
            return
        if row.number is P.ALERT_STRINGS:
            self._set_string(row, data)
            return
        if len(data) != row.size:
            raise CommandError(CompletionCode.LENGTH_INVALID, f"parameter {number}: {len(data)} bytes")
        key = f"{number:d}"
        if row.sets:
            selector, data = data[0] & 0x7F, data[1:]
            _check_selector(row, selector)
            key = f"{key}.{selector}"
        data = row.check(data) if row.check else data
        if row.number is P.EVENT_FILTER_TABLE_DATA_1:
            key = f"{P.EVENT_FILTER_TABLE:d}.{selector}"
            present = self._filter(selector)
            data = bytes((data[0] | present[0] & KIND,)) + present[1:]
        self._keep(key, data)
        if row.number in (P.EVENT_FILTER_TABLE, P.EVENT_FILTER_TABLE_DATA_1, P.ALERT_POLICY_TABLE):
            self._read_tables()

    def _set_string(self, row: Parameter, data: bytes) -> None:
        """A block of a string; a short one ends it."""
        if not 3 <= len(data) <= row.size:
            raise CommandError(CompletionCode.LENGTH_INVALID, f"an alert string: {len(data)} bytes")
        selector, block = data[0] & 0x7F, data[1]
        _check_selector(row, selector)
        _check_block(block)
        self._keep(f"{row.number:d}.{selector}.{block}", data[2:].ljust(BLOCK_SIZE, b"\0"))

    def _keep(self, key: str, value: bytes) -> None:
        self._values[key] = value
        if not _is_volatile(key):
            self._changes.put(ROOM, key, value.hex())

    def _filter(self, number: int) -> bytes:
        return self._values.get(f"{P.EVENT_FILTER_TABLE:d}.{number}", _NO_FILTER)

    def _read_tables(self) -> None:
        """Decode what every event is held against."""
        filters = ((number, EventFilter.decode(self._filter(number))) for number in _FILTERS)
        self.filters = tuple((number, one) for number, one in filters if one.enabled)
        policies = (
            AlertPolicy.decode(self._values.get(f"{P.ALERT_POLICY_TABLE:d}.{number}", _NO_POLICY))
            for number in _POLICIES
        )
        self._policies = tuple(one for one in policies if one.enabled)


def _is_volatile(key: str) -> bool:
    """Whether this is set 0 of the alert strings or of their keys."""
    return key.startswith((f"{P.ALERT_STRINGS:d}.0.", f"{P.ALERT_STRING_KEYS:d}.0"))


def _check_selector(row: Parameter, selector: int) -> None:
    if selector not in row.sets:
        raise CommandError(
            CompletionCode.PARAMETER_OUT_OF_RANGE, f"parameter {row.number:d}: no set {selector}"
        )


def _check_block(block: int) -> None:
    if not 1 <= block <= BLOCKS:
        raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"an alert string has no block {block}")


def _row(number: int) -> Parameter:
    row = PARAMETERS.get(number)
    if row is None:
        raise CommandError(PARAMETER_NOT_SUPPORTED, f"no parameter {number}")
    return row
