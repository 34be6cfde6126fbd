"""The command line of a QEMU that we own: the user's, and what baseboard adds to it.

Added are the BMC and its system interface, a serial port for Serial over LAN, and a QMP monitor, each on a
Unix socket in the state directory on which QEMU listens: so a restarted baseboard finds all of them again.
The machine starts paused and is let go when the BMC is connected, for a driver that finds no BMC behind its
interface gives up at once. `-action panic=none` leaves a panicked system as it is on a real server: hung,
powered, and a matter for the watchdog.

The serial port comes after those that the user's line has (the first one is COM1). With `-serial none` it
is therefore the guest's second port, as on many real servers.

A boot device chosen over IPMI becomes `-boot`. Where the user's line has `bootindex` on some device, `-boot`
would come second to it, so there the indexes are rewritten instead.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from baseboard.bmc.boot_options import BootChoice, BootDevice
from baseboard.errors import ConfigError

LONGEST_SOCKET_PATH = 107
IPMI, QMP, SERIAL = "ipmi.sock", "qmp.sock", "serial.sock"

# fmt: off
INTERFACES: Mapping[str, str] = {
    "kcs":   "isa-ipmi-kcs",
    "bt":    "isa-ipmi-bt",
    "ssif":  "smbus-ipmi,address=0x10",
}

LETTERS: Mapping[BootDevice, str] = {
    # boot device                -boot order=
    BootDevice.PXE:              "n",
    BootDevice.DISK:             "c",
    BootDevice.DISK_SAFE_MODE:   "c",
    BootDevice.REMOTE_DISK:      "c",
    BootDevice.CDROM:            "d",
    BootDevice.REMOTE_CDROM:     "d",
    BootDevice.REMOTE_MEDIA:     "d",
    BootDevice.FLOPPY:           "a",
    BootDevice.REMOTE_FLOPPY:    "a",
}
# fmt: on

SETUP = "menu=on,splash-time=10000"
"""The nearest to "enter setup" that a guest's firmware can be asked for: its boot menu, for ten seconds."""


@dataclass(frozen=True, slots=True)
class QemuLine:
    """A whole command line, and where the other ends of its sockets are."""

    command: tuple[str, ...]
    ipmi: Path
    qmp: Path
    serial: Path
    paused_by_user: bool
    """The user's own -S: whoever wrote it lets the machine go."""

    def starting(self, choice: BootChoice | None) -> tuple[str, ...]:
        """The command line that boots from this."""
        if choice is None:
            return self.command
        letter = LETTERS.get(choice.device)
        if letter is None:
            return (*self.command, "-boot", SETUP) if choice.device is BootDevice.SETUP else self.command
        if self.indexed:
            return _reindexed(self.command, letter)
        return (*self.command, "-boot", f"{'order' if choice.persistent else 'once'}={letter}")

    @property
    def indexed(self) -> bool:
        """The devices have boot indexes: a start from something else lasts until QEMU is started again."""
        return any(_BOOTINDEX.search(value) for _, value in _options(self.command, "device"))


def equip(command: Sequence[str], interface: str, directory: Path) -> QemuLine:
    """The user's QEMU command with baseboard's options.  Raises ConfigError with what to change."""
    if not command:
        raise ConfigError("no QEMU command: baseboard run -- qemu-system-x86_64 ...")
    program = shutil.which(command[0])
    if program is None:
        raise ConfigError(
            f"{command[0]}: no such program; install QEMU (Debian: apt install qemu-system-x86) "
            "or give the program's path"
        )
    if _has(command, "daemonize"):
        raise ConfigError("-daemonize: baseboard owns the process; leave the option out")
    for _, value in _options(command, "device"):
        if "ipmi" in value.split(",")[0]:
            raise ConfigError(
                f"-device {value}: baseboard adds the BMC and its interface itself (--interface "
                f"{', '.join(INTERFACES)}); leave the option out, or attach with --vm instead"
            )
    device = INTERFACES.get(interface)
    if device is None:
        raise ConfigError(f"--interface: {interface!r} is not one of {', '.join(INTERFACES)}")
    ipmi, qmp, serial = directory / IPMI, directory / QMP, directory / SERIAL
    if (length := len(str(serial).encode())) > LONGEST_SOCKET_PATH:
        raise ConfigError(
            f"{serial}: {length} bytes, a socket's path may have {LONGEST_SOCKET_PATH}; "
            "choose a shorter directory with --state"
        )
    paused = _has(command, "S")
    # fmt: off
    added = [
        "-chardev", _listening("baseboard-ipmi", ipmi),
        "-device", "ipmi-bmc-extern,id=baseboard-bmc,chardev=baseboard-ipmi",
        "-device", f"{device},id=baseboard-interface,bmc=baseboard-bmc",
        "-chardev", _listening("baseboard-serial", serial) + ",telnet=on",  # telnet can carry a break
        "-serial", "chardev:baseboard-serial",
        "-chardev", _listening("baseboard-qmp", qmp),
        "-mon", "chardev=baseboard-qmp,mode=control",
    ]
    # fmt: on
    if not any("panic=" in value for _, value in _options(command, "action")):
        added += ["-action", "panic=none"]
    if not paused:
        added.append("-S")
    return QemuLine((program, *command[1:], *added), ipmi, qmp, serial, paused)


def _listening(name: str, path: Path) -> str:
    escaped = str(path).replace(",", ",,")
    return f"socket,id={name},path={escaped},server=on,wait=off"


def _has(command: Sequence[str], option: str) -> bool:
    return any(word in (f"-{option}", f"--{option}") for word in command[1:])


def _options(command: Sequence[str], option: str) -> list[tuple[int, str]]:
    """Every value of an option, with its place in the command."""
    names = (f"-{option}", f"--{option}")
    return [
        (place + 1, command[place + 1]) for place in range(1, len(command) - 1) if command[place] in names
    ]


_BOOTINDEX = re.compile(r",bootindex=(\d+)")


def _letter_of(device: str) -> str:
    """Which `-boot` letter a -device is; empty: none of them."""
    driver = device.split(",")[0]
    if ",netdev=" in device:
        return "n"
    if driver.endswith("-cd"):
        return "d"
    if driver == "floppy":
        return "a"
    return "c" if ",drive=" in device else ""


def _reindexed(command: tuple[str, ...], letter: str) -> tuple[str, ...]:
    """The devices of this kind before all others, each group in the order that it had."""
    words = list(command)
    indexed: list[tuple[bool, int, int]] = []
    for place, value in _options(command, "device"):
        match = _BOOTINDEX.search(value)
        chosen = _letter_of(value) == letter
        if match is not None or chosen:
            indexed.append((not chosen, int(match[1]) if match is not None else len(words), place))
    for index, (_, _, place) in enumerate(sorted(indexed)):
        words[place] = _BOOTINDEX.sub("", words[place]) + f",bootindex={index}"
    return tuple(words)
