"""Client architecture support: the guest says what it can do, and gets the device tree for it.  [LoPAR
B.6.2.3]

    (mask, processor version) cells, until one has version bits outside its mask
    number of vectors - 1
    each: length - 1, that many bytes

The answer is a cell with 1 (the version of this header) and a device-tree blob behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from baseboard.errors import DecodeError
from baseboard.spapr import fdt, processor, vector5
from baseboard.spapr.cells import cells
from baseboard.spapr.choices import Choice
from baseboard.spapr.device_tree import device_tree
from baseboard.spapr.guest_memory import GuestMemory, read_cells

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

MOST_PROCESSORS = 512
NEEDED = (1, 5)
"""Vectors without which nothing can be agreed on."""
HEADER = cells(1)
NATIVE_HEADER = HEADER[::-1]
ISA_3 = vector5.Option(3, 0)
"""Of vector 1: the guest can use a processor of ISA 3.0."""


class NoCommonProcessor(DecodeError):
    """Nothing that the guest can run on is what this machine has."""


class Architecture(NamedTuple):
    """What a guest gives: processors that it can run on; option vectors by number, from 1."""

    processors: tuple[tuple[int, int], ...]
    """Mask and version."""
    vectors: dict[int, bytes]


def read_architecture(memory: GuestMemory, address: int) -> Architecture:
    """Raises `DecodeError`, also where it leaves the guest's memory (`BadAddress`)."""
    processors: list[tuple[int, int]] = []
    while True:
        mask, version = read_cells(memory, address, 2)
        address += 8
        processors.append((mask, version))
        if version & ~mask:
            break
        if len(processors) == MOST_PROCESSORS:
            raise DecodeError(f"{MOST_PROCESSORS} processor versions, and no end of them")
    vectors = {}
    (last,) = memory.read(address, 1)
    address += 1
    for number in range(1, last + 2):
        length = memory.read(address, 1)[0] + 1
        vectors[number] = memory.read(address + 1, length)
        address += 1 + length
    return Architecture(tuple(processors), vectors)


def negotiate(machine: PseriesMachine, guest: Architecture, target: int, room: int) -> None:
    """Agrees, and writes the answer to `room` bytes at `target`.

    Raises `DecodeError`, also where the answer leaves the guest's memory; then nothing has changed.
    """
    *pairs, _ = guest.processors
    common = processor.common(pairs, isa_3=ISA_3.among(guest.vectors.get(1, b"")))
    if common is None:
        raise NoCommonProcessor(f"the guest does not run on a processor {processor.POWER9:#x}")
    missing = [number for number in NEEDED if number not in guest.vectors]
    if missing:
        raise DecodeError(f"option vector {missing[0]} is missing")
    agreed = vector5.common(guest.vectors[5], vector5.offered(machine.choices))
    # Settling the connectors can only take nodes away: what fits now fits then.
    most = len(HEADER) + len(fdt.build(device_tree(machine, agreed)))
    if most > room:
        raise DecodeError(f"no room for the device tree: {room} bytes, {most} are needed")
    machine.memory.read(target, most)
    machine.negotiated(agreed, hotplug_events=vector5.HOTPLUG_EVENTS.among(agreed))
    machine.processor = common
    if not any(option.among(guest.vectors[5]) for option in (vector5.RADIX, vector5.TABLE_RESIZING)):
        # Its hashed table must do for all that is plugged in later.  [QEMU 7.2]
        machine.memory_at_reset = max(machine.memory_at_reset, machine.settings.largest_ram)
    header = NATIVE_HEADER if Choice.NATIVE_TREE_HEADER in machine.choices else HEADER
    machine.memory.write(target, header + fdt.build(device_tree(machine)))
