"""Alerts: to which destinations an event's trap goes, again until it is acknowledged.  [IPMI 17]

Theory of operation
-------------------
Alerts wait in a queue, and one *attempt* is under way at a time: a trap to one destination. Alert and
attempt go on like this:

    the alert at the head    the next entry of its policy set that its rule allows: an attempt; none: done
    attempt begins           the trap leaves; unacknowledged and without repetitions it has succeeded
    interval over            the trap leaves again; after the last time an attempt that waited for an
                             acknowledgement has failed, any other has succeeded
    acknowledgement          the attempt has succeeded

While alerts are *held* (the machine just started, or is being switched off) they only wait; those of Alert
Immediate, which is refused while an attempt is under way, go all the same. A trap that leaves is a
`TrapRequested`; nobody tells whether it arrived anywhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from baseboard.bmc.channels import Channels
from baseboard.bmc.clock import UTC_OFFSET_UNSPECIFIED, Clock
from baseboard.bmc.device import DeviceSettings
from baseboard.bmc.events import Event, TrapRequested
from baseboard.bmc.lan_configuration import LanConfiguration
from baseboard.bmc.lan_parameters import DESTINATIONS
from baseboard.bmc.pef_parameters import PefParameters
from baseboard.errors import CommandError
from baseboard.ipmi.app_channels import ChannelMedium
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.records.sel import SystemEvent
from baseboard.ipmi.sensor_pef import AlertPolicy, AlertStatus, PetAcknowledgeRequest, PolicyRule, Severity
from baseboard.ipmi.transport_lan import LanParameter
from baseboard.lan import pet

MOST_WAITING = 64
"""Alerts; what comes while so many wait is not told to anybody."""
ALERT_IN_PROGRESS = 0x81
PET_DESTINATION = 0
BMC_ADDRESS = 0x20


@dataclass(slots=True)
class Alert:
    """One alert and what is left of its policy set."""

    entries: deque[AlertPolicy]
    event: SystemEvent | None
    severity: int = Severity.UNSPECIFIED
    filter_number: int = 0
    immediate: bool = False
    text: bytes = b""
    """Of an immediate one."""
    succeeded: bool = False
    """The last attempt did."""


@dataclass(slots=True)
class Attempt:
    """One trap on its way to one destination."""

    alert: Alert
    trap: TrapRequested
    acknowledgement: PetAcknowledgeRequest | None
    """What the receiver would send; None: it is not waited for."""
    left: int
    """How often the trap may still be sent."""
    interval: float
    deadline: float = 0.0


class Alerts:
    """The queue, and the attempt that is under way."""

    def __init__(
        self,
        parameters: PefParameters,
        lan: LanConfiguration,
        channels: Channels,
        identity: DeviceSettings,
        clock: Clock,
        entities: Mapping[int, tuple[int, int]],
        emit: Callable[[Event], None],
        trap_port: int,
        now: float,
    ) -> None:
        self._parameters = parameters
        self._lan = lan
        self._channels = channels
        self._identity = identity
        self._clock = clock
        self._entities = entities
        self._emit = emit
        self._trap_port = trap_port
        self._started = now
        self._queue: deque[Alert] = deque()
        self._attempt: Attempt | None = None
        self._held_until = now
        self._sequence = 0
        self.status = AlertStatus.NONE
        """Of the last Alert Immediate."""

    def reset(self) -> None:
        """The controller was reset: nothing waits."""
        self._queue.clear()
        self._attempt = None
        self.status = AlertStatus.NONE

    # -- what raises alerts --------------------------------------------------------------------------

    def raise_(self, policy: int, filter_number: int, event: SystemEvent, severity: int, now: float) -> None:
        """A filter wants an event told to a policy set."""
        entries = self._parameters.policy_set(policy)
        if entries and len(self._queue) < MOST_WAITING:
            self._queue.append(Alert(deque(entries), event, severity, filter_number))
            self._run(now)

    def send_immediately(
        self, channel: int, destination: int, string: int | None, event: SystemEvent | None, now: float
    ) -> None:
        """Alert Immediate.  Raises CommandError."""
        if self._attempt is not None:
            raise CommandError(ALERT_IN_PROGRESS, "an alert is in progress")
        entry = AlertPolicy(
            policy=0,
            enabled=True,
            rule=PolicyRule.ALWAYS,
            channel=channel,
            destination=destination,
            event_specific=False,
            string=0,
        )
        if not self._is_lan(channel) or destination > DESTINATIONS:
            raise CommandError(CompletionCode.INVALID_FIELD, f"channel {channel:X}h: no such destination")
        if self._destination_type(entry) != PET_DESTINATION or self._address(destination) is None:
            raise CommandError(
                CompletionCode.DESTINATION_UNAVAILABLE, f"destination {destination} has no address for traps"
            )
        self.status = AlertStatus.IN_PROGRESS
        text = b"" if string is None else self._parameters.string(string)
        self._queue.appendleft(Alert(deque((entry,)), event, immediate=True, text=text))
        self._run(now)

    def acknowledge(self, request: PetAcknowledgeRequest, now: float) -> None:
        """PET Acknowledge; one that fits nothing says nothing."""
        attempt = self._attempt
        if attempt is not None and request == attempt.acknowledgement:
            self._end(attempt, True)
            self._run(now)

    # -- time ----------------------------------------------------------------------------------------

    def hold(self, until: float) -> None:
        """Alerts that are raised from now on wait at least until then."""
        self._held_until = max(self._held_until, until)

    def release(self, now: float) -> None:
        """They need not wait any longer."""
        self._held_until = now
        self._run(now)

    def next_deadline(self) -> float | None:
        """When a trap is to be repeated, or when those that are held may leave."""
        if self._attempt is not None:
            return self._attempt.deadline
        return self._held_until if self._queue else None

    def handle_deadline(self, now: float) -> None:
        """Do what was due."""
        attempt = self._attempt
        if attempt is not None and attempt.deadline <= now:
            if attempt.left:
                self._send(attempt, now)
            else:
                self._end(attempt, False)
        self._run(now)

    # -- from alert to trap --------------------------------------------------------------------------

    def _run(self, now: float) -> None:
        """Begin attempts until one has to wait, or nothing is left to do."""
        while self._attempt is None and self._queue and (now >= self._held_until or self._queue[0].immediate):
            alert = self._queue[0]
            entry = self._next_entry(alert)
            if entry is None:
                self._queue.popleft()
                continue
            attempt = self._begin(alert, entry, now)
            if attempt is None:
                alert.succeeded = False
            else:
                self._attempt = attempt
                self._send(attempt, now)

    def _next_entry(self, alert: Alert) -> AlertPolicy | None:
        """The next entry of the policy set that its rule allows.  [IPMI 17.11, Table 17-4]"""
        entries = alert.entries
        while entries:
            entry = entries.popleft()
            if not alert.succeeded or entry.rule == PolicyRule.ALWAYS:
                return entry
            if entry.rule == PolicyRule.STOP:
                entries.clear()
            elif entry.rule == PolicyRule.NEXT_CHANNEL:
                while entries and entries[0].channel == entry.channel:
                    entries.popleft()
            elif entry.rule == PolicyRule.NEXT_DESTINATION_TYPE:
                kind = self._destination_type(entry)
                while entries and self._destination_type(entries[0]) == kind:
                    entries.popleft()
        return None

    def _begin(self, alert: Alert, entry: AlertPolicy, now: float) -> Attempt | None:
        """The attempt; None when the destination cannot be reached at all."""
        if not self._is_lan(entry.channel) or not (alert.immediate or self._alerting_enabled(entry.channel)):
            return None
        if self._destination_type(entry) != PET_DESTINATION:
            return None
        address = self._address(entry.destination)
        if address is None:
            return None
        kind, timeout, retries = self._lan.get(LanParameter.DESTINATION_TYPE, entry.destination)[1:]
        self._sequence = self._sequence % 0xFFFF + 1
        trap = self._trap(alert, entry, now)
        acknowledgement = PetAcknowledgeRequest(
            sequence=trap.sequence,
            local_timestamp=trap.local_timestamp,
            event_source_type=trap.event_source_type,
            sensor_device=trap.sensor_device,
            sensor_number=trap.sensor_number,
            event_data=trap.event_data[:3].ljust(3, b"\0"),
        )
        community = self._lan.get(LanParameter.COMMUNITY_STRING, 0).rstrip(b"\0")
        agent = self._lan.get(LanParameter.IP_ADDRESS, 0)
        datagram = trap.datagram(community, agent, now - self._started)
        return Attempt(
            alert,
            TrapRequested(str(address), self._trap_port, datagram),
            acknowledgement if kind & 0x80 else None,
            left=1 + retries,
            interval=1.0 + timeout,
        )

    def _send(self, attempt: Attempt, now: float) -> None:
        self._emit(attempt.trap)
        attempt.left -= 1
        attempt.deadline = now + attempt.interval
        if not attempt.left and attempt.acknowledgement is None:
            self._end(attempt, True)

    def _end(self, attempt: Attempt, succeeded: bool) -> None:
        attempt.alert.succeeded = succeeded
        if attempt.alert.immediate:
            self.status = AlertStatus.SENT if succeeded else AlertStatus.NOT_ACKNOWLEDGED
        self._attempt = None

    def _trap(self, alert: Alert, entry: AlertPolicy, now: float) -> pet.PlatformEventTrap:
        identity, event = self._identity, alert.event
        wall = event.timestamp if event is not None else self._clock.time(now)
        offset = self._clock.utc_offset
        if alert.immediate:
            text = alert.text
        elif entry.event_specific:
            text = self._parameters.event_string(alert.filter_number, entry.string)
        else:
            text = self._parameters.string(entry.string) if entry.string else b""
        trap = pet.PlatformEventTrap(
            guid=self._parameters.trap_guid(),
            sequence=self._sequence,
            local_timestamp=max(wall - pet.EPOCH, 0),
            utc_offset=pet.UTC_OFFSET_UNSPECIFIED if offset == UTC_OFFSET_UNSPECIFIED else offset,
            severity=alert.severity,
            manufacturer_id=identity.manufacturer_id,
            system_id=identity.product_id,
            text=text,
        )
        if event is None:
            return trap
        own = event.generator_id == BMC_ADDRESS and not event.lun and not event.channel
        entity, instance = self._entities.get(event.sensor_number, (0, 0)) if own else (0, 0)
        return trap.replace(
            sensor_device=event.generator_id,
            sensor_number=event.sensor_number,
            sensor_type=event.sensor_type,
            event_type=event.event_type,
            deassertion=event.deassertion,
            offset=event.event_data[0] & 0x0F,
            entity=entity,
            entity_instance=instance,
            event_data=event.event_data,
        )

    def _is_lan(self, channel: int) -> bool:
        state = self._channels.get(channel)
        return state is not None and state.medium is ChannelMedium.LAN_802_3

    def _alerting_enabled(self, channel: int) -> bool:
        state = self._channels.get(channel)
        return state is not None and state.volatile.pef_alerting

    def _destination_type(self, entry: AlertPolicy) -> int:
        if not self._is_lan(entry.channel) or entry.destination > DESTINATIONS:
            return -1
        return self._lan.get(LanParameter.DESTINATION_TYPE, entry.destination)[1] & 0x07

    def _address(self, destination: int) -> IPv4Address | IPv6Address | None:
        data = self._lan.get(LanParameter.DESTINATION_ADDRESSES, destination)
        packed = data[2:18] if data[1] >> 4 == 1 else data[3:7]
        address = ip_address(packed)
        return None if address.is_unspecified else address
