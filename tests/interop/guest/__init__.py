"""A Linux guest for tests: Debian's kernel with a small initramfs, under QEMU's tcg.

`Guest` boots one and runs commands in it. `image` and `boot_arguments` are for a QEMU that somebody else
owns: give it the arguments, then talk to the guest through the `Channel`.
"""

from .architecture import AMD64, ARCHITECTURES, ARM64, ARMHF, Architecture
from .channel import Channel, Result
from .image import Image, image
from .machine import MODULES, QEMU, Guest, boot_arguments
from .qmp import Event, Qmp

__all__ = [
    "AMD64",
    "ARCHITECTURES",
    "ARM64",
    "ARMHF",
    "MODULES",
    "QEMU",
    "Architecture",
    "Channel",
    "Event",
    "Guest",
    "Image",
    "Qmp",
    "Result",
    "boot_arguments",
    "image",
]
