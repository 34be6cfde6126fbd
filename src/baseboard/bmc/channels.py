"""Channels: what there is, who may use it, and the keys of log-in.  [IPMI 6, 22.22-22.25]

Each channel with sessions has its access settings twice: the volatile ones are in force, and a reset of
the controller replaces them by the non-volatile ones. PEF alerting is disabled until somebody enables it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from baseboard.bmc.changes import Changes, Rows, kept_bytes
from baseboard.bmc.events import ChannelChanged, Event
from baseboard.errors import CommandError
from baseboard.ipmi.app_channels import (
    AccessMode,
    ChannelMedium,
    ChannelProtocol,
    LockStatus,
    SessionSupport,
    Setting,
)
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.privilege import Channel, Privilege
from baseboard.ipmi.value import Value

ROOM = "channels"

SESSION_LESS = 0x82
ACCESS_MODE_NOT_SUPPORTED = 0x83

KEY_LOCKED = 0x80
KEY_TOO_SHORT = 0x81
KEY_TOO_LONG = 0x82

KEY_SIZE = 20
NO_INTERRUPT = 0xFF

LAN_ACCESS_MODES = (AccessMode.DISABLED, AccessMode.ALWAYS_AVAILABLE)
"""Pre-boot and shared belong to serial channels.  [IPMI 6.6, Table 6-4]"""


class ChannelSettings(Value, kw_only=True):
    """What the channels are before anybody changes them."""

    system_interface: ChannelProtocol = ChannelProtocol.KCS
    system_interface_interrupt: int = NO_INTERRUPT
    """As in Get Channel Info: 00h-0Fh an IRQ, 60h told by ACPI, FFh none or not known."""
    lan_limit: Privilege = Privilege.ADMINISTRATOR
    lan_pef_alerting: bool = False
    """Filters may raise alerts on the LAN."""
    serial: bool = False
    """There is a serial port: channel 2."""
    serial_enabled: bool = False
    """It is served from the start; else a client enables it."""


class ChannelAccess(Value):
    """One setting of Set Channel Access."""

    mode: AccessMode = AccessMode.ALWAYS_AVAILABLE
    limit: Privilege = Privilege.ADMINISTRATOR
    pef_alerting: bool = False
    per_message_authentication: bool = True
    user_level_authentication: bool = True


@dataclass(slots=True)
class ChannelState:
    """One channel."""

    number: int
    medium: ChannelMedium
    protocol: ChannelProtocol
    session_support: SessionSupport = SessionSupport.SESSION_LESS
    auxiliary: bytes = bytes(2)
    volatile: ChannelAccess = field(default_factory=ChannelAccess)
    non_volatile: ChannelAccess = field(default_factory=ChannelAccess)
    key: bytes = field(default=b"", repr=False)
    """K_G, 20 bytes; empty: not set (all zeros)."""
    key_locked: bool = False

    @property
    def has_sessions(self) -> bool:
        """Whether somebody can log in here."""
        return self.session_support is not SessionSupport.SESSION_LESS


class Channels:
    """All channels of the controller, by number."""

    room = ROOM

    def __init__(self, changes: Changes, emit: Callable[[Event], None], settings: ChannelSettings) -> None:
        self._changes = changes
        self._emit = emit
        interrupts = bytes((settings.system_interface_interrupt, settings.system_interface_interrupt))
        access = ChannelAccess(limit=settings.lan_limit, pef_alerting=settings.lan_pef_alerting)
        # fmt: off
        channels: tuple[ChannelState, ...] = (
            ChannelState(Channel.PRIMARY_IPMB, ChannelMedium.IPMB, ChannelProtocol.IPMB_1_0),
            ChannelState(Channel.LAN, ChannelMedium.LAN_802_3, ChannelProtocol.IPMB_1_0,
                         SessionSupport.MULTIPLE, volatile=access, non_volatile=access),
            ChannelState(Channel.SYSTEM_INTERFACE, ChannelMedium.SYSTEM_INTERFACE,
                         settings.system_interface, auxiliary=interrupts),
        )
        # fmt: on
        if settings.serial:
            mode = AccessMode.ALWAYS_AVAILABLE if settings.serial_enabled else AccessMode.DISABLED
            serial_access = ChannelAccess(mode)
            channels += (
                ChannelState(
                    Channel.SERIAL,
                    ChannelMedium.SERIAL,
                    ChannelProtocol.TERMINAL_MODE,
                    SessionSupport.SINGLE,
                    volatile=serial_access,
                    non_volatile=serial_access,
                ),
            )
        self._channels = {int(channel.number): channel for channel in channels}
        self.count_sessions: Callable[[int], int] = lambda channel: 0
        """How many sessions a channel has now; the LAN server puts its own in here."""

    def restore(self, rows: Rows) -> None:
        """Take back the non-volatile settings and the keys; the former are in force at the start."""
        for key, value in rows.items():
            number, _, aspect = key.partition(".")
            channel = self._channels.get(int(number))
            if channel is None:
                continue
            if aspect == "access":
                mode, limit, alerting, per_message, user_level = value
                access = ChannelAccess(AccessMode(mode), Privilege(limit), alerting, per_message, user_level)
                channel.volatile = channel.non_volatile = access
            elif aspect == "key":
                channel.key = kept_bytes(value, 0, KEY_SIZE)
            elif aspect == "key_locked":
                channel.key_locked = bool(value)

    def reset(self, cold: bool, now: float) -> None:
        """The non-volatile settings come into force.  [IPMI 22.22]"""
        for channel in self._channels.values():
            channel.volatile = channel.non_volatile

    def get(self, number: int) -> ChannelState | None:
        """The channel with this number, if there is one."""
        return self._channels.get(number)

    def resolve(self, number: int, context: Context) -> ChannelState:
        """The channel that a request means: Eh is the one that it came in on.  Raises CommandError."""
        channel = self._channels.get(context.channel if number == Channel.PRESENT else number)
        if channel is None:
            raise CommandError(CompletionCode.INVALID_FIELD, f"no channel {number:X}h")
        return channel

    def resolve_with_sessions(self, number: int, context: Context) -> ChannelState:
        """The same, for commands that only channels with sessions have.  Raises CommandError 82h."""
        channel = self.resolve(number, context)
        if not channel.has_sessions:
            raise CommandError(SESSION_LESS, f"channel {channel.number:X}h has no sessions")
        return channel

    def set_access(
        self,
        channel: ChannelState,
        setting: Setting,
        access: ChannelAccess,
    ) -> None:
        """Replace one of the two settings."""
        if setting is Setting.NON_VOLATILE:
            channel.non_volatile = access
            row = [
                int(access.mode),
                int(access.limit),
                access.pef_alerting,
                access.per_message_authentication,
                access.user_level_authentication,
            ]
            self._changes.put(ROOM, f"{channel.number:d}.access", row)
        elif setting is Setting.VOLATILE and channel.volatile != access:
            channel.volatile = access
            self._emit(ChannelChanged(int(channel.number)))

    def read_key(self, channel: ChannelState) -> bytes:
        """K_G as 20 bytes, zeros when it is not set.  Raises CommandError when it is locked."""
        self._check_lock(channel)
        return channel.key or bytes(KEY_SIZE)

    def set_key(self, channel: ChannelState, key: bytes) -> None:
        """Set K_G; twenty zeros take it off.  Raises CommandError."""
        self._check_lock(channel)
        if len(key) != KEY_SIZE:
            code = KEY_TOO_SHORT if len(key) < KEY_SIZE else KEY_TOO_LONG
            raise CommandError(code, f"the key has {len(key)} bytes instead of {KEY_SIZE}")
        channel.key = key if any(key) else b""
        self._changes.put(ROOM, f"{channel.number:d}.key", channel.key.hex())

    def lock_key(self, channel: ChannelState) -> None:
        """Neither read nor set K_G any more, for good."""
        channel.key_locked = True
        self._changes.put(ROOM, f"{channel.number:d}.key_locked", True)

    def lock_status(self, channel: ChannelState) -> LockStatus:
        """Whether K_G is locked."""
        return LockStatus.LOCKED if channel.key_locked else LockStatus.UNLOCKED

    def _check_lock(self, channel: ChannelState) -> None:
        if channel.key_locked:
            raise CommandError(KEY_LOCKED, f"K_G of channel {channel.number:X}h is locked")
