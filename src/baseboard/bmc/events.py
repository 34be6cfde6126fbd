"""What the controller tells its chassis: values named for what happened.

A handler never waits. It answers at once, and what takes time leaves as one of these; whoever does it
calls back later (`chassis.power_changed(on, now)`).
"""

from __future__ import annotations

from enum import IntEnum

from baseboard.ipmi.ipmb import BusMessage
from baseboard.ipmi.message import Session
from baseboard.ipmi.picmg import FirmwareVersion
from baseboard.ipmi.value import Value


class PowerAction(IntEnum):
    """Chassis Control's actions.  [IPMI 28.3, Table 28-4]"""

    OFF = 0
    ON = 1
    CYCLE = 2
    RESET = 3
    DIAGNOSTIC_INTERRUPT = 4
    SOFT = 5


class RestartCause(IntEnum):
    """Why the system last started.  [IPMI 28.11, Table 28-11]"""

    UNKNOWN = 0x0
    CHASSIS_CONTROL = 0x1
    RESET_BUTTON = 0x2
    POWER_BUTTON = 0x3
    WATCHDOG = 0x4
    OEM = 0x5
    ALWAYS_RESTORE = 0x6
    RESTORE_PREVIOUS = 0x7
    PEF_RESET = 0x8
    PEF_POWER_CYCLE = 0x9
    SOFT_RESET = 0xA
    RTC_WAKEUP = 0xB


class Event(Value):
    """Base of all."""


class PowerRequested(Event):
    """The chassis is to do this to the machine."""

    action: PowerAction
    cause: RestartCause = RestartCause.CHASSIS_CONTROL


class IdentifyChanged(Event):
    """The chassis identify light went on or off."""

    on: bool


class NmiRequested(Event):
    """A watchdog pre-timeout wants a non-maskable interrupt."""


class AttentionChanged(Event):
    """The attention (SMS_ATN) of the system interface, and whether it interrupts."""

    attention: bool
    interrupt: bool


class InterruptEnableChanged(Event):
    """Set BMC Global Enables switched the receive-message-queue interrupt: the interface's own enable."""

    enabled: bool


class BridgedResponse(Event):
    """The answer to a tracked Send Message: goes to the console as a message of its own.  [IPMI 6.13.3]"""

    peer: object
    """`Context.peer` of the request that asked: a console's address, or the server of the serial port."""
    session: Session | None
    response: BusMessage


class UserChanged(Event):
    """A user's name, password, access or enable changed: sessions opened with the old ones end."""

    user_id: int
    by_session: int | None = None
    """Id of the session that made the change: it may go on, for it has yet to close itself."""


class ChannelChanged(Event):
    """A channel's access settings changed."""

    channel: int


class ControllerReset(Event):
    """Cold or Warm Reset: sessions end after the answer has left."""

    cold: bool


class SensorEventLogged(Event):
    """A record was added to the SEL; for whoever watches (the control socket)."""

    record: bytes


class TrapRequested(Event):
    """An alert: this datagram is to be sent there."""

    address: str
    port: int
    datagram: bytes


class FirmwareUploaded(Event):
    """An image of a component came, whole; it is to be kept before the answer leaves."""

    component: int
    version: FirmwareVersion
    data: bytes


class SolChanged(Event):
    """A command gave serial over LAN to a session, or (None) took it away: the engine has something to do."""

    session_id: int | None
