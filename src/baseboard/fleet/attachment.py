"""System interfaces that stand in a machine as PCI functions of ours: `--vfio-user`, `--pci-proxy`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from baseboard.errors import ConfigError
from baseboard.ipmi.value import Value


class Seam(StrEnum):
    """How the machine's monitor speaks with us."""

    VFIO_USER = "vfio-user"
    PCI_PROXY = "pci-proxy"


class Attachment(Value):
    """One function: its socket, and what it is."""

    seam: Seam
    path: Path
    interface: str = "kcs"
    bar: str = ""
    """io or memory."""
    interrupt: str = "none"
    """none: the operating system asks again and again; intx: by the pin, or by MSI if it wants that."""

    @property
    def flag(self) -> str:
        """What the user calls it."""
        return f"--{self.seam}"


SSIF = "ssif"
INTERFACES = ("kcs", "bt", "smic")
BEHIND_VFIO_USER = (*INTERFACES, SSIF)
SSIF_SETTINGS = {"bar": "io", "interrupt": "none"}
"""An SMBus controller has no others: drivers poll it."""

# fmt: off
CHOICES = {
    # by seam, the settings with their choices; the first is the default
    Seam.VFIO_USER: {"interface": BEHIND_VFIO_USER, "bar": ("memory", "io"), "interrupt": ("none", "intx")},
    Seam.PCI_PROXY: {"interface": INTERFACES, "bar": ("io", "memory")},
}
# fmt: on


def parse_attachment(text: str, seam: Seam) -> Attachment:
    """PATH[,NAME=VALUE]...: a path may have commas, what follows it has names.  Raises ConfigError."""
    path, *rest = text.split(",")
    while rest and "=" not in rest[0]:
        path += "," + rest.pop(0)
    if not path:
        raise ConfigError(f"--{seam}: {text!r} has no path; it is PATH[,NAME=VALUE]...")
    return attachment(Path(path), seam, dict(_setting(piece) for piece in rest))


def _setting(piece: str) -> tuple[str, str]:
    name, _, value = piece.partition("=")
    return name, value


def attachment(path: Path, seam: Seam, given: Mapping[str, str]) -> Attachment:
    """With defaults for what is not given.  Raises ConfigError."""
    choices = CHOICES[seam]
    for name, value in given.items():
        if name not in choices:
            raise ConfigError(f"--{seam}: there is no {name}; settings are {', '.join(choices)}")
        if value not in choices[name]:
            raise ConfigError(f"--{seam}: {name} {value!r} is not one of {', '.join(choices[name])}")
    defaults = {name: values[0] for name, values in choices.items()}
    if given.get("interface") == SSIF:
        for name, only in SSIF_SETTINGS.items():
            if given.get(name, only) != only:
                raise ConfigError(f"--{seam}: {name} {given[name]!r}: with interface=ssif it is {only}")
        defaults |= SSIF_SETTINGS
    return Attachment(seam, path, **(defaults | dict(given)))
