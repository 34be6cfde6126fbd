"""Events on their way to the event receiver, as Platform Event messages on the bus.  [IPMI 29.1 to 29.3]"""

from __future__ import annotations

from baseboard.ipmb.port import Port
from baseboard.ipmi.ipmb import BMC_ADDRESS
from baseboard.ipmi.message import Message
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.records.sel import EVENT_MESSAGE_REVISION

PLATFORM_EVENT = 0x02
RETRIES = 2
NOBODY = 0xFF
"""As event receiver: events are not sent."""


class EventReceiver:
    """Whom a controller tells of its events."""

    def __init__(self, address: int, lun: int = 0) -> None:
        self._default = address, lun
        self.receiver = self._default
        """Slave address and LUN that Set Event Receiver gave."""

    def reset(self, cold: bool, now: float) -> None:
        """Cold and Warm Reset: events go where they went at the start."""
        self.receiver = self._default


class EventSender(EventReceiver):
    """A controller without a log of its own."""

    def __init__(self, port: Port, address: int = BMC_ADDRESS) -> None:
        super().__init__(address)
        self._port = port

    def send(
        self, sensor_type: int, number: int, event_type: int, deassertion: bool, data: bytes, now: float
    ) -> None:
        """Tell the receiver; what it does not acknowledge is asked again twice and then lost."""
        address, lun = self.receiver
        if address == NOBODY:
            return
        direction = deassertion << 7 | event_type
        message = bytes((EVENT_MESSAGE_REVISION, sensor_type, number, direction)) + data[:3]
        self._port.request(
            address,
            Message(NetFn.SENSOR_EVENT, lun, PLATFORM_EVENT, message),
            lambda response, now: None,
            now,
            retries=RETRIES,
        )
