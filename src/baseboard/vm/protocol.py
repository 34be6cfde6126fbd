"""What the two ends of the VM wire say to each other, beside requests and responses.  [README.vm]

README.vm is silent on the version, the graceful shutdown (since 2016) and the interface's own enable; they
are as ipmi_sim 2.0.33 to 2026 and QEMU 5.1 to 11.1 speak them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, IntFlag
from typing import NamedTuple

from baseboard.ipmi.message import Message
from baseboard.ipmi.value import Value

VERSION = 1


class Capability(IntFlag):
    """What a machine offers, in the data byte of command 08h."""

    NONE = 0x00
    POWER_OFF = 0x01
    RESET = 0x02
    INTERRUPT = 0x04
    NMI = 0x08
    ATTENTION = 0x10
    GRACEFUL_SHUTDOWN = 0x20
    INTERFACE_ENABLE = 0x40


class Code(IntEnum):
    """Commands that are no `Operation`: the byte after which their data and A1h follow."""

    # fmt: off
    #                            from the       data
    ATTENTION_CLEAR     = 0x00  # controller
    ATTENTION           = 0x01  # controller
    ATTENTION_INTERRUPT = 0x02  # controller
    RESET               = 0x04  # machine       its notice that it was reset
    CAPABILITIES        = 0x08  # machine       one byte of `Capability`
    VERSION             = 0xFF  # both          one byte, 01h
    # fmt: on


class Operation(IntEnum):
    """What the controller can have the machine do; the value is the command's code."""

    # fmt: off
    POWER_OFF         = 0x03
    RESET             = 0x04
    ENABLE_INTERRUPT  = 0x05
    DISABLE_INTERRUPT = 0x06
    NMI               = 0x07
    GRACEFUL_SHUTDOWN = 0x09  # QEMU presses the ACPI power button
    DISABLE_INTERFACE = 0x0A
    ENABLE_INTERFACE  = 0x0B
    # fmt: on


# fmt: off
NEEDED: Mapping[Operation, Capability] = {
    # operation                    is sent only to a machine that offers
    Operation.POWER_OFF:           Capability.POWER_OFF,
    Operation.RESET:               Capability.RESET,
    Operation.ENABLE_INTERRUPT:    Capability.INTERRUPT,
    Operation.DISABLE_INTERRUPT:   Capability.INTERRUPT,
    Operation.NMI:                 Capability.NMI,
    Operation.GRACEFUL_SHUTDOWN:   Capability.GRACEFUL_SHUTDOWN,
    Operation.DISABLE_INTERFACE:   Capability.INTERFACE_ENABLE,
    Operation.ENABLE_INTERFACE:    Capability.INTERFACE_ENABLE,
}
# fmt: on


class RequestReceived(NamedTuple):
    """The machine's software asks; answer with the same `id`. The machine may use an id again."""

    id: int
    message: Message


class ResponseReceived(NamedTuple):
    """The controller answers the request with this `id`."""

    id: int
    netfn: int
    """Odd: the request's plus 1."""
    lun: int
    command: int
    data: bytes
    """Completion code first."""


class VersionReceived(Value):
    """The other end's version of the protocol; there is only 1."""

    version: int


class CapabilitiesReceived(Value):
    """What the machine offers from now on."""

    capabilities: Capability


class MachineReset(Value):
    """The machine says that it was reset."""


class AttentionReceived(Value):
    """The controller sets or clears the attention bit of the system interface."""

    attention: bool
    interrupt: bool


class OperationReceived(Value):
    """The controller orders this."""

    operation: Operation


LinkEvent = (
    RequestReceived
    | ResponseReceived
    | VersionReceived
    | CapabilitiesReceived
    | MachineReset
    | AttentionReceived
    | OperationReceived
)
