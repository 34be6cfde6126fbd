"""The file that describes a partition's machine: TOML, everything optional.

[machine]
cores = 2
max_cores = 8
ram = "4G"
max_ram = "16G"
slots = 16

[[dimm]]
id = "dimm0"
size = "1G"

[[card]]
id = "net0"
model = "virtio-net-pci"
slot = 3
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from baseboard.errors import ConfigError
from baseboard.spapr.choices import Choice
from baseboard.spapr.settings import MachineSettings
from baseboard.store.mistakes import explain
from baseboard.store.setting import Section, setting
from baseboard.store.source import Source, read

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"(\d{1,18})([KMGT]?)")
SIZE = 'a size such as "512M", "4G" or "1T"'


def size_of(text: str) -> int:
    """Bytes.  Raises ValueError, which says what is allowed."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"allowed: {SIZE}")
    return int(found[1]) * _UNITS[found[2]]


def _checked(text: str) -> str:
    size_of(text)
    return text


Size = Annotated[str, AfterValidator(_checked)]


class Machine(Section):
    """What the machine is made of, and what it can grow to."""

    cores: int = setting(1, "Processor cores at the start.", least=1, most=2048)
    max_cores: int = setting(8, "Cores that there can be.", least=1, most=2048)
    threads: int = setting(1, "Threads of each core: 1, 2, 4 or 8.", least=1, most=8)
    ram: Size = setting("4G", "Memory at the start, in blocks of 256M.", allowed=SIZE)
    max_ram: Size = setting("16G", "Memory with everything that can be plugged in.", allowed=SIZE)
    slots: int = setting(16, "Slots for memory.", least=0, most=256)
    phbs: list[int] = setting(
        [0], "PCI host bridges at the start, by index 0 to 30.", allowed="a list of numbers, 0 to 30"
    )
    phb_slots: int = setting(
        32, "Card slots of each host bridge. QEMU has 32; tools visit each of them.", least=1, most=32
    )
    numa: list[Size] = setting(
        [], "Memory of each NUMA node; none: one node with all of it.", allowed='a list of sizes such as "4G"'
    )
    choices: list[str] = setting(
        [], "Where not to answer as QEMU does: names such as LOPAR or DRC_INFO.", example="DRC_INFO"
    )
    uuid: str | None = setting(None, "The partition's UUID.", example="d3b55c3c-4b5a-4a8e-9d6c-1f5f5c6d7e8f")


class Dimm(Section):
    """Memory that is in a slot at the start."""

    id: str = setting(..., "Name for unplugging it.", longest=64)
    size: Size = setting(..., "How much, in blocks of 256M.", allowed=SIZE)
    node: int = setting(0, "NUMA node.", least=0, most=127)


class Nvdimm(Section):
    """Persistent memory that is in a slot at the start."""

    id: str = setting(..., "Name of it.", longest=64)
    size: Size = setting(..., "How much, in blocks of 256M, labels not counted.", allowed=SIZE)
    label_size: Size = setting("128K", "Size of the label area.", allowed=SIZE)
    uuid: str = setting(..., "Its UUID.", example="d3b55c3c-4b5a-4a8e-9d6c-1f5f5c6d7e90")
    node: int = setting(0, "NUMA node.", least=0, most=127)


class Card(Section):
    """A PCI card that is in a slot at the start."""

    id: str = setting(..., "Name for unplugging it.", longest=64)
    model: str = setting(..., "QEMU's name of the device.", longest=64)
    phb: int = setting(0, "Host bridge.", least=0, most=30)
    slot: int = setting(..., "Slot.", least=0, most=31)
    function: int = setting(0, "Function.", least=0, most=7)


class PartitionFile(Section):
    """The whole file."""

    machine: Machine = Field(default_factory=Machine)
    dimm: list[Dimm] = setting([], "", longest=256, allowed="[[dimm]], up to 256")
    nvdimm: list[Nvdimm] = setting([], "", longest=256, allowed="[[nvdimm]], up to 256")
    card: list[Card] = setting([], "", longest=1024, allowed="[[card]], up to 1024")


def load(path: Path) -> tuple[PartitionFile, Source]:
    """Read and check a file.  Raises ConfigError."""
    source = read(path, "docs/reference/command-line.md shows one of a partition")
    try:
        return PartitionFile.model_validate(source.data), source
    except ValidationError as error:
        raise ConfigError("\n".join(explain(error, PartitionFile, source))) from error


def machine_settings(machine: Machine) -> MachineSettings:
    """What the platform makes of it.  Raises ConfigError.

    Defaults of what there can be grow with what is there.
    """
    said = machine.model_fields_set
    max_cores, ram, max_ram = machine.max_cores, size_of(machine.ram), size_of(machine.max_ram)
    return MachineSettings(
        cores=machine.cores,
        max_cores=max_cores if "max_cores" in said else max(max_cores, machine.cores),
        threads=machine.threads,
        ram=ram,
        max_ram=max_ram if "max_ram" in said else max(max_ram, ram),
        slots=machine.slots,
        phbs=tuple(machine.phbs),
        phb_slots=machine.phb_slots,
        numa=tuple(size_of(size) for size in machine.numa),
        uuid=machine.uuid,
        choices=_choices(machine.choices),
    )


def _choices(names: list[str]) -> Choice:
    choices = Choice.NONE
    for name in names:
        if name not in Choice.__members__:
            raise ConfigError(f"choices: there is no {name!r}; use {', '.join(Choice.__members__)}")
        choices |= Choice[name]
    return choices
