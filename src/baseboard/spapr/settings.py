"""What a machine is made of, and what it can grow to."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from baseboard.errors import ConfigError
from baseboard.spapr.choices import Choice

LMB_SIZE = 0x1000_0000
"""A logical memory block: 256 MiB."""
MAX_PHBS = 31
MAX_SLOTS = 256
"""Of memory, as QEMU's ACPI_MAX_RAM_SLOTS."""
MAX_MEMORY = 1 << 46
MAX_CORES = 2048
MAX_NODES = 128

_EXAMPLE = "11223344-5566-7788-99aa-bbccddeeff00"
_DEVICE_MEMORY_ALIGNMENT = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSettings:
    """Checked when made: raises `ConfigError`, which names the setting."""

    cores: int = 1
    max_cores: int | None = None
    """None: those that are there."""
    threads: int = 1
    """Of each core."""
    ram: int = 1 << 30
    """Bytes at the start; blocks below the device memory."""
    max_ram: int | None = None
    """With everything that can be plugged in; None: `ram`."""
    slots: int = 0
    """For memory."""
    phbs: tuple[int, ...] = (0,)
    """Indexes of the host bridges that are there at the start."""
    phb_slots: int = 32
    """Card slots of each host bridge; QEMU always has 32, which a guest's tools visit one by one."""
    numa: tuple[int, ...] = field(default=())
    """RAM of each node; none: one node with all of it."""
    uuid: str | None = None
    choices: Choice = Choice.NONE

    def __post_init__(self) -> None:
        _between("cores", self.cores, 1, MAX_CORES)
        _between("threads", self.threads, 1, 8)
        _between("max_cores", self.possible_cores, self.cores, MAX_CORES)
        if self.threads & (self.threads - 1):
            raise ConfigError(f"threads = {self.threads}: use 1, 2, 4 or 8")
        _blocks("ram", self.ram)
        _between("ram", self.ram, LMB_SIZE, MAX_MEMORY)
        _blocks("max_ram", self.largest_ram)
        _between("max_ram", self.largest_ram, self.ram, MAX_MEMORY)
        _between("slots", self.slots, 0, MAX_SLOTS)
        _between("phb_slots", self.phb_slots, 1, 32)
        if self.largest_ram > self.ram and not self.slots:
            raise ConfigError("max_ram is more than ram, but slots = 0: memory could go nowhere")
        if len(set(self.phbs)) != len(self.phbs):
            raise ConfigError(f"phbs = {list(self.phbs)}: each index once")
        for index in self.phbs:
            _between("phbs", index, 0, MAX_PHBS - 1)
        if len(self.numa) > MAX_NODES:
            raise ConfigError(f"numa: {len(self.numa)} nodes; at most {MAX_NODES}")
        for size in self.numa:
            if size:
                _blocks("numa", size)
        if self.uuid is not None:
            try:
                UUID(self.uuid)
            except (ValueError, AttributeError, TypeError) as error:
                raise ConfigError(f"uuid = {self.uuid!r}: use one such as {_EXAMPLE}") from error
        if self.numa and sum(self.numa) != self.ram:
            raise ConfigError(f"numa: the nodes have {sum(self.numa)} bytes together, ram is {self.ram}")

    @property
    def possible_cores(self) -> int:
        return self.cores if self.max_cores is None else self.max_cores

    @property
    def largest_ram(self) -> int:
        return self.ram if self.max_ram is None else self.max_ram

    @property
    def nodes(self) -> int:
        """How many NUMA nodes there are; at least one."""
        return len(self.numa) or 1

    @property
    def device_memory(self) -> range:
        """Addresses of what can be plugged in."""
        start = -(-self.ram // _DEVICE_MEMORY_ALIGNMENT) * _DEVICE_MEMORY_ALIGNMENT
        return range(start, start + self.largest_ram - self.ram)


def _between(name: str, value: int, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise ConfigError(f"{name} = {value!r}: use a number from {low} to {high}")


def _blocks(name: str, value: int) -> None:
    if type(value) is not int or value <= 0 or value % LMB_SIZE:
        raise ConfigError(f"{name} = {value!r}: use a multiple of 256 MiB ({LMB_SIZE})")
