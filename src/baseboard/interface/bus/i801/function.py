"""The controller as a PCI function.  [ICH9 21.1]"""

from __future__ import annotations

from typing import Protocol

from baseboard.interface.bus.function import Bar, Endpoint, Identity, Row, header
from baseboard.interface.bus.i801.controller import Controller
from baseboard.interface.bus.i801.quirks import Quirk
from baseboard.interface.bus.i801.quirky import QuirkyController
from baseboard.interface.bus.i801.registers import SIZE
from baseboard.interface.bus.smbus import SmBus

CLASS = 0x0C0500
"""Serial bus controller, SMBus."""
IDENTITY = Identity(vendor=0x8086, device=0x2930, revision=0x02)
HOST_CONFIGURATION = 0x40
_HST_EN, _SSRESET = 0x01, 0x08


class Resettable(Protocol):
    """A device at the bus."""

    def reset(self) -> None:
        """The system was reset."""


class I801Function(Endpoint):
    """One controller with its bus; `devices` are those at the bus that a reset of the system resets.

    It has no interrupt pin unless asked for one. QEMU lets the pin of a vfio-user function go at the next
    access to the BAR, and it rises again at once while the level is up, which is between the driver's read of
    the status and its write. Linux's handler looks into configuration space first, finds nothing there, and
    is called again, by the hundred thousand. A pin would save nothing: ipmi_ssif lets two jiffies pass
    before it reads an answer, whoever tells it that a transfer is done.
    """

    def __init__(self, bus: SmBus, *devices: Resettable, pin: int = 0, quirks: Quirk = Quirk.NONE) -> None:
        self.controller = QuirkyController(bus, quirks) if quirks else Controller(bus)
        self._devices = devices
        # HST_EN is set at reset: the firmware of no machine knows of us and would set it.
        # SMB_SMI_EN and I2C_EN are kept; there is no SMI# here, and no transfer of ours depends on I2C_EN.
        # SSRESET is done at once and reads 0.
        configuration = Row(HOST_CONFIGURATION, "Host Configuration", 1, _HST_EN, 0x07)
        bar = Bar(4, SIZE, "io")
        rows = header(IDENTITY, CLASS, bar, pin, 0)
        super().__init__((*rows, configuration), bar, self.controller.registers)
        self.controller.irq_changed = self.interrupt

    @property
    def _enabled(self) -> bool:
        return bool(self.read_configuration(HOST_CONFIGURATION) & _HST_EN)

    def write_configuration(self, offset: int, value: int, width: int = 1) -> None:
        """Write 1, 2 or 4 bytes."""
        super().write_configuration(offset, value, width)
        place = HOST_CONFIGURATION - offset
        if 0 <= place < width and value >> 8 * place & _SSRESET:
            self.controller.forget()

    def read(self, offset: int, width: int = 1) -> int:
        """Of the BAR, where nothing is while the controller is disabled."""
        return super().read(offset, width) if self._enabled else (1 << 8 * width) - 1

    def write(self, offset: int, value: int, width: int = 1) -> None:
        """Of the BAR."""
        if self._enabled:
            super().write(offset, value, width)

    def reset(self) -> None:
        """Function, controller and devices as after power-on."""
        for device in self._devices:
            device.reset()
        self.controller.reset()
        super().reset()
