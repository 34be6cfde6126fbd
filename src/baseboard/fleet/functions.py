"""PCI functions of one controller, each at its socket, as `Attachment` describes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

from baseboard.aio.engine_seam import EngineSeam
from baseboard.aio.functions import FunctionPort
from baseboard.fleet.attachment import SSIF, Attachment, Seam
from baseboard.interface.bt import Bt
from baseboard.interface.bus.function import Function
from baseboard.interface.bus.i801 import I801Function
from baseboard.interface.bus.pci import Interface, PciFunction
from baseboard.interface.bus.smbus import SmBus
from baseboard.interface.kcs import Kcs
from baseboard.interface.remote.pci_proxy import SMALLEST_BAR, PciProxy
from baseboard.interface.remote.stream import MessageStream
from baseboard.interface.remote.vfio_user import VfioUser
from baseboard.interface.seam import Engine
from baseboard.interface.smic import Smic
from baseboard.interface.ssif import Ssif
from baseboard.ipmi.message import Handler

DEVICES: dict[str, tuple[type[Kcs] | type[Bt] | type[Smic], Interface]] = {
    "kcs": (Kcs, Interface.KCS),
    "bt": (Bt, Interface.BT),
    "smic": (Smic, Interface.SMIC),
}
PROTOCOLS: dict[Seam, type[MessageStream]] = {Seam.VFIO_USER: VfioUser, Seam.PCI_PROXY: PciProxy}
LEAST_SIZES = {Seam.VFIO_USER: 0, Seam.PCI_PROXY: SMALLEST_BAR}


class AttachedFunction:
    """One system interface before the controller."""

    def __init__(self, attachment: Attachment, handler: Handler, handled: Callable[[float], None]) -> None:
        engine, function = (_smbus if attachment.interface == SSIF else _registers)(attachment)
        self.seam = EngineSeam(engine, handler, handled, attachment.flag)
        protocol = PROTOCOLS[attachment.seam]
        self.port = FunctionPort(
            attachment.path, attachment.flag, function, protocol, self.seam.lock, self.seam.settle
        )


def _registers(attachment: Attachment) -> tuple[Engine, Function]:
    """KCS, BT or SMIC: an IPMI function."""
    make, interface = DEVICES[attachment.interface]
    device = make()
    interrupts = attachment.interrupt != "none"
    function = PciFunction(
        device,
        interface,
        space=cast(Literal["io", "memory"], attachment.bar),
        pin=1 if interrupts else 0,
        msi=interrupts,
        least_size=LEAST_SIZES[attachment.seam],
    )
    return device.engine, function


def _smbus(attachment: Attachment) -> tuple[Engine, Function]:
    """SSIF, with the SMBus controller that it is reached through."""
    bus, ssif = SmBus(), Ssif()
    bus.attach(ssif.target, address=ssif.target.address)
    return ssif.engine, I801Function(bus, ssif)
