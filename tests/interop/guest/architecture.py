"""The architectures of guests: what their images are made of, and the machine that boots them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CHANNEL = ("virtio_pci", "virtio_console")  # how the test talks to the guest
IPMI = ("ipmi_msghandler", "ipmi_devintf", "ipmi_si", "ipmi_ssif", "ipmi_watchdog", "ipmi_poweroff")


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
    libraries: str  # the directory below lib and usr/lib
    qemu: str
    machine: str
    options: Sequence[str] = ()  # what the machine needs besides
    console: str  # the port that takes the kernel's messages
    log: Sequence[str]  # that port; its chardev is called "log"
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

ARCHITECTURES = {row.debian: row for row in (AMD64, ARM64)}
