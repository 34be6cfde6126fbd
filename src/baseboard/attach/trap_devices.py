"""What can be trapped: BMC-side devices that stock QEMU does not have, each with the host's end of it.

A device is the register model of `responder`, the driver of `interface` before it, where the registers are,
and what is left in QEMU when nobody traps. Which machine has which: `trap_chips`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from baseboard.attach.errors import NotAttachable
from baseboard.attach.qtest import Qtest
from baseboard.interface.bt.driver import CONTROL, BtDriver
from baseboard.interface.bt.registers import SMS_ATN
from baseboard.interface.driver import Driver, Registers
from baseboard.interface.kcs import KcsDriver
from baseboard.interface.kcs.registers import SMS_ATN as KCS_SMS_ATN
from baseboard.ipmi.message import Message
from baseboard.responder import AspeedIbt, Npcm7xxKcs
from baseboard.responder.aspeed_registers import BASE, IBT_OFFSET
from baseboard.responder.npcm7xx_registers import (
    ADDRESS_1,
    BPC,
    CHANNEL,
    CHANNELS,
    FIRST,
    HIRQE,
    IBFIE,
    IRQE,
    STRIDE,
)
from baseboard.responder.window import rows_by_name

POST_PORT = 0x80
"""Where a PC's firmware writes POST codes."""


class TrappedDevice(ABC):
    """One device; `read` and `write` are firmware's, with offsets from `base`."""

    interface: ClassVar[str]
    base: ClassVar[int]
    size: ClassVar[int]
    read: Callable[[int, int], int]
    write: Callable[[int, int, int], None]

    @abstractmethod
    def driver(self, patience: float) -> Driver:
        """The host's end."""

    @abstractmethod
    def attention(self) -> bool:
        """SMS_ATN, which this does not change."""

    @property
    @abstractmethod
    def line(self) -> bool:
        """The level of the interrupt to the BMC's processor."""

    @property
    @abstractmethod
    def chosen(self) -> str | None:
        """What the host drives, in words; None: the firmware has not enabled it."""

    @abstractmethod
    def select(self, channel: int | None) -> None:
        """The channel that is wanted; None: the first that is enabled.  Raises NotAttachable."""

    @abstractmethod
    def found(self) -> dict[str, Any]:
        """Channels, and which of them is driven."""

    @abstractmethod
    def post(self, code: int) -> None:
        """The host writes a POST code to port 80h."""

    @abstractmethod
    def reset(self) -> None:
        """The machine was reset."""

    @abstractmethod
    def trace(self, qtest: Qtest) -> bool | None:
        """Whether the firmware has set the device up while nobody trapped; None: it leaves no trace."""

    @abstractmethod
    def adopt(self, qtest: Qtest) -> None:
        """The firmware has: become what it made of the device, as far as that can be known."""

    @abstractmethod
    def leave(self, qtest: Qtest) -> None:
        """Nobody traps any more: leave a trace, and nothing that is under way."""


class Ibt(TrappedDevice):
    """Aspeed's iBT. QEMU keeps what is written there as memory, and so the firmware's settings are found."""

    interface = "BT"
    base, size = BASE + IBT_OFFSET, 0x1C
    _CR0, _CR1, _CR2, _CTRL = 0x00, 0x04, 0x08, 0x10

    def __init__(self) -> None:
        self._block = block = AspeedIbt()
        self.read, self.write = block.read, block.write

    def driver(self, patience: float) -> Driver:
        return _PoliteBtDriver(self._block.host(), timeout=patience, retries=0)

    def attention(self) -> bool:
        return bool(self._block.latch.control & SMS_ATN)

    @property
    def line(self) -> bool:
        return self._block.irq

    @property
    def chosen(self) -> str | None:
        block = self._block
        return f"iBT at {block.host_address:X}h, interrupt {block.host_interrupt}" if block.enabled else None

    def select(self, channel: int | None) -> None:
        if channel not in (None, 1):
            raise NotAttachable(f"there is one BT interface, and no channel {channel}")

    def found(self) -> dict[str, Any]:
        block = self._block
        state = {
            "channel": 1,
            "enabled": block.enabled,
            "address": block.host_address or None,
            "host_interrupt": block.host_interrupt or None,
        }
        return {"channel": 1 if block.enabled else None, "channels": [state]}

    def post(self, code: int) -> None:
        pass  # POST codes are another block's

    def reset(self) -> None:
        self._block.reset()

    def trace(self, qtest: Qtest) -> bool | None:
        return bool(qtest.readl(self.base + self._CR0) & 1)

    def adopt(self, qtest: Qtest) -> None:
        for register in (self._CR0, self._CR1):
            self.write(register, 4, qtest.readl(self.base + register))
        qtest.writel(self.base + self._CR0, 0)  # no trace any more
        self._block.latch.host_freed()  # firmware that waited for a host looks again

    def leave(self, qtest: Qtest) -> None:
        for register in (self._CR0, self._CR1):
            qtest.writel(self.base + register, self.read(register, 4))
        for register in (self._CR2, self._CTRL):
            qtest.writel(self.base + register, 0)


