"""What commands that the firmware accepted mean for the host's hardware.

On a server the firmware switches power and resets by pins, and enables the interrupt of its system interface
in a register. From outside neither is seen; that it answered 00h to the command is.
"""

from __future__ import annotations

from collections.abc import Mapping

from baseboard.errors import DecodeError
from baseboard.host.seam import HostOrdered, InterruptChanged
from baseboard.ipmi.app_messaging import SetGlobalEnablesRequest
from baseboard.ipmi.chassis import ChassisControlRequest
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Message
from baseboard.ipmi.netfn import NetFn
from baseboard.vm.protocol import Operation

CHASSIS_CONTROL = NetFn.CHASSIS, 0x02
SET_GLOBAL_ENABLES = NetFn.APP, 0x2E
INTERRUPTS = 0x03
"""Receive Message Queue Interrupt and Event Message Buffer Full Interrupt.  [IPMI 22.1, Table 22-2]"""

# fmt: off
OPERATIONS: Mapping[int, Operation] = {  # [IPMI 28.3, Table 28-4]
    # Chassis Control          on the host
    0x00:                      Operation.POWER_OFF,
    # 01h, power up:           the wire switches nothing on; for a host that is off see `switches_on`
    0x02:                      Operation.RESET,  # power cycle: as near as the wire comes
    0x03:                      Operation.RESET,
    0x04:                      Operation.NMI,
    0x05:                      Operation.GRACEFUL_SHUTDOWN,
}
# fmt: on
_POWER_UP = 0x01


def switches_on(message: Message, answer: bytes) -> bool:
    """Whether the firmware has accepted to switch the host on."""
    return (message.netfn, message.command, message.data[:1], answer[:1]) == (
        *CHASSIS_CONTROL,
        bytes((_POWER_UP,)),
        bytes((CompletionCode.OK,)),
    )


def order(message: Message, answer: bytes) -> HostOrdered | InterruptChanged | None:
    """What this request, with this answer of the firmware's, changes on the host; None: nothing."""
    if answer[:1] != bytes((CompletionCode.OK,)):
        return None
    try:
        if message[0:3:2] == CHASSIS_CONTROL:
            operation = OPERATIONS.get(ChassisControlRequest.decode(message.data).action)
            return HostOrdered(operation) if operation is not None else None
        if message[0:3:2] == SET_GLOBAL_ENABLES:
            enables = SetGlobalEnablesRequest.decode(message.data).enables
            return InterruptChanged(bool(enables & INTERRUPTS))
    except DecodeError:  # firmware may accept what is too long
        pass
    return None
