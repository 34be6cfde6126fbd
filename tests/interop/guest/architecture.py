"""The architectures of guests: what their images are made of, and the machine that boots them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .built import relay

CHANNEL = ("virtio_pci", "virtio_console")  # how the test talks to the guest
VIRTIO = ("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=command,name=command")
IPMI = ("ipmi_msghandler", "ipmi_devintf", "ipmi_si", "ipmi_ssif", "ipmi_watchdog", "ipmi_poweroff")


class DeviceTree(NamedTuple):
    """What the kernel's package has for a board, and the nodes that QEMU's machine has besides."""

    name: str
    enabled: Sequence[str]  # nodes that get the status "okay"


@dataclass(frozen=True, kw_only=True, eq=False)  # a row is known by being itself
class Architecture:
    """One row of the table.

    The packages are unpacked, never installed. Of an architecture that is not this machine's, all programs
    come out of them, and whatever they depend on is unpacked with them.
    """

    debian: str  # the architecture, as Debian calls it
    suite: str = ""  # of the packages; this machine's if empty
    kernel: str  # a package that depends on the kernel's
    modules: Sequence[str]
    installed: Sequence[str] = ()  # programs of this machine
    packages: Mapping[str, Sequence[str]] = field(default_factory=dict)  # and which of their files go in
    built: Mapping[str, Callable[[], Path]] = field(default_factory=dict)  # programs of our own
    libraries: str  # the directory below lib and usr/lib
    qemu: str
    machine: str
    options: Sequence[str] = ()  # what the machine needs besides
    memory: str = "384"  # in MiB
    processors: str = "1"
    device_tree: DeviceTree | None = None  # None: the machine makes one, or needs none
    console: str  # the port that takes the kernel's messages
    log: Sequence[str]  # that port; its chardev is called "log"
    port: Sequence[str] = VIRTIO  # the port that takes commands; its chardev is called "command"
    words: Sequence[str] = ()  # on the kernel's command line
    loads: Sequence[str] = ("ipmi_si", "ipmi_devintf")  # what a guest loads if nobody says otherwise

    @property
    def foreign(self) -> bool:
        return not self.installed


AMD64 = Architecture(
    debian="amd64",
    kernel="linux-image-amd64",  # the cloud kernel has no IPMI drivers
    modules=(
        *CHANNEL,
        *IPMI,
        # SMBus controllers of the machines "pc" and "q35", and a look at them
        *("i2c-piix4", "i2c-i801", "i2c-smbus", "i2c-dev"),
        # the power button
        *("button", "evdev"),
    ),
    installed=(
        "busybox",
        "ipmitool",
        *("bmc-config", "bmc-device", "bmc-info", "ipmi-chassis", "ipmi-chassis-config", "ipmi-config"),
        *("ipmi-fru", "ipmi-locate", "ipmi-raw", "ipmi-sel", "ipmi-sensors"),
    ),
    packages={"freeipmi-bmc-watchdog": ("usr/sbin/bmc-watchdog",)},
    libraries="x86_64-linux-gnu",
    qemu="qemu-system-x86_64",
    machine="pc",
    console="ttyS1",  # the first serial port is left to the test
    log=("-device", "isa-serial,chardev=log,index=1"),
    loads=("ipmi_si", "ipmi_devintf", "button", "evdev"),
)

ARM64 = Architecture(
    debian="arm64",
    kernel="linux-image-arm64",
    modules=(*CHANNEL, *IPMI, "i2c-smbus", "i2c-dev"),  # its kernel has no driver for an x86 SMBus controller
    packages={
        "busybox-static": ("bin/busybox",),
        "ipmitool": (
            *("usr/bin/ipmitool", "usr/share/misc/enterprise-numbers.txt"),
            "usr/share/ipmitool/oem_ibm_sel_map",
        ),
    },
    libraries="aarch64-linux-gnu",
    qemu="qemu-system-aarch64",
    machine="virt",
    options=("-cpu", "cortex-a57"),
    console="ttyAMA0",
    log=("-serial", "chardev:log"),
)

PPC64EL = Architecture(
    debian="ppc64el",
    kernel="linux-image-powerpc64le",
    modules=CHANNEL,
    packages={"busybox-static": ("bin/busybox",)},
    libraries="powerpc64le-linux-gnu",
    qemu="qemu-system-ppc64",
    machine="pseries,x-vof=on",  # a firmware that hands over at once; SLOF takes ten seconds
    console="hvc0",
    log=("-serial", "chardev:log"),
    loads=(),
)

LPC = "/ahb/apb/lpc@1e789000"

ARMHF = Architecture(  # a BMC: Aspeed's AST2600. The older chips' processors are too old for this kernel.
    debian="armhf",
    kernel="linux-image-armmp",
    # The kernel has no character device for KCS: ipmi-relay drives the registers itself.
    modules=("bt-bmc", "aspeed-lpc-snoop"),
    packages={"busybox-static": ("bin/busybox",), "openipmi": ("usr/bin/ipmi_sim",)},
    built={"usr/bin/ipmi-relay": relay},
    libraries="arm-linux-gnueabihf",
    qemu="qemu-system-arm",
    machine="ast2600-evb",
    memory="1024",
    processors="2",  # the machine has no fewer; one that Linux leaves alone takes all of a processor of ours
    device_tree=DeviceTree("aspeed-ast2600-evb.dtb", (f"{LPC}/ibt@140", "/ahb/apb/serial@1e783000")),
    options=("-net", "none"),
    console="ttyS4",
    log=("-serial", "chardev:log"),  # QEMU's first is UART 5, then they count from 1
    port=("-serial", "chardev:command"),
    words=("command=ttyS0", "iomem=relaxed"),  # relaxed: /dev/mem has the registers
    loads=(),
)

ARCHITECTURES = {row.debian: row for row in (AMD64, ARM64, ARMHF, PPC64EL)}
