"""What can be plugged into a partition; plain values, all state is in their connectors.

`id` is the management side's name for it and unique in the machine. What was there from the start may have
none: then it is the empty string, as in QEMU's events.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Core:
    """A processor core with all its threads."""

    id: str
    core_id: int
    """Number of its first thread."""
    node: int = 0
    """NUMA node."""


@dataclass(frozen=True, slots=True)
class Dimm:
    """Memory in a slot, from an address in the device memory region."""

    id: str
    slot: int
    address: int
    size: int
    node: int = 0


@dataclass(frozen=True, slots=True)
class Nvdimm:
    """Persistent memory in a slot. `size` is without the label area."""

    id: str
    slot: int
    address: int
    size: int
    label_size: int
    uuid: str
    node: int = 0


@dataclass(frozen=True, slots=True)
class PciFunction:
    """One function of a card. `phb` is the host bridge's index, `chassis` a bridge's number or 0."""

    id: str
    phb: int
    chassis: int
    slot: int
    function: int
    model: str
    bridge: int = 0
    """Chassis number of what is behind it, if it is a bridge."""


@dataclass(frozen=True, slots=True)
class Phb:
    """A PCI host bridge."""

    id: str
    index: int
    node: int = -1
    """-1: none, as QEMU's default."""


@dataclass(frozen=True, slots=True)
class TpmProxy:
    """What H_TPM_COMM talks to; has no connector."""

    id: str
    tpm: str = ""
    """Where the TPM is, in words of whoever makes the link to it."""


Device = Core | Dimm | Nvdimm | PciFunction | Phb | TpmProxy

PEOPLE_CALL_THEM: dict[str, type[Device]] = {
    "core": Core,
    "dimm": Dimm,
    "nvdimm": Nvdimm,
    "pci": PciFunction,
    "phb": Phb,
    "tpm-proxy": TpmProxy,
}
"""Names in exported state and on command lines."""
_NAMES = {kind: name for name, kind in PEOPLE_CALL_THEM.items()}


def kind_of(device: Device) -> str:
    """What people call it."""
    return _NAMES[type(device)]