class _PoliteBtDriver(BtDriver):
    """SMS_ATN stays up until the host asks something: whoever looks at it takes nothing away."""

    def send_request(self, message: Message, now: float) -> None:
        if self._registers.read(CONTROL) & SMS_ATN:
            self._registers.write(CONTROL, SMS_ATN)
        super().send_request(message, now)


class NpcmKcs(TrappedDevice):
    """KCS of NPCM7xx. QEMU keeps nothing of it: firmware that ran before us is taken for set up."""

    interface = "KCS"
    base, size = Npcm7xxKcs.BASE, Npcm7xxKcs.SIZE
    _CONTROL, _ENABLES = (rows_by_name(CHANNEL)[name] for name in ("CTL", "IE"))
    _POST_CODES = rows_by_name(BPC)["FEN"]
    _ENABLED = IRQE | HIRQE
    """Of IE: what Linux sets to enable a channel."""

    def __init__(self) -> None:
        self._block = block = Npcm7xxKcs()
        self.read, self.write = block.read, block.write
        self._wanted: int | None = None
        self._channel = 1

    def driver(self, patience: float) -> Driver:
        return KcsDriver(_Chosen(self), timeout=patience, retries=0)

    @property
    def host(self) -> Registers:
        """The registers of the channel that is driven."""
        return self._block.host(self._channel)

    def attention(self) -> bool:
        return bool(self._block.latches[self._channel - 1].status & KCS_SMS_ATN)

    @property
    def line(self) -> bool:
        return self._block.irq

    @property
    def chosen(self) -> str | None:
        enabled = [number for number in self._enabled() if self._wanted in (None, number)]
        if not enabled:
            return None
        if self._channel not in enabled:
            self._channel = enabled[0]
        return f"KCS channel {self._channel}"

    def select(self, channel: int | None) -> None:
        if channel is not None and not 1 <= channel <= CHANNELS:
            raise NotAttachable(f"NPCM7xx has the KCS channels 1 to {CHANNELS}, and no channel {channel}")
        self._wanted = channel

    def found(self) -> dict[str, Any]:
        enabled = self._enabled()
        return {
            "channel": self._channel if self.chosen is not None else None,
            "channels": [
                {"channel": number, "enabled": number in enabled, "address": None, "host_interrupt": None}
                for number in range(1, CHANNELS + 1)
            ],
        }

    def post(self, code: int) -> None:
        self._block.post_codes.host_wrote(POST_PORT, code)

    def reset(self) -> None:
        self._block.reset()

    def trace(self, qtest: Qtest) -> bool | None:
        return None

    def adopt(self, qtest: Qtest) -> None:
        for number in range(1, CHANNELS + 1):
            self._set(number, self._CONTROL, IBFIE)
            self._set(number, self._ENABLES, self._ENABLED)
        self._set_bits(self._POST_CODES, ADDRESS_1)  # no interrupt: there may be nobody who takes them

    def leave(self, qtest: Qtest) -> None:
        pass  # reads give 0 now, which is a channel at rest

    def _enabled(self) -> list[int]:
        wanted = self._ENABLED
        return [
            number
            for number in range(1, CHANNELS + 1)
            if self.read(self._at(number, self._ENABLES), 1) & wanted == wanted
        ]

    def _set(self, number: int, register: int, bits: int) -> None:
        self._set_bits(self._at(number, register), bits)

    def _set_bits(self, place: int, bits: int) -> None:
        self.write(place, 1, self.read(place, 1) | bits)

    @staticmethod
    def _at(number: int, register: int) -> int:
        return FIRST + (number - 1) * STRIDE + register


class _Chosen:
    """The registers of the channel that is driven just now."""

    def __init__(self, device: NpcmKcs) -> None:
        self._device = device

    def read(self, register: int) -> int:
        """Read the register with this number, from 0."""
        return self._device.host.read(register)

    def write(self, register: int, value: int) -> None:
        """Write it."""
        self._device.host.write(register, value)
