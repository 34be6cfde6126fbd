"""PCI functions attached to virtual machines from outside: what the machine's end says, and what we answer.

`vfio_user` is the protocol of vfio-user, `pci_proxy` that of QEMU's multi-process devices. Each takes bytes
and file descriptors as they come and any `interface.bus.Function`, and gives bytes; a descriptor is a
number here, and what is done with it is the business of the shell's `Descriptors`. Any bytes at all get an
answer, an error or the end of the connection.
"""

from baseboard.interface.remote.pci_proxy import PciProxy
from baseboard.interface.remote.stream import Descriptors, MessageStream
from baseboard.interface.remote.vfio_user import VfioUser

__all__ = ["Descriptors", "MessageStream", "PciProxy", "VfioUser"]
